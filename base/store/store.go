package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
)

// QueueLength is how many writes may wait for the writer.
const QueueLength = 1024

// engine is what differs between databases. Its pools are closed by DB.
type engine struct {
	writer  *bun.DB // one connection
	reader  *bun.DB
	dialect goose.Dialect
	// tidy is called about once a second if something was written; it runs beside the writer and may ask for the writer's
	// connection by between, which runs a function between two transactions. nil if there is nothing to do.
	tidy func(between func(work func(*bun.DB))) error
	// close ends what belongs to tidy; nil if there is nothing.
	close func() error

	// What follows is nil or 0 for an engine that cannot lose its connection, nor its place to another process.

	// migrations translates what is written for SQLite.
	migrations func(fs.FS) fs.FS
	// groupTime bounds a transaction.
	groupTime time.Duration
	// begin runs first in a transaction and gives it a number; the error says that it cannot be stored.
	begin func(ctx context.Context, tx *sql.Tx) (number int64, err error)
	// unsure reports whether a commit that ended in err may have taken place; stored then finds out, once there is a
	// connection again.
	unsure func(err error) bool
	stored func(ctx context.Context, db *sql.DB, number int64) (bool, error)
}

// DB is one database. It is safe for concurrent use.
type DB struct {
	name   string
	engine engine
	logger *slog.Logger

	queue   chan *write
	chores  chan func(*bun.DB) // for the writer, between two transactions
	written chan struct{}      // holds one token after a commit
	// statements belongs to the writer's goroutine.
	statements *statements
	stop       chan struct{} // closed by Close
	workers    sync.WaitGroup
	tidier     sync.WaitGroup

	mu     sync.RWMutex // read-locked while something is put into queue
	closed bool         // guarded by mu

	writes, failures, groups atomic.Uint64
}

// Stats counts what the writer has done since the start.
type Stats struct {
	// Writes is how many changes were committed, Failures how many the database did not take, Groups how many transactions were used.
	Writes, Failures, Groups uint64
	// Waiting is how many writes wait now.
	Waiting int
}

// Open opens or makes the database name (for instance "ops"), a file in config.Dir or a schema in config.URL, and migrates
// it to the newest of migrations. ErrInUse says that another process writes to that schema.
func Open(ctx context.Context, config Config, name string, migrations fs.FS, logger *slog.Logger) (*DB, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.URL != "" {
		engine, err := openPostgres(ctx, config, name, logger)
		if err != nil {
			return nil, fmt.Errorf("open the schema %s of %s: %w", name, Redact(config.URL), Classify(err))
		}
		return start(ctx, engine, name, migrations, logger)
	}
	if err := os.MkdirAll(config.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("open store %s: %w: %w", name, ErrUnavailable, err)
	}
	engine, err := openSQLite(ctx, config.Dir, name)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", name, Classify(err))
	}
	return start(ctx, engine, name, migrations, logger)
}

// OpenBeside opens the database name for a command's few writes, beside a server that may be running on it. Its
// transactions and the server's exclude each other.
func OpenBeside(ctx context.Context, config Config, name string, migrations fs.FS, logger *slog.Logger) (*DB, error) {
	if config.URL != "" {
		engine, err := openPostgresGuest(ctx, config, name)
		if err == nil {
			return start(ctx, engine, name, nil, logger)
		}
		if !errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("open the schema %s of %s: %w", name, Redact(config.URL), Classify(err))
		}
	}
	return Open(ctx, config, name, migrations, logger)
}

// OpenReader opens the database name for reading only: Write returns ErrClosed. A server may write to it meanwhile. A file
// is migrated if that was not done; a schema must be there.
func OpenReader(ctx context.Context, config Config, name string, migrations fs.FS, logger *slog.Logger) (*DB, error) {
	if config.URL == "" {
		return Open(ctx, config, name, migrations, logger)
	}
	settings, err := parseURL(config.URL)
	if err != nil {
		return nil, err
	}
	reader, err := openPostgresReader(ctx, settings, config, name)
	if err != nil {
		return nil, fmt.Errorf("open the schema %s of %s: %w", name, Redact(config.URL), Classify(err))
	}
	return &DB{name: name, engine: engine{reader: reader}, logger: logger, closed: true}, nil
}

