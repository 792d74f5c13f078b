package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fairlead/fairlead/base/store"
)

// movedKey is where a file of SQLite says that its rows were copied to PostgreSQL, and PostgreSQL that it has such rows.
const movedKey = "app.moved"

// openDatabase opens where rows are kept, and refuses to go on beside rows that are somewhere else.
func (a *App) openDatabase(ctx context.Context) (err error) {
	config := a.cfg.store()
	if config.URL == "" {
		if a.db, err = store.Open(ctx, config, "ops", store.Schema(), a.part("store")); err != nil {
			return fmt.Errorf("open the database in %s: %w", a.cfg.Data.Dir, err)
		}
		to, err := store.LoadState(ctx, a.db.Read(), movedKey)
		if err == nil {
			return fmt.Errorf("the rows in %s were copied to %s and went on there: set store.url, or name another folder with --data.dir", a.cfg.Data.Dir, to)
		}
		if !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("look where the rows are: %w", err)
		}
		return nil
	}
	if a.db, err = store.Open(ctx, config, "ops", store.Schema(), a.part("store")); err != nil {
		return fmt.Errorf("store.url: %w", err)
	}
	mark, err := store.LoadState(ctx, a.db.Read(), movedKey)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("look where the rows are: %w", err)
	}
	if bytes.Equal(mark, copying) {
		return fmt.Errorf("the copy of rows to %s was not finished: run fairlead migrate sqlite-to-postgres again", store.Redact(config.URL))
	}
	if _, statErr := os.Stat(filepath.Join(a.cfg.Data.Dir, "ops.db")); statErr == nil && err != nil {
		return fmt.Errorf("%s holds rows in ops.db that %s has not: copy them with fairlead migrate sqlite-to-postgres, or move ops.db away",
			a.cfg.Data.Dir, store.Redact(config.URL))
	}
	return nil
}

// storeWarnings says what is unwise about store.url.
func (c *Config) storeWarnings() []string {
	var warnings []string
	if store.HasPassword(c.Store.URL) {
		warnings = append(warnings, "store.url: it holds a password; put that into a file and name it in store.password_file, or into the variable PGPASSWORD")
	}
	if store.InClear(c.Store.URL) {
		warnings = append(warnings, "store.url: the way to another machine may be unencrypted; add sslmode=verify-full")
	}
	return warnings
}

// store returns where rows are kept.
func (c *Config) store() store.Config {
	return store.Config{Dir: c.Data.Dir, URL: c.Store.URL, PasswordFile: c.Store.PasswordFile, MaxConnections: c.Store.MaxConnections}
}
