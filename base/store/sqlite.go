package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite" // registers the driver "sqlite"
)

// How SQLite is set up. The log is checkpointed by tidy, beside the writer, not by the commit that fills it.
const (
	pageSize     = 4096
	writerCache  = 8 << 10  // KiB
	readerCache  = 4 << 10  // KiB for each of the readers
	walLimit     = 64 << 20 // bytes that the log's file is cut to when it starts anew
	walRestart   = 16 << 20 // bytes in the log from which on the writer pauses to let it start anew
	busyTimeout  = 5000     // milliseconds
	readersAtMin = 4
)

// addRegexp gives SQLite the function behind its operator REGEXP, with Go's expressions.
var addRegexp = sync.OnceValue(func() error {
	return sqlite.RegisterDeterministicScalarFunction("regexp", 2, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		pattern, _ := args[0].(string)
		text, isText := args[1].(string)
		if !isText {
			return nil, nil
		}
		expression, err := regexp.Compile(pattern)
		if err != nil {
			return nil, err
		}
		return expression.MatchString(text), nil
	})
})

// openSQLite opens or makes dir/name.db.
func openSQLite(ctx context.Context, dir, name string) (engine, error) {
	if err := addRegexp(); err != nil {
		return engine{}, fmt.Errorf("add the operator REGEXP: %w", err)
	}
	file, err := filepath.Abs(filepath.Join(dir, name+".db"))
	if err != nil {
		return engine{}, fmt.Errorf("find the file of %s: %w", name, err)
	}
	common := []string{fmt.Sprintf("busy_timeout(%d)", busyTimeout), "foreign_keys(1)", "temp_store(memory)", "mmap_size(0)"}
	writer, err := openPool(ctx, file, 1, "immediate", append(common,
		fmt.Sprintf("page_size(%d)", pageSize), "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(0)",
		fmt.Sprintf("journal_size_limit(%d)", walLimit), fmt.Sprintf("cache_size(-%d)", writerCache)))
	if err != nil {
		return engine{}, err
	}
	reader, err := openPool(ctx, file, max(readersAtMin, runtime.GOMAXPROCS(0)), "deferred", append(common,
		"query_only(1)", fmt.Sprintf("cache_size(-%d)", readerCache)))
	if err != nil {
		return engine{}, errors.Join(err, writer.Close())
	}
	checkpointer, err := openPool(ctx, file, 1, "deferred", append(common, "synchronous(FULL)", "wal_autocheckpoint(0)"))
	if err != nil {
		return engine{}, errors.Join(err, reader.Close(), writer.Close())
	}
	return engine{
		writer:  writer,
		reader:  reader,
		dialect: goose.DialectSQLite3,
		tidy: func(between func(func(*bun.DB))) error {
			return tidySQLite(checkpointer, between)
		},
		close: checkpointer.Close,
	}, nil
}

// openPool opens up to size connections, each with pragmas, and tries the first. Lock says what a transaction takes when it
// begins: "immediate" the right to write, "deferred" nothing, so that a reader's transaction never meets the writer.
func openPool(ctx context.Context, file string, size int, lock string, pragmas []string) (*bun.DB, error) {
	query := url.Values{"_pragma": pragmas, "_txlock": {lock}}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(file), OmitHost: true, RawQuery: query.Encode()}
	pool, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", file, err), pool.Close())
	}
	return bun.NewDB(pool, textOfSQLite{sqlitedialect.New()}), nil
}

// tidySQLite moves the log's pages into the database, beside the writer. While the writer goes on writing, the log can
// never be moved completely and would grow for ever; so above walRestart the writer moves the rest, the pages of the last
// moments, between two transactions, and its next transaction starts the log anew.
func tidySQLite(checkpointer *bun.DB, between func(func(*bun.DB))) error {
	pages, err := checkpoint(checkpointer)
	if err != nil || pages*pageSize < walRestart {
		return err
	}
	between(func(writer *bun.DB) { _, err = checkpoint(writer) })
	return err
}

// checkpoint moves what can be moved without waiting for readers, and returns the length of the log in pages.
func checkpoint(db *bun.DB) (pages int, err error) {
	var busy, moved int
	if err := db.DB.QueryRow("PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &moved); err != nil {
		return 0, fmt.Errorf("checkpoint: %w", Classify(err))
	}
	return pages, nil
}
