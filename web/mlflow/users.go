package mlflow

import (
	"context"
	"errors"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ml/experiment"
)

// permissionDenied is MLflow's code for what somebody may not do.
const permissionDenied experiment.Code = "PERMISSION_DENIED"

type userAnswer struct {
	ID          int64              `json:"id"`
	Name        string             `json:"username"`
	Admin       bool               `json:"is_admin"`
	Experiments []permissionAnswer `json:"experiment_permissions"`
	Models      []permissionAnswer `json:"registered_model_permissions"`
	Scorers     []permissionAnswer `json:"scorer_permissions"`
}

type permissionAnswer struct {
	Experiment string       `json:"experiment_id,omitempty"`
	Name       string       `json:"name,omitempty"`
	Level      access.Level `json:"permission"`
	User       int64        `json:"user_id"`
	Workspace  string       `json:"workspace,omitempty"`
}

func (f *Face) answerPermission(ctx context.Context, p access.Permission) (permissionAnswer, error) {
	number, err := f.People.Number(ctx, p.User)
	a := permissionAnswer{Level: p.Level, User: number}
	if p.Kind == kindExperiment {
		a.Experiment = p.Object
	} else {
		a.Name, a.Workspace = p.Object, "default"
	}
	return a, err
}

// refusal turns an error of base/access into MLflow's.
func refusal(err error) error {
	var bad *access.InvalidError
	switch {
	case errors.As(err, &bad):
		return invalid("%v", err)
	case errors.Is(err, access.ErrNotFound):
		return experiment.Refuse(experiment.DoesNotExist, "%v", err)
	case errors.Is(err, access.ErrConflict), errors.Is(err, access.ErrFull):
		return experiment.Refuse(experiment.AlreadyExists, "%v", err)
	}
	return err
}

func (f *Face) answerUser(ctx context.Context, name string) (any, error) {
	u, err := f.People.User(ctx, name)
	if err != nil {
		return nil, refusal(err)
	}
	number, err := f.People.Number(ctx, u.Name)
	if err != nil {
		return nil, err
	}
	a := userAnswer{ID: number, Name: u.Name, Admin: u.Able(access.Admin), Experiments: []permissionAnswer{}, Models: []permissionAnswer{}, Scorers: []permissionAnswer{}}
	list, err := f.People.Permissions(ctx, u.Name)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		one, err := f.answerPermission(ctx, p)
		if err != nil {
			return nil, err
		}
		if p.Kind == kindExperiment {
			a.Experiments = append(a.Experiments, one)
		} else {
			a.Models = append(a.Models, one)
		}
	}
	return struct {
		User userAnswer `json:"user"`
	}{a}, nil
}

func (f *Face) createUser(ctx context.Context, in *object) (any, error) {
	name, password := in.needed("username"), in.needed("password")
	if err := in.err(); err != nil {
		return nil, err
	}
	edit := access.Edit{Grants: []access.Grant{{Role: access.Researcher}}, Reason: "by MLflow's API"}
	u, err := f.People.CreateWithPassword(ctx, access.Actor(ctx), name, password, edit)
	if err != nil {
		return nil, refusal(err)
	}
	return f.answerUser(ctx, u.Name)
}

// selfOrAdmin refuses what only somebody themselves, or an admin, may do.
func selfOrAdmin(ctx context.Context, name string) error {
	id := access.From(ctx)
	if id != nil && (id.User == name || id.Has(access.Admin)) {
		return nil
	}
	return experiment.Refuse(permissionDenied, "Only %s, or an admin, may do this.", experiment.Cut(name))
}

func (f *Face) getUser(ctx context.Context, in *object) (any, error) {
	name := in.needed("username")
	if err := in.err(); err != nil {
		return nil, err
	}
	if err := selfOrAdmin(ctx, name); err != nil {
		return nil, err
	}
	return f.answerUser(ctx, name)
}

func (f *Face) listUsers(ctx context.Context, _ *object) (any, error) {
	users, err := f.People.Users(ctx)
	if err != nil {
		return nil, err
	}
	type user struct {
		ID   int64  `json:"id"`
		Name string `json:"username"`
	}
	answer := struct {
		Users []user `json:"users"`
	}{[]user{}}
	for _, u := range users {
		number, err := f.People.Number(ctx, u.Name)
		if err != nil {
			return nil, err
		}
		answer.Users = append(answer.Users, user{number, u.Name})
	}
	return answer, nil
}

