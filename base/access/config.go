package access

import (
	"fmt"
	"time"
)

// Config holds the rules of logging in.
type Config struct {
	// SessionIdle is how long a session lives without being used, SessionLifetime how long in all.
	SessionIdle, SessionLifetime time.Duration
	// TokenLifetime bounds how long a new API token may live.
	TokenLifetime time.Duration
}

// DefaultConfig returns the shipped rules.
func DefaultConfig() Config {
	return Config{SessionIdle: 12 * time.Hour, SessionLifetime: 7 * 24 * time.Hour, TokenLifetime: 366 * 24 * time.Hour}
}

// Validate reports the first value that cannot be used; the error begins with the key.
func (c Config) Validate() error {
	switch {
	case c.SessionIdle < time.Minute:
		return fmt.Errorf("session_idle: %s is less than 1m", c.SessionIdle)
	case c.SessionLifetime < c.SessionIdle:
		return fmt.Errorf("session_lifetime: %s is less than session_idle (%s)", c.SessionLifetime, c.SessionIdle)
	case c.SessionLifetime > 90*24*time.Hour:
		return fmt.Errorf("session_lifetime: %s is more than 2160h (90 days)", c.SessionLifetime)
	case c.TokenLifetime < time.Hour:
		return fmt.Errorf("token_lifetime: %s is less than 1h", c.TokenLifetime)
	}
	return nil
}

// Bounds of what is kept.
const (
	maxUsers    = 10_000
	maxGrants   = 20
	maxTeams    = 100
	maxTokens   = 100 // of one user
	maxSessions = 50  // of one user; the oldest end
	maxName     = 64
	maxDisplay  = 200
	maxReason   = 1000
)

// LinkLifetime is how long a one-time link is good.
const LinkLifetime = 24 * time.Hour

// touchEvery is how often the last use of a session or token is stored.
const touchEvery = time.Minute
