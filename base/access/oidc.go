package access

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// GroupRule gives the members of a group of the provider a role.
type GroupRule struct {
	// Group is the group's name as the claim has it; "*" is everybody.
	Group string `yaml:"group"`
	// Role is viewer, responder, researcher, approver or admin.
	Role Role `yaml:"role"`
	// Teams limits the role; none means everywhere.
	Teams []string `yaml:"teams"`
}

// OIDCConfig says how people log in through a provider.
type OIDCConfig struct {
	// Issuer is the provider's URL, as its discovery document has it.
	Issuer, ClientID, ClientSecret string
	// Redirect is the whole URL of our callback.
	Redirect string
	Scopes   []string
	// GroupsClaim is the claim that lists groups.
	GroupsClaim string
	Groups      []GroupRule
	// Domains are the e-mail domains that may log in, with a verified address; none means any.
	Domains []string
}

// Why a login through the provider did not work. They are shown to people as short codes.
var (
	// ErrProvider says that the provider cannot be reached or answers nonsense.
	ErrProvider = errors.New("provider")
	// ErrState says that the answer belongs to no login that this browser began here within ten minutes.
	ErrState = errors.New("state")
	// ErrRefused says that the provider did not let the person in.
	ErrRefused = errors.New("refused")
	// ErrDomain says that the e-mail address is not verified or of another domain.
	ErrDomain = errors.New("domain")
	// ErrNoRole says that none of the person's groups has a role here.
	ErrNoRole = errors.New("norole")
)

const (
	beginLifetime   = 10 * time.Minute
	providerTimeout = 10 * time.Second
	discoverAgain   = 10 * time.Second // after a failure
	maxClaimed      = 1000             // groups of one person
)

// OIDC lets people log in through a provider, by the authorization code flow with PKCE, state and nonce. It is safe for
// concurrent use. The provider is asked for its discovery document at the first login, so that the server starts without it.
type OIDC struct {
	cfg    OIDCConfig
	people *Directory
	logger *slog.Logger
	client *http.Client
	seal   cipher.AEAD

	mu       sync.Mutex
	provider *oidc.Provider // guarded by mu
	failed   time.Time      // guarded by mu
}

// NewOIDC returns an OIDC. The key that seals what a browser holds between the two halves of a login is made anew at each
// start: a login that was begun before a restart is begun again.
func NewOIDC(cfg OIDCConfig, people *Directory, logger *slog.Logger) (*OIDC, error) {
	key := make([]byte, 32)
	rand.Read(key) //nolint:errcheck,gosec // it never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	return &OIDC{cfg: cfg, people: people, logger: logger, client: &http.Client{
		Timeout: providerTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, seal: seal}, nil
}

// begun is what a browser holds between the two halves of a login, sealed.
type begun struct {
	State, Nonce, Verifier, Return string
	At                             time.Time
}

func (o *OIDC) discovered(ctx context.Context) (*oidc.Provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider != nil {
		return o.provider, nil
	}
	if time.Since(o.failed) < discoverAgain {
		return nil, fmt.Errorf("it could not be reached just now: %w", ErrProvider)
	}
	// The provider keeps the context for fetching keys, beyond this request.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), o.client), o.cfg.Issuer)
	if err != nil {
		o.failed = time.Now()
		return nil, fmt.Errorf("discover %s: %w: %w", o.cfg.Issuer, ErrProvider, err)
	}
	o.provider = provider
	return provider, nil
}

func (o *OIDC) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: o.cfg.ClientID, ClientSecret: o.cfg.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: o.cfg.Redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, o.cfg.Scopes...),
	}
}

// Begin returns where to send the browser, and what it must hold meanwhile. back is the path to come back to.
func (o *OIDC) Begin(ctx context.Context, back string) (url, cookie string, err error) {
	p, err := o.discovered(ctx)
	if err != nil {
		return "", "", err
	}
	b := begun{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Return: localPath(back), At: o.people.now()}
	url = o.oauth(p).AuthCodeURL(b.State, oidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier))
	text, err := json.Marshal(b)
	if err != nil {
		return "", "", fmt.Errorf("oidc: %w", err)
	}
	nonce := make([]byte, o.seal.NonceSize())
	rand.Read(nonce) //nolint:errcheck,gosec // it never fails
	return url, base64.RawURLEncoding.EncodeToString(o.seal.Seal(nonce, nonce, text, nil)), nil
}

// localPath returns a path of our own page, never another site.
func localPath(back string) string {
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\\r\n\t") || len(back) > 2000 {
		return "/"
	}
	return back
}

