package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fairlead/fairlead/app"
)

type importCommand struct {
	Mlruns       importMlrunsCommand       `cmd:"" help:"Bring over a folder mlruns of MLflow's client. Stop the server first; may be run again."`
	MLflowDB     importMLflowDBCommand     `cmd:"" name:"mlflow-db" help:"Bring over the SQLite database of an MLflow server, with its artifacts. Stop both servers first; may be run again."`
	Alertmanager importAlertmanagerCommand `cmd:"" help:"Explain line by line what an alertmanager.yml will do here, and write a configuration that uses it."`
}

type importMlrunsCommand struct {
	Dir     string  `arg:"" help:"The folder mlruns." type:"existingdir"`
	Config  string  `help:"Configuration file in YAML." type:"path" placeholder:"FILE"`
	DataDir *string `name:"data.dir" help:"Data folder (default fairlead-data)." placeholder:"DIR"`
}

// Run brings the runs over.
func (c importMlrunsCommand) Run(ctx context.Context, to streams) error {
	return importMLflow(ctx, to, c.Config, c.DataDir, app.MLflowImport{Folder: c.Dir})
}

type importMLflowDBCommand struct {
	File      string  `arg:"" help:"The file, often mlflow.db." type:"existingfile"`
	Artifacts string  `help:"Folder in which MLflow's server keeps artifacts (default mlartifacts or mlruns beside the file)." type:"existingdir" placeholder:"DIR"`
	Config    string  `help:"Configuration file in YAML." type:"path" placeholder:"FILE"`
	DataDir   *string `name:"data.dir" help:"Data folder (default fairlead-data)." placeholder:"DIR"`
}

// Run brings the runs over.
func (c importMLflowDBCommand) Run(ctx context.Context, to streams) error {
	return importMLflow(ctx, to, c.Config, c.DataDir, app.MLflowImport{Database: c.File, Artifacts: c.Artifacts})
}

func importMLflow(ctx context.Context, to streams, config string, dir *string, from app.MLflowImport) error {
	cfg, err := app.LoadConfig(config, os.Environ())
	if err != nil {
		return &usageError{err}
	}
	if dir != nil {
		cfg.Data.Dir = *dir
	}
	logger, err := app.NewLogger(to.err, "warn")
	if err != nil {
		return err
	}
	return app.ImportMLflow(ctx, &cfg, from, to.out, logger)
}

type importAlertmanagerCommand struct {
	File string `arg:"" help:"The alertmanager.yml." type:"existingfile"`
	Out  string `help:"Where to write the configuration; without it, it is printed." type:"path" placeholder:"FILE"`
}

// Run explains the file and writes the configuration, over no other file.
func (c importAlertmanagerCommand) Run(to streams) error {
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	if c.Out != "" {
		folder = filepath.Dir(c.Out)
	}
	text, err := app.ImportAlertmanager(c.File, folder, to.out)
	if err != nil {
		return err
	}
	if c.Out == "" {
		_, err := fmt.Fprintf(to.out, "\n%s", text)
		return err
	}
	file, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return &usageError{fmt.Errorf("%s exists; name another file with --out, or put the section notify into it:\n%s", c.Out, text)}
	}
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(to.out, "wrote %s; run: fairlead serve --config %s\n", c.Out, c.Out)
	return err
}
