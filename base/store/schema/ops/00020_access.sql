-- +goose Up
-- Who may do what (base/access). Times are milliseconds since 1970 (UTC); 0 means "not happened". body is JSON without
-- secrets; secret is the argon2id hash of the password, or empty; hash is the SHA-256, in hexadecimal, of a random secret.
CREATE TABLE users (
    name    TEXT   NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    -- issuer and subject of an OIDC login, or empty
    subject TEXT   NOT NULL,
    secret  TEXT   NOT NULL,
    -- when the user last logged in
    seen_at BIGINT NOT NULL,
    body    TEXT   NOT NULL
);
CREATE UNIQUE INDEX users_subject ON users (subject) WHERE subject <> '';

CREATE TABLE teams (
    name    TEXT   NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    body    TEXT   NOT NULL
);

CREATE TABLE sessions (
    hash       TEXT   NOT NULL PRIMARY KEY,
    id         TEXT   NOT NULL UNIQUE,
    owner      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT   NOT NULL,
    agent      TEXT   NOT NULL
);
CREATE INDEX sessions_owner ON sessions (owner);

-- The addresses that each user has logged in from, the newest ones.
CREATE TABLE login_addresses (
    owner   TEXT   NOT NULL,
    address TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (owner, address)
);

CREATE TABLE api_tokens (
    id         TEXT   NOT NULL PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE,
    owner      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    body       TEXT   NOT NULL
);
CREATE INDEX api_tokens_owner ON api_tokens (owner);

-- One-time links: with one a person sets a password. owner is empty for the one that makes the first admin.
CREATE TABLE access_links (
    hash       TEXT   NOT NULL PRIMARY KEY,
    owner      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE access_links;
DROP TABLE api_tokens;
DROP TABLE login_addresses;
DROP TABLE sessions;
DROP TABLE teams;
DROP TABLE users;
