package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors that callers act on.
var (
	// ErrNotFound says that the row does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that the row exists already or breaks another constraint.
	ErrConflict = errors.New("conflict")
	// ErrUnavailable says that the disk is full, read-only or failing, or that the server is gone; nothing was stored.
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
		return classifyPostgres(err)
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

// classifyPostgres is Classify for what PostgreSQL and the connection to it say.
func classifyPostgres(err error) error {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch failure.Code[:min(2, len(failure.Code))] {
		case "23": // a constraint
			return fmt.Errorf("%w: %w", ErrConflict, err)
		// The connection, the password, the database, a deadlock, room and memory, an operator, the system.
		case "08", "28", "3D", "40", "53", "55", "57", "58", "XX":
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if failure.Code == "25006" { // read-only, as a standby is
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || pgconn.SafeToRetry(err) {
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
