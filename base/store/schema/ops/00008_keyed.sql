-- +goose Up
-- Alerts that are told apart by their sender's key are looked up by it. Those that are told apart by their labels, as
-- Prometheus's are, have the fingerprint of these as identity and stay out.
CREATE INDEX alerts_keyed ON alerts (source, fingerprint, seq) WHERE identity <> fingerprint;

-- +goose Down
DROP INDEX alerts_keyed;
