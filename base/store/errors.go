package store

import (
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers act on.
var (
	// ErrNotFound says that the row does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that the row exists already or breaks another constraint.
	ErrConflict = errors.New("conflict")
	// ErrUnavailable says that the disk is full, read-only or failing; nothing was stored.
	ErrUnavailable = errors.New("store is unavailable")
	// ErrFenced says that a newer epoch has taken over the consumer.
	ErrFenced = errors.New("a newer epoch has taken over")
	// ErrClosed says that the database was closed.
	ErrClosed = errors.New("store is closed")
)

// Classify puts ErrNotFound, ErrConflict or ErrUnavailable around err where the database said so, and returns any other
// err, nil too, as it is. Write does it by itself; reads that pass an error on should.
func Classify(err error) error {
	for _, sentinel := range []error{ErrNotFound, ErrConflict, ErrUnavailable, ErrFenced} {
		if errors.Is(err, sentinel) {
			return err
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT:
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// unavailable says that nothing was stored, whatever the reason.
func unavailable(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
