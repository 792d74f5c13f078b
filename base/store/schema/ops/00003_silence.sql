-- +goose Up
CREATE TABLE silences (
    id          TEXT   NOT NULL PRIMARY KEY,
    matchers    TEXT   NOT NULL, -- JSON: [{"type","name","value"}]
    starts_at   BIGINT NOT NULL, -- milliseconds since 1970, UTC
    ends_at     BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    created_by  TEXT   NOT NULL,
    comment     TEXT   NOT NULL,
    annotations TEXT   NOT NULL  -- JSON object, or empty
);
CREATE INDEX silences_ends_at ON silences (ends_at);
-- +goose Down
DROP TABLE silences;
