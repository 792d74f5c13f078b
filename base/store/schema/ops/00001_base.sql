-- +goose Up
CREATE TABLE positions (
    consumer   TEXT   NOT NULL PRIMARY KEY,
    sequence   BIGINT NOT NULL,
    epoch      BIGINT NOT NULL
);
-- +goose Down
DROP TABLE positions;
