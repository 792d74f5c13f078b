package audit

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/store"
)

// Pseudonym returns how the log calls somebody; the error wraps store.ErrNotFound if it knows nobody of this name.
func Pseudonym(ctx context.Context, db bun.IDB, name string) (id string, err error) {
	err = db.QueryRowContext(ctx, "SELECT id FROM audit_subjects WHERE name = ?", name).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("person %q: %w", name, store.Classify(err))
	}
	return id, nil
}

// TokensOf returns under which further names the log knows somebody: as who acted by an API token, "ann (token ci)".
func TokensOf(ctx context.Context, db bun.IDB, name string) (names []string, err error) {
	prefix := name + " (token "
	if err := db.NewRaw("SELECT name FROM audit_subjects WHERE substr(name, 1, ?) = ? ORDER BY name", len(prefix), prefix).Scan(ctx, &names); err != nil {
		return nil, fmt.Errorf("tokens of %q: %w", name, store.Classify(err))
	}
	return names, nil
}

// Mask replaces a person's name by the pseudonym wherever it stands as a word of its own in text, for instance in stored
// JSON. Letters, digits and the signs of names and addresses make a word, so "ann" is not found in "annual", "ann.smith" or
// "joe@ann", but before a full stop that ends a sentence.
func Mask(text, name, pseudonym string) string {
	if name == "" || !strings.Contains(text, name) {
		return text
	}
	var out strings.Builder
	for {
		at := strings.Index(text, name)
		if at < 0 {
			out.WriteString(text)
			return out.String()
		}
		end := at + len(name)
		if inWord(text[:at], text[end:]) {
			out.WriteString(text[:end])
		} else {
			out.WriteString(text[:at])
			out.WriteString(pseudonym)
		}
		text = text[end:]
	}
}

// inWord reports whether what stands between before and after is only a part of a word.
func inWord(before, after string) bool {
	if before != "" {
		if c := before[len(before)-1]; isWord(c) || strings.IndexByte(".+-", c) >= 0 || c == '@' && len(before) > 1 && isWord(before[len(before)-2]) {
			return true
		}
	}
	for i := range len(after) {
		switch c := after[i]; {
		case isWord(c):
			return true
		case strings.IndexByte("@.+-", c) < 0:
			return false
		}
	}
	return false
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}
