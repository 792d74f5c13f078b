package access

import (
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// provider is a real provider of OpenID Connect.
type provider struct {
	*process
	t   *testing.T
	url string
}

// buildProvider builds test/oidc, which is a module of its own.
func buildProvider(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "oidc")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	command.Dir = filepath.Join(need.Root(t), "test", "oidc")
	if text, err := command.CombinedOutput(); err != nil {
		need.Skip(t, fmt.Sprintf("the provider cannot be built: %v: %s", err, text))
	}
	return binary
}

func startProvider(t *testing.T, binary, listen, redirect string) *provider {
	t.Helper()
	p := &provider{process: start(t, nil, binary, listen, redirect), t: t, url: "http://" + listen}
	need.Eventually(t, 30*time.Second, "the provider", func() bool {
		answer, err := http.Get(p.url + "/.well-known/openid-configuration") //nolint:noctx // it answers or refuses at once
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return p
}

// set changes a user at the provider.
func (p *provider) set(user string, pairs ...string) {
	p.t.Helper()
	values := url.Values{"user": {user}}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	answer, err := http.Post(p.url+"/test?"+values.Encode(), "", nil) //nolint:noctx // a test's own server
	if err != nil || answer.StatusCode != http.StatusOK {
		p.t.Fatalf("change %s: %v", user, err)
	}
	_ = answer.Body.Close()
}

// through logs in through the provider and returns where the browser ends up, and the address of the callback.
func (b *browser) through(user, back string) (end *url.URL, callback string) {
	b.s.t.Helper()
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/callback") && strings.HasPrefix(r.URL.String(), b.s.url) {
			callback = r.URL.String()
		}
		return nil
	}
	page, err := b.Get(b.s.url + prefix + "/login/oidc?return=" + url.QueryEscape(back)) //nolint:noctx // the client has a timeout
	if err != nil {
		b.s.t.Fatal(err)
	}
	_ = page.Body.Close()
	id := page.Request.URL.Query().Get("authRequestID")
	if id == "" {
		return page.Request.URL, ""
	}
	end2, err := b.PostForm(page.Request.URL.Scheme+"://"+page.Request.URL.Host+"/login/username", //nolint:noctx // the client has a timeout
		url.Values{"username": {user}, "password": {"verysecure"}, "id": {id}})
	if err != nil {
		b.s.t.Fatal(err)
	}
	_ = end2.Body.Close()
	return end2.Request.URL, callback
}

const oidcConfig = `http:
  external_url: URL
access:
  oidc:
    issuer: ISSUER/
    client_id: fairlead
    client_secret_file: SECRET
    groups:
      - {group: sre, role: responder, teams: [payments]}
      - {group: leads, role: approver}
      - {group: bosses, role: admin}
    domains: [example.org]
`

