package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fairlead/fairlead/app"
)

type auditCommand struct {
	Verify verifyCommand `cmd:"" help:"Recompute the audit log and compare what it attests with what is stored."`
}

type verifyCommand struct {
	DataDir string `name:"data.dir" help:"Data folder." default:"fairlead-data" type:"path"`
}

// Run verifies and names what does not hold.
func (c verifyCommand) Run(ctx context.Context, to streams) error {
	if _, err := os.Stat(filepath.Join(c.DataDir, "ops.db")); err != nil {
		return &usageError{fmt.Errorf("%s holds no data of Fairlead: %w", c.DataDir, err)}
	}
	logger, err := app.NewLogger(to.err, "warn")
	if err != nil {
		return err
	}
	report, err := app.VerifyAudit(ctx, c.DataDir, logger)
	if err != nil {
		return err
	}
	for _, p := range report.Problems {
		fmt.Fprintf(to.out, "leaf %d: %s: %s\n", p.Leaf, p.Name, p.Detail)
	}
	if n := len(report.Problems); n > 0 {
		return fmt.Errorf("%d of what the audit log of %d leaves attests does not hold", n, report.Size)
	}
	_, err = fmt.Fprintf(to.out, "audit log is whole: %d leaves, root %s\n", report.Size, report.Root)
	return err
}
