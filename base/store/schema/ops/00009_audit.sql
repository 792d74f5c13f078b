-- +goose Up

-- The people in the audit log, which holds only their pseudonyms (base/audit, Seal). Deleting a row erases the person:
-- without the key what was sealed cannot be read any more, and every proof stays valid.
CREATE TABLE audit_subjects (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    seal_key   BLOB   NOT NULL,
    created_at BIGINT NOT NULL
);

-- People search what people did; the leaves of automatic decisions, which are many, stay out.
CREATE INDEX audit_leaves_people ON audit_leaves (n) WHERE action <> 'decisions';
CREATE INDEX audit_leaves_actor ON audit_leaves (actor, n) WHERE action <> 'decisions';
CREATE INDEX audit_leaves_object ON audit_leaves (object, n) WHERE action <> 'decisions';

-- +goose Down
DROP INDEX audit_leaves_object;
DROP INDEX audit_leaves_actor;
DROP INDEX audit_leaves_people;
DROP TABLE audit_subjects;
