package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// knownAddresses is how many addresses of successful logins are remembered for each user.
const knownAddresses = 20

// insertSession stores a session and where it was opened, and removes those that have ended and the oldest beyond the bound.
func insertSession(ctx context.Context, tx store.Tx, hash string, s *Session, now time.Time, idle time.Duration) error {
	if err := exec(ctx, tx, "remove ended sessions", "DELETE FROM sessions WHERE expires_at <= ? OR seen_at <= ?", store.Millis(now), store.Millis(now.Add(-idle))); err != nil {
		return err
	}
	err := exec(ctx, tx, "bound sessions", `DELETE FROM sessions WHERE owner = ? AND hash NOT IN (
		SELECT hash FROM sessions WHERE owner = ? ORDER BY seen_at DESC, hash LIMIT ?)`, s.Owner, s.Owner, maxSessions-1)
	if err != nil {
		return err
	}
	err = exec(ctx, tx, "store session", `INSERT INTO sessions (hash, id, owner, created_at, seen_at, expires_at, address, agent)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, hash, s.ID, s.Owner, store.Millis(s.CreatedAt), store.Millis(s.SeenAt), store.Millis(s.ExpiresAt), s.Address, s.Agent)
	if err != nil {
		return err
	}
	err = exec(ctx, tx, "remember address", `INSERT INTO login_addresses (owner, address, at) VALUES (?, ?, ?)
		ON CONFLICT (owner, address) DO UPDATE SET at = excluded.at`, s.Owner, s.Address, store.Millis(now))
	if err != nil {
		return err
	}
	return exec(ctx, tx, "bound addresses", `DELETE FROM login_addresses WHERE owner = ? AND address NOT IN (
		SELECT address FROM login_addresses WHERE owner = ? ORDER BY at DESC, address LIMIT ?)`, s.Owner, s.Owner, knownAddresses)
}

// knownAddress reports whether a user has logged in from an address.
func knownAddress(ctx context.Context, db store.Querier, owner, address string) (bool, error) {
	var n int
	err := db.NewRaw("SELECT count(*) FROM login_addresses WHERE owner = ? AND address = ?", owner, address).Scan(ctx, &n)
	if err != nil {
		return false, fmt.Errorf("look for an address: %w", store.Classify(err))
	}
	return n > 0, nil
}

const sessionColumns = "s.id, s.owner, s.created_at, s.seen_at, s.expires_at, s.address, s.agent"

// findSession returns a session with its user.
func findSession(ctx context.Context, db store.Querier, hash string) (Session, User, error) {
	var s Session
	var row userRow
	var created, seen, expires int64
	err := store.Classify(db.NewRaw("SELECT "+sessionColumns+", u.subject, u.secret, u.seen_at, u.body FROM sessions AS s JOIN users AS u ON u.name = s.owner WHERE s.hash = ?", hash).
		Scan(ctx, &s.ID, &s.Owner, &created, &seen, &expires, &s.Address, &s.Agent, &row.Subject, &row.Secret, &row.SeenAt, &row.Body))
	if errors.Is(err, store.ErrNotFound) {
		return s, User{}, fmt.Errorf("session: %w", ErrNotFound)
	}
	if err != nil {
		return s, User{}, fmt.Errorf("read session: %w", err)
	}
	s.CreatedAt, s.SeenAt, s.ExpiresAt = store.Time(created), store.Time(seen), store.Time(expires)
	u, err := row.user()
	return s, u, err
}

// loadSessions returns the sessions that end after now and were seen after since.
func loadSessions(ctx context.Context, db store.Querier, owner string, now, since time.Time) ([]Session, error) {
	query, args := "SELECT "+sessionColumns+" FROM sessions AS s WHERE s.expires_at > ? AND s.seen_at > ?", []any{store.Millis(now), store.Millis(since)}
	if owner != "" {
		query, args = query+" AND s.owner = ?", append(args, owner)
	}
	rows, err := db.QueryContext(ctx, query+" ORDER BY s.seen_at DESC, s.id LIMIT 1000", args...)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", store.Classify(err))
	}
	defer rows.Close()
	sessions := []Session{}
	for rows.Next() {
		var s Session
		var created, seen, expires int64
		if err := rows.Scan(&s.ID, &s.Owner, &created, &seen, &expires, &s.Address, &s.Agent); err != nil {
			return nil, fmt.Errorf("read session: %w", err)
		}
		s.CreatedAt, s.SeenAt, s.ExpiresAt = store.Time(created), store.Time(seen), store.Time(expires)
		sessions = append(sessions, s)
	}
	return sessions, rows.Err()
}

func touchSession(ctx context.Context, tx store.Tx, hash string, now time.Time) error {
	return exec(ctx, tx, "touch session", "UPDATE sessions SET seen_at = ? WHERE hash = ?", store.Millis(now), hash)
}

// endSession ends the session whose column hash or id has a value.
func endSession(ctx context.Context, tx store.Tx, column, value string) error {
	return exec(ctx, tx, "end session", "DELETE FROM sessions WHERE "+column+" = ?", value)
}

// endSessions ends all sessions of a user but the one with a hash; "" ends them all.
func endSessions(ctx context.Context, tx store.Tx, owner, but string) error {
	return exec(ctx, tx, "end sessions", "DELETE FROM sessions WHERE owner = ? AND hash <> ?", owner, but)
}

func insertToken(ctx context.Context, tx store.Tx, hash string, t *Token) error {
	return exec(ctx, tx, "store token", "INSERT INTO api_tokens (id, hash, owner, expires_at, used_at, body) VALUES (?, ?, ?, ?, 0, ?)",
		t.ID, hash, t.Owner, store.Millis(t.ExpiresAt), encoded(t))
}

func (t *Token) decode(body string, used int64) error {
	if err := json.Unmarshal([]byte(body), t); err != nil {
		return fmt.Errorf("read a token: %w", err)
	}
	t.UsedAt = store.Time(used)
	return nil
}

// findToken returns a token with its owner.
func findToken(ctx context.Context, db store.Querier, hash string) (Token, User, error) {
	var t Token
	var body string
	var used int64
	var row userRow
	err := store.Classify(db.NewRaw("SELECT t.body, t.used_at, u.subject, u.secret, u.seen_at, u.body FROM api_tokens AS t JOIN users AS u ON u.name = t.owner WHERE t.hash = ?", hash).
		Scan(ctx, &body, &used, &row.Subject, &row.Secret, &row.SeenAt, &row.Body))
	if errors.Is(err, store.ErrNotFound) {
		return t, User{}, fmt.Errorf("token: %w", ErrNotFound)
	}
	if err != nil {
		return t, User{}, fmt.Errorf("read token: %w", err)
	}
	if err := t.decode(body, used); err != nil {
		return t, User{}, err
	}
	u, err := row.user()
	return t, u, err
}

func loadTokens(ctx context.Context, db store.Querier, owner string) ([]Token, error) {
	query, args := "SELECT body, used_at FROM api_tokens", []any{}
	if owner != "" {
		query, args = query+" WHERE owner = ?", append(args, owner)
	}
	rows, err := db.QueryContext(ctx, query+" ORDER BY expires_at DESC, id LIMIT 1000", args...)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", store.Classify(err))
	}
	defer rows.Close()
	tokens := []Token{}
	for rows.Next() {
		var t Token
		var body string
		var used int64
		if err := rows.Scan(&body, &used); err != nil {
			return nil, fmt.Errorf("read token: %w", err)
		}
		if err := t.decode(body, used); err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	return tokens, rows.Err()
}

func touchToken(ctx context.Context, tx store.Tx, id string, now time.Time) error {
	return exec(ctx, tx, "touch token", "UPDATE api_tokens SET used_at = ? WHERE id = ?", store.Millis(now), id)
}

func removeToken(ctx context.Context, tx store.Tx, id string) error {
	return exec(ctx, tx, "remove token", "DELETE FROM api_tokens WHERE id = ?", id)
}

// ofOwner returns ErrNotFound unless a row of sessions or api_tokens has an id and belongs to owner, "" being anybody.
func ofOwner(ctx context.Context, db store.Querier, table, id, owner string) error {
	var found string
	err := store.Classify(db.NewRaw("SELECT owner FROM "+table+" WHERE id = ?", id).Scan(ctx, &found))
	if errors.Is(err, store.ErrNotFound) || err == nil && owner != "" && owner != found {
		return fmt.Errorf("%q: %w", cut(id), ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("look into %s: %w", table, err)
	}
	return nil
}
