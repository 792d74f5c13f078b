// Package store keeps rows in SQLite, through one writer with group commit.
package store

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/uptrace/bun"
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
)

//go:embed schema
var schemas embed.FS

// Schema returns the migrations of ops.db.
func Schema() fs.FS {
	sub, err := fs.Sub(schemas, "schema/ops")
	if err != nil {
		panic(err) // only if the folder was renamed
	}
	return sub
}

// Config says where the rows live.
type Config struct {
	// Dir is the folder that holds the database files.
	Dir string
}

// Validate reports the first setting that cannot be used.
func (c Config) Validate() error { return nil }

// DB is one database. It is safe for concurrent use.
type DB struct{}

// Open opens or makes the database name (for instance "ops") in config.Dir and migrates it.
func Open(ctx context.Context, config Config, name string, migrations fs.FS, logger *slog.Logger) (*DB, error) {
	return nil, errors.New("not built yet")
}

// Close ends the writer after the writes that wait, and closes the database.
func (db *DB) Close() error { return nil }

// Write runs change in the writer's next transaction and returns after the commit is on disk.
func (db *DB) Write(ctx context.Context, change func(ctx context.Context, tx bun.Tx) error) error {
	return ErrUnavailable
}

// Read returns the pool of read-only connections.
func (db *DB) Read() *bun.DB { return nil }

// Position is where a consumer stands in its stream.
type Position struct {
	// Sequence is the last message whose effects are stored; 0 means none.
	Sequence uint64
	// Epoch is the reign of the consumer that wrote it; a higher one fences out all lower ones.
	Epoch uint64
}

// LoadPosition returns where consumer stands; the zero Position if it never stored one.
func LoadPosition(ctx context.Context, db bun.IDB, consumer string) (Position, error) {
	return Position{}, ErrUnavailable
}

// SavePosition stores where consumer stands; ErrFenced if the stored epoch is newer.
func SavePosition(ctx context.Context, tx bun.IDB, consumer string, position Position) error {
	return ErrUnavailable
}

// LoadState returns the value of key; ErrNotFound if there is none.
func LoadState(ctx context.Context, db bun.IDB, key string) ([]byte, error) { return nil, ErrNotFound }

// SaveState stores value under key, replacing what was there.
func SaveState(ctx context.Context, tx bun.IDB, key string, value []byte) error {
	return ErrUnavailable
}

// DeadLetter is something that was accepted or offered and could not be used.
type DeadLetter struct {
	// ID is given by the caller; unique.
	ID string
	// At is when it was put here.
	At time.Time
	// Receiver names the integration it came through.
	Receiver string
	// Reason says why, for a person.
	Reason string
	// Payload is the raw content, cut at MaxPayload bytes.
	Payload []byte
	// Truncated says that Payload was cut.
	Truncated bool
	// ReplayedAt is when it was replayed; zero if never.
	ReplayedAt time.Time
}

// Bounds of the dead letters.
const (
	// MaxDeadLetters is how many are kept; the oldest go first.
	MaxDeadLetters = 10_000
	// MaxPayload is how many bytes of a payload are kept.
	MaxPayload = 64 << 10
)

// AddDeadLetter keeps letter.
func AddDeadLetter(ctx context.Context, tx bun.IDB, letter DeadLetter) error { return ErrUnavailable }

// DeadLetters lists them newest first; next is "" at the end.
func DeadLetters(ctx context.Context, db bun.IDB, cursor string, limit int) (letters []DeadLetter, next string, err error) {
	return nil, "", ErrUnavailable
}

// FindDeadLetter returns one; ErrNotFound if there is none.
func FindDeadLetter(ctx context.Context, db bun.IDB, id string) (DeadLetter, error) {
	return DeadLetter{}, ErrNotFound
}

// MarkReplayed records that the dead letter was replayed; ErrNotFound if there is none.
func MarkReplayed(ctx context.Context, tx bun.IDB, id string, at time.Time) error {
	return ErrUnavailable
}

// CountDeadLetters returns how many are kept.
func CountDeadLetters(ctx context.Context, db bun.IDB) (int, error) { return 0, ErrUnavailable }
