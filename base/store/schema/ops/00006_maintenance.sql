-- +goose Up
-- Maintenance windows (ops/alert); body is JSON.
CREATE TABLE maintenance (
    id   TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);

-- +goose Down
DROP TABLE maintenance;
