package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/fairlead/fairlead/app"
)

type accessCommand struct {
	Link accessLinkCommand `cmd:"" help:"Make a one-time link: its opener becomes admin, or sets the password of a user. The server may run meanwhile."`
}

type accessLinkCommand struct {
	Config  string  `help:"Configuration file in YAML." type:"path" placeholder:"FILE"`
	DataDir *string `name:"data.dir" help:"Data folder (default fairlead-data)." placeholder:"DIR"`
	User    string  `help:"Whose password it sets; without it, it makes a new admin." placeholder:"NAME"`
	URL     string  `name:"url" help:"How the server is reached (default http.external_url, or where it listens)." placeholder:"URL"`
}

// Run prints the link.
func (c accessLinkCommand) Run(ctx context.Context, to streams) error {
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
	url, expires, err := app.AccessLink(ctx, cfg, c.User, c.URL, logger)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(to.out, "%s\nIt works once, until %s.\n", url, expires.Format(time.RFC3339))
	return err
}
