package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// Exec runs a statement with "?" placeholders within tx, handing the arguments to the driver as they are, but for texts,
// which go through Text. It is for the few hot statements; elsewhere bun's own methods read better.
func Exec(ctx context.Context, tx bun.Tx, query string, args ...any) (sql.Result, error) {
	if tx.Dialect().Name() == dialect.PG {
		query = statementsIn(ctx).numbered(query)
	}
	result, err := exec(ctx, tx, query, args)
	if err != nil {
		return nil, Classify(err)
	}
	return result, nil
}

// numbered turns each "?" into PostgreSQL's "$1", "$2" and so on. The statements that use it have no "?" in literals.
func numbered(query string) string {
	var text strings.Builder
	n := 0
	for _, c := range query {
		if c != '?' {
			text.WriteRune(c)
			continue
		}
		n++
		text.WriteByte('$')
		text.WriteString(strconv.Itoa(n))
	}
	return text.String()
}
