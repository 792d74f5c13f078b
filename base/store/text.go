package store

import (
	"strings"
	"unicode/utf8"
)

// Text returns text as it is stored: NUL bytes and bytes that are not UTF-8, which PostgreSQL refuses, become U+FFFD each.
// Exec and Insert store every text so, on both engines. Whoever computes a hash over a text that is stored calls it before.
func Text(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "\uFFFD")
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return text
}
