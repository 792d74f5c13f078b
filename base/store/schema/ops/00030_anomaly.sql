-- +goose Up
-- What was abnormal in one entity at one time (ops/anomaly); body is JSON. Times are milliseconds since 1970, 0 for none.
CREATE TABLE anomalies (
    id       TEXT             NOT NULL PRIMARY KEY,
    team     TEXT             NOT NULL,
    entity   TEXT             NOT NULL,
    since    BIGINT           NOT NULL,
    last_at  BIGINT           NOT NULL,
    ended_at BIGINT           NOT NULL,
    told_at  BIGINT           NOT NULL,
    joined   TEXT             NOT NULL,
    evidence DOUBLE PRECISION NOT NULL,
    series   BIGINT           NOT NULL,
    feedback TEXT             NOT NULL,
    judge    TEXT             NOT NULL,
    body     TEXT             NOT NULL
);
CREATE INDEX anomalies_since ON anomalies (since);
CREATE INDEX anomalies_entity ON anomalies (entity, since);

-- +goose Down
DROP TABLE anomalies;
