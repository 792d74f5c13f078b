package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/fairlead/fairlead/app"
)

type auditCommand struct {
	Verify verifyCommand `cmd:"" help:"Recompute the audit log and compare what it attests with what is stored; or an export, without a database."`
	Export exportCommand `cmd:"" help:"Write the whole audit log to a file that can be verified elsewhere."`
	Key    keyCommand    `cmd:"" help:"Print the public key that checkpoints are signed with."`
}

// auditStore says where the log is.
type auditStore struct {
	Config  string  `help:"Configuration file in YAML." type:"path" placeholder:"FILE"`
	DataDir *string `name:"data.dir" help:"Data folder (default fairlead-data)." type:"path" placeholder:"DIR"`
}

// load returns the configuration, whose data folder must be one.
func (s *auditStore) load() (*app.Config, error) {
	cfg, err := app.LoadConfig(s.Config, os.Environ())
	if err != nil {
		return nil, &usageError{err}
	}
	if s.DataDir != nil {
		cfg.Data.Dir = *s.DataDir
	}
	if cfg.Store.URL != "" {
		return &cfg, nil
	}
	if _, err := os.Stat(filepath.Join(cfg.Data.Dir, "ops.db")); err != nil {
		return nil, &usageError{fmt.Errorf("%s holds no data of Fairlead: %w", cfg.Data.Dir, err)}
	}
	return &cfg, nil
}

type verifyCommand struct {
	auditStore
	Checkpoints string `help:"Signed checkpoints that were kept elsewhere: a file, or a folder of them." type:"path" placeholder:"PATH"`
	Key         string `help:"Public key of the checkpoints, or a file that holds it; without it that of the data folder is used." placeholder:"KEY"`
	ExportFile  string `name:"export" help:"Verify this export instead of a data folder." type:"path" placeholder:"FILE"`
}

// Run verifies and names what does not hold, the first bad entry first.
func (c *verifyCommand) Run(ctx context.Context, to streams) error {
	report, err := c.verify(ctx, to)
	if err != nil {
		return err
	}
	for _, p := range report.Problems {
		where := fmt.Sprintf("leaf %d", p.Leaf)
		if p.Leaf < 0 {
			where = "no leaf"
		}
		fmt.Fprintf(to.out, "%s: %s: %s\n", where, p.Name, p.Detail)
	}
	if n := len(report.Problems); n > 0 {
		return fmt.Errorf("%d of what the audit log of %d leaves attests does not hold", n, report.Size)
	}
	_, err = fmt.Fprintf(to.out, "audit log is whole: %d leaves, root %s\n", report.Size, report.Root)
	if err == nil && c.Checkpoints != "" {
		_, err = fmt.Fprintf(to.out, "it agrees with the checkpoints in %s\n", c.Checkpoints)
	}
	return err
}

func (c *verifyCommand) verify(ctx context.Context, to streams) (report app.AuditReport, err error) {
	proof := app.AuditProof{Checkpoints: c.Checkpoints, Key: c.Key}
	if c.ExportFile == "" {
		cfg, logger, err := c.open(to)
		if err != nil {
			return report, err
		}
		return app.VerifyAudit(ctx, cfg, proof, logger)
	}
	report, err = app.VerifyAuditExport(c.ExportFile, proof)
	if err == nil && c.Key == "" {
		fmt.Fprintln(to.err, "signatures were not checked: give --key, the log's public key")
	}
	return report, err
}

func (s *auditStore) open(to streams) (*app.Config, *slog.Logger, error) {
	cfg, err := s.load()
	if err != nil {
		return nil, nil, err
	}
	logger, err := app.NewLogger(to.err, "warn")
	return cfg, logger, err
}

type exportCommand struct {
	auditStore
	Out string `help:"File to write, which must not exist." required:"" type:"path" placeholder:"FILE"`
}

// Run writes the export.
func (c *exportCommand) Run(ctx context.Context, to streams) error {
	cfg, logger, err := c.open(to)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return &usageError{err}
	}
	size, err := app.ExportAudit(ctx, cfg, file, logger)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(c.Out))
	}
	key, err := app.AuditKey(cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(to.out, "%d leaves written; anybody can check them with\n  fairlead audit verify --export %s --key %s\n", size, c.Out, key)
	return err
}

type keyCommand struct{ auditStore }

// Run prints the key.
func (c *keyCommand) Run(to streams) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	key, err := app.AuditKey(cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(to.out, key)
	return err
}
