package access

import (
	"errors"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// Errors that callers act on.
var (
	// ErrNotFound says that there is no such user, team, session, token or link.
	ErrNotFound = store.ErrNotFound
	// ErrConflict says that the name is taken, or that what was to be done does not fit what is there.
	ErrConflict = errors.New("conflict")
	// ErrChanged says that somebody else has changed it meanwhile; read it again.
	ErrChanged = errors.New("changed meanwhile")
	// ErrLogin says that name or password is wrong, without saying which.
	ErrLogin = errors.New("name or password is wrong")
	// ErrSecret says that a session, token or link is unknown, used or has expired.
	ErrSecret = errors.New("unknown, used or expired")
	// ErrFull says that there are too many already.
	ErrFull = errors.New("there are too many")
)

// InvalidError is a value that cannot be used.
type InvalidError struct {
	// Field is the name of the value, Remedy what to write instead.
	Field, Remedy string
}

// Error names the field and the remedy.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Remedy }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Remedy: fmt.Sprintf(format, args...)}
}

// WaitError says that too many logins have failed.
type WaitError struct {
	// After is how long to wait.
	After time.Duration
}

// Error says how long to wait.
func (e *WaitError) Error() string {
	return fmt.Sprintf("too many logins have failed: wait %s", e.After.Round(time.Second))
}
