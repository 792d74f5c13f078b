package filter

import (
	"regexp"
	"slices"
	"strings"
)

// Matches reports whether the clause holds of a text, as Condition does of a column.
func (c Clause) Matches(text string) bool {
	switch c.Operator {
	case Equal:
		return text == c.Text
	case NotEqual:
		return text != c.Text
	case Like:
		return like(c.Text, text)
	case ILike:
		return like(lower(c.Text), lower(text))
	case RLike:
		expression, err := regexp.Compile(c.Text)
		return err == nil && expression.MatchString(text)
	case In:
		return slices.Contains(c.List, text)
	case NotIn:
		return !slices.Contains(c.List, text)
	case IsNotNull:
		return true
	default:
		return false
	}
}

// lower makes ASCII letters small, as SQLite's LIKE does, and PostgreSQL's in the collation that is used.
func lower(text string) string {
	for i := range len(text) {
		if c := text[i]; c >= 'A' && c <= 'Z' {
			return strings.Map(func(r rune) rune {
				if r >= 'A' && r <= 'Z' {
					return r + 'a' - 'A'
				}
				return r
			}, text)
		}
	}
	return text
}

// like reports whether a text matches a pattern in which % stands for any characters and _ for one.
func like(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '%':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '_' || p[i] == t[j]):
			i++
			j++
		case star >= 0: // let the last % stand for one more
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '%' {
		i++
	}
	return i == len(p)
}
