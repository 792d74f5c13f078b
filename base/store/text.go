package store

import (
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
)

// Text returns text as it is stored: NUL bytes and bytes that are not UTF-8, which PostgreSQL refuses, become U+FFFD each.
// Every text is stored so, on both engines. Whoever computes a hash over a text that is stored calls it before.
func Text(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "\uFFFD")
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return text
}

// textOfPostgres and textOfSQLite write texts into statements as Text has them: bun itself makes a broken statement of a
// text with a NUL byte.
type (
	textOfPostgres struct{ *pgdialect.Dialect }
	textOfSQLite   struct{ *sqlitedialect.Dialect }
)

// AppendString writes a literal.
func (d textOfPostgres) AppendString(b []byte, s string) []byte {
	return d.Dialect.AppendString(b, Text(s))
}

// AppendString writes a literal.
func (d textOfSQLite) AppendString(b []byte, s string) []byte {
	return d.Dialect.AppendString(b, Text(s))
}
