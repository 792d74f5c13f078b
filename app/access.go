package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/web/api"
)

// AccessConfig says who may do what.
type AccessConfig struct {
	// AnonymousLoopback lets programs on this machine send, and use Alertmanager's API and /metrics, without a key.
	AnonymousLoopback bool `yaml:"anonymous_loopback"`
	// Hosts are further names that this server is reached by; requests for others are refused.
	Hosts []string `yaml:"hosts"`
	// TrustedProxies are the addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// SessionIdle ends a session that is not used for so long.
	SessionIdle time.Duration `yaml:"session_idle"`
	// SessionLifetime ends every session after so long, at most 2160h.
	SessionLifetime time.Duration `yaml:"session_lifetime"`
	// TokenLifetime is how long a new API token may be good at most.
	TokenLifetime time.Duration `yaml:"token_lifetime"`
	// Approval says what it takes to do what cannot be undone.
	Approval ApprovalConfig `yaml:"approval"`
	// OIDC lets people log in through a provider.
	OIDC OIDCConfig `yaml:"oidc"`
	// FirstAdmin is made at a start when there are no users yet, instead of the one-time link that is printed.
	FirstAdmin FirstAdminConfig `yaml:"first_admin"`
}

// FirstAdminConfig says who is admin at first.
type FirstAdminConfig struct {
	// Name is the login name; "" makes nobody.
	Name string `yaml:"name"`
	// PasswordFile holds the password, of at least 12 characters. It is read once; change the password afterwards.
	PasswordFile string `yaml:"password_file"`
}

func defaultAccess() AccessConfig {
	d := access.DefaultConfig()
	return AccessConfig{
		AnonymousLoopback: true, SessionIdle: d.SessionIdle, SessionLifetime: d.SessionLifetime, TokenLifetime: d.TokenLifetime,
		Approval: defaultApproval(), OIDC: defaultOIDC(),
	}
}

func (c *AccessConfig) directory() access.Config {
	return access.Config{SessionIdle: c.SessionIdle, SessionLifetime: c.SessionLifetime, TokenLifetime: c.TokenLifetime}
}

// checkAccess reports the first key below access, or http.external_url, that cannot be used.
func checkAccess(c *Config) error {
	if _, err := origins(c); err != nil {
		key, problem, _ := strings.Cut(err.Error(), ": ")
		if key == "external_url" {
			return &ConfigError{Key: "http." + key, Problem: problem}
		}
		return &ConfigError{Key: "access." + key, Problem: problem}
	}
	if err := c.Access.directory().Validate(); err != nil {
		key, problem, _ := strings.Cut(err.Error(), ": ")
		return &ConfigError{Key: "access." + key, Problem: problem}
	}
	if err := approval.Config(c.Access.Approval).Validate(); err != nil {
		key, problem, _ := strings.Cut(err.Error(), ": ")
		return &ConfigError{Key: "access.approval." + key, Problem: problem}
	}
	return checkOIDC(&c.Access.OIDC)
}

func origins(c *Config) (*access.Origins, error) {
	return access.NewOrigins(c.HTTP.Listen, c.HTTP.ExternalURL, c.Access.Hosts, c.Access.TrustedProxies)
}

// openAccess opens the directory. On an address that others can reach, somebody must be able to log in.
func (a *App) openAccess(ctx context.Context) (err error) {
	if a.origins, err = origins(&a.cfg); err != nil {
		return err
	}
	a.people = access.New(a.db, a.cfg.Access.directory(), a.part("access"))
	a.countAccess()
	if err := a.openOIDC(); err != nil {
		return err
	}
	if err := a.addFirstAdmin(ctx); err != nil {
		return err
	}
	if access.IsLoopback(a.cfg.HTTP.Listen) {
		return nil
	}
	if a.opts.Dev {
		return fmt.Errorf("http.listen: with --dev whoever reaches the port is admin, so only a loopback address can be used, not %s", a.cfg.HTTP.Listen)
	}
	users, link, err := a.people.Configured(ctx)
	if err != nil {
		return err
	}
	if !users && !link && a.oidc == nil {
		return fmt.Errorf("http.listen: others can reach %s, and nobody can log in yet: make a link with `fairlead access link --data.dir %s` and start again, or start once on 127.0.0.1 and open the link that is printed", a.cfg.HTTP.Listen, a.cfg.Data.Dir)
	}
	return nil
}

