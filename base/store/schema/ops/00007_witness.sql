-- +goose Up
-- What senders' own tools told people, as they or their webhooks say (ops/notify). at is in milliseconds since 1970 (UTC).
CREATE TABLE witnessed (
    id          TEXT   NOT NULL PRIMARY KEY,
    at          BIGINT NOT NULL,
    integration TEXT   NOT NULL,
    receiver    TEXT   NOT NULL,
    body        TEXT   NOT NULL
);
CREATE INDEX witnessed_at ON witnessed (at);

-- +goose Down
DROP TABLE witnessed;
