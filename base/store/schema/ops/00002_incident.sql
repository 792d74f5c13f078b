-- +goose Up
-- Times are milliseconds since 1970 (UTC); 0 means "not happened". Lists and maps are JSON.
CREATE TABLE alerts (
    seq              INTEGER PRIMARY KEY,
    source           TEXT    NOT NULL,
    identity         TEXT    NOT NULL,
    fingerprint      TEXT    NOT NULL,
    template_key     TEXT    NOT NULL,
    name             TEXT    NOT NULL,
    severity         INTEGER NOT NULL,
    entity           TEXT    NOT NULL,
    labels           TEXT    NOT NULL,
    annotations      TEXT    NOT NULL,
    generator_url    TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    starts_at        BIGINT  NOT NULL,
    ends_at          BIGINT  NOT NULL,
    received_at      BIGINT  NOT NULL,
    last_received_at BIGINT  NOT NULL,
    expires_at       BIGINT  NOT NULL,
    reports          BIGINT  NOT NULL,
    flaps            BIGINT  NOT NULL,
    flapping         INTEGER NOT NULL,
    silenced_by      TEXT    NOT NULL,
    inhibited_by     TEXT    NOT NULL,
    incident         BIGINT  NOT NULL,
    why              TEXT    NOT NULL,
    -- the decision record, one JSON object a line; chain is the hash over its lines, leaf the audit leaf that holds it
    decision         TEXT    NOT NULL,
    decision_lines   INTEGER NOT NULL,
    chain            TEXT    NOT NULL
);
CREATE INDEX alerts_incident ON alerts (incident, seq);
CREATE INDEX alerts_firing ON alerts (seq) WHERE state = 'firing';
CREATE INDEX alerts_ended ON alerts (last_received_at) WHERE state = 'resolved';

CREATE TABLE incidents (
    number          INTEGER PRIMARY KEY,
    grp             BIGINT  NOT NULL,
    state           TEXT    NOT NULL,
    title           TEXT    NOT NULL,
    severity        INTEGER NOT NULL,
    started_at      BIGINT  NOT NULL,
    last_seen_at    BIGINT  NOT NULL,
    shown_at        BIGINT  NOT NULL,
    ended_at        BIGINT  NOT NULL,
    acknowledged_at BIGINT  NOT NULL,
    acknowledged_by TEXT    NOT NULL,
    merged_into     BIGINT  NOT NULL,
    -- the incident that stands for this one after merges: itself, or the end of the chain of merged_into
    root            BIGINT  NOT NULL,
    -- the counts of alerts, merged ones included, for sums over many incidents
    alerts          BIGINT  NOT NULL,
    silenced        BIGINT  NOT NULL,
    inhibited       BIGINT  NOT NULL,
    flapping        BIGINT  NOT NULL,
    own             TEXT    NOT NULL,
    total           TEXT    NOT NULL
);
CREATE INDEX incidents_seen ON incidents (last_seen_at, number) WHERE merged_into = 0;
CREATE INDEX incidents_state ON incidents (state, last_seen_at, number) WHERE merged_into = 0;
CREATE INDEX incidents_root ON incidents (root);

CREATE TABLE steps (
    number    INTEGER PRIMARY KEY,
    incident  BIGINT  NOT NULL,
    at        BIGINT  NOT NULL,
    kind      TEXT    NOT NULL,
    body      TEXT    NOT NULL,
    undone_at BIGINT  NOT NULL,
    undone_by TEXT    NOT NULL
);
CREATE INDEX steps_incident ON steps (incident, number);

-- +goose Down
DROP TABLE steps;
DROP TABLE incidents;
DROP TABLE alerts;
