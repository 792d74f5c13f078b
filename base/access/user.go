package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/base/store"
)

// Edit is what people set of a user.
type Edit struct {
	Display  string
	Email    string
	Grants   []Grant
	Disabled bool
	// Reason is for the audit log.
	Reason string
}

// apply checks the edit and writes it into u.
func (e *Edit) apply(u *User, teams []Team) error {
	if err := checkText("display", e.Display, maxDisplay); err != nil {
		return err
	}
	if err := checkText("email", e.Email, maxDisplay); err != nil {
		return err
	}
	if err := checkText("reason", e.Reason, maxReason); err != nil {
		return err
	}
	err := checkGrants(e.Grants, func(name string) bool {
		return slices.ContainsFunc(teams, func(t Team) bool { return t.Name == name })
	})
	if err != nil {
		return err
	}
	u.Display, u.Email, u.Grants, u.Disabled = e.Display, e.Email, e.Grants, e.Disabled
	if u.Grants == nil {
		u.Grants = []Grant{}
	}
	return nil
}

// Users returns all users by name.
func (d *Directory) Users(ctx context.Context) ([]User, error) { return loadUsers(ctx, d.db.Read()) }

// User returns one user; ErrNotFound.
func (d *Directory) User(ctx context.Context, name string) (User, error) {
	u, _, err := findUser(ctx, d.db.Read(), normal(name))
	return u, err
}

// CreateUser adds a user and returns a one-time link's secret, with which that person sets a password. ErrConflict when
// the name is taken.
func (d *Directory) CreateUser(ctx context.Context, actor, name string, e Edit) (u User, link Link, err error) {
	name = normal(name)
	if err := checkUserName(name); err != nil {
		return u, link, err
	}
	link = d.newLink(name)
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		now := d.now()
		u = User{Name: name, CreatedAt: now, CreatedBy: actor, Version: 1}
		if err := mayAddUser(ctx, tx, name); err != nil {
			return err
		}
		teams, err := loadTeams(ctx, tx)
		if err != nil {
			return err
		}
		if err := e.apply(&u, teams); err != nil {
			return err
		}
		if err := insertUser(ctx, tx, &u, "", ""); err != nil {
			return err
		}
		if err := saveLink(ctx, tx, link); err != nil {
			return err
		}
		return attestRow(ctx, tx, &userTable, now, actor, "user.create", name, e.Reason)
	})
	return u, link, err
}

// mayAddUser reports whether a name is free.
func mayAddUser(ctx context.Context, tx store.Tx, name string) error {
	switch _, _, err := findUser(ctx, tx, name); {
	case err == nil:
		return fmt.Errorf("the name %q is taken: choose another: %w", name, ErrConflict)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	n, err := count(ctx, tx, "users")
	if err == nil && n >= maxUsers {
		err = fmt.Errorf("there are %d users already: delete some: %w", n, ErrFull)
	}
	return err
}

// UpdateUser changes a user. version is the one that was edited; with another one by now it returns the present user and
// ErrChanged. The last admin can neither be disabled nor lose that role. Who loses rights keeps the session, with less.
func (d *Directory) UpdateUser(ctx context.Context, actor, name string, version int64, e Edit) (u User, err error) {
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		present, _, err := findUser(ctx, tx, normal(name))
		if err != nil {
			return err
		}
		u = present
		if version != present.Version {
			return fmt.Errorf("user %q has version %d: %w", present.Name, present.Version, ErrChanged)
		}
		teams, err := loadTeams(ctx, tx)
		if err != nil {
			return err
		}
		next := present
		if err := e.apply(&next, teams); err != nil {
			return err
		}
		if err := keepAdmin(ctx, tx, present, next); err != nil {
			return err
		}
		next.Version++
		if err := saveUser(ctx, tx, &next); err != nil {
			return err
		}
		if next.Disabled {
			if err := endSessions(ctx, tx, next.Name, ""); err != nil {
				return err
			}
		}
		u = next
		return attestRow(ctx, tx, &userTable, d.now(), actor, "user.update", next.Name, e.Reason)
	})
	return u, err
}

// DeleteUser removes a user with sessions, tokens and links. The name stays in what the user did.
func (d *Directory) DeleteUser(ctx context.Context, actor, name, reason string, version int64) (u User, err error) {
	if err := checkText("reason", reason, maxReason); err != nil {
		return u, err
	}
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		u, _, err = findUser(ctx, tx, normal(name))
		if err != nil {
			return err
		}
		if version != u.Version {
			return fmt.Errorf("user %q has version %d: %w", u.Name, u.Version, ErrChanged)
		}
		if err := keepAdmin(ctx, tx, u, User{Name: u.Name}); err != nil {
			return err
		}
		if err := removeUser(ctx, tx, u.Name); err != nil {
			return err
		}
		return attestRow(ctx, tx, &userTable, d.now(), actor, "user.delete", u.Name, reason)
	})
	return u, err
}