// addFirstAdmin makes the admin that the configuration names, if there is nobody yet.
func (a *App) addFirstAdmin(ctx context.Context) error {
	c := a.cfg.Access.FirstAdmin
	if c.Name == "" {
		return nil
	}
	if users, _, err := a.people.Configured(ctx); err != nil || users {
		return err
	}
	password, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return fmt.Errorf("access.first_admin.password_file: %w", err)
	}
	edit := access.Edit{Grants: []access.Grant{{Role: access.Admin}}, Reason: "access.first_admin"}
	if _, err := a.people.CreateWithPassword(ctx, "engine", c.Name, strings.TrimRight(string(password), "\r\n"), edit); err != nil {
		return fmt.Errorf("access.first_admin: %w", err)
	}
	a.logger.Info("the first admin was made", "user", c.Name)
	return nil
}

// countAccess adds the metrics of the door.
func (a *App) countAccess() {
	count := func(name, help, label, value string, of func(access.Counts) uint64) {
		a.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: name, Help: help, ConstLabels: prometheus.Labels{label: value},
		}, func() float64 { return float64(of(a.people.Counts())) }))
	}
	const logins, refused = "fairlead_access_logins_total", "fairlead_access_refused_total"
	const loginsHelp, refusedHelp = "Logins since the start.", "Requests since the start with a session, token or link that is worth nothing, or whose roles do not allow them."
	count(logins, loginsHelp, "result", "passed", func(c access.Counts) uint64 { return c.Passed })
	count(logins, loginsHelp, "result", "failed", func(c access.Counts) uint64 { return c.Failed })
	count(logins, loginsHelp, "result", "delayed", func(c access.Counts) uint64 { return c.Delayed })
	count(refused, refusedHelp, "reason", "unknown", func(c access.Counts) uint64 { return c.Unknown })
	count(refused, refusedHelp, "reason", "forbidden", func(c access.Counts) uint64 { return c.Forbidden })
}

// welcome prints a one-time link when nobody is admin yet.
func (a *App) welcome(ctx context.Context) error {
	if a.opts.Dev {
		return nil
	}
	users, link, err := a.people.Configured(ctx)
	if err != nil || users || link && !access.IsLoopback(a.cfg.HTTP.Listen) || a.oidc != nil && a.cfg.Access.OIDC.makesAdmins() {
		return err
	}
	made, err := a.people.AdminLink(ctx, "engine", "nobody is admin yet")
	if err != nil {
		return fmt.Errorf("make the first admin's link: %w", err)
	}
	url := linkURL(a.baseURL(), made)
	a.logger.Warn("nobody is admin yet: open this link, which works once, and set a name and a password", "link", url, "expires", made.ExpiresAt)
	if a.opts.Tell != nil {
		a.opts.Tell("Nobody is admin yet. Open this link, which works once and until " + made.ExpiresAt.Format(time.RFC3339) + ", and set a name and a password:\n" + url)
	}
	return nil
}

// linkURL returns the address of the page that opens a link. The secret stands behind "#", which browsers send to no server.
func linkURL(base string, link access.Link) string {
	return strings.TrimSuffix(base, "/") + "/welcome#link=" + link.Secret
}

// baseURL is how people reach this server.
func (a *App) baseURL() string {
	if a.cfg.HTTP.ExternalURL != "" {
		return a.cfg.HTTP.ExternalURL
	}
	return a.URL()
}

