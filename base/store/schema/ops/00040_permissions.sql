-- +goose Up

-- What a person may do with one thing, besides what their roles allow (base/access). kind is experiment or model; level is
-- READ, USE, EDIT, MANAGE or NO_PERMISSIONS.
CREATE TABLE permissions (
    kind   TEXT NOT NULL,
    object TEXT NOT NULL,
    owner  TEXT NOT NULL,
    level  TEXT NOT NULL,
    PRIMARY KEY (kind, object, owner)
);
CREATE INDEX permissions_owner ON permissions (owner);

-- The numbers by which MLflow's clients know users.
CREATE TABLE user_numbers (
    name   TEXT   NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE
);

-- +goose Down
DROP TABLE user_numbers;
DROP TABLE permissions;