// Able reports whether the user may log in at all and holds a role everywhere.
func (u *User) Able(role Role) bool {
	id := Identity{Grants: u.Grants}
	return !u.Disabled && id.Has(role)
}

// keepAdmin refuses to take away the last admin.
func keepAdmin(ctx context.Context, tx store.Tx, before, after User) error {
	if !before.Able(Admin) || after.Able(Admin) {
		return nil
	}
	users, err := loadUsers(ctx, tx)
	if err != nil {
		return err
	}
	for i := range users {
		if users[i].Name != before.Name && users[i].Able(Admin) {
			return nil
		}
	}
	return fmt.Errorf("%q is the last admin: make another person admin first: %w", before.Name, ErrConflict)
}

// Deciders returns the names of those who may decide approvals: approvers and admins everywhere, who can log in.
func (d *Directory) Deciders(ctx context.Context) ([]string, error) {
	users, err := d.Users(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range users {
		if users[i].Able(Approver) || users[i].Able(Admin) {
			names = append(names, users[i].Name)
		}
	}
	return names, nil
}

// Teams returns all teams by name.
func (d *Directory) Teams(ctx context.Context) ([]Team, error) { return loadTeams(ctx, d.db.Read()) }

// Team returns one team; ErrNotFound.
func (d *Directory) Team(ctx context.Context, name string) (Team, error) {
	return findTeam(ctx, d.db.Read(), name)
}

// CreateTeam adds a team; ErrConflict when the name is taken.
func (d *Directory) CreateTeam(ctx context.Context, actor, name, description string) (t Team, err error) {
	if !teamName.MatchString(name) {
		return t, invalid("name", "%q cannot be a team's name: take what alerts have in their label team, at most %d letters, digits, spaces and . _ / -", cut(name), maxName)
	}
	if err := checkText("description", description, maxReason); err != nil {
		return t, err
	}
	t = Team{Name: name, Description: description, CreatedAt: d.now(), CreatedBy: actor, Version: 1}
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		teams, err := loadTeams(ctx, tx)
		if err != nil {
			return err
		}
		switch {
		case slices.ContainsFunc(teams, func(t Team) bool { return t.Name == name }):
			return fmt.Errorf("the name %q is taken: choose another: %w", name, ErrConflict)
		case len(teams) >= maxUsers:
			return fmt.Errorf("there are %d teams already: delete some: %w", len(teams), ErrFull)
		}
		if err := saveTeam(ctx, tx, &t); err != nil {
			return err
		}
		return attestRow(ctx, tx, &teamTable, t.CreatedAt, actor, "team.create", name, "")
	})
	return t, err
}

// UpdateTeam changes the description; version is as in UpdateUser.
func (d *Directory) UpdateTeam(ctx context.Context, actor, name, description string, version int64) (t Team, err error) {
	if err := checkText("description", description, maxReason); err != nil {
		return t, err
	}
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		if t, err = findTeam(ctx, tx, name); err != nil {
			return err
		}
		if version != t.Version {
			return fmt.Errorf("team %q has version %d: %w", name, t.Version, ErrChanged)
		}
		t.Description, t.Version = description, t.Version+1
		if err := saveTeam(ctx, tx, &t); err != nil {
			return err
		}
		return attestRow(ctx, tx, &teamTable, d.now(), actor, "team.update", name, "")
	})
	return t, err
}

// DeleteTeam removes a team that nobody's role is limited to; ErrConflict otherwise.
func (d *Directory) DeleteTeam(ctx context.Context, actor, name string, version int64) (t Team, err error) {
	err = d.write(ctx, func(ctx context.Context, tx store.Tx) error {
		if t, err = findTeam(ctx, tx, name); err != nil {
			return err
		}
		if version != t.Version {
			return fmt.Errorf("team %q has version %d: %w", name, t.Version, ErrChanged)
		}
		users, err := loadUsers(ctx, tx)
		if err != nil {
			return err
		}
		for i := range users {
			for _, g := range users[i].Grants {
				if slices.Contains(g.Teams, name) {
					return fmt.Errorf("the role %s of %q is limited to the team %q: change that first: %w", g.Role, users[i].Name, name, ErrConflict)
				}
			}
		}
		if err := removeTeam(ctx, tx, name); err != nil {
			return err
		}
		return attestRow(ctx, tx, &teamTable, d.now(), actor, "team.delete", name, "")
	})
	return t, err
}

// encoded returns the JSON of something of this package.
func encoded(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // the types of this package marshal
	}
	return string(text)
}
