package store

import (
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// Tx is a transaction, as Write hands it to a change. The name lets packages pass it on without seeing the driver.
type Tx = bun.Tx

// Querier is what rows are read from: the pool of readers, or a transaction.
type Querier = bun.IDB

// Like returns the operator that looks for a pattern whatever the case of ASCII letters.
func Like(db Querier) string {
	if db.Dialect().Name() == dialect.PG {
		return "ILIKE"
	}
	return "LIKE"
}

// List writes a slice as the inside of SQL's "IN (?)".
func List(slice any) bun.ListValues { return bun.List(slice) }

// Member is SQL for the text of a member of the JSON object in a column; NULL when the object has none. Name consists of
// letters.
func Member(db Querier, column, name string) string {
	if db.Dialect().Name() == dialect.PG {
		return "(CAST(" + column + " AS json) ->> '" + name + "')"
	}
	return "(" + column + " ->> '" + name + "')"
}
