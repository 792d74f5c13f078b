-- +goose Up

-- Logged models (ml/experiment): what runs made, with their scores. removed_at is 0 for those that are not deleted; scores
-- are the latest of each key, run and data set ('' for none), NaN as 0 with nan = 1.
CREATE TABLE logged_models (
    id         TEXT   NOT NULL PRIMARY KEY,
    experiment BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    run        TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    location   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    removed_at BIGINT NOT NULL
);
CREATE INDEX logged_models_listed ON logged_models (experiment, created_at DESC, id);
CREATE TABLE logged_model_params (
    model TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, name)
);
CREATE TABLE logged_model_tags (
    model TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, name)
);
CREATE TABLE logged_model_metrics (
    model   TEXT             NOT NULL,
    name    TEXT             NOT NULL,
    run     TEXT             NOT NULL,
    dataset TEXT             NOT NULL,
    digest  TEXT             NOT NULL,
    value   DOUBLE PRECISION NOT NULL,
    nan     BIGINT           NOT NULL,
    at      BIGINT           NOT NULL,
    step    BIGINT           NOT NULL,
    PRIMARY KEY (model, name, run, dataset, digest)
);

-- +goose Down
DROP TABLE logged_model_metrics;
DROP TABLE logged_model_tags;
DROP TABLE logged_model_params;
DROP TABLE logged_models;
