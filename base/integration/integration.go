// Package integration holds who may send to Fairlead and through what: integrations with their keys, the payloads that came
// last, a mapper for payloads of any shape, and the redactor that takes secrets out of whatever is stored.
//
// An Integration is one sender's door: a kind (the wire format), a name (part of the path) and keys. A receiver asks the
// Registry to Admit a request and gets the integration it belongs to, or an error that says what is wrong with the key:
//
//	door, err := registry.Admit(integration.Knock{Kind: "datadog", Name: "prod", Secret: key, Loopback: true})
//
// Keys are random, shown once, kept as SHA-256, and rotatable: the old key stays good for a while. On the loopback address a
// sender without a key is let in, and the first sender of a name or kind makes its integration (see Admit), so that a trial
// needs no set-up.
//
// Captured payloads and counters live in memory and are written once a second by Run; what a crash takes of them is a
// second's worth of history, never an alert.
package integration

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// Errors that callers act on.
var (
	// ErrNotFound says that there is no integration of this name or key.
	ErrNotFound = errors.New("no such integration")
	// ErrKind says that the integration of this name is of another kind.
	ErrKind = errors.New("integration of another kind")
	// ErrKey says that the key is missing or wrong.
	ErrKey = errors.New("the key is wrong")
	// ErrConflict says that the name is taken, or that somebody changed the integration meanwhile.
	ErrConflict = errors.New("conflict")
	// ErrInvalid says that a field cannot be used; the error's text names field, value and remedy.
	ErrInvalid = errors.New("invalid integration")
	// ErrFull says that there are as many integrations as there may be.
	ErrFull = errors.New("too many integrations")
)

// Reason returns an error of this package without the words that only say of which kind it is.
func Reason(err error) string {
	text := err.Error()
	for _, kind := range []error{ErrNotFound, ErrKey, ErrConflict, ErrInvalid, ErrFull} {
		if rest, found := strings.CutSuffix(text, ": "+kind.Error()); found {
			if kind == ErrNotFound { //nolint:errorlint // one of the list above
				return "there is no " + rest
			}
			return rest
		}
	}
	return text
}

// Field splits an error that wraps ErrInvalid into the field that it is about and what to do; ok is false for another.
func Field(err error) (field, remedy string, ok bool) {
	if !errors.Is(err, ErrInvalid) {
		return "", "", false
	}
	return strings.Cut(Reason(err), ": ")
}

// Most is how many integrations there may be.
const Most = 1000

// Integration is one sender's door. Values are immutable once they are in a Registry.
type Integration struct {
	// Name is part of the path: lower-case letters, digits and dashes, at most 63.
	Name string `json:"name"`
	// Kind is the wire format, for instance "pagerduty".
	Kind string `json:"kind"`
	// Keys are what a sender may show; none means that nobody needs one on the loopback address, and nobody gets in elsewhere.
	Keys []Key `json:"keys"`
	// ResolveTimeout is how long after the last report an alert without end counts as ended, in the text of a Go duration; ""
	// takes the kind's default, "0" means never.
	ResolveTimeout string `json:"resolveTimeout"`
	// Mapper reads payloads that the kind's own format does not fit; the zero value takes the built-in guesses.
	Mapper Mapper `json:"mapper"`
	// Forward is where each request is sent on, untouched; "" for nowhere.
	Forward string `json:"forward"`
	// Observe says that what comes through is only watched: nobody is told of it by Fairlead.
	Observe bool `json:"observe"`
	// Pinned is what was learned from the first request and must stay, for instance a TopicArn; "" if nothing.
	Pinned string `json:"pinned"`
	// CreatedAt is when and CreatedBy who made it.
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy"`
	// Version counts changes, from 1.
	Version int64 `json:"version"`
}

// Key is one secret's hash.
type Key struct {
	// Hash is the SHA-256 of the secret in hexadecimal; Hint its last four characters.
	Hash      string    `json:"hash"`
	Hint      string    `json:"hint"`
	CreatedAt time.Time `json:"createdAt"`
	// ExpiresAt is when it is no longer good; zero for never.
	ExpiresAt time.Time `json:"expiresAt"`
}

// NewSecret returns a fresh random secret of 160 bits.
func NewSecret() string { return "fl_" + strings.ToLower(rand.Text()+rand.Text()[:6]) }

// NewKey returns the key of a secret.
func NewKey(secret string, now time.Time) Key {
	return Key{Hash: hash(secret), Hint: secret[max(0, len(secret)-4):], CreatedAt: now}
}

// signing are the kinds whose senders can sign what they send by the integration's key.
var signing = map[string]bool{"grafana": true, "json": true}

// Signs reports whether the senders of a kind can sign what they send instead of showing the key.
func Signs(kind string) bool { return signing[kind] }

// mapping are the kinds whose payloads a mapper may read.
var mapping = map[string]bool{
	"alertmanager": true, "cloudevents": true, "datadog": true, "grafana": true, "json": true, "k8s-events": true, "nagios": true, "oncall": true, "sns": true, "zabbix": true,
}

// Maps reports whether an integration's mapper is asked about payloads of a kind; other kinds have one form only.
func Maps(kind string) bool { return mapping[kind] }

// SigningKey returns what a sender signs with: the SHA-256 of a key's secret in hexadecimal. The secret itself is not kept, so
// a signature by it could not be checked.
func SigningKey(secret string) string { return hash(secret) }

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Opens reports whether secret is one of the integration's keys that are good at now.
func (i *Integration) Opens(secret string, now time.Time) bool {
	sum, good := hash(secret), 0
	for _, k := range i.Keys {
		if k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt) {
			good |= subtle.ConstantTimeCompare([]byte(sum), []byte(k.Hash))
		}
	}
	return good == 1
}

// Timeout returns the integration's resolve timeout, or fallback when it has none of its own.
func (i *Integration) Timeout(fallback time.Duration) time.Duration {
	if d, err := time.ParseDuration(i.ResolveTimeout); err == nil {
		return d
	}
	return fallback
}

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Validate reports the first field that cannot be used; the error wraps ErrInvalid.
func (i *Integration) Validate(kinds map[string]bool) error {
	if !namePattern.MatchString(i.Name) {
		return fmt.Errorf("name: %q: use lower-case letters, digits and dashes, at most 63: %w", i.Name, ErrInvalid)
	}
	if !kinds[i.Kind] {
		return fmt.Errorf("kind: %q is not one that Fairlead receives: %w", i.Kind, ErrInvalid)
	}
	if i.ResolveTimeout != "" {
		if d, err := time.ParseDuration(i.ResolveTimeout); err != nil || d < 0 {
			return fmt.Errorf("resolveTimeout: %q is not a duration: write for instance 5m, or 0 for never: %w", i.ResolveTimeout, ErrInvalid)
		}
	}
	if i.Forward != "" {
		target, err := url.Parse(i.Forward)
		if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
			return fmt.Errorf("forward: %q is not a URL of today's tool: write for instance https://alertmanager.example:9093/api/v2/alerts: %w", i.Forward, ErrInvalid)
		}
	}
	if !Maps(i.Kind) && !reflect.ValueOf(i.Mapper).IsZero() {
		return fmt.Errorf("mapper: what %s sends has one form, so a mapper would never be asked: leave it out, or use the kind json: %w", i.Kind, ErrInvalid)
	}
	if _, err := i.Mapper.Compile(); err != nil {
		return err
	}
	return nil
}
