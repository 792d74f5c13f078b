-- +goose Up

-- Traces of MLflow (ml/trace). Times are milliseconds since 1970, those of spans nanoseconds. took is NULL until the trace
-- ended; told is 1 when a client told of
-- the trace itself, besides its spans; n keeps tags and metadata in the order in which they came.
CREATE TABLE traces (
    id         TEXT   NOT NULL PRIMARY KEY,
    experiment BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    took       BIGINT,
    state      TEXT   NOT NULL,
    client     TEXT   NOT NULL,
    request    TEXT   NOT NULL,
    response   TEXT   NOT NULL,
    told       BIGINT NOT NULL
);
CREATE INDEX traces_listed ON traces (experiment, started_at DESC, id);
CREATE TABLE trace_tags (
    trace TEXT   NOT NULL,
    name  TEXT   NOT NULL,
    value TEXT   NOT NULL,
    n     BIGINT NOT NULL,
    PRIMARY KEY (trace, name)
);
CREATE TABLE trace_metadata (
    trace TEXT   NOT NULL,
    name  TEXT   NOT NULL,
    value TEXT   NOT NULL,
    n     BIGINT NOT NULL,
    PRIMARY KEY (trace, name)
);
CREATE TABLE trace_runs (
    trace TEXT NOT NULL,
    run   TEXT NOT NULL,
    PRIMARY KEY (trace, run)
);
CREATE INDEX trace_runs_run ON trace_runs (run);

-- body is the span as MLflow's clients read it, attributes a JSON object of texts, and text what is searched.
CREATE TABLE trace_spans (
    trace      TEXT   NOT NULL,
    id         TEXT   NOT NULL,
    parent     TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL,
    attributes TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (trace, id)
);

-- What people, judges and code said of traces. kind is feedback or expectation; value is JSON; body is all of it, as JSON.
CREATE TABLE assessments (
    id    TEXT   NOT NULL PRIMARY KEY,
    trace TEXT   NOT NULL,
    n     BIGINT NOT NULL,
    kind  TEXT   NOT NULL,
    name  TEXT   NOT NULL,
    value TEXT   NOT NULL,
    body  TEXT   NOT NULL
);
CREATE INDEX assessments_trace ON assessments (trace, n);

-- What judges are made of, by experiment, name and version.
CREATE TABLE scorers (
    experiment BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    id         TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (experiment, name, version)
);

-- Sets of questions, and answers that are expected.
CREATE TABLE evaluation_sets (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    tags       TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    updated_by TEXT   NOT NULL
);
CREATE TABLE evaluation_set_experiments (
    dataset    TEXT   NOT NULL,
    experiment BIGINT NOT NULL,
    PRIMARY KEY (dataset, experiment)
);
CREATE TABLE evaluation_records (
    dataset    TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    id         TEXT   NOT NULL UNIQUE,
    n          BIGINT NOT NULL,
    body       TEXT   NOT NULL,
    PRIMARY KEY (dataset, digest)
);

-- +goose Down
DROP TABLE evaluation_records;
DROP TABLE evaluation_set_experiments;
DROP TABLE evaluation_sets;
DROP TABLE scorers;
DROP TABLE assessments;
DROP TABLE trace_spans;
DROP TABLE trace_runs;
DROP TABLE trace_metadata;
DROP TABLE trace_tags;
DROP TABLE traces;
