package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/base/access"
)

// UserList holds all users.
type UserList struct {
	Items []access.User `json:"items"`
}

// TeamList holds all teams.
type TeamList struct {
	Items []access.Team `json:"items"`
}

// UserEdit is what admins set of a user.
type UserEdit struct {
	Display  string         `json:"display,omitempty" maxLength:"200"`
	Email    string         `json:"email,omitempty" maxLength:"200"`
	Grants   []access.Grant `json:"grants" maxItems:"20" doc:"Roles, everywhere or in some teams. An OIDC login replaces them by what its groups say."`
	Disabled bool           `json:"disabled,omitempty" doc:"Cannot log in; sessions end at once, tokens are worth nothing."`
	Reason   string         `json:"reason,omitempty" maxLength:"1000" doc:"For the audit log."`
}

func (e *UserEdit) edit() access.Edit {
	return access.Edit{Display: e.Display, Email: e.Email, Grants: e.Grants, Disabled: e.Disabled, Reason: e.Reason}
}

// UserMade is a new user, with the link by which that person sets a password.
type UserMade struct {
	User access.User `json:"user"`
	Link LinkMade    `json:"link"`
}

// LinkMade is a one-time link. It is never shown again.
type LinkMade struct {
	Path      string    `json:"path" doc:"Behind the address of this server." example:"/welcome#link=fll_..."`
	ExpiresAt time.Time `json:"expiresAt"`
}

func toLink(l access.Link) LinkMade {
	return LinkMade{Path: "/welcome#link=" + l.Secret, ExpiresAt: l.ExpiresAt}
}

type createUser struct {
	Body struct {
		Name string `json:"name" maxLength:"64" doc:"The login name, for good."`
		UserEdit
	}
}

// UserPath names a user or team in a path. It is exported because huma fills embedded structs only then.
type UserPath struct {
	Name string `path:"name" maxLength:"200"`
}

// IfMatch is the version that was edited. It is exported because huma fills embedded structs only then.
type IfMatch struct {
	IfMatch string `header:"If-Match" required:"true" maxLength:"40" doc:"The ETag of what was edited."`
}

type updateUser struct {
	UserPath
	IfMatch
	Body UserEdit
}

type deleteNamed struct {
	UserPath
	IfMatch
	Reason string `query:"reason" maxLength:"1000" doc:"For the audit log."`
}

type linkForUser struct {
	UserPath
	Body *struct {
		Reason string `json:"reason,omitempty" maxLength:"1000" doc:"For the audit log."`
	}
}

type teamBody struct {
	Body struct {
		Name        string `json:"name" maxLength:"64" doc:"What alerts have in their label team."`
		Description string `json:"description,omitempty" maxLength:"1000"`
	}
}

type updateTeam struct {
	UserPath
	IfMatch
	Body struct {
		Description string `json:"description" maxLength:"1000"`
	}
}

// tagged is an answer with its version.
type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

func withTag[T any](version int64, value T) *tagged[T] {
	return &tagged[T]{ETag: etag(version), Body: value}
}

func (a *API) userRoutes() {
	route(a, http.MethodGet, "/users", "listUsers", "List users", a.listUsers)
	route(a, http.MethodPost, "/users", "createUser", "Make a user, and a one-time link for the password", a.createUser)
	route(a, http.MethodGet, "/users/{name}", "getUser", "Get a user", a.getUser)
	route(a, http.MethodPut, "/users/{name}", "updateUser", "Change a user's roles and state", a.updateUser)
	route(a, http.MethodDelete, "/users/{name}", "deleteUser", "Delete a user with sessions and tokens", a.deleteUser)
	route(a, http.MethodPost, "/users/{name}/link", "createUserLink", "Make a one-time link with which a user sets a new password", a.createUserLink)
	route(a, http.MethodGet, "/teams", "listTeams", "List teams", a.listTeams)
	route(a, http.MethodPost, "/teams", "createTeam", "Make a team", a.createTeam)
	route(a, http.MethodPut, "/teams/{name}", "updateTeam", "Change a team's description", a.updateTeam)
	route(a, http.MethodDelete, "/teams/{name}", "deleteTeam", "Delete a team that no role is limited to", a.deleteTeam)
}

