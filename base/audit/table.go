package audit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/store"
)

// Table names the columns of a table whose rows leaves attest. Name and columns are SQL: never build them from input.
//
//	leaf.Row, err = silences.Row(ctx, tx, id) // behind the change, in its transaction
//	report, err := audit.Verify(ctx, db, silences.Check())
type Table struct {
	// Name is the table's, What the word for one of its rows.
	Name, What string
	// Actions are as in Rows.
	Actions []string
	// Columns are what is attested, of texts and whole numbers; the first is the key, which Leaf.Object holds. Leave out
	// what changes without anybody's doing, such as when something was last used.
	Columns []string
	// Fades is as in Rows.
	Fades bool
	// Person says that the key is a person's name, which the log seals.
	Person bool
}

// statement selects the attested columns as texts; where may be "".
func (t *Table) statement(where string) string {
	columns := make([]string, len(t.Columns))
	for i, column := range t.Columns {
		columns[i] = "coalesce(CAST(" + column + " AS TEXT), '')"
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + t.Name + where + " ORDER BY " + t.Columns[0]
}

// Row returns the row with this key as a leaf attests it: its columns as a JSON object; nil if there is no such row.
func (t *Table) Row(ctx context.Context, tx bun.Tx, key string) (row []byte, err error) {
	err = t.each(ctx, tx, func(_ string, found []byte, _ error) { row = found }, t.statement(" WHERE "+t.Columns[0]+" = ?"), key)
	return row, err
}

// Check compares the table with what leaves attest. It serves one Verify.
func (t *Table) Check() *Rows {
	rows := &Rows{What: t.What, Actions: t.Actions, Fades: t.Fades, names: map[string]string{}}
	rows.Each = func(ctx context.Context, db bun.IDB, visit func(string, []byte, error)) error {
		if !t.Person {
			return t.each(ctx, db, visit, t.statement(""))
		}
		people, err := readSubjects(ctx, db)
		if err != nil {
			return err
		}
		pseudonyms := map[string]string{}
		for id, who := range people {
			pseudonyms[who.name], rows.names[id] = id, who.name
		}
		return t.each(ctx, db, func(name string, row []byte, err error) {
			if id := pseudonyms[name]; id != "" {
				name = id
			}
			visit(name, row, err)
		}, t.statement(""))
	}
	return rows
}

func (t *Table) each(ctx context.Context, db bun.IDB, visit func(string, []byte, error), query string, args ...any) (err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, store.Classify(err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		key, row, err := t.scan(rows)
		if err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
		visit(key, row, nil)
	}
	return rows.Err()
}

func (t *Table) scan(rows *sql.Rows) (key string, row []byte, err error) {
	values := make([]string, len(t.Columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return "", nil, err
	}
	row = []byte{'{'}
	for i, column := range t.Columns {
		if i > 0 {
			row = append(row, ',')
		}
		value, err := json.Marshal(values[i])
		if err != nil {
			return "", nil, err
		}
		row = append(append(append(append(row, '"'), column...), '"', ':'), value...)
	}
	return values[0], append(row, '}'), nil
}