func (f *Face) updatePassword(ctx context.Context, in *object) (any, error) {
	name, password := in.needed("username"), in.needed("password")
	if err := in.err(); err != nil {
		return nil, err
	}
	if err := selfOrAdmin(ctx, name); err != nil {
		return nil, err
	}
	return nil, refusal(f.People.GivePassword(ctx, access.Actor(ctx), name, password))
}

func (f *Face) updateAdmin(ctx context.Context, in *object) (any, error) {
	name, admin := in.needed("username"), in.flag("is_admin")
	if err := in.err(); err != nil {
		return nil, err
	}
	u, err := f.People.User(ctx, name)
	if err != nil {
		return nil, refusal(err)
	}
	grants := []access.Grant{{Role: access.Researcher}}
	if admin {
		grants = []access.Grant{{Role: access.Admin}}
	}
	_, err = f.People.UpdateUser(ctx, access.Actor(ctx), u.Name, u.Version, access.Edit{Display: u.Display, Email: u.Email, Grants: grants, Disabled: u.Disabled, Reason: "by MLflow's API"})
	return nil, refusal(err)
}

func (f *Face) deleteUser(ctx context.Context, in *object) (any, error) {
	name := in.needed("username")
	if err := in.err(); err != nil {
		return nil, err
	}
	u, err := f.People.User(ctx, name)
	if err == nil {
		_, err = f.People.DeleteUser(ctx, access.Actor(ctx), u.Name, "by MLflow's API", u.Version)
	}
	return nil, refusal(err)
}

// permission reads what a call on permissions of a kind is about; with level says whether it must name one.
func (o *object) permission(kind string, level bool) access.Permission {
	p := access.Permission{User: o.needed("username")}
	if kind == kindExperiment {
		p.Thing = experimentThing(o.experimentID())
	} else {
		p.Thing = modelThing(o.needed("name"))
	}
	if level {
		text := o.needed("permission")
		var err error
		if p.Level, err = access.ParseLevel(text); err != nil && *o.failed == nil {
			*o.failed = refusal(err)
		}
	}
	return p
}

// answerOf answers with a permission under the name of its kind.
func (f *Face) answerOf(ctx context.Context, p access.Permission) (any, error) {
	one, err := f.answerPermission(ctx, p)
	if err != nil {
		return nil, err
	}
	name := "experiment_permission"
	if p.Kind == kindModel {
		name = "registered_model_permission"
	}
	return map[string]permissionAnswer{name: one}, nil
}

func (f *Face) createPermission(kind string) handler {
	return func(ctx context.Context, in *object) (any, error) {
		p := in.permission(kind, true)
		if err := in.err(); err != nil {
			return nil, err
		}
		if err := f.People.Permit(ctx, access.Actor(ctx), p); err != nil {
			return nil, refusal(err)
		}
		return f.answerOf(ctx, p)
	}
}

func (f *Face) getPermission(kind string) handler {
	return func(ctx context.Context, in *object) (any, error) {
		p := in.permission(kind, false)
		if err := in.err(); err != nil {
			return nil, err
		}
		p, err := f.People.Permission(ctx, p.Thing, p.User)
		if err != nil {
			return nil, refusal(err)
		}
		return f.answerOf(ctx, p)
	}
}

func (f *Face) updatePermission(kind string) handler {
	return func(ctx context.Context, in *object) (any, error) {
		p := in.permission(kind, true)
		if err := in.err(); err != nil {
			return nil, err
		}
		return nil, refusal(f.People.ChangePermission(ctx, access.Actor(ctx), p))
	}
}

func (f *Face) deletePermission(kind string) handler {
	return func(ctx context.Context, in *object) (any, error) {
		p := in.permission(kind, false)
		if err := in.err(); err != nil {
			return nil, err
		}
		return nil, refusal(f.People.Withdraw(ctx, access.Actor(ctx), p.Thing, p.User))
	}
}