func (a *API) listUsers(ctx context.Context, _ *none) (*body[UserList], error) {
	users, err := a.cfg.People.Users(ctx)
	if err != nil {
		return nil, err
	}
	return answer(UserList{Items: users}), nil
}

func (a *API) createUser(ctx context.Context, in *createUser) (*tagged[UserMade], error) {
	u, link, err := a.cfg.People.CreateUser(ctx, actor(ctx), in.Body.Name, in.Body.edit())
	if err != nil {
		return nil, accessError(err)
	}
	return withTag(u.Version, UserMade{User: u, Link: toLink(link)}), nil
}

func (a *API) getUser(ctx context.Context, in *UserPath) (*tagged[access.User], error) {
	u, err := a.cfg.People.User(ctx, in.Name)
	if err != nil {
		return nil, accessError(err)
	}
	return withTag(u.Version, u), nil
}

func (a *API) updateUser(ctx context.Context, in *updateUser) (*tagged[access.User], error) {
	version, err := versionOf(in.IfMatch.IfMatch)
	if err != nil {
		return nil, err
	}
	u, err := a.cfg.People.UpdateUser(ctx, actor(ctx), in.Name, version, in.Body.edit())
	if errors.Is(err, access.ErrChanged) {
		return nil, changedMeanwhile(u)
	}
	if err != nil {
		return nil, accessError(err)
	}
	return withTag(u.Version, u), nil
}

func (a *API) deleteUser(ctx context.Context, in *deleteNamed) (*struct{}, error) {
	version, err := versionOf(in.IfMatch.IfMatch)
	if err != nil {
		return nil, err
	}
	u, err := a.cfg.People.DeleteUser(ctx, actor(ctx), in.Name, in.Reason, version)
	if errors.Is(err, access.ErrChanged) {
		return nil, changedMeanwhile(u)
	}
	return nil, accessError(err)
}

func (a *API) createUserLink(ctx context.Context, in *linkForUser) (*body[LinkMade], error) {
	reason := ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	link, err := a.cfg.People.UserLink(ctx, actor(ctx), in.Name, reason)
	if err != nil {
		return nil, accessError(err)
	}
	return answer(toLink(link)), nil
}

func (a *API) listTeams(ctx context.Context, _ *none) (*body[TeamList], error) {
	teams, err := a.cfg.People.Teams(ctx)
	if err != nil {
		return nil, err
	}
	return answer(TeamList{Items: teams}), nil
}

func (a *API) createTeam(ctx context.Context, in *teamBody) (*tagged[access.Team], error) {
	t, err := a.cfg.People.CreateTeam(ctx, actor(ctx), in.Body.Name, in.Body.Description)
	if err != nil {
		return nil, accessError(err)
	}
	return withTag(t.Version, t), nil
}

func (a *API) updateTeam(ctx context.Context, in *updateTeam) (*tagged[access.Team], error) {
	version, err := versionOf(in.IfMatch.IfMatch)
	if err != nil {
		return nil, err
	}
	t, err := a.cfg.People.UpdateTeam(ctx, actor(ctx), in.Name, in.Body.Description, version)
	if errors.Is(err, access.ErrChanged) {
		return nil, changedMeanwhile(t)
	}
	if err != nil {
		return nil, accessError(err)
	}
	return withTag(t.Version, t), nil
}

func (a *API) deleteTeam(ctx context.Context, in *deleteNamed) (*struct{}, error) {
	version, err := versionOf(in.IfMatch.IfMatch)
	if err != nil {
		return nil, err
	}
	t, err := a.cfg.People.DeleteTeam(ctx, actor(ctx), in.Name, version)
	if errors.Is(err, access.ErrChanged) {
		return nil, changedMeanwhile(t)
	}
	return nil, accessError(err)
}
