-- +goose Up
-- Who may send through what (base/integration). Times are milliseconds since 1970 (UTC); body is JSON without secrets: keys
-- are kept as hashes.
CREATE TABLE integrations (
    name    TEXT   NOT NULL PRIMARY KEY,
    kind    TEXT   NOT NULL,
    version BIGINT NOT NULL,
    body    TEXT   NOT NULL
);

-- The newest payloads of each integration, redacted; body is JSON.
CREATE TABLE captures (
    integration TEXT   NOT NULL,
    n           BIGINT NOT NULL,
    body        TEXT   NOT NULL,
    PRIMARY KEY (integration, n)
);

-- +goose Down
DROP TABLE captures;
DROP TABLE integrations;
