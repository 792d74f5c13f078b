// Package approval lets one person ask and others decide, and then does what was approved, once.
//
//	board := approval.New(db, clock, approval.DefaultConfig(), deciders, logger)
//	board.Register("integration.delete", executor)
//	r, err := board.Ask(ctx, approval.Question{Kind: "integration.delete", Object: "old", By: "ann", Reason: "unused"})
//	r, err = board.Decide(ctx, r.ID, approval.Verdict{By: "bob", Approve: true, Reason: "agreed"})
//	err = board.Run(ctx) // beside the server: expires what waited too long, and executes what was approved
//
// # What it guarantees
//
//   - Nobody decides their own request, with whatever session or token. The one exception is a person who was alone when
//     asking and still is: nobody else may decide here. With Config.Solo they may confirm their own request, with a reason;
//     the log says so. Without it the request waits for a second person.
//   - A request and each decision are stored, with their audit leaves, before Ask and Decide return.
//   - What was approved is done once: the executor stores its effects and the note of its progress in one transaction, so a
//     crash at any moment leaves either both or neither, and at the next start Run goes on where the note says.
//   - Two requests of the same kind about the same object never wait at once.
//   - Times are the server's clock's: on event time a request expires by event time.
package approval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// Errors that callers act on.
var (
	// ErrNotFound says that there is no such request.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that the request is in a state in which this cannot be done, or that one like it waits already.
	ErrConflict = errors.New("conflict")
	// ErrOwn says that a person would have decided their own request.
	ErrOwn = errors.New("nobody decides their own request")
	// ErrForbidden says that the person may not do this to the request.
	ErrForbidden = errors.New("forbidden")
	// ErrFull says that too many requests wait.
	ErrFull = errors.New("too many requests wait")
)

// InvalidError is a value that cannot be used.
type InvalidError struct {
	// Field is the name of the value, Remedy what to write instead.
	Field, Remedy string
}

// Error names the field and the remedy.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Remedy }

// State is where a request stands.
type State string

// The states. Only pending and approved ones change.
const (
	Pending   State = "pending"
	Approved  State = "approved" // and being executed, or about to be
	Executed  State = "executed"
	Failed    State = "failed"
	Rejected  State = "rejected"
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// States returns all states.
func States() []State {
	return []State{Pending, Approved, Executed, Failed, Rejected, Cancelled, Expired}
}

// Request is something that one person asks for.
type Request struct {
	ID string `json:"id"`
	// Number orders requests, from 1.
	Number int64 `json:"number"`
	// Kind says what is to be done, Object to what.
	Kind   string `json:"kind"`
	Object string `json:"object"`
	// Summary says in one sentence what will happen.
	Summary string `json:"summary"`
	// Reason is why, in the requester's words.
	Reason string `json:"reason"`
	// Payload is for the executor.
	Payload   json.RawMessage `json:"payload"`
	Requester string          `json:"requester"`
	// Alone says that nobody else could decide when it was asked for.
	Alone bool `json:"alone"`
	// Needed is how many people must approve.
	Needed    int        `json:"needed"`
	State     State      `json:"state"`
	CreatedAt time.Time  `json:"createdAt"`
	ExpiresAt time.Time  `json:"expiresAt"`
	EndedAt   time.Time  `json:"endedAt"` // zero while it can change
	Decisions []Decision `json:"decisions"`
	// Done is how much of it has been executed, as the executor counts, and Result what came of it.
	Done   int64  `json:"done"`
	Result string `json:"result"`
	// Cursor is the executor's own.
	Cursor  string `json:"cursor"`
	Version int64  `json:"version"`
}

// Decision is one person's word.
type Decision struct {
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Approve bool      `json:"approve"`
	Reason  string    `json:"reason"`
	// Solo says that it was their own request, and that nobody else could decide.
	Solo bool `json:"solo"`
}

// Question is what Ask makes a request of.
type Question struct {
	Kind, Object, Summary, Reason string
	Payload                       any
	// By is the person, Actor the name for the audit log ("" = By).
	By, Actor string
}

// Verdict is a decision to be made.
type Verdict struct {
	By, Actor string
	Approve   bool
	Reason    string
}

// Note stores, within the transaction of the effects, how far an executor has come.
type Note func(ctx context.Context, tx store.Tx, p Progress) error

// Progress is how far an executor has come.
type Progress struct {
	// Done is the whole count so far, Cursor whatever the executor needs to go on, Result what to tell people.
	Done   int64
	Cursor string
	Result string
	// Finished says that nothing is left.
	Finished bool
}

// Executor does what was approved.
type Executor interface {
	// Execute stores effects in one or more transactions, each with a note, the last of them finished. It may be called again
	// for the same request, after a crash or an error, and then goes on from r.Cursor. An error that wraps
	// store.ErrUnavailable is tried again; any other one ends the request as failed.
	Execute(ctx context.Context, r Request, note Note) error
}

// Config holds the rules.
type Config struct {
	// Needed is how many people must approve.
	Needed int
	// Expiry is how long a request waits.
	Expiry time.Duration
	// Solo lets a person who is alone confirm their own request.
	Solo bool
}

// DefaultConfig returns the shipped rules.
func DefaultConfig() Config { return Config{Needed: 1, Expiry: 72 * time.Hour, Solo: true} }

// Validate reports the first value that cannot be used; the error begins with the key.
func (c Config) Validate() error {
	switch {
	case c.Needed < 1 || c.Needed > 5:
		return fmt.Errorf("needed: %d is not between 1 and 5", c.Needed)
	case c.Expiry < time.Minute || c.Expiry > 90*24*time.Hour:
		return fmt.Errorf("expiry: %s is not between 1m and 2160h (90 days)", c.Expiry)
	}
	return nil
}

const (
	maxText    = 1000
	maxWaiting = 1000
	maxPayload = 64 << 10
)

// checkReason reports a reason that is missing or no text.
func checkReason(reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return &InvalidError{"reason", "it is empty: say why"}
	case len(reason) > maxText:
		return &InvalidError{"reason", fmt.Sprintf("it has %d bytes: take at most %d", len(reason), maxText)}
	case strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0xfffd }):
		return &InvalidError{"reason", "it holds a character that is no text"}
	}
	return nil
}

// others returns who may decide a request of somebody.
func others(deciders []string, requester string) []string {
	return slices.DeleteFunc(slices.Clone(deciders), func(name string) bool { return name == requester })
}

// may reports whether a person may decide r now; why says why not. solo says that it would be their own request.
func (r *Request) may(by string, deciders []string, cfg Config) (solo bool, why string) {
	switch {
	case r.State != Pending:
		return false, "It is " + string(r.State) + "."
	case slices.ContainsFunc(r.Decisions, func(d Decision) bool { return d.By == by }):
		return false, "You have decided it already."
	case r.Requester != by:
		return false, ""
	case !r.Alone || len(others(deciders, by)) > 0:
		return false, "It is your own request: another person decides it."
	case !cfg.Solo:
		return false, "It is your own request, and nobody else may decide here: make a second person approver or admin (or set access.approval.solo)."
	}
	return true, ""
}
