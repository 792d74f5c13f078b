-- +goose Up

-- Where each consumer stands in its stream; written with the effects (base/store, SavePosition).
CREATE TABLE positions (
    consumer TEXT   NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    epoch    BIGINT NOT NULL
);

-- Small values by name (base/store, SaveState).
CREATE TABLE state (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
);

-- What could not be used (base/store, AddDeadLetter); number has no gaps but at the old end.
CREATE TABLE dead_letters (
    number      BIGINT  NOT NULL PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    at          BIGINT  NOT NULL,
    receiver    TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    payload     BLOB    NOT NULL,
    truncated   BOOLEAN NOT NULL,
    replayed_at BIGINT  NOT NULL
);

-- The leaves of the Merkle log, from 0 without gaps (base/audit).
CREATE TABLE audit_leaves (
    n      BIGINT NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    action TEXT   NOT NULL,
    object TEXT   NOT NULL,
    reason TEXT   NOT NULL,
    data   BLOB   NOT NULL
);

-- The hashes of the Merkle log by golang.org/x/mod/sumdb/tlog's StoredHashIndex, 32 bytes each.
CREATE TABLE audit_hashes (
    position BIGINT NOT NULL PRIMARY KEY,
    hash     BLOB   NOT NULL
);


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
DROP TABLE audit_hashes;
DROP TABLE audit_leaves;
DROP TABLE dead_letters;
DROP TABLE state;
DROP TABLE positions;
