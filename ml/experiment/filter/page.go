package filter

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// Term is one expression that rows are ordered by. It must not be NULL.
type Term struct {
	// SQL is the expression.
	SQL        string
	Descending bool
}

// Optional returns the terms of an expression that may be NULL, rows without it last in both directions. Zero is SQL of the
// expression's type.
func Optional(sql, zero string, descending bool) []Term {
	return []Term{
		{SQL: "CASE WHEN " + sql + " IS NULL THEN 1 ELSE 0 END"},
		{SQL: "COALESCE(" + sql + ", " + zero + ")", Descending: descending},
	}
}

// Terms are what rows are ordered by; together they tell any two rows apart.
type Terms []Term

// OrderBy returns the inside of ORDER BY.
func (t Terms) OrderBy() string {
	parts := make([]string, len(t))
	for i, term := range t {
		parts[i] = term.SQL
		if term.Descending {
			parts[i] += " DESC"
		}
	}
	return strings.Join(parts, ", ")
}

// Select returns the expressions as columns, whose values Token takes.
func (t Terms) Select() string {
	parts := make([]string, len(t))
	for i, term := range t {
		parts[i] = term.SQL
	}
	return strings.Join(parts, ", ")
}

// Token returns a page token for the rows behind the one with these values.
func (t Terms) Token(values []any) string {
	for i, value := range values {
		if text, ok := value.([]byte); ok {
			values[i] = string(text)
		}
	}
	data, err := json.Marshal(values)
	if err != nil {
		return "" // numbers and texts can be written
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// ErrToken says that a page token is not one of this search.
var ErrToken = errors.New("the page token is not one that this search gave: pass next_page_token as it came, with the same order")

// After returns SQL that holds of the rows behind a token; "" for all, as an empty token means.
func (t Terms) After(token string) (query string, args []any, err error) {
	if token == "" {
		return "", nil, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", nil, ErrToken
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var values []any
	if err := decoder.Decode(&values); err != nil || decoder.InputOffset() != int64(len(data)) || len(values) != len(t) {
		return "", nil, ErrToken
	}
	for i, value := range values {
		switch v := value.(type) {
		case string:
		case json.Number:
			if n, err := v.Int64(); err == nil {
				values[i] = n
			} else if values[i], err = v.Float64(); err != nil {
				return "", nil, ErrToken
			}
		default:
			return "", nil, ErrToken
		}
	}
	// a > x OR a = x AND (b > y OR b = y AND (...)), and before it a >= x, by which an index can begin.
	var text strings.Builder
	for i, term := range t {
		compare := " > ?"
		if term.Descending {
			compare = " < ?"
		}
		if i == len(t)-1 {
			text.WriteString(term.SQL + compare)
			args = append(args, values[i])
			break
		}
		text.WriteString("(" + term.SQL + compare + " OR " + term.SQL + " = ? AND ")
		args = append(args, values[i], values[i])
	}
	text.WriteString(strings.Repeat(")", len(t)-1))
	first := " >= ?"
	if t[0].Descending {
		first = " <= ?"
	}
	return t[0].SQL + first + " AND " + text.String(), append([]any{values[0]}, args...), nil
}

// ReadPage reads at most most rows, and the token of the page behind them if there are more. A row has the columns that into
// takes and then those of Select. It closes rows.
func ReadPage[T any](rows *sql.Rows, terms Terms, most int, into func(*T) []any) (list []T, next string, err error) {
	defer rows.Close()
	values := make([]any, len(terms))
	for rows.Next() {
		if len(list) == most {
			next = terms.Token(values)
			break
		}
		var one T
		columns := into(&one)
		for i := range values {
			columns = append(columns, &values[i])
		}
		if err := rows.Scan(columns...); err != nil {
			return nil, "", err
		}
		list = append(list, one)
	}
	return list, next, rows.Err()
}
