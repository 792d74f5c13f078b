package access

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/store"
)

// User is a person.
type User struct {
	// Name is the login name: lower case, for good.
	Name string `json:"name" example:"ann"`
	// Display is the name to show.
	Display string `json:"display"`
	// Email is shown to others and used for nothing else; "" if unknown.
	Email  string  `json:"email"`
	Grants []Grant `json:"grants"`
	// Disabled users cannot log in, and their sessions and tokens are worth nothing.
	Disabled bool `json:"disabled"`
	// Provider is the OIDC issuer through which the user logs in; "" for a password.
	Provider string `json:"provider"`
	// Password says that a password is set.
	Password  bool      `json:"password"`
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy"`
	LastLogin time.Time `json:"lastLogin,omitzero"`
	Version   int64     `json:"version"`
}

// Team is a group of people who look after the same things. Alerts belong to it by their label "team".
type Team struct {
	Name        string    `json:"name" example:"payments"`
	Description string    `json:"description"`
	CreatedAt   time.Time `json:"createdAt"`
	CreatedBy   string    `json:"createdBy"`
	Version     int64     `json:"version"`
}

// Counts are what happened at the door since the start.
type Counts struct {
	// Logins that succeeded, failed and had to wait.
	Passed, Failed, Delayed uint64
	// Refused requests: with a wrong session or token, and with one that may not do that.
	Unknown, Forbidden uint64
}

// Directory holds users, teams, sessions, tokens and links. It is safe for concurrent use.
type Directory struct {
	db       *store.DB
	cfg      Config
	now      func() time.Time
	hasher   *hasher
	proofs   *proofs
	throttle Throttle
	logger   *slog.Logger

	mu      sync.Mutex
	touched map[string]time.Time // when the use of a session or token was last stored; guarded by mu

	passed, failed, delayed, unknown, forbidden atomic.Uint64
}

// New returns the directory that db holds.
func New(db *store.DB, cfg Config, logger *slog.Logger) *Directory {
	return &Directory{db: db, cfg: cfg, now: clock.Wall{}.Now, hasher: newHasher(), proofs: newProofs(), logger: logger, touched: map[string]time.Time{}}
}

// Counts returns what happened at the door since the start.
func (d *Directory) Counts() Counts {
	return Counts{Passed: d.passed.Load(), Failed: d.failed.Load(), Delayed: d.delayed.Load(), Unknown: d.unknown.Load(), Forbidden: d.forbidden.Load()}
}

// Forbade counts a request that its sender may not make.
func (d *Directory) Forbade() { d.forbidden.Add(1) }

var (
	userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,63}$`)
	teamName = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._/-]{0,63}$`)
)

// normal returns a login name as it is stored.
func normal(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func checkUserName(name string) error {
	if !userName.MatchString(name) || name == Loopback || name == "engine" {
		return invalid("name", "%q cannot be a login name: take at most %d lower-case letters, digits and . _ @ + -, beginning with a letter or digit, and neither loopback nor engine", cut(name), maxName)
	}
	return nil
}

// checkText reports a text that is too long or holds characters that no line of text has.
func checkText(field, text string, limit int) error {
	if len(text) > limit {
		return invalid(field, "it has %d bytes: take at most %d", len(text), limit)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return invalid(field, "it holds a character that is no text")
	}
	return nil
}

// write changes something with its audit leaf.
func (d *Directory) write(ctx context.Context, change func(ctx context.Context, tx store.Tx) error) error {
	return d.db.Write(ctx, change)
}
