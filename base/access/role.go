package access

import (
	"context"
	"slices"
	"strings"
)

// Role is what a person does here.
type Role string

// The roles. Each may read; what else it may is in the table of routes.
const (
	Viewer     Role = "viewer"
	Responder  Role = "responder"
	Researcher Role = "researcher"
	Approver   Role = "approver"
	Admin      Role = "admin"
)

// Roles returns all roles, the weakest first.
func Roles() []Role { return []Role{Viewer, Responder, Researcher, Approver, Admin} }

// Grant is a role, everywhere or in some teams.
type Grant struct {
	Role Role `json:"role" enum:"viewer,responder,researcher,approver,admin"`
	// Teams limits the role; none means everywhere. An admin is never limited.
	Teams []string `json:"teams,omitempty" maxItems:"100" doc:"Only in these teams; none means everywhere."`
}

// Via says how somebody showed who they are.
type Via string

// The ways.
const (
	// BySession is a browser with a cookie.
	BySession Via = "session"
	// ByToken is a program with an API token.
	ByToken Via = "token"
	// ByPassword is a program that sends name and password with each request, as MLflow's clients do.
	ByPassword Via = "password"
	// ByDev is whoever is on this machine, when the server was started with --dev or as a demo.
	ByDev Via = "dev"
	// ByLoopback is a program on this machine that showed nothing.
	ByLoopback Via = "loopback"
)

// Loopback is the name of whoever is on this machine and showed nothing.
const Loopback = "loopback"

// Identity is who sends a request.
type Identity struct {
	// User is the login name, or Loopback.
	User string
	// Display is the name to show.
	Display string
	// Grants are what they may, at this moment.
	Grants []Grant
	Via    Via
	// ID names the session or token; "" for others.
	ID string
	// Token is the name of the API token; "" for others.
	Token string
	// ReadOnly allows only reading.
	ReadOnly bool
	// CSRF is what changes by a session must show.
	CSRF string
}

// Actor returns the name for audit log, steps and notes.
func (id *Identity) Actor() string {
	if id.Token != "" {
		return id.User + " (token " + id.Token + ")"
	}
	return id.User
}

// Scope is what a request may see: everything, or what some teams see.
type Scope struct {
	// All says that there is no limit.
	All bool
	// Teams are those whose things may be seen, sorted, besides the things of no team.
	Teams []string
}

// Sees reports whether a thing that belongs to teams may be seen: one of no team may.
func (s Scope) Sees(teams ...string) bool {
	if s.All || len(teams) == 0 {
		return true
	}
	return slices.ContainsFunc(teams, func(team string) bool { return slices.Contains(s.Teams, team) })
}

// Limit returns the teams for a query; nil means no limit, and an empty list only what belongs to no team.
func (s Scope) Limit() []string {
	if s.All {
		return nil
	}
	return append([]string{}, s.Teams...)
}

// Scope returns what the identity may see in one of roles; ok is false when no grant has such a role.
func (id *Identity) Scope(roles ...Role) (scope Scope, ok bool) {
	for _, g := range id.Grants {
		if !slices.Contains(roles, g.Role) {
			continue
		}
		ok = true
		if len(g.Teams) == 0 {
			return Scope{All: true}, true
		}
		scope.Teams = append(scope.Teams, g.Teams...)
	}
	slices.Sort(scope.Teams)
	scope.Teams = slices.Compact(scope.Teams)
	return scope, ok
}

// Has reports whether the identity holds a role everywhere.
func (id *Identity) Has(role Role) bool {
	scope, ok := id.Scope(role)
	return ok && scope.All
}

type (
	identityKey struct{}
	scopeKey    struct{}
	peerKey     struct{}
)

// With returns a context that says who sends the request.
func With(ctx context.Context, id *Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id)
}

// From returns who sends the request; nil when nobody has shown who they are.
func From(ctx context.Context) *Identity {
	id, _ := ctx.Value(identityKey{}).(*Identity)
	return id
}

// Actor returns the name for audit log, steps and notes; Loopback when nobody has shown who they are.
func Actor(ctx context.Context) string {
	if id := From(ctx); id != nil {
		return id.Actor()
	}
	return Loopback
}

// WithScope returns a context that says what the request may see.
func WithScope(ctx context.Context, scope Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, scope)
}

// ScopeOf returns what the request may see. Without a scope in ctx, which only code inside the server has, it is everything.
func ScopeOf(ctx context.Context) Scope {
	if scope, ok := ctx.Value(scopeKey{}).(Scope); ok {
		return scope
	}
	return Scope{All: true}
}

// checkGrants reports the first grant that cannot be used.
func checkGrants(grants []Grant, team func(name string) bool) error {
	if len(grants) > maxGrants {
		return invalid("grants", "at most %d", maxGrants)
	}
	for _, g := range grants {
		switch {
		case !slices.Contains(Roles(), g.Role):
			return invalid("grants", "role %q is unknown: use viewer, responder, researcher, approver or admin", cut(string(g.Role)))
		case g.Role == Admin && len(g.Teams) > 0:
			return invalid("grants", "an admin cannot be limited to teams: leave the teams out, or give another role")
		case len(g.Teams) > maxTeams:
			return invalid("grants", "a grant names at most %d teams", maxTeams)
		}
		for _, name := range g.Teams {
			if !team(name) {
				return invalid("grants", "there is no team %q: make it first", cut(name))
			}
		}
	}
	return nil
}

// narrow returns what of grants is left for a token that asks for roles and teams; none of a kind means all of the owner's.
func narrow(grants []Grant, roles []Role, teams []string) []Grant {
	var left []Grant
	add := func(role Role, owner []string) {
		g := Grant{Role: role, Teams: owner}
		if len(teams) > 0 {
			g.Teams = nil
			for _, team := range teams {
				if len(owner) == 0 || slices.Contains(owner, team) {
					g.Teams = append(g.Teams, team)
				}
			}
			if len(g.Teams) == 0 {
				return
			}
			if role == Admin {
				return // an admin's rights are not limited to teams
			}
		}
		left = append(left, g)
	}
	for _, g := range grants {
		if len(roles) == 0 || slices.Contains(roles, g.Role) {
			add(g.Role, g.Teams)
			continue
		}
		for _, role := range roles { // a weaker role than the owner's
			if role == Viewer || (g.Role == Admin && role != Admin) {
				add(role, g.Teams)
			}
		}
	}
	return left
}

// cut keeps an echoed value short.
func cut(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if len(text) > 60 {
		return strings.ToValidUTF8(text[:60], "") + "..."
	}
	return text
}