func TestPeopleLogInThroughARealProvider(t *testing.T) {
	t.Parallel()
	binary := buildProvider(t)
	listen := freeAddress(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := writeFile(secret, "secret\n"); err != nil {
		t.Fatal(err)
	}
	s := serve(t, strings.NewReplacer("ISSUER", "http://"+listen, "SECRET", secret).Replace(oidcConfig))
	// The provider is not there yet.
	if end, _ := s.browser().through("ann", "/"); end.Path != "/login" || end.Query().Get("error") != "provider" {
		t.Errorf("without the provider: %s", end)
	}
	p := startProvider(t, binary, listen, s.url+prefix+"/login/oidc/callback")
	b := s.browser()
	p.set("ann", "groups", "sre,unknown")
	need.Eventually(t, 30*time.Second, "the provider to be asked again", func() bool {
		end, _ := b.through("ann", "/incidents/INC-1?tab=alerts")
		return end.String() == s.url+"/incidents/INC-1?tab=alerts"
	})
	var who me
	b.must(200, http.MethodGet, "/me", "", &who)
	if who.User != "ann" || len(who.Grants) != 1 || who.Grants[0].Role != "responder" || strings.Join(who.Grants[0].Teams, " ") != "payments" {
		t.Errorf("she is %+v", who)
	}
	first := who.Session

	// Groups are looked at anew at each login.
	p.set("ann", "groups", "leads,bosses")
	if end, _ := b.through("ann", "/"); end.Path != "/" {
		t.Errorf("again: %s", end)
	}
	b.must(200, http.MethodGet, "/me", "", &who)
	if strings.Join(who.Roles, " ") != "approver admin" || who.Session == first {
		t.Errorf("with other groups she is %+v, before in session %s", who, first)
	}

	// Another site cannot be named as the way back.
	for _, back := range []string{"//evil.example", "https://evil.example/", `/\evil.example`, "javascript:alert(1)", ""} {
		if end, _ := s.browser().through("ann", back); end.String() != s.url+"/" {
			t.Errorf("back to %q ended at %s", back, end)
		}
	}

	// Who has no group any more loses the session too.
	p.set("ann", "groups", "")
	if end, _ := s.browser().through("ann", "/"); end.Query().Get("error") != "norole" {
		t.Errorf("without groups: %s", end)
	}
	b.must(401, http.MethodGet, "/me", "", nil)

	// E-mail of another domain, or not verified.
	p.set("bob", "groups", "sre", "email", "bob@example.com")
	if end, _ := s.browser().through("bob", "/"); end.Query().Get("error") != "domain" {
		t.Errorf("with a foreign address: %s", end)
	}
	p.set("bob", "email", "bob@example.org", "verified", "false")
	if end, _ := s.browser().through("bob", "/"); end.Query().Get("error") != "domain" {
		t.Errorf("with an address that is not verified: %s", end)
	}
}

func TestALoginThroughTheProviderCannotBeForgedOrRepeated(t *testing.T) {
	t.Parallel()
	binary := buildProvider(t)
	listen := freeAddress(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := writeFile(secret, "secret"); err != nil {
		t.Fatal(err)
	}
	s := serve(t, strings.NewReplacer("ISSUER", "http://"+listen, "SECRET", secret).Replace(oidcConfig))
	p := startProvider(t, binary, listen, s.url+prefix+"/login/oidc/callback")
	p.set("ann", "groups", "bosses")
	p.set("bob", "groups", "sre")
	b := s.browser()
	_, callback := b.through("ann", "/")
	b.must(200, http.MethodGet, "/me", "", nil)
	errorOf := func(b *browser, address string) string {
		t.Helper()
		answer, err := b.Get(address) //nolint:noctx // the client has a timeout
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.Request.URL.Query().Get("error")
	}
	if got := errorOf(b, callback); got != "state" {
		t.Errorf("the same answer again: %q", got)
	}
	if got := errorOf(s.browser(), callback); got != "state" {
		t.Errorf("the answer in another browser: %q", got)
	}
	// A browser that has begun a login of its own is given the answer to somebody else's.
	victim := s.browser()
	victim.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	begun, err := victim.Get(s.url + prefix + "/login/oidc") //nolint:noctx // the client has a timeout
	if err != nil {
		t.Fatal(err)
	}
	_ = begun.Body.Close()
	if to := begun.Header.Get("Location"); !strings.Contains(to, "code_challenge_method=S256") || !strings.Contains(to, "nonce=") || !strings.Contains(to, "state=") {
		t.Errorf("sent to %s, without PKCE, nonce or state", to)
	}
	victim.CheckRedirect = nil
	if got := errorOf(victim, callback); got != "state" {
		t.Errorf("somebody else's answer: %q", got)
	}
	for _, query := range []string{"", "?state=x&code=y", "?error=access_denied", "?state=&code=x"} {
		if got := errorOf(s.browser(), s.url+prefix+"/login/oidc/callback"+query); got != "state" {
			t.Errorf("callback%s: %q", query, got)
		}
	}
	// A person with a password has the name already: the one from the provider is somebody else.
	var who me
	b.must(200, http.MethodGet, "/me", "", &who)
	b.csrf = who.CSRF
	b.user("bob", `[{"role":"viewer"}]`)
	other := s.browser()
	other.through("bob", "/")
	var second me // not the one that bob with the password is
	other.must(200, http.MethodGet, "/me", "", &second)
	if second.User != "bob-2" || strings.Join(second.Roles, " ") != "responder" {
		t.Errorf("the other bob is %+v", second)
	}
	// One whom an admin has disabled.
	tag := func() string { return `"1"` }
	b.must(200, http.MethodPut, "/users/bob-2", `{"grants":[{"role":"responder","teams":[]}],"disabled":true}`, nil, "If-Match", tag())
	if end, _ := s.browser().through("bob", "/"); end.Query().Get("error") != "disabled" {
		t.Errorf("disabled: %s", end)
	}
}
