package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

// AuditConfig says how the audit log is signed and where its checkpoints go.
type AuditConfig struct {
	// KeyFile holds the key that checkpoints are signed with; it is made when missing. "" is audit.key in the data folder.
	KeyFile string `yaml:"key_file"`
	// Export sends signed checkpoints elsewhere.
	Export audit.ExportConfig `yaml:"export"`
}

// keyFile returns where the signing key is.
func (c *Config) keyFile() string {
	if c.Audit.KeyFile != "" {
		return c.Audit.KeyFile
	}
	return filepath.Join(c.Data.Dir, "audit.key")
}

// checks returns what compares stored rows with the audit log, for one run of audit.Verify.
func checks() []audit.Check {
	return append(access.Checks(), incident.NewCheck(), alert.SilenceCheck(), alert.WindowCheck(), integration.Check(), approval.Check())
}

// openAudit opens the signing key and prepares the export of checkpoints.
func (a *App) openAudit() (err error) {
	if a.signer, err = audit.OpenSigner(a.cfg.keyFile(), "fairlead"); err != nil {
		return fmt.Errorf("audit.key_file: %w", err)
	}
	a.exporter = audit.NewExporter(a.cfg.Audit.Export, a.db, a.signer, a.clock, a.part("audit"))
	return nil
}

// exported returns what says how the export of checkpoints goes; nil when there is none.
func (a *App) exported() func() audit.Exported {
	if a.cfg.Audit.Export.To == "" {
		return nil
	}
	return a.exporter.State
}

// AuditReport says what of an audit log does not hold.
type AuditReport = audit.Report

// AuditProof is what an audit log is compared with beside itself.
type AuditProof struct {
	// Checkpoints is a file or folder of signed checkpoints; "" for none.
	Checkpoints string
	// Key is the public key that signed them, or a file that holds it; "" takes that of the configuration.
	Key string
}

// read returns the checkpoints and the key.
func (p AuditProof) read() (checkpoints []audit.NamedCheckpoint, key string, err error) {
	key = p.Key
	if text, err := os.ReadFile(key); err == nil {
		key = string(text)
	}
	if p.Checkpoints != "" {
		checkpoints, err = audit.ReadCheckpoints(p.Checkpoints)
	}
	return checkpoints, key, err
}

// VerifyAuditExport recomputes an export of an audit log, without a database.
func VerifyAuditExport(file string, proof AuditProof) (report audit.Report, err error) {
	checkpoints, key, err := proof.read()
	if err != nil {
		return report, err
	}
	if key == "" && len(checkpoints) > 0 {
		return report, errors.New("the checkpoints of an export cannot be checked without the log's public key: give --key")
	}
	from, err := os.Open(file)
	if err != nil {
		return report, err
	}
	report, err = audit.VerifyExport(from, key, checkpoints)
	return report, errors.Join(err, from.Close())
}

// VerifyAudit recomputes the audit log and compares what it attests with what is stored, and the log with signed
// checkpoints. A server may run meanwhile.
func VerifyAudit(ctx context.Context, cfg *Config, proof AuditProof, logger *slog.Logger) (report audit.Report, err error) {
	checkpoints, key, err := proof.read()
	if err != nil {
		return report, err
	}
	err = withStore(ctx, cfg, logger, func(db store.Querier) error {
		if report, err = audit.Verify(ctx, db, checks()...); err != nil || len(checkpoints) == 0 {
			return err
		}
		if key == "" {
			if key, err = AuditKey(cfg); err != nil {
				return err
			}
		}
		problems, err := audit.VerifyCheckpoints(ctx, db, key, checkpoints)
		report.Problems = append(report.Problems, problems...)
		return err
	})
	return report, err
}

// ExportAudit writes the whole log, with a checkpoint signed by the configuration's key, and returns how many leaves it has.
func ExportAudit(ctx context.Context, cfg *Config, to io.Writer, logger *slog.Logger) (size int64, err error) {
	signer, err := audit.OpenSigner(cfg.keyFile(), "fairlead")
	if err != nil {
		return 0, err
	}
	err = withStore(ctx, cfg, logger, func(db store.Querier) error {
		size, err = audit.Export(ctx, db, signer, time.Now(), to)
		return err
	})
	return size, err
}

// AuditKey returns the public key of the configuration's signing key.
func AuditKey(cfg *Config) (string, error) {
	signer, err := audit.OpenSigner(cfg.keyFile(), "fairlead")
	if err != nil {
		return "", err
	}
	return signer.Key(), nil
}

// withStore opens where rows are kept, for reading beside a server, and closes it again.
func withStore(ctx context.Context, cfg *Config, logger *slog.Logger, do func(store.Querier) error) (err error) {
	db, err := store.OpenReader(ctx, cfg.store(), "ops", store.Schema(), logger)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(db.Read())
}
