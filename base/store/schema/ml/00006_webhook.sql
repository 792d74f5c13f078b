-- +goose Up

-- Who is told of changes in the registry (ml/model/webhook). events is a JSON list of {"entity", "action"}; secret signs.
CREATE TABLE webhooks (
    id          TEXT   NOT NULL PRIMARY KEY,
    n           BIGINT NOT NULL,
    name        TEXT   NOT NULL,
    description TEXT   NOT NULL,
    url         TEXT   NOT NULL,
    events      TEXT   NOT NULL,
    secret      TEXT   NOT NULL,
    status      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE webhooks;
