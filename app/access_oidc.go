package app

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/web/api"
)

// OIDCConfig says how people log in through a provider of OpenID Connect.
type OIDCConfig struct {
	// Issuer is the provider's URL, as its discovery document has it; "" is no provider.
	Issuer string `yaml:"issuer"`
	// Name is what the login page calls it.
	Name string `yaml:"name"`
	// ClientID is how the provider knows this server. Its redirect URL is http.external_url with /api/fairlead/v1/login/oidc/callback.
	ClientID string `yaml:"client_id"`
	// ClientSecretFile holds the client's secret; "" for a public client.
	ClientSecretFile string `yaml:"client_secret_file"`
	// Scopes are asked for besides openid.
	Scopes []string `yaml:"scopes"`
	// GroupsClaim is the claim that lists a person's groups.
	GroupsClaim string `yaml:"groups_claim"`
	// Groups give roles, looked at anew at each login: group ("*" is everybody), role and, to limit it, teams.
	Groups []access.GroupRule `yaml:"groups"`
	// Domains are the e-mail domains that may log in, with a verified address; none means any.
	Domains []string `yaml:"domains"`
}

func defaultOIDC() OIDCConfig {
	return OIDCConfig{Name: "Single sign-on", Scopes: []string{"profile", "email", "groups"}, GroupsClaim: "groups"}
}

// makesAdmins reports whether some group gives the role admin.
func (c *OIDCConfig) makesAdmins() bool {
	return slices.ContainsFunc(c.Groups, func(g access.GroupRule) bool { return g.Role == access.Admin })
}

func checkOIDC(c *OIDCConfig) error {
	bad := func(key, format string, args ...any) error {
		return &ConfigError{Key: "access.oidc." + key, Problem: fmt.Sprintf(format, args...)}
	}
	if c.Issuer == "" {
		return nil
	}
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http"):
		return bad("issuer", "%q cannot be used; write the provider's URL, for instance https://login.example.org", c.Issuer)
	case u.Scheme == "http" && !access.IsLoopback(u.Hostname()+":1"):
		return bad("issuer", "%q is not encrypted; write https, http only for a provider on this machine", c.Issuer)
	case c.ClientID == "":
		return bad("client_id", "it is empty; register this server with the provider")
	case len(c.Groups) == 0:
		return bad("groups", "nobody gets a role; write for instance [{group: \"*\", role: viewer}]")
	}
	for _, g := range c.Groups {
		switch {
		case g.Group == "":
			return bad("groups", "a group is empty; name one, or \"*\" for everybody")
		case !slices.Contains(access.Roles(), g.Role):
			return bad("groups", "role %q is unknown; write %s", g.Role, access.RoleNames(access.Roles()))
		case g.Role == access.Admin && len(g.Teams) > 0:
			return bad("groups", "an admin cannot be limited to teams; leave the teams of %q out", g.Group)
		}
	}
	return nil
}

// openOIDC makes the login through a provider, if there is one. The provider is not asked before somebody logs in.
func (a *App) openOIDC() error {
	c := &a.cfg.Access.OIDC
	if c.Issuer == "" {
		return nil
	}
	secret := ""
	if c.ClientSecretFile != "" {
		text, err := os.ReadFile(c.ClientSecretFile)
		if err != nil {
			return fmt.Errorf("access.oidc.client_secret_file: %w", err)
		}
		secret = strings.TrimSpace(string(text))
	}
	base := strings.TrimSuffix(cmp.Or(a.cfg.HTTP.ExternalURL, a.URL()), "/")
	oidc, err := access.NewOIDC(access.OIDCConfig{
		Issuer: c.Issuer, ClientID: c.ClientID, ClientSecret: secret, Redirect: base + api.Prefix + "/login/oidc/callback",
		Scopes: c.Scopes, GroupsClaim: c.GroupsClaim, Groups: c.Groups, Domains: c.Domains,
	}, a.people, a.part("access"))
	a.oidc = oidc
	return err
}
