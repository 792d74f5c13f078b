package store

import (
	"context"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// insertArguments is how many arguments one statement binds at most; SQLite takes 32,766, but is fastest far below.
const insertArguments = 2000

// Insert adds rows to table, a few hundred arguments a statement, bound and not written into the text, which is the fast
// way for many or large rows. Each row has one value for each of columns, of a type that database/sql takes as it is. Tail
// is put behind the rows, for instance "ON CONFLICT (id) DO UPDATE SET count = excluded.count". Table, columns and tail are
// SQL: never build them from input.
func Insert(ctx context.Context, tx bun.Tx, table string, columns []string, tail string, rows [][]any) error {
	perStatement := max(insertArguments/len(columns), 1)
	numbered := tx.Dialect().Name() == dialect.PG
	var query string
	var last int
	args := make([]any, 0, min(len(rows), perStatement)*len(columns))
	for len(rows) > 0 {
		count := statementRows(len(rows), perStatement)
		args = args[:0]
		for _, row := range rows[:count] {
			if len(row) != len(columns) {
				return fmt.Errorf("insert into %s: row has %d values, want %d", table, len(row), len(columns))
			}
			args = append(args, row...)
		}
		if query == "" || count != last {
			query, last = insertQuery(table, columns, tail, count, numbered), count
		}
		if _, err := exec(ctx, tx, query, args); err != nil {
			return fmt.Errorf("insert into %s: %w", table, Classify(err))
		}
		rows = rows[count:]
	}
	return nil
}

// statementRows returns how many of the waiting rows go into the next statement: as many as fit, or else a power of two, so
// that few different statements have to be prepared.
func statementRows(waiting, most int) int {
	if waiting >= most {
		return most
	}
	return 1 << (bits.Len(uint(waiting)) - 1) //nolint:gosec // waiting is positive
}

// insertQuery returns the text for count rows.
func insertQuery(table string, columns []string, tail string, count int, numbered bool) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	n := 0
	for row := range count {
		if row > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for column := range columns {
			if column > 0 {
				b.WriteByte(',')
			}
			n++
			if numbered {
				b.WriteString("$" + strconv.Itoa(n))
			} else {
				b.WriteByte('?')
			}
		}
		b.WriteByte(')')
	}
	if tail != "" {
		b.WriteString(" " + tail)
	}
	return b.String()
}
