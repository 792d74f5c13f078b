-- +goose Up

-- How much is kept below each first part of a path, which is an experiment's id, and below '' in all (ml/artifact).
CREATE TABLE artifact_usage (
    root  TEXT   NOT NULL PRIMARY KEY,
    files BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
INSERT INTO artifact_usage (root, files, bytes)
SELECT CAST(e.id AS VARCHAR), COUNT(*), SUM(a.size) FROM experiments AS e
JOIN artifacts AS a ON a.path >= CAST(e.id AS VARCHAR) || '/' AND a.path < CAST(e.id AS VARCHAR) || '0'
GROUP BY e.id;
-- A new database keeps no row: it counts as empty.
INSERT INTO artifact_usage (root, files, bytes) SELECT '', COUNT(*), SUM(size) FROM artifacts HAVING COUNT(*) > 0;

-- +goose Down
DROP TABLE artifact_usage;
