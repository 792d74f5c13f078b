package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/incident"
)

// VerifyAudit recomputes the audit log in a data folder and compares what it attests with what is stored. A server may run
// on the folder meanwhile.
func VerifyAudit(ctx context.Context, dir string, logger *slog.Logger) (report audit.Report, err error) {
	db, err := store.Open(ctx, store.Config{Dir: dir}, "ops", store.Schema(), logger)
	if err != nil {
		return report, fmt.Errorf("open the database in %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.Read().BeginTx(ctx, nil) // one snapshot, whatever a server writes meanwhile
	if err != nil {
		return report, fmt.Errorf("begin to read: %w", err)
	}
	report, err = audit.Verify(ctx, tx, incident.NewCheck())
	return report, errors.Join(err, tx.Rollback())
}
