-- +goose Up

-- Who owns an incident; empty if nobody does.
ALTER TABLE incidents ADD COLUMN owner TEXT NOT NULL DEFAULT '';

-- Who was named in a note and has not seen it yet (ops/incident, Mentions).
CREATE TABLE mentions (
    step     BIGINT NOT NULL,
    name     TEXT   NOT NULL,
    incident BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (step, name)
);
CREATE INDEX mentions_name ON mentions (name, step);

-- +goose Down
DROP TABLE mentions;
ALTER TABLE incidents DROP COLUMN owner;