// routes is the mux on which every route has a rule: registering one without panics, and its handler only runs for who may.
type routes struct {
	*http.ServeMux
	app      *App
	table    access.Table
	patterns []string
}

func (a *App) newRoutes() *routes {
	return &routes{ServeMux: http.NewServeMux(), app: a, table: rules()}
}

// Handle puts a handler behind the rule of its pattern.
func (m *routes) Handle(pattern string, handler http.Handler) {
	rule, known := m.table[pattern]
	if !known || rule.Kind == 0 {
		panic(fmt.Sprintf("the route %q has no rule: say in app/access_rules.go who may call it", pattern))
	}
	m.patterns = append(m.patterns, pattern)
	m.ServeMux.Handle(pattern, m.app.guarded(rule, handler))
}

// HandleFunc is Handle for functions.
func (m *routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, http.HandlerFunc(handler))
}

// guarded lets a request through to handler if the rule allows it, with identity, scope and peer in its context.
func (a *App) guarded(rule access.Rule, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := access.PeerOf(r.Context())
		id, problem := a.identify(r, rule, peer)
		if problem == nil {
			problem = a.permit(r, rule, id)
		}
		if problem != nil {
			if problem.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", challenge(rule))
			}
			w.Header().Set("Cache-Control", "no-store")
			problem.Write(w)
			return
		}
		ctx := r.Context()
		if id != nil {
			ctx = access.With(ctx, id)
			if rule.Kind == access.Local || rule.Kind == access.Person {
				scope, _ := id.Scope(rule.Roles...)
				ctx = access.WithScope(ctx, scope)
			}
			r = r.WithContext(ctx)
		}
		if rule.Kind == access.Person {
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Content-Type-Options", "nosniff")
		}
		handler.ServeHTTP(w, r)
	})
}

// challenge is what a request without credentials is told. Alertmanager's clients know basic authorization; our own page
// must not make a browser ask.
func challenge(rule access.Rule) string {
	if rule.Kind == access.Local {
		return `Basic realm="Fairlead: any name, and an API token as the password"`
	}
	return `Bearer realm="Fairlead"`
}

// identify returns who sends a request; nil for nobody, where the rule lets nobody in.
func (a *App) identify(r *http.Request, rule access.Rule, peer access.Peer) (*access.Identity, *receive.Problem) {
	if secret, shown := tokenOf(r); shown && rule.Kind != access.Open {
		isToken := strings.HasPrefix(secret, access.TokenPrefix)
		if name, _, basic := r.BasicAuth(); basic && !isToken && rule.Kind == access.Local {
			return a.identifyProgram(r, name, secret, peer)
		}
		if rule.Kind == access.Door && !isToken {
			return nil, nil // a sender's key
		}
		id, err := a.people.ByToken(r.Context(), secret)
		if errors.Is(err, access.ErrSecret) {
			return nil, refused("Authorization", "The token is unknown, was revoked or has expired.", "make a new one on the page Account")
		}
		return id, a.unavailable(err)
	}
	if rule.Kind == access.Open || rule.Kind == access.Door {
		return nil, nil
	}
	if secret := api.SessionOf(r); secret != "" {
		id, err := a.people.BySession(r.Context(), secret)
		if err == nil || !errors.Is(err, access.ErrSecret) {
			return id, a.unavailable(err)
		}
		if !a.opts.Dev && rule.Kind == access.Person {
			return nil, refused("Cookie", "The session has ended.", "log in again")
		}
	}
	switch {
	case a.opts.Dev && peer.Loopback:
		return &access.Identity{User: access.Loopback, Display: "Whoever is on this machine", Grants: []access.Grant{{Role: access.Admin}}, Via: access.ByDev}, nil
	case rule.Kind == access.Local && !rule.Named && a.cfg.Access.AnonymousLoopback && peer.Loopback:
		return &access.Identity{User: access.Loopback, Grants: []access.Grant{{Role: rule.Roles[0]}}, Via: access.ByLoopback}, nil
	}
	return nil, refused("Authorization", "This needs a login.", "log in, or send an API token as: Authorization: Bearer "+access.TokenPrefix+"...")
}

