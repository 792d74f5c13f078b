package access

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairlead/fairlead/base/store"
)

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

func findPermission(ctx context.Context, db store.Querier, thing Thing, owner string) (p Permission, err error) {
	p.Thing, p.User = thing, owner
	err = store.Classify(db.NewRaw("SELECT level FROM permissions WHERE kind = ? AND object = ? AND owner = ?", thing.Kind, thing.Object, owner).Scan(ctx, &p.Level))
	if errors.Is(err, store.ErrNotFound) {
		return p, fmt.Errorf("%q has no permission of their own on the %s %q: %w", cut(owner), thing.Kind, cut(thing.Object), ErrNotFound)
	}
	return p, err
}

func savePermission(ctx context.Context, tx store.Tx, p Permission) error {
	return exec(ctx, tx, "store a permission", "INSERT INTO permissions (kind, object, owner, level) VALUES (?, ?, ?, ?) ON CONFLICT (kind, object, owner) DO UPDATE SET level = excluded.level",
		p.Kind, p.Object, p.User, string(p.Level))
}

func permissionsOf(ctx context.Context, db store.Querier, owner string) (list []Permission, err error) {
	rows, err := db.QueryContext(ctx, "SELECT kind, object, owner, level FROM permissions WHERE owner = ? ORDER BY kind, object", owner)
	if err != nil {
		return nil, store.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var p Permission
		if err := rows.Scan(&p.Kind, &p.Object, &p.User, &p.Level); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, store.Classify(rows.Err())
}

func hiddenFrom(ctx context.Context, db store.Querier, kind, owner string) (objects []string, err error) {
	err = db.NewRaw("SELECT object FROM permissions WHERE kind = ? AND owner = ? AND level = ?", kind, owner, string(NoPermissions)).Scan(ctx, &objects)
	return objects, store.Classify(err)
}

func findNumber(ctx context.Context, db store.Querier, name string) (n int64, err error) {
	err = db.NewRaw("SELECT COALESCE(MAX(number), 0) FROM user_numbers WHERE name = ?", name).Scan(ctx, &n)
	return n, store.Classify(err)
}

func giveNumber(ctx context.Context, tx store.Tx, name string) (n int64, err error) {
	if n, err = findNumber(ctx, tx, name); err != nil || n > 0 {
		return n, err
	}
	if err := tx.NewRaw("SELECT COALESCE(MAX(number), 0) + 1 FROM user_numbers").Scan(ctx, &n); err != nil {
		return 0, err
	}
	return n, exec(ctx, tx, "number a user", "INSERT INTO user_numbers (name, number) VALUES (?, ?)", name, n)
}
