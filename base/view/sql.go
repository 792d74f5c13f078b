package view

import (
	"context"
	"fmt"

	"github.com/fairlead/fairlead/base/store"
)

func list(ctx context.Context, db store.Querier, owner, page string) ([]View, error) {
	query, args := "SELECT id, owner, page, name, query, shared, updated_at FROM saved_views WHERE (owner = ? OR shared = 1)", []any{owner}
	if page != "" {
		query, args = query+" AND page = ?", append(args, page)
	}
	rows, err := db.QueryContext(ctx, query+" ORDER BY CASE WHEN owner = ? THEN 0 ELSE 1 END, name, owner", append(args, owner)...)
	if err != nil {
		return nil, fmt.Errorf("read views: %w", store.Classify(err))
	}
	defer rows.Close()
	var views []View
	for rows.Next() {
		var v View
		var shared int
		var updated int64
		if err := rows.Scan(&v.ID, &v.Owner, &v.Page, &v.Name, &v.Query, &shared, &updated); err != nil {
			return nil, fmt.Errorf("read view: %w", err)
		}
		v.Shared, v.UpdatedAt = shared != 0, store.Time(updated)
		views = append(views, v)
	}
	return views, rows.Err()
}

func save(ctx context.Context, tx store.Tx, v View) (View, error) {
	var kept int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM saved_views WHERE owner = ? AND NOT (page = ? AND name = ?)", v.Owner, v.Page, v.Name).Scan(&kept); err != nil {
		return v, fmt.Errorf("count views: %w", err)
	}
	if kept >= maxViews {
		return v, fmt.Errorf("%s has %d views already; delete some first: %w", v.Owner, kept, store.ErrConflict)
	}
	shared := 0
	if v.Shared {
		shared = 1
	}
	_, err := tx.NewRaw(`INSERT INTO saved_views (id, owner, page, name, query, shared, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (owner, page, name) DO UPDATE SET query = excluded.query, shared = excluded.shared, updated_at = excluded.updated_at`,
		v.ID, v.Owner, v.Page, v.Name, v.Query, shared, store.Millis(v.UpdatedAt)).Exec(ctx)
	if err != nil {
		return v, fmt.Errorf("save view: %w", err)
	}
	if err := tx.QueryRowContext(ctx, "SELECT id FROM saved_views WHERE owner = ? AND page = ? AND name = ?", v.Owner, v.Page, v.Name).Scan(&v.ID); err != nil {
		return v, fmt.Errorf("save view: %w", err)
	}
	return v, nil
}

func remove(ctx context.Context, tx store.Tx, owner, id string) error {
	result, err := tx.NewRaw("DELETE FROM saved_views WHERE owner = ? AND id = ?", owner, id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("delete view: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("view %s: %w", id, store.ErrNotFound)
	}
	return nil
}
