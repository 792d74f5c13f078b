package store

import (
	"context"
	"errors"
)

// Each runs a query and calls each for every row, with a function that reads the row's columns. It ends with the first error.
func Each(ctx context.Context, db Querier, query string, args []any, each func(scan func(into ...any) error) error) (err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return Classify(err)
	}
	defer func() { err = Classify(errors.Join(err, rows.Close())) }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
