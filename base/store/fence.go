package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// fence sees to it that one process writes to a schema of PostgreSQL, whatever becomes of connections, and tells after a
// lost connection whether the last transaction was committed. Two things together do that:
//
//   - The writer's session holds an advisory lock, so that a second process finds out at its start, and not by harm.
//   - Every transaction of the writer counts itself in the one row of fairlead_writer, which also holds the epoch of the
//     process that may write: one whose epoch has passed changes nothing any more. When a commit ends in a broken
//     connection, the count tells whether it took place.
//
// It belongs to the writer's goroutine, but for Open, which is before.
type fence struct {
	name   string
	logger *slog.Logger
	// instance is ours alone, so that we know our own lost sessions.
	instance string
	epoch    int64 // 0 before the first connection
}

const (
	// lockClass is the first half of the advisory lock's key, the hash of the schema's name the second.
	lockClass = 0x0FA117EA
	// handover is how long the first connection waits for another writer to end, as after kill -9.
	handover = 5 * time.Second
)

// ErrInUse says that another process writes to the database.
var ErrInUse = errors.New("another Fairlead writes to this database")

// final is an error that waiting does not mend.
type final struct{ error }

// Unwrap returns the error.
func (f final) Unwrap() error { return f.error }

func newFence(name string, logger *slog.Logger) *fence {
	return &fence{name: name, logger: logger, instance: strings.ToLower(rand.Text()[:10])}
}

// application names the writer's session, for pg_stat_activity.
func (f *fence) application() string { return "fairlead " + f.name + " writer " + f.instance }

// take runs on every new connection of the writer.
func (f *fence) take(ctx context.Context, conn *pgx.Conn) error {
	if err := checkDurability(ctx, conn, f.logger); err != nil {
		return err
	}
	if err := f.lock(ctx, conn); err != nil {
		return err
	}
	if f.epoch != 0 {
		return f.verify(ctx, conn)
	}
	return f.reign(ctx, conn)
}

// lock takes the advisory lock.
func (f *fence) lock(ctx context.Context, conn *pgx.Conn) error {
	for began := time.Now(); ; {
		var got bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1::int, hashtext($2))", lockClass, f.name).Scan(&got); err != nil {
			return fmt.Errorf("take the right to write: %w", err)
		}
		if got {
			return nil
		}
		if f.epoch != 0 {
			if err := f.verify(ctx, conn); err != nil {
				return err
			}
		}
		who, err := f.holder(ctx, conn)
		if err != nil {
			return err
		}
		if time.Since(began) > handover {
			return final{fmt.Errorf("%w%s; stop it, or name another database in store.url", ErrInUse, who)}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w%s: %w", ErrInUse, who, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// holder says who holds the lock, "" if nobody or unknown. A lost session of our own is ended.
func (f *fence) holder(ctx context.Context, conn *pgx.Conn) (string, error) {
	var pid int
	var application, address string
	var since time.Time
	err := conn.QueryRow(ctx, `SELECT a.pid, a.application_name, coalesce(host(a.client_addr), 'this machine'), a.backend_start
		FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::int::oid AND l.objid = (hashtext($2)::bigint & 4294967295)::oid
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`, lockClass, f.name).
		Scan(&pid, &application, &address, &since)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("ask who writes: %w", err)
	case application == f.application():
		_, err := conn.Exec(ctx, "SELECT pg_terminate_backend($1::int)", pid)
		return "", err
	}
	return fmt.Sprintf(" (%s on %s, since %s)", application, address, since.UTC().Format(time.RFC3339)), nil
}

// reign begins our epoch: whoever wrote before writes no more.
func (f *fence) reign(ctx context.Context, conn *pgx.Conn) error {
	var exists bool
	err := conn.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", f.name).Scan(&exists)
	if err == nil && !exists { // asked first: making it takes a right on the database even if it exists
		_, err = conn.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{f.name}.Sanitize())
	}
	if err == nil {
		err = conn.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", f.name+"."+writerTable).Scan(&exists)
	}
	if err == nil && !exists {
		_, err = conn.Exec(ctx, "CREATE TABLE "+writerTable+" (one BOOLEAN PRIMARY KEY CHECK (one), epoch BIGINT NOT NULL, commits BIGINT NOT NULL)")
	}
	if err == nil {
		err = conn.QueryRow(ctx, "INSERT INTO "+writerTable+" AS w (one, epoch, commits) VALUES (true, 1, 0) ON CONFLICT (one) DO UPDATE SET epoch = w.epoch + 1 RETURNING epoch").Scan(&f.epoch)
	}
	if err != nil {
		return fmt.Errorf("begin to write to the schema %s: %w", f.name, err)
	}
	return nil
}

// writerTable belongs to this file and not to the migrations.
const writerTable = "fairlead_writer"

// verify returns ErrFenced if another process has written meanwhile.
func (f *fence) verify(ctx context.Context, conn *pgx.Conn) error {
	var epoch int64
	if err := conn.QueryRow(ctx, "SELECT epoch FROM "+writerTable).Scan(&epoch); err != nil {
		return fmt.Errorf("look who may write: %w", err)
	}
	if epoch != f.epoch {
		return final{ErrFenced}
	}
	return nil
}

// begin counts the transaction and returns its number; ErrFenced if another process may write now.
func (f *fence) begin(ctx context.Context, tx *sql.Tx) (number int64, err error) {
	err = tx.QueryRowContext(ctx, "UPDATE "+writerTable+" SET commits = commits + 1 WHERE epoch = $1 RETURNING commits", f.epoch).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrFenced
	}
	return number, err
}

// enter is begin for a guest: it keeps the writer out until the transaction ends.
func enter(ctx context.Context, tx *sql.Tx) (number int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT commits FROM "+writerTable+" FOR UPDATE").Scan(&number)
	return number, err
}

// stored reports whether the transaction with this number, our latest, was committed.
func (f *fence) stored(ctx context.Context, db *sql.DB, number int64) (bool, error) {
	var epoch, commits int64
	if err := db.QueryRowContext(ctx, "SELECT epoch, commits FROM "+writerTable).Scan(&epoch, &commits); err != nil {
		return false, err
	}
	if epoch != f.epoch {
		return false, ErrFenced
	}
	return commits >= number, nil
}

// unsure reports whether a commit that ended in err may have taken place: when the server has not said that it has not.
func (f *fence) unsure(err error) bool {
	return err != nil && !errors.Is(err, pgx.ErrTxCommitRollback) && !errors.Is(err, sql.ErrTxDone)
}

// isDenied reports whether the server does not let us in, which waiting does not mend.
func isDenied(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && (strings.HasPrefix(failure.Code, "28") || strings.HasPrefix(failure.Code, "3D"))
}
