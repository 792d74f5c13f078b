package postgres

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun/dialect"

	"github.com/fairlead/fairlead/base/store"
)

var (
	castToBlob = regexp.MustCompile(`CAST\((\w+) AS BLOB\)`)
	hexLiteral = regexp.MustCompile(`x'([0-9a-fA-F]*)'`)
)

// Damage returns SQL with which a test of SQLite damages or looks at rows as db's engine takes it: bytes of texts, literals
// in hexadecimal, and placeholders.
func Damage(db store.Querier, text string) string {
	if db.Dialect().Name() != dialect.PG {
		return text
	}
	text = castToBlob.ReplaceAllStringFunc(text, func(cast string) string {
		column := castToBlob.FindStringSubmatch(cast)[1]
		switch column {
		case "data", "hash", "seal_key", "payload", "value":
			return column // bytes already
		}
		return "convert_to(" + column + ", 'UTF8')"
	})
	text = hexLiteral.ReplaceAllString(text, `'\x$1'::bytea`)
	text = strings.ReplaceAll(text, "CAST(? AS TEXT)", "convert_from(?, 'UTF8')")
	text = strings.ReplaceAll(text, "zeroblob(32)", "decode(repeat('00', 32), 'hex')")
	parts := strings.Split(text, "?")
	for i := 1; i < len(parts); i++ {
		parts[i] = "$" + strconv.Itoa(i) + parts[i]
	}
	return strings.Join(parts, "")
}

// Refuses reports whether err says that PostgreSQL does not let a row be damaged so: it keeps numbers in columns of
// numbers, and UTF-8 in texts.
func Refuses(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && (failure.Code == "22P02" || failure.Code == "22021")
}

// Tables lists the tables of a database.
func Tables(db store.Querier) string {
	if db.Dialect().Name() == dialect.PG {
		return "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	}
	return "SELECT name FROM sqlite_master WHERE type = 'table'"
}
