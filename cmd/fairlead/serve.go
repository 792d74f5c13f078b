package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/fairlead/fairlead/app"
)

type serveCommand struct {
	Config         string  `help:"Configuration file in YAML." type:"path" placeholder:"FILE"`
	DataDir        *string `name:"data.dir" help:"Folder that everything is kept in (default fairlead-data)." placeholder:"DIR"`
	HTTPListen     *string `name:"http.listen" help:"Address of the one HTTP port (default 127.0.0.1:8460)." placeholder:"ADDRESS"`
	OTLPGRPCListen *string `name:"otlp.grpc.listen" help:"Address of OTLP over gRPC; empty switches it off." placeholder:"ADDRESS"`
	OTLPHTTPListen *string `name:"otlp.http.listen" help:"Address of OTLP over HTTP; empty switches it off." placeholder:"ADDRESS"`
	Clock          *string `help:"wall, or event to be driven by a replay; only on an empty data folder (default wall)." placeholder:"CLOCK"`
	Dev            bool    `help:"Make whoever is on this machine admin, without a login."`
}

// load returns the configuration of file, environment and flags.
func (c *serveCommand) load() (app.Config, error) {
	cfg, err := app.LoadConfig(c.Config, os.Environ())
	if err != nil {
		return cfg, err
	}
	for _, flag := range []struct {
		given *string
		key   *string
	}{
		{c.DataDir, &cfg.Data.Dir},
		{c.HTTPListen, &cfg.HTTP.Listen},
		{c.OTLPGRPCListen, &cfg.OTLP.GRPC.Listen},
		{c.OTLPHTTPListen, &cfg.OTLP.HTTP.Listen},
		{c.Clock, &cfg.Clock},
	} {
		if flag.given != nil {
			*flag.key = *flag.given
		}
	}
	return cfg, cfg.Validate()
}

// Run serves until the process is told to stop.
func (c *serveCommand) Run(ctx context.Context, to streams) error {
	cfg, err := c.load()
	if err != nil {
		return &usageError{err}
	}
	logger, err := app.NewLogger(to.err, cfg.Log.Level)
	if err != nil {
		return &usageError{err}
	}
	a, err := app.New(ctx, cfg, app.Options{Version: version, Logger: logger, Reload: c.load, Dev: c.Dev, Tell: func(text string) { fmt.Fprintln(to.out, text) }})
	if err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	served := make(chan error, 1)
	go func() { served <- a.Run(ctx) }()
	for {
		select {
		case err := <-served:
			return err
		case <-hangups:
			if err := a.Reload(ctx); err != nil {
				logger.Error("the configuration was not reloaded; the running one stays", "error", err)
			}
		}
	}
}

type checkConfigCommand struct {
	File string `arg:"" help:"Configuration file in YAML." type:"path"`
}

// Run checks a file as serve would read it.
func (c checkConfigCommand) Run(to streams) error {
	if _, err := os.Stat(c.File); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return &usageError{fmt.Errorf("%s does not exist", c.File)}
		}
		return err
	}
	cfg, err := app.LoadConfig(c.File, nil)
	if err != nil {
		return err
	}
	for _, warning := range cfg.Warnings() {
		fmt.Fprintln(to.out, "look at this:", warning)
	}
	_, err = fmt.Fprintf(to.out, "%s is fine\n", c.File)
	return err
}
