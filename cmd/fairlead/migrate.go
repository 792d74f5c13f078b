package main

import (
	"context"
	"os"

	"github.com/fairlead/fairlead/app"
)

type migrateCommand struct {
	SQLiteToPostgres sqliteToPostgresCommand `cmd:"" name:"sqlite-to-postgres" help:"Copy the rows of the data folder's ops.db into the empty PostgreSQL database of store.url, check them, and go on there. Stop the server first."`
}

type sqliteToPostgresCommand struct {
	Config  string  `help:"Configuration file in YAML, which names store.url." type:"path" placeholder:"FILE"`
	DataDir *string `name:"data.dir" help:"Data folder (default fairlead-data)." type:"path" placeholder:"DIR"`
}

// Run copies and checks.
func (c *sqliteToPostgresCommand) Run(ctx context.Context, to streams) error {
	cfg, err := app.LoadConfig(c.Config, os.Environ())
	if err != nil {
		return &usageError{err}
	}
	if c.DataDir != nil {
		cfg.Data.Dir = *c.DataDir
	}
	logger, err := app.NewLogger(to.err, "warn")
	if err != nil {
		return err
	}
	return app.MigrateToPostgres(ctx, &cfg, to.out, logger)
}