// start migrates and starts the writer. It closes the engine if that fails.
func start(ctx context.Context, engine engine, name string, migrations fs.FS, logger *slog.Logger) (*DB, error) {
	db := &DB{
		name:    name,
		engine:  engine,
		logger:  logger,
		queue:   make(chan *write, QueueLength),
		chores:  make(chan func(*bun.DB)),
		written: make(chan struct{}, 1),
		stop:    make(chan struct{}),

		statements: newStatements(),
	}
	if err := migrate(ctx, engine, migrations, logger); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate store %s: %w", name, Classify(err)), db.closePools())
	}
	db.workers.Go(db.runWriter)
	if engine.tidy != nil {
		db.tidier.Go(db.runTidy)
	}
	return db, nil
}

// migrate brings the tables to the newest version.
func migrate(ctx context.Context, engine engine, migrations fs.FS, logger *slog.Logger) error {
	if migrations == nil {
		return nil // a guest's
	}
	if engine.migrations != nil {
		migrations = engine.migrations(migrations)
	}
	provider, err := goose.NewProvider(engine.dialect, engine.writer.DB, migrations, goose.WithDisableGlobalRegistry(true),
		goose.WithSlog(slog.New(slog.DiscardHandler)))
	if errors.Is(err, goose.ErrNoMigrations) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) && partial.Failed != nil {
		return fmt.Errorf("%s: %w", partial.Failed.Source.Path, err)
	}
	if err != nil {
		return err
	}
	for _, result := range results {
		logger.Info("the tables were migrated", "migration", result.Source.Path, "duration", result.Duration)
	}
	return nil
}

// Close ends the writer after the writes that wait, and closes the database.
func (db *DB) Close() error {
	db.mu.Lock()
	closed := db.closed
	db.closed = true
	db.mu.Unlock()
	if db.engine.writer == nil {
		return db.closePools()
	}
	if closed {
		return nil
	}
	close(db.stop)
	db.tidier.Wait()
	close(db.queue) // nobody puts anything into it any more: closed is set
	db.workers.Wait()
	return db.closePools()
}

func (db *DB) closePools() error {
	// The writer last: SQLite moves the log into the database when the last connection goes, if that one may write.
	err := db.engine.reader.Close()
	if db.engine.close != nil {
		err = errors.Join(err, db.engine.close())
	}
	if db.engine.writer != nil {
		err = errors.Join(err, db.engine.writer.Close())
	}
	if err != nil {
		return fmt.Errorf("close store %s: %w", db.name, err)
	}
	return nil
}

// Ping returns an error if the database cannot be asked now.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	if err := db.engine.reader.DB.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("ask the database: %w", Classify(err))
	}
	return nil
}

// Read returns the pool of read-only connections. A write through it is an error.
func (db *DB) Read() *bun.DB { return db.engine.reader }

// Stats returns what the writer has done.
func (db *DB) Stats() Stats {
	return Stats{
		Writes: db.writes.Load(), Failures: db.failures.Load(), Groups: db.groups.Load(), Waiting: len(db.queue),
	}
}

// runTidy lets the engine tidy up about once a second while there are writes.
func (db *DB) runTidy() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	failed := false
	for {
		select {
		case <-db.stop:
			return
		case <-ticker.C:
		}
		select {
		case <-db.written:
		default:
			continue
		}
		err := db.engine.tidy(db.between)
		if err != nil && !failed {
			db.logger.Warn("the database could not be tidied up", "database", db.name, "error", err)
		}
		failed = err != nil
	}
}

// between runs work on the writer's connection between two transactions.
func (db *DB) between(work func(*bun.DB)) {
	done := make(chan struct{})
	select {
	case db.chores <- func(writer *bun.DB) { defer close(done); work(writer) }:
		<-done
	case <-db.stop:
	}
}

// Millis returns t as it is stored: milliseconds since 1970, and 0 for the zero time. The very first millisecond of 1970,
// which senders with a broken clock like, is stored as the second one.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if millis := t.UnixMilli(); millis != 0 {
		return millis
	}
	return 1
}

// Time returns what Millis stored, in UTC.
func Time(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// isDone reports whether err says that the transaction had ended already.
func isDone(err error) bool {
	return errors.Is(err, sql.ErrTxDone) || err != nil && strings.Contains(err.Error(), "no transaction is active")
}
