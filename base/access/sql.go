package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
)

// What the audit log attests row by row: not when something was last used, and no secret.
var (
	userTable = audit.Table{
		Name: "users", What: "user", Actions: []string{"user.create", "user.update", "user.delete"}, Columns: []string{"name", "version", "subject", "body"}, Person: true,
	}
	teamTable  = audit.Table{Name: "teams", What: "team", Actions: []string{"team."}, Columns: []string{"name", "version", "body"}}
	tokenTable = audit.Table{Name: "api_tokens", What: "API token", Actions: []string{"token."}, Columns: []string{"id", "owner", "hash", "body"}, Fades: true}
)

// Checks compare users, teams and tokens with the audit log, in one run of audit.Verify.
func Checks() []audit.Check {
	return []audit.Check{userTable.Check(), teamTable.Check(), tokenTable.Check()}
}

// attest adds an audit leaf about no row.
func attest(ctx context.Context, tx store.Tx, at time.Time, actor, action, object, reason string) error {
	_, err := audit.Append(ctx, tx, audit.Leaf{At: at, Actor: actor, Action: action, Object: object, Reason: reason})
	return err
}

// attestRow adds an audit leaf about a row as it is now.
func attestRow(ctx context.Context, tx store.Tx, table *audit.Table, at time.Time, actor, action, object, reason string) error {
	row, err := table.Row(ctx, tx, object)
	if err != nil {
		return err
	}
	_, err = audit.Append(ctx, tx, audit.Leaf{At: at, Actor: actor, Action: action, Object: object, Reason: reason, Row: row})
	return err
}

func exec(ctx context.Context, tx store.Tx, what, query string, args ...any) error {
	if _, err := tx.NewRaw(query, args...).Exec(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, store.Classify(err))
	}
	return nil
}

// count returns how many rows a table of this package has.
func count(ctx context.Context, db store.Querier, table string) (int, error) {
	var n int
	if err := db.NewRaw("SELECT count(*) FROM "+table).Scan(ctx, &n); err != nil {
		return 0, fmt.Errorf("count %s: %w", table, store.Classify(err))
	}
	return n, nil
}

type userRow struct {
	Subject, Secret, Body string
	SeenAt                int64
}

func (r *userRow) user() (User, error) {
	var u User
	if err := json.Unmarshal([]byte(r.Body), &u); err != nil {
		return u, fmt.Errorf("read a user: %w", err)
	}
	u.Password, u.LastLogin = r.Secret != "", store.Time(r.SeenAt)
	return u, nil
}

func loadUsers(ctx context.Context, db store.Querier) ([]User, error) {
	var rows []userRow
	if err := db.NewRaw("SELECT subject, secret, seen_at, body FROM users ORDER BY name").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read users: %w", store.Classify(err))
	}
	users := make([]User, len(rows))
	for i := range rows {
		var err error
		if users[i], err = rows[i].user(); err != nil {
			return nil, err
		}
	}
	return users, nil
}

// findUser returns a user and the hash of the password.
func findUser(ctx context.Context, db store.Querier, name string) (User, string, error) {
	return findUserBy(ctx, db, "name", name)
}

// findUserBy looks a user up by a column of the table.
func findUserBy(ctx context.Context, db store.Querier, column, value string) (User, string, error) {
	var row userRow
	err := store.Classify(db.NewRaw("SELECT subject, secret, seen_at, body FROM users WHERE "+column+" = ?", value).Scan(ctx, &row.Subject, &row.Secret, &row.SeenAt, &row.Body))
	if errors.Is(err, store.ErrNotFound) {
		return User{}, "", fmt.Errorf("user %q: %w", cut(value), ErrNotFound)
	}
	if err != nil {
		return User{}, "", fmt.Errorf("read user: %w", err)
	}
	u, err := row.user()
	return u, row.Secret, err
}

// storedUser is the body of a row: what has columns of its own is left out.
func storedUser(u *User) string {
	stored := *u
	stored.Password, stored.LastLogin = false, time.Time{}
	return encoded(&stored)
}

func insertUser(ctx context.Context, tx store.Tx, u *User, subject, secret string) error {
	return exec(ctx, tx, "store user "+u.Name, "INSERT INTO users (name, version, subject, secret, seen_at, body) VALUES (?, ?, ?, ?, 0, ?)",
		u.Name, u.Version, subject, secret, storedUser(u))
}

func saveUser(ctx context.Context, tx store.Tx, u *User) error {
	return exec(ctx, tx, "store user "+u.Name, "UPDATE users SET version = ?, body = ? WHERE name = ?", u.Version, storedUser(u), u.Name)
}

func seenUser(ctx context.Context, tx store.Tx, name string, at time.Time) error {
	return exec(ctx, tx, "note a login of "+name, "UPDATE users SET seen_at = ? WHERE name = ?", store.Millis(at), name)
}

func setPassword(ctx context.Context, tx store.Tx, name, hash string) error {
	return exec(ctx, tx, "store the password of "+name, "UPDATE users SET secret = ? WHERE name = ?", hash, name)
}