// identifyProgram returns who a program says it is by name and password.
func (a *App) identifyProgram(r *http.Request, name, password string, peer access.Peer) (*access.Identity, *receive.Problem) {
	id, err := a.people.ByPassword(r.Context(), name, password, peer)
	var wait *access.WaitError
	switch {
	case errors.Is(err, access.ErrLogin):
		return nil, refused("Authorization", "Name or password is wrong.", "send a name and its password, or any name and an API token as the password")
	case errors.As(err, &wait):
		return nil, &receive.Problem{Status: http.StatusTooManyRequests, Detail: err.Error()}
	}
	return id, a.unavailable(err)
}

// still reports whether whoever sent a request may still see the same.
func (a *App) still(r *http.Request) bool {
	rule := a.routes.table[r.Pattern]
	id, problem := a.identify(r, rule, access.PeerOf(r.Context()))
	if problem != nil || id == nil || a.permit(r, rule, id) != nil {
		return false
	}
	now, _ := id.Scope(rule.Roles...)
	before := access.ScopeOf(r.Context())
	return now.All == before.All && slices.Equal(now.Teams, before.Teams)
}

// tokenOf returns what a request shows as bearer, or as the password of basic authorization, for clients that know only
// that.
func tokenOf(r *http.Request) (secret string, shown bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return "", false
	}
	if _, password, ok := r.BasicAuth(); ok {
		return password, true
	}
	scheme, rest, _ := strings.Cut(header, " ")
	if strings.EqualFold(scheme, "Bearer") {
		rest = strings.TrimSpace(rest)
		return rest, rest != "" // a variable that is not set shows nothing
	}
	return header, true
}

// permit says why an identity may not do what a request asks for; nil when it may.
func (a *App) permit(r *http.Request, rule access.Rule, id *access.Identity) *receive.Problem {
	if rule.Kind == access.Open || rule.Kind == access.Door {
		return nil
	}
	no := func(field, value, detail, remedy string) *receive.Problem {
		a.people.Forbade()
		return &receive.Problem{
			Status: http.StatusForbidden, Detail: detail, Errors: []receive.FieldError{{Field: field, Value: value, Remedy: remedy}},
		}
	}
	scope, ok := id.Scope(rule.Roles...)
	switch {
	case !ok:
		return no("role", id.Actor(), "Your roles do not allow this.", "it needs one of: "+access.RoleNames(rule.Roles)+"; ask an admin")
	case rule.Teams == access.Whole && !scope.All:
		return no("team", strings.Join(scope.Teams, ", "), "Your role is limited to teams, and this shows or changes things of all.", "ask an admin for the role everywhere")
	case rule.Session && id.Via == access.ByToken:
		return no("Authorization", "", "An API token cannot do this.", "log in in a browser")
	case id.ReadOnly && !access.Safe(r.Method):
		return no("Authorization", "", "The token may only read.", "use a token that may write")
	case id.Via == access.BySession && !access.Safe(r.Method) && !api.ShowsCSRF(r, id):
		return no(api.CSRFHeader, "", "A change from a browser must show that it comes from our page.", "send the csrf of GET "+api.Prefix+"/me in this header")
	}
	return nil
}

func refused(field, detail, remedy string) *receive.Problem {
	return &receive.Problem{Status: http.StatusUnauthorized, Detail: detail, Errors: []receive.FieldError{{Field: field, Remedy: remedy}}}
}

// unavailable turns an error of the database into an answer; nil for none.
func (a *App) unavailable(err error) *receive.Problem {
	if err == nil {
		return nil
	}
	a.logger.Error("a login cannot be looked up", "error", err)
	return &receive.Problem{Status: http.StatusServiceUnavailable, Detail: "Who you are cannot be looked up at the moment; try again later."}
}
