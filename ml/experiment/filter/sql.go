package filter

import (
	"strings"

	"github.com/uptrace/bun/dialect"

	"github.com/fairlead/fairlead/base/store"
)

// Condition returns SQL that holds of a text column exactly if the clause does, whatever it is compared with: not if the
// column is NULL, but for IS NULL. The column is SQL.
func (c Clause) Condition(db store.Querier, column string) (query string, args []any) {
	postgres := db.Dialect().Name() == dialect.PG
	switch c.Operator {
	case IsNull, IsNotNull:
		return column + " " + string(c.Operator), nil
	case In, NotIn:
		return column + " " + string(c.Operator) + " (?)", []any{store.List(c.List)}
	case Like:
		if postgres {
			return column + " LIKE ? ESCAPE ''", []any{c.Text}
		}
		return column + " GLOB ?", []any{glob(c.Text)}
	case ILike:
		if postgres {
			return column + " ILIKE ? ESCAPE ''", []any{c.Text}
		}
		return column + " LIKE ?", []any{c.Text}
	case RLike:
		if postgres {
			return column + " ~ ?", []any{c.Text}
		}
		return column + " REGEXP ?", []any{c.Text}
	default:
		if c.Kind == Number {
			return column + " " + string(c.Operator) + " ?", []any{c.Number}
		}
		return column + " " + string(c.Operator) + " ?", []any{c.Text}
	}
}

// glob returns the pattern of SQLite's GLOB, which minds the case, that means the same as one of LIKE.
func glob(pattern string) string {
	return strings.NewReplacer("%", "*", "_", "?", "*", "[*]", "?", "[?]", "[", "[[]").Replace(pattern)
}