func removeUser(ctx context.Context, tx store.Tx, name string) error {
	for _, query := range []string{
		"DELETE FROM users WHERE name = ?", "DELETE FROM sessions WHERE owner = ?", "DELETE FROM api_tokens WHERE owner = ?",
		"DELETE FROM access_links WHERE owner = ?", "DELETE FROM login_addresses WHERE owner = ?", "DELETE FROM permissions WHERE owner = ?", "UPDATE user_numbers SET name = '#' || number WHERE name = ?",
	} {
		if err := exec(ctx, tx, "delete user "+name, query, name); err != nil {
			return err
		}
	}
	return nil
}

func loadTeams(ctx context.Context, db store.Querier) ([]Team, error) {
	var bodies []string
	if err := db.NewRaw("SELECT body FROM teams ORDER BY name").Scan(ctx, &bodies); err != nil {
		return nil, fmt.Errorf("read teams: %w", store.Classify(err))
	}
	teams := make([]Team, len(bodies))
	for i, body := range bodies {
		if err := json.Unmarshal([]byte(body), &teams[i]); err != nil {
			return nil, fmt.Errorf("read a team: %w", err)
		}
	}
	return teams, nil
}

func findTeam(ctx context.Context, db store.Querier, name string) (Team, error) {
	var t Team
	var body string
	err := store.Classify(db.NewRaw("SELECT body FROM teams WHERE name = ?", name).Scan(ctx, &body))
	if errors.Is(err, store.ErrNotFound) {
		return t, fmt.Errorf("team %q: %w", cut(name), ErrNotFound)
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &t)
	}
	if err != nil {
		return t, fmt.Errorf("read team: %w", err)
	}
	return t, nil
}

func saveTeam(ctx context.Context, tx store.Tx, t *Team) error {
	return exec(ctx, tx, "store team "+t.Name, `INSERT INTO teams (name, version, body) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET version = excluded.version, body = excluded.body`, t.Name, t.Version, encoded(t))
}

func removeTeam(ctx context.Context, tx store.Tx, name string) error {
	return exec(ctx, tx, "delete team "+name, "DELETE FROM teams WHERE name = ?", name)
}

// saveLink stores a link in the place of those of the same owner.
func saveLink(ctx context.Context, tx store.Tx, l Link) error {
	if err := exec(ctx, tx, "replace links", "DELETE FROM access_links WHERE owner = ?", l.Owner); err != nil {
		return err
	}
	return exec(ctx, tx, "store link", "INSERT INTO access_links (hash, owner, created_at, expires_at) VALUES (?, ?, ?, ?)",
		hashOf(linkPrefix, l.Secret), l.Owner, store.Millis(l.CreatedAt), store.Millis(l.ExpiresAt))
}

func loadLink(ctx context.Context, db store.Querier, hash string) (Link, error) {
	var l Link
	var created, expires int64
	err := store.Classify(db.NewRaw("SELECT owner, created_at, expires_at FROM access_links WHERE hash = ?", hash).Scan(ctx, &l.Owner, &created, &expires))
	if errors.Is(err, store.ErrNotFound) {
		return l, fmt.Errorf("link: %w", ErrNotFound)
	}
	if err != nil {
		return l, fmt.Errorf("read link: %w", err)
	}
	l.CreatedAt, l.ExpiresAt = store.Time(created), store.Time(expires)
	return l, nil
}

func removeLink(ctx context.Context, tx store.Tx, hash string) error {
	return exec(ctx, tx, "remove link", "DELETE FROM access_links WHERE hash = ?", hash)
}

func hasLink(ctx context.Context, db store.Querier, owner string, now time.Time) (bool, error) {
	var n int
	if err := db.NewRaw("SELECT count(*) FROM access_links WHERE owner = ? AND expires_at > ?", owner, store.Millis(now)).Scan(ctx, &n); err != nil {
		return false, fmt.Errorf("look for links: %w", store.Classify(err))
	}
	return n > 0, nil
}

// Erase replaces the name of somebody who is no user any more in what other users and teams say of them, within tx, with
// audit leaves by actor.
func (d *Directory) Erase(ctx context.Context, tx store.Tx, at time.Time, actor string, mask func(string) string) error {
	users, err := loadUsers(ctx, tx)
	if err != nil {
		return err
	}
	for i := range users {
		u := &users[i]
		if by := mask(u.CreatedBy); by != u.CreatedBy {
			u.CreatedBy = by
			u.Version++
			if err := saveUser(ctx, tx, u); err != nil {
				return err
			}
			if err := attestRow(ctx, tx, &userTable, at, actor, "user.update", u.Name, ""); err != nil {
				return err
			}
		}
	}
	teams, err := loadTeams(ctx, tx)
	if err != nil {
		return err
	}
	for i := range teams {
		t := &teams[i]
		before := *t
		if t.CreatedBy, t.Description = mask(t.CreatedBy), mask(t.Description); t.CreatedBy == before.CreatedBy && t.Description == before.Description {
			continue
		}
		t.Version++
		if err := saveTeam(ctx, tx, t); err != nil {
			return err
		}
		if err := attestRow(ctx, tx, &teamTable, at, actor, "team.update", t.Name, ""); err != nil {
			return err
		}
	}
	return nil
}