func (o *OIDC) open(cookie string) (b begun, ok bool) {
	data, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || len(data) < o.seal.NonceSize() {
		return b, false
	}
	text, err := o.seal.Open(nil, data[:o.seal.NonceSize()], data[o.seal.NonceSize():], nil)
	if err != nil || json.Unmarshal(text, &b) != nil {
		return b, false
	}
	age := o.people.now().Sub(b.At)
	return b, age >= 0 && age < beginLifetime
}

// Answer is what the provider sent the browser back with.
type Answer struct {
	Cookie, State, Code, Error string
}

// claims are what we read of an ID token or of the user info.
type claims struct {
	Subject  string `json:"sub"`
	Email    string `json:"email"`
	Verified any    `json:"email_verified"` // some providers send a text
	Name     string `json:"name"`
	Username string `json:"preferred_username"`
}

// Finish ends a login: it fetches and checks the ID token, finds or makes the user, sets the roles by the groups of now, and
// opens a session. It returns the path to go to. The errors wrap one of those above, or ErrLogin for a disabled user.
func (o *OIDC) Finish(ctx context.Context, a Answer, replaced string, peer Peer) (login Login, back string, err error) {
	b, ok := o.open(a.Cookie)
	if !ok || a.State == "" || subtle.ConstantTimeCompare([]byte(a.State), []byte(b.State)) != 1 {
		return login, "", ErrState
	}
	if a.Error != "" || a.Code == "" {
		return login, "", fmt.Errorf("%w: the provider says %q", ErrRefused, cut(a.Error))
	}
	p, err := o.discovered(ctx)
	if err != nil {
		return login, "", err
	}
	ctx = oidc.ClientContext(ctx, o.client)
	token, err := o.oauth(p).Exchange(ctx, a.Code, oauth2.VerifierOption(b.Verifier))
	if err != nil {
		return login, "", fmt.Errorf("exchange the code: %w: %w", ErrProvider, withoutBody(err))
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.Verifier(&oidc.Config{ClientID: o.cfg.ClientID}).Verify(ctx, raw)
	if err != nil {
		return login, "", fmt.Errorf("check the ID token: %w: %w", ErrProvider, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(b.Nonce)) != 1 {
		return login, "", fmt.Errorf("the ID token is for another login: %w", ErrState)
	}
	var c claims
	var all map[string]any
	if err := errors.Join(id.Claims(&c), id.Claims(&all)); err != nil {
		return login, "", fmt.Errorf("read the ID token: %w: %w", ErrProvider, err)
	}
	if err := o.complete(ctx, p, token, &c, all); err != nil {
		return login, "", err
	}
	login, err = o.people.loginByProvider(ctx, o.cfg, id.Issuer, c, groupsOf(all[o.cfg.GroupsClaim]), replaced, peer)
	return login, b.Return, err
}

// complete asks the user info for what the ID token does not say.
func (o *OIDC) complete(ctx context.Context, p *oidc.Provider, token *oauth2.Token, c *claims, all map[string]any) error {
	_, hasGroups := all[o.cfg.GroupsClaim]
	if p.UserInfoEndpoint() == "" || hasGroups && c.Email != "" {
		return nil
	}
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("ask for user info: %w: %w", ErrProvider, err)
	}
	if info.Subject != c.Subject {
		return fmt.Errorf("the user info is about somebody else: %w", ErrProvider)
	}
	var more claims
	var rest map[string]any
	if err := errors.Join(info.Claims(&more), info.Claims(&rest)); err != nil {
		return fmt.Errorf("read user info: %w: %w", ErrProvider, err)
	}
	if c.Email == "" {
		c.Email, c.Verified = more.Email, more.Verified
	}
	if c.Name == "" {
		c.Name = more.Name
	}
	if c.Username == "" {
		c.Username = more.Username
	}
	if !hasGroups {
		all[o.cfg.GroupsClaim] = rest[o.cfg.GroupsClaim]
	}
	return nil
}

// withoutBody keeps what a provider answered out of the log: it can hold secrets.
func withoutBody(err error) error {
	if failed, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("the provider answered %d %s", failed.Response.StatusCode, failed.ErrorCode)
	}
	return err
}

// groupsOf reads a claim that is a list of texts, or one text.
func groupsOf(claim any) []string {
	switch value := claim.(type) {
	case string:
		return []string{value}
	case []any:
		var groups []string
		for _, entry := range value[:min(len(value), maxClaimed)] {
			if name, ok := entry.(string); ok {
				groups = append(groups, name)
			}
		}
		return groups
	}
	return nil
}
