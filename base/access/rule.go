package access

import (
	"slices"
	"strings"
)

// Kind says how a route lets requests in.
type Kind int

// The kinds.
const (
	// Open is for everybody: the page itself, health, and logging in.
	Open Kind = iota + 1
	// Door is for senders: the integration's key decides, or on this machine nothing (access.anonymous_loopback).
	Door
	// Local is for programs on this machine without anything (access.anonymous_loopback), and elsewhere for the roles.
	Local
	// Person is for the roles.
	Person
)

// TeamRule says what a route does about people whose role is limited to teams.
type TeamRule int

// The rules.
const (
	// Shared routes show and change nothing that belongs to a team.
	Shared TeamRule = iota
	// Filtered routes show and change only what the teams see; their handlers ask ScopeOf.
	Filtered
	// Whole routes are for people who are not limited: they show things of all teams at once.
	Whole
)

// Rule says who may call a route.
type Rule struct {
	Kind  Kind
	Roles []Role
	Teams TeamRule
	// Named lets in only who has shown who they are, also on this machine.
	Named bool
	// Session is for people in a browser only: an API token must not make further ones or change a password.
	Session bool
}

// Table holds a rule for each route, by the pattern of http.ServeMux.
type Table map[string]Rule

// Safe reports whether a method only reads.
func Safe(method string) bool { return slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, method) }

// RoleNames lists roles for a person.
func RoleNames(roles []Role) string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	return strings.Join(names, ", ")
}
