package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// copyBatch is how many rows one transaction of a copy writes.
const copyBatch = 1000

// table is a table of SQLite with its columns.
type table struct {
	name    string
	columns []string
	// text says of each column whether it holds texts.
	text []bool
}

// tables returns what from, a database in SQLite, holds, in the order in which it was made.
func tables(ctx context.Context, from *DB) ([]table, error) {
	var names []string
	err := from.Read().NewRaw("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name <> 'goose_db_version' ORDER BY rowid").Scan(ctx, &names)
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", Classify(err))
	}
	list := make([]table, len(names))
	for i, name := range names {
		var columns []struct{ Name, Type string }
		if err := from.Read().NewRaw("SELECT name, type FROM pragma_table_info(?)", name).Scan(ctx, &columns); err != nil {
			return nil, fmt.Errorf("list the columns of %s: %w", name, Classify(err))
		}
		list[i].name = name
		for _, c := range columns {
			list[i].columns = append(list[i].columns, c.Name)
			list[i].text = append(list[i].text, strings.HasPrefix(c.Type, "TEXT"))
		}
	}
	return list, nil
}

// Filled returns the first table of to that holds rows, of those that from, a database in SQLite, has; "" if none does.
// State under the name except does not count.
func Filled(ctx context.Context, from, to *DB, except string) (string, error) {
	list, err := tables(ctx, from)
	if err != nil {
		return "", err
	}
	for _, t := range list {
		where, args := "", []any{}
		if t.name == "state" {
			where, args = " WHERE name <> ?", []any{except}
		}
		var found int
		if err := to.Read().NewRaw("SELECT count(*) FROM (SELECT 1 FROM "+t.name+where+" LIMIT 1) AS found", args...).Scan(ctx, &found); err != nil {
			return "", fmt.Errorf("look into %s: %w", t.name, Classify(err))
		}
		if found > 0 {
			return t.name, nil
		}
	}
	return "", nil
}

// Copy copies all rows of from, a database in SQLite that nobody writes to, into to, whose tables are the same. What they
// hold already is deleted first, but for state under the name keep. It takes many transactions, and one that fails leaves a
// part: mark that before, and copy again. done is told of each table when its rows are there and as many as they were.
func Copy(ctx context.Context, from, to *DB, keep string, done func(table string, rows int)) error {
	list, err := tables(ctx, from)
	if err != nil {
		return err
	}
	for _, t := range slices.Backward(list) {
		err := to.Write(ctx, func(ctx context.Context, tx Tx) error {
			query, args := "DELETE FROM "+t.name, []any{}
			if t.name == "state" {
				query, args = query+" WHERE name <> ?", []any{keep}
			}
			_, err := tx.NewRaw(query, args...).Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("clear %s: %w", t.name, Classify(err))
		}
	}
	for _, t := range list {
		rows, err := t.copy(ctx, from.Read(), to)
		if err != nil {
			return fmt.Errorf("copy %s: %w", t.name, Classify(err))
		}
		var stored int
		query, args := "SELECT count(*) FROM "+t.name, []any{}
		if t.name == "state" {
			query, args = query+" WHERE name <> ?", []any{keep}
		}
		if err := to.Read().NewRaw(query, args...).Scan(ctx, &stored); err != nil {
			return fmt.Errorf("count %s: %w", t.name, Classify(err))
		}
		if stored != rows {
			return fmt.Errorf("%s has %d rows after the copy, and had %d: %w", t.name, stored, rows, ErrConflict)
		}
		done(t.name, rows)
	}
	return nil
}

func (t *table) copy(ctx context.Context, from bun.IDB, to *DB) (count int, err error) {
	rows, err := from.QueryContext(ctx, "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var batch [][]any
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := to.Write(ctx, func(ctx context.Context, tx Tx) error { return Insert(ctx, tx, t.name, t.columns, "", batch) })
		batch = batch[:0]
		return err
	}
	for rows.Next() {
		row, into := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return count, err
		}
		for i, value := range row {
			data, ok := value.([]byte)
			switch {
			case ok && t.text[i]:
				row[i] = string(data)
			case ok && data == nil:
				row[i] = []byte{} // an empty one; no value is another nil
			}
		}
		batch = append(batch, row)
		if count++; len(batch) == copyBatch {
			if err := flush(); err != nil {
				return count, err
			}
		}
	}
	return count, errors.Join(rows.Err(), flush())
}
