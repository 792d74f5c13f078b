package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/web/api"
)

const goodPassword = "violet tractor nine lamp"

// closed is an App that needs a login.
type closed struct {
	*running
	peer access.Peer
}

func startClosed(t *testing.T, cfg Config) *closed {
	t.Helper()
	cfg.HTTP.Listen = "127.0.0.1:0"
	a, err := New(t.Context(), cfg, Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stopped with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return &closed{&running{App: a, t: t}, access.Peer{Address: netip.MustParseAddr("192.0.2.1")}}
}

// caller is somebody who sends requests.
type caller struct {
	name    string
	grants  []access.Grant
	headers []string
	session bool
	bad     bool // shows a token that is worth nothing
	read    bool // may only read
	noCSRF  bool
}

// user makes a user with grants and logs in.
func (c *closed) user(name string, grants ...access.Grant) access.Login {
	c.t.Helper()
	_, link, err := c.people.CreateUser(c.t.Context(), "test", name, access.Edit{Grants: grants})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.open(link, "")
}

func (c *closed) open(link access.Link, name string) access.Login {
	c.t.Helper()
	login, err := c.people.OpenLink(c.t.Context(), access.Opening{Secret: link.Secret, Name: name, Password: goodPassword}, "", c.peer)
	if err != nil {
		c.t.Fatal(err)
	}
	return login
}

// admin makes the first admin.
func (c *closed) admin() access.Login {
	c.t.Helper()
	c.until("the server has made its first link", func() bool {
		_, link, err := c.people.Configured(c.t.Context())
		return err == nil && link
	})
	link, err := c.people.AdminLink(c.t.Context(), "test", "")
	if err != nil {
		c.t.Fatal(err)
	}
	return c.open(link, "root")
}

// browser returns the headers of a session.
func (c *closed) browser(login access.Login) []string {
	c.t.Helper()
	id, err := c.people.BySession(c.t.Context(), login.Secret)
	if err != nil {
		c.t.Fatal(err)
	}
	return []string{"Cookie", "fairlead_session=" + login.Secret, api.CSRFHeader, id.CSRF}
}

func (c *closed) token(owner string, n access.NewToken) (string, []string) {
	c.t.Helper()
	n.Name = "test"
	if n.Lifetime == 0 {
		n.Lifetime = time.Hour
	}
	secret, token, err := c.people.CreateToken(c.t.Context(), "test", owner, n)
	if err != nil {
		c.t.Fatal(err)
	}
	return token.ID, []string{"Authorization", "Bearer " + secret}
}

// callers returns somebody of every role, by token and by session, limited and not, and those who must not come in.
func (c *closed) callers() []caller {
	c.t.Helper()
	c.admin()
	if _, err := c.people.CreateTeam(c.t.Context(), "root", "payments", ""); err != nil {
		c.t.Fatal(err)
	}
	list := []caller{
		{name: "nobody"},
		{name: "a forged token", bad: true, headers: []string{"Authorization", "Bearer flt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}},
		{name: "a key of a sender", bad: true, headers: []string{"Authorization", "Bearer 0123456789abcdef"}},
		{name: "a forged session", bad: true, headers: []string{"Cookie", "fairlead_session=fls_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}},
		{name: "a link as a token", bad: true, headers: []string{"Authorization", "Bearer fll_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}},
	}
	for _, role := range access.Roles() {
		grants := []access.Grant{{Role: role}}
		login := c.user("user-"+string(role), grants...)
		_, headers := c.token("user-"+string(role), access.NewToken{})
		list = append(list, caller{name: string(role) + " by token", grants: grants, headers: headers})
		browser := c.browser(login)
		list = append(list,
			caller{name: string(role) + " by session", grants: grants, headers: browser, session: true},
			caller{name: string(role) + " by session from a foreign page", grants: grants, headers: browser[:2], session: true, noCSRF: true})
		if role == access.Admin {
			continue
		}
		limited := []access.Grant{{Role: role, Teams: []string{"payments"}}}
		c.user("team-"+string(role), limited...)
		_, headers = c.token("team-"+string(role), access.NewToken{})
		list = append(list, caller{name: string(role) + " of a team", grants: limited, headers: headers})
	}
	admins := []access.Grant{{Role: access.Admin}}
	_, headers := c.token("user-admin", access.NewToken{ReadOnly: true})
	list = append(list, caller{name: "admin's token for reading", grants: admins, headers: headers, read: true})
	_, headers = c.token("user-admin", access.NewToken{Roles: []access.Role{access.Viewer}})
	list = append(list, caller{name: "admin's token for viewing", grants: []access.Grant{{Role: access.Viewer}}, headers: headers})
	id, headers := c.token("user-admin", access.NewToken{})
	if err := c.people.RevokeToken(c.t.Context(), "root", "", id); err != nil {
		c.t.Fatal(err)
	}
	list = append(list, caller{name: "a revoked token", bad: true, headers: headers})
	_, headers = c.token("user-admin", access.NewToken{Lifetime: time.Minute})
	c.expireTokens("user-admin", time.Minute)
	list = append(list, caller{name: "an expired token", bad: true, headers: headers})
	c.user("gone", admins...)
	_, headers = c.token("gone", access.NewToken{})
	gone, err := c.people.User(c.t.Context(), "gone")
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.people.UpdateUser(c.t.Context(), "root", "gone", gone.Version, access.Edit{Grants: admins, Disabled: true}); err != nil {
		c.t.Fatal(err)
	}
	return append(list, caller{name: "a token of a disabled user", bad: true, headers: headers})
}

// expireTokens makes the tokens that live at most so long end in the past.
func (c *closed) expireTokens(owner string, lifetime time.Duration) {
	c.t.Helper()
	tokens, err := c.people.Tokens(c.t.Context(), owner)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, token := range tokens {
		if token.ExpiresAt.Sub(token.CreatedAt) > lifetime {
			continue
		}
		token.ExpiresAt = token.CreatedAt.Add(-time.Second)
		body, err := json.Marshal(token)
		if err != nil {
			c.t.Fatal(err)
		}
		c.sql("UPDATE api_tokens SET body = ? WHERE id = ?", string(body), token.ID)
	}
}

// verdict is what the rule says about a caller: the status, or 0 when the handler decides.
func verdict(rule access.Rule, method string, who *caller) int {
	switch rule.Kind {
	case access.Open, access.Door:
		return 0
	case access.Person, access.Local:
	}
	if who.bad {
		cookie := len(who.headers) > 0 && who.headers[0] == "Cookie"
		if rule.Kind == access.Local && !rule.Named && cookie {
			return 0 // as if it showed nothing, and on this machine nothing is needed
		}
		return http.StatusUnauthorized
	}
	if who.grants == nil {
		if rule.Kind == access.Local && !rule.Named {
			return 0
		}
		return http.StatusUnauthorized
	}
	id := access.Identity{Grants: who.grants}
	scope, ok := id.Scope(rule.Roles...)
	safe := method == http.MethodGet
	switch {
	case !ok,
		rule.Teams == access.Whole && !scope.All,
		rule.Session && !who.session,
		who.read && !safe,
		who.noCSRF && !safe:
		return http.StatusForbidden
	}
	return 0
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// TestEveryRouteHoldsItsRule sends a request to every route of the mux as everybody.
func TestEveryRouteHoldsItsRule(t *testing.T) {
	c := startClosed(t, testConfig(t))
	callers := c.callers()
	if len(c.routes.patterns) < 100 {
		t.Fatalf("only %d routes", len(c.routes.patterns))
	}
	for pattern := range c.routes.table {
		if !slices.Contains(c.routes.patterns, pattern) {
			t.Errorf("the table has a row for %q, which is no route", pattern)
		}
	}
	asked := 0
	for _, pattern := range c.routes.patterns {
		method, path, found := strings.Cut(pattern, " ")
		if !found {
			t.Errorf("the route %q takes any method: name one", pattern)
			continue
		}
		rule := c.routes.table[pattern]
		if rule.Kind == access.Door {
			continue // the integration's key decides; receive tests it
		}
		path = placeholder.ReplaceAllString(path, "x")
		for i := range callers {
			who := &callers[i]
			want := verdict(rule, method, who)
			if pattern == "POST "+api.Prefix+"/logout" && want == 0 {
				continue // it would end the session of those that follow
			}
			asked++
			got, problem := c.status(method, path, who.headers)
			switch {
			case want != 0 && got != want:
				t.Errorf("%s as %s: %d %s, want %d", pattern, who.name, got, problem, want)
			case want == 0 && rule.Kind != access.Open && (got == http.StatusUnauthorized || got == http.StatusForbidden) && !strings.Contains(problem, "PERMISSION_DENIED"): // that is of one experiment or model
				t.Errorf("%s as %s: %d %s, want it to be let in", pattern, who.name, got, problem)
			case want == 0 && got == http.StatusInternalServerError:
				t.Errorf("%s as %s: %d %s", pattern, who.name, got, problem)
			}
		}
	}
	t.Logf("%d requests to %d routes", asked, len(c.routes.patterns))
}

// status returns the status, and the beginning of a problem.
func (c *closed) status(method, path string, headers []string) (int, string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL(), "/")+path, strings.NewReader(""))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	text := ""
	if answer.StatusCode >= 400 {
		data, err := io.ReadAll(io.LimitReader(answer.Body, 1000))
		if err != nil {
			c.t.Fatal(err)
		}
		text = string(data)
	}
	return answer.StatusCode, text
}

// TestSensitiveRoutesAreForThoseOfThisList says by hand what the table must say of the routes that would hurt most.
func TestSensitiveRoutesAreForThoseOfThisList(t *testing.T) {
	const all = "viewer responder researcher approver admin"
	table := rules()
	for pattern, roles := range map[string]string{
		"GET /users": "admin", "POST /users": "admin", "PUT /users/{name}": "admin", "DELETE /users/{name}": "admin", "POST /users/{name}/link": "admin",
		"POST /teams": "admin", "PUT /teams/{name}": "admin", "DELETE /teams/{name}": "admin",
		"GET /integrations": "admin", "GET /integrations/{name}": "admin", "POST /integrations": "admin", "PUT /integrations/{name}": "admin",
		"DELETE /integrations/{name}": "admin", "POST /integrations/{name}/keys": "admin", "POST /integrations/{name}/preview": "admin",
		"GET /dead-letters": "admin", "POST /dead-letters/{id}/replay": "admin", "PUT /map/edges": "admin",
		"POST /incidents/{id}/acknowledge": "responder admin", "POST /incidents/{id}/resolve": "responder admin", "POST /incidents/{id}/merge": "responder admin",
		"POST /incidents/{id}/notes": "responder admin", "POST /steps/{id}/undo": "responder admin", "POST /maintenance": "responder admin",
		"DELETE /maintenance/{id}": "responder admin", "GET /incidents": all, "GET /events": all, "GET /alerts/{id}/decisions": all, "GET /me": all,
		"POST /tokens": all, "DELETE /tokens/{id}": all, "DELETE /sessions/{id}": all, "POST /password": all,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		rule := table[method+" "+api.Prefix+path]
		if got := strings.ReplaceAll(access.RoleNames(rule.Roles), ",", ""); rule.Kind != access.Person || got != roles {
			t.Errorf("%s: kind %d for %q, want people of %q", pattern, rule.Kind, got, roles)
		}
	}
	for _, pattern := range []string{"POST /tokens", "POST /password", "POST /users", "POST /users/{name}/link", "PUT /users/{name}"} {
		method, path, _ := strings.Cut(pattern, " ")
		if !table[method+" "+api.Prefix+path].Session {
			t.Errorf("%s: an API token could do it", pattern)
		}
	}
	open := 0
	for pattern, rule := range table {
		if rule.Kind == access.Open {
			open++
			if strings.Contains(pattern, api.Prefix) && !strings.Contains(pattern, "/login") && !strings.Contains(pattern, "/links/") {
				t.Errorf("%s is open to everybody", pattern)
			}
		}
	}
	if open > 10 {
		t.Errorf("%d routes are open to everybody", open)
	}
}

func TestARouteWithoutARuleStopsTheStart(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("it was taken")
		}
	}()
	(&App{}).newRoutes().HandleFunc("GET /api/fairlead/v1/forgotten", func(http.ResponseWriter, *http.Request) {})
}

// TestTricksWithThePathFindNoWayAround writes the path of a route for admins in other ways.
func TestTricksWithThePathFindNoWayAround(t *testing.T) {
	c := startClosed(t, testConfig(t))
	c.admin()
	c.user("vic", access.Grant{Role: access.Viewer})
	_, headers := c.token("vic", access.NewToken{})
	for _, path := range []string{
		"/api/fairlead/v1/users", "//api/fairlead/v1/users", "/api//fairlead/v1/users", "/api/fairlead/v1//users", "/api/fairlead/v1/./users",
		"/api/fairlead/v1/incidents/../users", "/api/fairlead/v1/incidents/%2e%2e/users", "/api/fairlead/v1/%75sers", "/api/fairlead%2Fv1/users",
		"/api/fairlead/v1/users/", "/api/fairlead/v1/users/.", "/api/fairlead/v1/users/%2e", "/api/fairlead/v1/users;x=1", "/api/fairlead/v1/users%00",
		"/api/fairlead/v1/users%20", "/API/fairlead/v1/users", "/api/fairlead/v1/users.json", "/api/fairlead/v1/me/../users", "/api/fairlead/v1/login/../users",
		"/-/ready/../../api/fairlead/v1/users", "/api/fairlead/v1/users%2Froot", "/api/fairlead/v1/users/root", "/api/fairlead/v1/users/..%2Froot",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, "get", "PROPFIND"} {
			status, body := c.raw(method, path, headers)
			if strings.Contains(body, `"createdBy"`) || strings.Contains(body, `"grants"`) {
				t.Errorf("%s %s: %d shows users: %s", method, path, status, body)
			}
			if status/100 == 2 && !strings.Contains(body, "<html") && !strings.Contains(body, "<!doctype") && method != http.MethodHead {
				t.Errorf("%s %s: %d %s", method, path, status, body)
			}
		}
	}
}

// raw sends a request whose path is not cleaned, and follows no redirect.
func (c *closed) raw(method, path string, headers []string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.URL(), http.NoBody)
	if err != nil {
		c.t.Fatal(err)
	}
	r.URL.Opaque = path
	if strings.HasPrefix(path, "//") {
		r.URL.Opaque = "http://" + r.URL.Host + path
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer.StatusCode, strings.ToLower(string(data))
}
