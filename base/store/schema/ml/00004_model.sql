-- +goose Up

-- The model registry (ml/model). newest is the last number given to a version of a model, deleted ones too.
CREATE TABLE registered_models (
    id          INTEGER NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    description TEXT    NOT NULL,
    newest      BIGINT  NOT NULL,
    created_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL
);
CREATE TABLE registered_model_tags (
    model BIGINT NOT NULL,
    name  TEXT   NOT NULL,
    value TEXT   NOT NULL,
    PRIMARY KEY (model, name)
);
CREATE TABLE registered_model_aliases (
    model   BIGINT NOT NULL,
    name    TEXT   NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (model, name)
);

-- location is where the files of source are.
CREATE TABLE model_versions (
    model       BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    stage       TEXT   NOT NULL,
    description TEXT   NOT NULL,
    source      TEXT   NOT NULL,
    location    TEXT   NOT NULL,
    run         TEXT   NOT NULL,
    run_link    TEXT   NOT NULL,
    logged      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (model, version)
);
CREATE INDEX model_versions_run ON model_versions (run);
CREATE INDEX model_versions_listed ON model_versions (updated_at DESC);
CREATE TABLE model_version_tags (
    model   BIGINT NOT NULL,
    version BIGINT NOT NULL,
    name    TEXT   NOT NULL,
    value   TEXT   NOT NULL,
    PRIMARY KEY (model, version, name)
);

-- +goose Down
DROP TABLE model_version_tags;
DROP TABLE model_versions;
DROP TABLE registered_model_aliases;
DROP TABLE registered_model_tags;
DROP TABLE registered_models;
