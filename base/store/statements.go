package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"
)

// statements keeps the hot statements of Exec and Insert prepared on the writer's connection: parsing one of a few thousand
// arguments costs more than running it. Only the writer's goroutine touches it. A statement that a transaction misses is
// prepared after that transaction, because within it the one connection is taken.
type statements struct {
	ready  map[string]*sql.Stmt
	wanted []string
	texts  map[string]string // as PostgreSQL wants them, by the text with "?"
}

// maxStatements bounds what is kept prepared; further statements are parsed each time.
const maxStatements = 64

// prepareTime bounds how long a server may take to prepare one.
const prepareTime = 5 * time.Second

type statementsKey struct{}

func newStatements() *statements {
	return &statements{ready: map[string]*sql.Stmt{}, texts: map[string]string{}}
}

// statementsIn returns those of the writer that runs the change; nil outside.
func statementsIn(ctx context.Context) *statements {
	s, _ := ctx.Value(statementsKey{}).(*statements)
	return s
}

// numbered returns the text with PostgreSQL's placeholders.
func (s *statements) numbered(query string) string {
	if s == nil {
		return numbered(query)
	}
	text, known := s.texts[query]
	if !known {
		text = numbered(query)
		if len(s.texts) < maxStatements {
			s.texts[query] = text
		}
	}
	return text
}

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
		ctx, cancel := context.WithTimeout(context.Background(), prepareTime)
		if stmt, err := db.DB.PrepareContext(ctx, query); err == nil { //nolint:sqlclosecheck // closed by close
			s.ready[query] = stmt
		}
		cancel()
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
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			if clean := Text(text); len(clean) != len(text) {
				args[i] = clean
			}
		}
	}
	s := statementsIn(ctx)
	if s == nil {
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
