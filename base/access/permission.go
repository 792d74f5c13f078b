package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/base/store"
)

// Level is what a person may do with one thing; MLflow's words.
type Level string

// The levels, each with what those before it allow.
const (
	NoPermissions Level = "NO_PERMISSIONS"
	MayRead       Level = "READ"
	MayUse        Level = "USE"
	MayEdit       Level = "EDIT"
	MayManage     Level = "MANAGE"
)

// Levels returns the levels, the weakest first.
func Levels() []Level { return []Level{NoPermissions, MayRead, MayUse, MayEdit, MayManage} }

// Allows reports whether a level is at least another.
func (l Level) Allows(needed Level) bool {
	return slices.Index(Levels(), l) >= slices.Index(Levels(), needed)
}

// DefaultLevel is what everybody may do with a thing on which they have no permission of their own.
const DefaultLevel = MayRead

// Thing is what a permission is about: an experiment by its number, or a registered model by its name.
type Thing struct {
	// Kind is "experiment" or "model".
	Kind string
	// Object names it.
	Object string
}

// Permission is what one person may do with one thing.
type Permission struct {
	Thing
	User  string
	Level Level
}

// ParseLevel reads a level.
func ParseLevel(text string) (Level, error) {
	if level := Level(text); slices.Contains(Levels(), level) {
		return level, nil
	}
	return "", invalid("permission", "%q is not known: use READ, USE, EDIT, MANAGE or NO_PERMISSIONS", cut(text))
}

// Limited reports whether permissions on things hold for an identity: not for admins, nor for whoever is on this machine.
func (id *Identity) Limited() bool {
	return id != nil && id.Via != ByLoopback && id.Via != ByDev && !id.Has(Admin)
}

// LevelOn returns what an identity may do with a thing.
func (d *Directory) LevelOn(ctx context.Context, id *Identity, thing Thing) (Level, error) {
	if !id.Limited() {
		return MayManage, nil
	}
	p, err := d.Permission(ctx, thing, id.User)
	if isNotFound(err) {
		return DefaultLevel, nil
	}
	return p.Level, err
}

// Hidden returns the things of a kind that an identity may not read.
func (d *Directory) Hidden(ctx context.Context, id *Identity, kind string) ([]string, error) {
	if !id.Limited() {
		return nil, nil
	}
	return hiddenFrom(ctx, d.db.Read(), kind, id.User)
}

// Own gives the maker of a thing all rights on it; those without a name need none.
func (d *Directory) Own(ctx context.Context, id *Identity, thing Thing) error {
	if id == nil || id.Via == ByLoopback || id.Via == ByDev {
		return nil
	}
	return d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		return savePermission(ctx, tx, Permission{thing, id.User, MayManage})
	})
}

// Permit adds a permission. ErrNotFound without such a user, ErrConflict if there is one already.
func (d *Directory) Permit(ctx context.Context, actor string, p Permission) error {
	return d.changePermission(ctx, actor, "permission.create", p.Thing, p.User, func(ctx context.Context, tx store.Tx, present Permission, there bool) error {
		if there {
			return fmt.Errorf("%q has the permission %s already: change or delete it: %w", present.User, present.Level, ErrConflict)
		}
		p.User = present.User
		return savePermission(ctx, tx, p)
	})
}

// ChangePermission changes a permission; ErrNotFound if there is none.
func (d *Directory) ChangePermission(ctx context.Context, actor string, p Permission) error {
	return d.changePermission(ctx, actor, "permission.update", p.Thing, p.User, func(ctx context.Context, tx store.Tx, present Permission, there bool) error {
		if !there {
			return fmt.Errorf("%q has no permission of their own on the %s %q: %w", present.User, p.Kind, cut(p.Object), ErrNotFound)
		}
		p.User = present.User
		return savePermission(ctx, tx, p)
	})
}

// Withdraw removes a permission; ErrNotFound if there is none.
func (d *Directory) Withdraw(ctx context.Context, actor string, thing Thing, name string) error {
	return d.changePermission(ctx, actor, "permission.delete", thing, name, func(ctx context.Context, tx store.Tx, present Permission, there bool) error {
		if !there {
			return fmt.Errorf("%q has no permission of their own on the %s %q: %w", present.User, thing.Kind, cut(thing.Object), ErrNotFound)
		}
		return exec(ctx, tx, "delete a permission", "DELETE FROM permissions WHERE kind = ? AND object = ? AND owner = ?", thing.Kind, thing.Object, present.User)
	})
}

// changePermission runs a change on what a user may do with a thing, with its leaf in the audit log.
func (d *Directory) changePermission(ctx context.Context, actor, action string, thing Thing, name string, change func(ctx context.Context, tx store.Tx, present Permission, there bool) error) error {
	return d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		u, _, err := findUser(ctx, tx, normal(name))
		if err != nil {
			return err
		}
		present, err := findPermission(ctx, tx, thing, u.Name)
		if err != nil && !isNotFound(err) {
			return err
		}
		there := err == nil
		present.Thing, present.User = thing, u.Name
		if err := change(ctx, tx, present, there); err != nil {
			return err
		}
		return attest(ctx, tx, d.now(), actor, action, thing.Kind+" "+thing.Object, "for "+u.Name)
	})
}

// Permission returns what a user may do with a thing; ErrNotFound if they have no permission of their own.
func (d *Directory) Permission(ctx context.Context, thing Thing, name string) (Permission, error) {
	return findPermission(ctx, d.db.Read(), thing, normal(name))
}

// Permissions returns all permissions of a user, by kind and object.
func (d *Directory) Permissions(ctx context.Context, name string) ([]Permission, error) {
	return permissionsOf(ctx, d.db.Read(), normal(name))
}

// MoveThing makes permissions follow a thing that is called otherwise now; "" removes them.
func (d *Directory) MoveThing(ctx context.Context, thing Thing, to string) error {
	return d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		if to == "" {
			return exec(ctx, tx, "delete permissions", "DELETE FROM permissions WHERE kind = ? AND object = ?", thing.Kind, thing.Object)
		}
		return exec(ctx, tx, "move permissions", "UPDATE permissions SET object = ? WHERE kind = ? AND object = ?", to, thing.Kind, thing.Object)
	})
}

// Number returns the number by which MLflow's clients know a user, from 1.
func (d *Directory) Number(ctx context.Context, name string) (n int64, err error) {
	name = normal(name)
	if n, err = findNumber(ctx, d.db.Read(), name); err == nil && n > 0 {
		return n, nil
	}
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err = giveNumber(ctx, tx, name)
		return err
	})
	return n, err
}
