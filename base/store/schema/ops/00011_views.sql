-- +goose Up

-- Filters of lists that somebody has named (base/view).
CREATE TABLE saved_views (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    page       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    query      TEXT    NOT NULL,
    shared     INTEGER NOT NULL,
    updated_at BIGINT  NOT NULL,
    UNIQUE (owner, page, name)
);
CREATE INDEX saved_views_page ON saved_views (page, owner);

-- +goose Down
DROP TABLE saved_views;
