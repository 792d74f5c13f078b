-- +goose Up
-- What one person asks for and others decide (base/approval); body is JSON.
CREATE TABLE approvals (
    id        TEXT   NOT NULL PRIMARY KEY,
    number    BIGINT NOT NULL UNIQUE,
    kind      TEXT   NOT NULL,
    object    TEXT   NOT NULL,
    requester TEXT   NOT NULL,
    state     TEXT   NOT NULL,
    version   BIGINT NOT NULL,
    -- how far the execution has come
    done      BIGINT NOT NULL,
    cursor    TEXT   NOT NULL,
    result    TEXT   NOT NULL,
    body      TEXT   NOT NULL
);
CREATE INDEX approvals_state ON approvals (state, number);

-- +goose Down
DROP TABLE approvals;
