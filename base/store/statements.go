package store

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"
)

// statements keeps the hot statements of Exec and Insert prepared on the writer's connection: parsing one of a few thousand
// arguments costs more than running it. Only the writer's goroutine touches it. A statement that a transaction misses is
// prepared after that transaction, because within it the one connection is taken.
type statements struct {
	ready  map[string]*sql.Stmt
	wanted []string
}

// maxStatements bounds what is kept prepared; further statements are parsed each time.
const maxStatements = 64

type statementsKey struct{}

func newStatements() *statements { return &statements{ready: map[string]*sql.Stmt{}} }

// in returns a context for the changes of a transaction, in which exec finds s.
func (s *statements) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, statementsKey{}, s)
}

// prepare prepares what was wanted. A statement that cannot be prepared is run unprepared, where its error is reported.
func (s *statements) prepare(db *bun.DB) {
	for _, query := range s.wanted {
		if _, known := s.ready[query]; known || len(s.ready) >= maxStatements {
			continue
		}
		if stmt, err := db.DB.PrepareContext(context.Background(), query); err == nil { //nolint:sqlclosecheck // closed by close
			s.ready[query] = stmt
		}
	}
	s.wanted = s.wanted[:0]
}

func (s *statements) close() {
	for _, stmt := range s.ready {
		_ = stmt.Close() // the connection closes with the pool in any case
	}
}

// exec runs query within tx, prepared if it is.
func exec(ctx context.Context, tx bun.Tx, query string, args []any) (sql.Result, error) {
	s, ok := ctx.Value(statementsKey{}).(*statements)
	if !ok {
		return tx.Tx.ExecContext(ctx, query, args...)
	}
	if stmt := s.ready[query]; stmt != nil {
		return tx.Tx.StmtContext(ctx, stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // the transaction closes it
	}
	if len(s.ready)+len(s.wanted) < maxStatements {
		s.wanted = append(s.wanted, query)
	}
	return tx.Tx.ExecContext(ctx, query, args...)
}
