package app

import (
	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/web/api"
	"github.com/fairlead/fairlead/web/mlflow"
	"github.com/fairlead/fairlead/web/promql"
)

// rules is the one table of who may call what: a row for each route, by its pattern. A route without a row stops the start.
// docs/guide/access.md shows it to people; TestEveryRouteHoldsItsRule walks it.
//
// It is one piece, and longer than others, so that it can be read from top to bottom.
func rules() access.Table { //nolint:funlen // a table
	var (
		open = access.Rule{Kind: access.Open}
		door = access.Rule{Kind: access.Door}

		everybody  = access.Roles()
		responders = []access.Role{access.Responder, access.Admin}
		deciders   = []access.Role{access.Approver, access.Admin}
		auditors   = []access.Role{access.Approver, access.Admin}
		admins     = []access.Role{access.Admin}
	)
	person := func(teams access.TeamRule, roles []access.Role) access.Rule {
		return access.Rule{Kind: access.Person, Roles: roles, Teams: teams}
	}
	local := func(teams access.TeamRule, roles []access.Role) access.Rule {
		return access.Rule{Kind: access.Local, Roles: roles, Teams: teams}
	}
	own := access.Rule{Kind: access.Person, Roles: everybody, Session: true}
	table := access.Table{
		"GET /":          open, // the page: its data comes from the API
		"GET /-/healthy": open,
		"GET /-/ready":   open,
		"GET /metrics":   local(access.Shared, everybody),
		"POST /-/reload": local(access.Shared, admins),

		// Alertmanager's API: for amtool, Grafana and karma.
		"GET /api/v2/alerts":                              local(access.Filtered, everybody),
		"GET /api/v2/alerts/groups":                       local(access.Filtered, everybody),
		"GET /api/v2/receivers":                           local(access.Shared, everybody),
		"GET /api/v2/status":                              local(access.Shared, everybody),
		"GET /api/v2/silences":                            local(access.Shared, everybody),
		"GET /api/v2/silence/{id}":                        local(access.Shared, everybody),
		"POST /api/v2/silences":                           local(access.Filtered, responders),
		"DELETE /api/v2/silence/{id}":                     local(access.Filtered, responders),
		"POST /api/v2/alerts":                             door,
		"POST /in/prometheus/{integration}/api/v2/alerts": door,

		// Telemetry.
		"POST /api/v1/write":                     door,
		"POST /in/remote-write/{integration}":    door,
		"POST /v1/metrics":                       door,
		"POST /v1/logs":                          door,
		"POST /v1/traces":                        door,
		"POST /in/otlp/{integration}/v1/metrics": door,
		"POST /in/otlp/{integration}/v1/logs":    door,
		"POST /in/otlp/{integration}/v1/traces":  door,
	}
	for _, h := range hooks(nil, pagers{}) {
		table[h.pattern] = door
	}
	for _, pattern := range promql.Patterns() {
		table[pattern] = local(access.Shared, everybody)
	}
	for pattern, right := range mlflow.Patterns() {
		table[pattern] = mlflowRule(right)
	}
	add := func(rule access.Rule, method string, paths ...string) {
		for _, path := range paths {
			table[method+" "+api.Prefix+path] = rule
		}
	}
	// Logging in.
	add(open, "POST", "/login", "/links/check", "/links/open")
	add(open, "GET", "/login", "/login/oidc", "/login/oidc/callback")
	add(person(access.Shared, everybody), "GET", "/me", "/people",
		"/openapi.json", "/openapi-3.0.json", "/openapi.yaml", "/openapi-3.0.yaml")
	add(own, "GET", "/sessions", "/tokens")
	add(own, "POST", "/logout", "/password", "/tokens")
	add(own, "DELETE", "/sessions/{id}", "/tokens/{id}")
	// Users and teams.
	add(person(access.Shared, admins), "GET", "/users", "/users/{name}")
	add(access.Rule{Kind: access.Person, Roles: admins, Session: true}, "POST", "/users", "/users/{name}/link", "/teams")
	add(access.Rule{Kind: access.Person, Roles: admins, Session: true}, "PUT", "/users/{name}", "/teams/{name}")
	add(access.Rule{Kind: access.Person, Roles: admins, Session: true}, "DELETE", "/users/{name}", "/teams/{name}")
	add(access.Rule{Kind: access.Person, Roles: admins, Session: true}, "POST", "/people/{name}/erase")
	add(person(access.Shared, everybody), "GET", "/teams")
	// Incidents and alerts.
	add(person(access.Filtered, everybody), "GET", "/incidents", "/incidents/{id}", "/incidents/{id}/timeline", "/incidents/{id}/alerts",
		"/alerts", "/alerts/summary", "/alerts/{id}", "/alerts/{id}/decisions", "/deliveries", "/events", "/stats", "/analytics")
	add(person(access.Filtered, responders), "POST", "/incidents/{id}/acknowledge", "/incidents/{id}/unacknowledge", "/incidents/{id}/resolve",
		"/incidents/{id}/reopen", "/incidents/{id}/merge", "/incidents/{id}/split", "/incidents/{id}/assign", "/incidents/{id}/notes", "/steps/{id}/undo")
	// One's own: mentions and saved views.
	add(person(access.Filtered, everybody), "GET", "/me/mentions")
	add(person(access.Shared, everybody), "GET", "/me/views")
	add(person(access.Shared, everybody), "PUT", "/me/views")
	add(person(access.Shared, everybody), "DELETE", "/me/views/{id}")
	add(person(access.Shared, everybody), "POST", "/me/mentions/seen")
	add(person(access.Filtered, responders), "POST", "/incidents/{id}/own")
	// The audit log: what people did, so not for everybody.
	add(person(access.Whole, auditors), "GET", "/audit", "/audit/state", "/audit/checkpoint", "/audit/consistency", "/audit/leaves/{n}", "/audit/leaves/{n}/proof")
	// The map, the calendar and silences.
	add(person(access.Shared, everybody), "GET", "/map", "/clock", "/maintenance", "/silences", "/silences/{id}", "/silences/forgotten", "/heartbeats", "/health")
	add(person(access.Shared, admins), "PUT", "/map/edges")
	add(person(access.Filtered, responders), "POST", "/maintenance", "/silences", "/silences/{id}/expire")
	add(person(access.Shared, responders), "POST", "/maintenance/preview")
	add(person(access.Filtered, responders), "PUT", "/maintenance/{id}", "/silences/{id}")
	add(person(access.Filtered, responders), "DELETE", "/maintenance/{id}")
	add(person(access.Filtered, everybody), "GET", "/anomalies", "/anomalies/{id}")
	add(person(access.Shared, everybody), "GET", "/anomalies/budget", "/series/chart")
	add(person(access.Filtered, responders), "POST", "/anomalies/{id}/feedback")
	add(person(access.Whole, responders), "POST", "/heartbeats/{id}/pause", "/heartbeats/{id}/resume")
	add(person(access.Whole, responders), "DELETE", "/heartbeats/{id}")
	add(person(access.Whole, everybody), "GET", "/tee/report")
	// Senders, with their payloads, and what was refused: for admins.
	add(person(access.Shared, admins), "GET", "/integrations", "/integrations/{name}", "/dead-letters")
	add(person(access.Shared, admins), "POST", "/integrations", "/integrations/{name}/keys", "/integrations/{name}/preview", "/dead-letters/{id}/replay")
	add(person(access.Shared, admins), "PUT", "/integrations/{name}")
	add(person(access.Shared, admins), "DELETE", "/integrations/{name}")
	// What one person asks for and others decide.
	add(person(access.Whole, everybody), "GET", "/approvals", "/approvals/{id}")
	add(person(access.Whole, deciders), "POST", "/approvals/{id}/approve", "/approvals/{id}/reject")
	add(person(access.Whole, everybody), "POST", "/approvals/{id}/cancel") // one's own; an admin any
	add(person(access.Whole, admins), "POST", "/purges", "/purges/preview", "/experiments/purges", "/experiments/purges/preview")
	add(person(access.Shared, everybody), "GET", "/experiments", "/experiments/{id}", "/experiments/{id}/keys", "/runs", "/runs/{id}", "/runs/{id}/history", "/runs/{id}/files",
		"/logged-models/{id}", "/logged-models/{id}/files", "/traces", "/traces/{id}", "/models", "/models/{name}", "/models/{name}/versions")
	add(person(access.Shared, []access.Role{access.Researcher, access.Admin}), "POST", "/models/{name}/versions")
	add(person(access.Whole, []access.Role{access.Researcher, access.Admin}), "PUT", "/models/{name}/aliases/{alias}")
	return table
}
