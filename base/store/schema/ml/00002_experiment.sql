-- +goose Up

-- Experiments and runs (ml/experiment), artifacts (ml/artifact). Times are milliseconds since 1970 (UTC), as clients send
-- them. stage is 0 for active and 1 for deleted.

-- The last number of each kind that was given away: numbers of what was purged never come back.
CREATE TABLE sequences (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- The keys of metrics, params and tags, by number, so that a row of each is small.
CREATE TABLE names (
    id   INTEGER NOT NULL PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE
);

CREATE TABLE experiments (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    location   TEXT    NOT NULL,
    stage      BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL
);

CREATE TABLE experiment_tags (
    experiment BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    value      TEXT   NOT NULL,
    PRIMARY KEY (experiment, name)
);

-- Which keys the runs of an experiment have; kind is m, p or t. It only grows, until the experiment is purged.
CREATE TABLE experiment_keys (
    experiment BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    PRIMARY KEY (experiment, kind, name)
);

-- ended_at is NULL until the run has an end; removed_at is 0 for a run that is not deleted.
CREATE TABLE runs (
    id         INTEGER NOT NULL PRIMARY KEY,
    uuid       TEXT    NOT NULL UNIQUE,
    experiment BIGINT  NOT NULL,
    name       TEXT    NOT NULL,
    owner      TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    started_at BIGINT  NOT NULL,
    ended_at   BIGINT,
    location   TEXT    NOT NULL,
    stage      BIGINT  NOT NULL,
    removed_at BIGINT  NOT NULL
);
-- The order in which runs are listed when no other is asked for.
CREATE INDEX runs_listed ON runs (experiment, stage, started_at DESC, uuid);

-- Of metrics, params and tags, id is the run's number times 2^24 plus that of the key: those of a run lie side by side, and
-- one of them is found in one step.

-- The latest point of each metric of a run: the greatest (step, at, value). NaN is kept as 0 with nan = 1.
CREATE TABLE metrics (
    id    INTEGER          NOT NULL PRIMARY KEY,
    value DOUBLE PRECISION NOT NULL,
    nan   BIGINT           NOT NULL,
    at    BIGINT           NOT NULL,
    step  BIGINT           NOT NULL
);

-- All points, first as they came, many of a run in a row, then packed by key (ml/experiment, history.go).
CREATE TABLE metric_journal (
    id     INTEGER NOT NULL PRIMARY KEY,
    run    BIGINT  NOT NULL,
    points BLOB    NOT NULL
);
CREATE INDEX metric_journal_run ON metric_journal (run);
CREATE TABLE metric_chunks (
    id     INTEGER NOT NULL PRIMARY KEY,
    metric BIGINT  NOT NULL,
    points BLOB    NOT NULL
);
CREATE INDEX metric_chunks_metric ON metric_chunks (metric);

CREATE TABLE params (
    id    INTEGER NOT NULL PRIMARY KEY,
    value TEXT    NOT NULL
);

CREATE TABLE tags (
    id    INTEGER NOT NULL PRIMARY KEY,
    value TEXT    NOT NULL
);

-- Data sets as runs name them, and which run read which. One (name, digest) of an experiment is one data set.
CREATE TABLE datasets (
    id          INTEGER NOT NULL PRIMARY KEY,
    experiment  BIGINT  NOT NULL,
    name        TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    source_type TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    schema      TEXT    NOT NULL,
    profile     TEXT    NOT NULL,
    UNIQUE (experiment, name, digest)
);
CREATE TABLE inputs (
    run     BIGINT NOT NULL,
    dataset BIGINT NOT NULL,
    -- the tags, as a JSON object, and of them mlflow.data.context; NULL without
    tags    TEXT   NOT NULL,
    context TEXT,
    PRIMARY KEY (run, dataset)
);
CREATE INDEX inputs_dataset ON inputs (dataset);

-- Logged models that a run read (direction 0) or made (1).
CREATE TABLE run_models (
    run       BIGINT NOT NULL,
    direction BIGINT NOT NULL,
    model     TEXT   NOT NULL,
    step      BIGINT NOT NULL,
    PRIMARY KEY (run, direction, model)
);

-- Files, by their path below the root of all artifacts. Folders exist by what is in them. blob names the content.
CREATE TABLE artifacts (
    path     TEXT   NOT NULL PRIMARY KEY,
    size     BIGINT NOT NULL,
    digest   TEXT   NOT NULL,
    blob     TEXT   NOT NULL,
    added_at BIGINT NOT NULL
);

-- Content that no path names any more, until it is removed.
CREATE TABLE artifact_trash (
    blob TEXT NOT NULL PRIMARY KEY
);

-- +goose Down
DROP TABLE artifact_trash;
DROP TABLE artifacts;
DROP TABLE run_models;
DROP TABLE inputs;
DROP TABLE datasets;
DROP TABLE tags;
DROP TABLE params;
DROP TABLE metric_chunks;
DROP TABLE metric_journal;
DROP TABLE metrics;
DROP TABLE runs;
DROP TABLE experiment_keys;
DROP TABLE experiment_tags;
DROP TABLE experiments;
DROP TABLE names;
DROP TABLE sequences;
