package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/store"
)

// copying stands under movedKey in PostgreSQL while rows are copied, and after a copy that was interrupted.
var copying = []byte("copying")

// MigrateToPostgres copies the rows in ops.db and ml.db of the data folder into the empty database of store.url, compares their number
// and the audit log, and marks both sides, so that a start on the file is refused from then on. It writes a line for each
// table to progress. A copy that was interrupted leaves the file as it was: run it again. An error says which side has to
// be mended, and how.
func MigrateToPostgres(ctx context.Context, cfg *Config, progress io.Writer, logger *slog.Logger) (err error) {
	if cfg.Store.URL == "" {
		return errors.New("store.url: name where the rows go: in the configuration, or in FAIRLEAD_STORE_URL")
	}
	dir := cfg.Data.Dir
	if _, err := os.Stat(filepath.Join(dir, "ops.db")); err != nil {
		return fmt.Errorf("data.dir: %s holds no ops.db to copy: %w", dir, err)
	}
	unlock, err := bus.Lock(filepath.Join(dir, "bus"))
	if errors.Is(err, bus.ErrLocked) {
		return fmt.Errorf("a server runs on %s: stop it first", dir)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock.Close()) }()
	from, err := store.Open(ctx, store.Config{Dir: dir}, "ops", store.Schema(), logger)
	if err != nil {
		return fmt.Errorf("open the database in %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := store.Open(ctx, cfg.store(), "ops", store.Schema(), logger)
	if err != nil {
		return fmt.Errorf("store.url: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	m := migration{cfg: cfg, from: from, to: to}
	if m.learningFrom, err = store.Open(ctx, store.Config{Dir: dir}, "ml", store.LearningSchema(), logger); err != nil {
		return fmt.Errorf("open the database of experiments in %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, m.learningFrom.Close()) }()
	if m.learningTo, err = store.Open(ctx, cfg.store(), "ml", store.LearningSchema(), logger); err != nil {
		return fmt.Errorf("store.url: %w", err)
	}
	defer func() { err = errors.Join(err, m.learningTo.Close()) }()
	if going, err := m.check(ctx); err != nil || !going {
		return err
	}
	return m.run(ctx, progress)
}

type migration struct {
	cfg      *Config
	from, to *store.DB
	// Those of experiments. The marks in the others hold for both.
	learningFrom, learningTo *store.DB
}

// source names the file in PostgreSQL.
func (m *migration) source() []byte {
	dir, err := filepath.Abs(m.cfg.Data.Dir)
	if err != nil {
		dir = m.cfg.Data.Dir
	}
	return []byte("from " + dir)
}

// check reports whether there is something to copy, and refuses what would harm. A copy of which only the last mark is
// missing is marked.
func (m *migration) check(ctx context.Context) (going bool, err error) {
	moved, err := store.LoadState(ctx, m.from.Read(), movedKey)
	if err == nil {
		return false, fmt.Errorf("the rows in %s were copied to %s already", m.cfg.Data.Dir, moved)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	mark, err := store.LoadState(ctx, m.to.Read(), movedKey)
	switch {
	case err == nil && bytes.Equal(mark, copying):
		return true, nil
	case err == nil && bytes.Equal(mark, m.source()):
		return false, m.mark(ctx, m.from, []byte(store.Redact(m.cfg.Store.URL)))
	case err == nil:
		return false, fmt.Errorf("%s holds rows %s: name an empty database", store.Redact(m.cfg.Store.URL), mark)
	case !errors.Is(err, store.ErrNotFound):
		return false, err
	}
	filled, err := store.Filled(ctx, m.from, m.to, movedKey)
	if err == nil && filled == "" {
		filled, err = store.Filled(ctx, m.learningFrom, m.learningTo, movedKey)
	}
	if err != nil {
		return false, err
	}
	if filled != "" {
		return false, fmt.Errorf("%s holds rows already, in the table %s: name an empty database", store.Redact(m.cfg.Store.URL), filled)
	}
	return true, nil
}

func (m *migration) run(ctx context.Context, progress io.Writer) error {
	before, err := audit.Verify(ctx, m.from.Read(), checks()...)
	if err != nil {
		return fmt.Errorf("verify the audit log of %s: %w", m.cfg.Data.Dir, err)
	}
	if n := len(before.Problems); n > 0 {
		return fmt.Errorf("%d of what the audit log of %s attests does not hold, so nothing is copied: see fairlead audit verify", n, m.cfg.Data.Dir)
	}
	if err := m.mark(ctx, m.to, copying); err != nil {
		return err
	}
	done := func(table string, rows int) { fmt.Fprintf(progress, "%-16s %d rows\n", table, rows) }
	err = store.Copy(ctx, m.from, m.to, movedKey, done)
	if err == nil {
		err = store.Copy(ctx, m.learningFrom, m.learningTo, movedKey, done)
	}
	if err != nil {
		return fmt.Errorf("%w; %s is as it was: run the command again", err, m.cfg.Data.Dir)
	}
	after, err := audit.Verify(ctx, m.to.Read(), checks()...)
	if err != nil {
		return fmt.Errorf("verify the audit log that was copied: %w; run the command again", err)
	}
	if len(after.Problems) > 0 || after.Size != before.Size || after.Root != before.Root {
		return fmt.Errorf("the audit log that was copied is not the same (%d leaves, root %s, %d problems; %d leaves, root %s before): %s is as it was, run the command again",
			after.Size, after.Root, len(after.Problems), before.Size, before.Root, m.cfg.Data.Dir)
	}
	if err := m.mark(ctx, m.to, m.source()); err != nil {
		return err
	}
	if err := m.mark(ctx, m.from, []byte(store.Redact(m.cfg.Store.URL))); err != nil {
		return err
	}
	_, err = fmt.Fprintf(progress, "all rows are in %s; the audit log is whole: %d leaves, root %s\n", store.Redact(m.cfg.Store.URL), after.Size, after.Root)
	return err
}

func (m *migration) mark(ctx context.Context, db *store.DB, value []byte) error {
	return db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return store.SaveState(ctx, tx, movedKey, value) })
}
