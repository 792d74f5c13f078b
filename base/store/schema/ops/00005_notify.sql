-- +goose Up
-- What was, is or was not to be told to whom (ops/notify). Times are milliseconds since 1970 (UTC); 0 means "not happened".
CREATE TABLE deliveries (
    number      INTEGER PRIMARY KEY,
    key         TEXT    NOT NULL UNIQUE,
    at          BIGINT  NOT NULL,
    grp         TEXT    NOT NULL,
    sequence    BIGINT  NOT NULL,
    receiver    TEXT    NOT NULL,
    integration TEXT    NOT NULL,
    incident    BIGINT  NOT NULL,
    why         TEXT    NOT NULL,
    alerts      BIGINT  NOT NULL,
    state       TEXT    NOT NULL,
    attempts    BIGINT  NOT NULL,
    reason      TEXT    NOT NULL,
    tried_at    BIGINT  NOT NULL,
    next_at     BIGINT  NOT NULL,
    -- JSON: what is needed to send it
    body        TEXT    NOT NULL
);
CREATE INDEX deliveries_pending ON deliveries (receiver, integration, next_at) WHERE state = 'pending';
CREATE INDEX deliveries_incident ON deliveries (incident, number);
CREATE INDEX deliveries_at ON deliveries (at);

-- The deliveries that were the first to say that an alert fires or has ended.
CREATE TABLE delivery_alerts (
    alert    BIGINT NOT NULL,
    delivery BIGINT NOT NULL,
    PRIMARY KEY (alert, delivery)
);
CREATE INDEX delivery_alerts_delivery ON delivery_alerts (delivery);

-- What each integration was last told of a group: fingerprints of labels in base 36.
CREATE TABLE notify_log (
    grp         TEXT   NOT NULL,
    receiver    TEXT   NOT NULL,
    integration TEXT   NOT NULL,
    incident    BIGINT NOT NULL,
    sequence    BIGINT NOT NULL,
    told_at     BIGINT NOT NULL,
    firing      TEXT   NOT NULL,
    resolved    TEXT   NOT NULL,
    pending     BIGINT NOT NULL,
    muted       TEXT   NOT NULL,
    memory      TEXT   NOT NULL,
    PRIMARY KEY (grp, receiver, integration)
);
CREATE INDEX notify_log_incident ON notify_log (incident);
CREATE INDEX notify_log_told ON notify_log (told_at) WHERE firing <> '';

-- +goose Down
DROP TABLE notify_log;
DROP TABLE delivery_alerts;
DROP TABLE deliveries;
