package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/access"
)

// CSRFHeader is the header by which a change from a browser shows that it comes from our own page.
const CSRFHeader = "Fairlead-CSRF"

// The session's cookie. Over TLS the name keeps other hosts of the domain from setting it.
const (
	sessionCookie       = "fairlead_session"
	secureSessionCookie = "__Host-fairlead_session"
)

// SessionOf returns the session's secret that a request shows; "" for none.
func SessionOf(r *http.Request) string {
	for _, name := range []string{secureSessionCookie, sessionCookie} {
		if c, err := r.Cookie(name); err == nil && c.Value != "" {
			return c.Value
		}
	}
	return ""
}

// ShowsCSRF reports whether a request shows what only our own page knows of the session.
func ShowsCSRF(r *http.Request, id *access.Identity) bool {
	return id.CSRF != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get(CSRFHeader)), []byte(id.CSRF)) == 1
}

// cookieOf returns the cookie for a session; "" ends it.
func cookieOf(peer access.Peer, secret string) http.Cookie {
	c := http.Cookie{Name: sessionCookie, Value: secret, Path: "/", HttpOnly: true, Secure: peer.Secure, SameSite: http.SameSiteStrictMode}
	if peer.Secure {
		c.Name = secureSessionCookie
	}
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}

// Me is who sends the request and what they may.
type Me struct {
	User     string         `json:"user" example:"ann"`
	Display  string         `json:"display"`
	Via      string         `json:"via" enum:"session,token,dev" doc:"How it was shown; dev is whoever is on the server's machine, with --dev and in the demo."`
	Grants   []access.Grant `json:"grants"`
	Roles    []string       `json:"roles" doc:"The roles of the grants, each once."`
	Admin    bool           `json:"admin"`
	ReadOnly bool           `json:"readOnly"`
	Session  string         `json:"session" doc:"The id of the session; empty for others."`
	CSRF     string         `json:"csrf" doc:"Send it as Fairlead-CSRF with every change; empty when none is needed."`
}

// Person is somebody to mention or to own something.
type Person struct {
	Name    string `json:"name"`
	Display string `json:"display"`
}

// People lists everybody who can log in.
type People struct {
	Items []Person `json:"items"`
}

// LoginWays says how one can log in.
type LoginWays struct {
	Password bool   `json:"password"`
	OIDC     bool   `json:"oidc" doc:"By GET /login/oidc, in a browser."`
	OIDCName string `json:"oidcName" doc:"What to call it."`
	First    bool   `json:"first" doc:"Nobody is admin yet: open the link that the server has printed."`
}

// SessionList holds sessions.
type SessionList struct {
	Items []access.Session `json:"items"`
}

type loginBody struct {
	Cookie string `header:"Cookie" hidden:"true"`
	Body   struct {
		Name     string `json:"name" maxLength:"200"`
		Password string `json:"password" maxLength:"1000"`
	}
}

// loggedIn is an answer that opens or ends a session.
type loggedIn struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

type loggedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type withCookie struct {
	Cookie string `header:"Cookie" hidden:"true"`
}

type ownerQuery struct {
	Owner string `query:"owner" maxLength:"64" doc:"Whose; empty for one's own, * for everybody's. Others' are for admins."`
}

// NamedPath names something in a path. It is exported because huma fills embedded structs only then.
type NamedPath struct {
	ID string `path:"id" maxLength:"100"`
}

type passwordBody struct {
	Cookie string `header:"Cookie" hidden:"true"`
	Body   struct {
		Present string `json:"present" maxLength:"1000"`
		Next    string `json:"next" maxLength:"1000"`
	}
}

type linkBody struct {
	Body struct {
		Link string `json:"link" maxLength:"200" doc:"What stands behind #link= in the address."`
	}
}

// LinkView is what a one-time link is for.
type LinkView struct {
	User      string    `json:"user" doc:"Whose password it sets; empty makes a new admin, who chooses the name."`
	ExpiresAt time.Time `json:"expiresAt"`
}

type openBody struct {
	Cookie string `header:"Cookie" hidden:"true"`
	Body   struct {
		Link     string `json:"link" maxLength:"200"`
		Name     string `json:"name,omitempty" maxLength:"200" doc:"The new admin's login name; only for a link without user."`
		Display  string `json:"display,omitempty" maxLength:"200"`
		Password string `json:"password" maxLength:"1000" doc:"At least 12 characters, and not easy to guess."`
	}
}

func (a *API) accessRoutes() {
	route(a, http.MethodGet, "/me", "getMe", "Who you are and what you may", a.getMe)
	route(a, http.MethodGet, "/people", "listPeople", "List who can log in, by name", a.listPeople)
	route(a, http.MethodGet, "/login", "getLogin", "How one can log in", a.getLogin)
	route(a, http.MethodPost, "/login", "login", "Log in with a password", a.login)
	route(a, http.MethodPost, "/logout", "logout", "End the session", a.logout)
	route(a, http.MethodPost, "/password", "changePassword", "Change one's password; all other sessions end", a.changePassword)
	route(a, http.MethodPost, "/links/check", "checkLink", "What a one-time link is for, without using it", a.checkLink)
	route(a, http.MethodPost, "/links/open", "openLink", "Set a password by a one-time link, and log in", a.openLink)
	route(a, http.MethodGet, "/sessions", "listSessions", "List sessions, newest use first", a.listSessions)
	route(a, http.MethodDelete, "/sessions/{id}", "endSession", "End a session", a.endSession)
	a.tokenRoutes()
	a.userRoutes()
}

// accessError turns an error of base/access into an answer.
func accessError(err error) error {
	var wait *access.WaitError
	var bad *access.InvalidError
	status := 0
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wait):
		p := &Problem{Status: http.StatusTooManyRequests, Detail: sentence(wait.Error())}
		p.RetryAfter = int(wait.After/time.Second) + 1
		return filled(p)
	case errors.As(err, &bad):
		return invalid("body."+bad.Field, nil, bad.Remedy)
	case errors.Is(err, access.ErrLogin):
		return filled(&Problem{Status: http.StatusUnauthorized, Detail: "Name or password is wrong."})
	case errors.Is(err, access.ErrSecret):
		return filled(&Problem{Status: http.StatusGone, Detail: "The link is unknown, was used or has expired. An admin, or `fairlead access link` on the server's machine, makes a new one."})
	case errors.Is(err, access.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, access.ErrConflict):
		status = http.StatusConflict
	case errors.Is(err, access.ErrFull):
		status = http.StatusInsufficientStorage
	default:
		return err
	}
	text := err.Error()
	for _, kind := range []error{access.ErrConflict, access.ErrFull} {
		text = strings.TrimSuffix(text, ": "+kind.Error())
	}
	if rest, found := strings.CutSuffix(text, ": "+access.ErrNotFound.Error()); found {
		text = "there is no " + rest
	}
	return filled(&Problem{Status: status, Detail: sentence(text)})
}

func filled(p *Problem) *Problem {
	p.Type, p.Title, p.ID = "about:blank", http.StatusText(p.Status), newID()
	return p
}

// changedMeanwhile is the answer to an edit of an older version; present is what it is now.
func changedMeanwhile(present any) error {
	return filled(&Problem{
		Status: http.StatusPreconditionFailed, Detail: "Somebody else has changed it meanwhile: present is how it is now.", Present: present,
		Errors: []ErrorDetail{{Field: "If-Match", Remedy: "look at what is different and send the edit again with the new ETag"}},
	})
}

// etag writes a version as ETag.
func etag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// versionOf reads If-Match.
func versionOf(ifMatch string) (int64, error) {
	version, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(ifMatch, "W/"), `"`), 10, 64)
	if err != nil {
		return 0, invalid("header.If-Match", ifMatch, "send the ETag of what was edited")
	}
	return version, nil
}

func toMe(id *access.Identity) Me {
	me := Me{
		User: id.User, Display: id.Display, Via: string(id.Via), Grants: id.Grants, Roles: []string{}, Admin: id.Has(access.Admin),
		ReadOnly: id.ReadOnly, CSRF: id.CSRF,
	}
	if id.Via == access.BySession {
		me.Session = id.ID
	}
	for _, g := range id.Grants {
		if !slices.Contains(me.Roles, string(g.Role)) {
			me.Roles = append(me.Roles, string(g.Role))
		}
	}
	return me
}

// who returns who sends the request. The rules of the routes see to it that there is somebody; without rules, as in tests,
// it is whoever is on this machine, who may nothing.
func who(ctx context.Context) *access.Identity {
	if id := access.From(ctx); id != nil {
		return id
	}
	return &access.Identity{User: access.Loopback}
}

func (a *API) getMe(ctx context.Context, _ *none) (*body[Me], error) {
	return answer(toMe(who(ctx))), nil
}

func (a *API) listPeople(ctx context.Context, _ *none) (*body[People], error) {
	users, err := a.cfg.People.Users(ctx)
	if err != nil {
		return nil, err
	}
	list := People{Items: []Person{}}
	for i := range users {
		if !users[i].Disabled {
			list.Items = append(list.Items, Person{Name: users[i].Name, Display: users[i].Display})
		}
	}
	return answer(list), nil
}

func (a *API) getLogin(ctx context.Context, _ *none) (*body[LoginWays], error) {
	users, _, err := a.cfg.People.Configured(ctx)
	if err != nil {
		return nil, err
	}
	return answer(LoginWays{Password: true, OIDC: a.cfg.OIDC != nil, OIDCName: a.cfg.OIDCName, First: !users}), nil
}

// shown returns the session's secret in a Cookie header.
func shown(header string) string {
	return SessionOf(&http.Request{Header: http.Header{"Cookie": {header}}})
}

func (a *API) opened(ctx context.Context, login access.Login, err error) (*loggedIn, error) {
	if err != nil {
		return nil, accessError(err)
	}
	id, err := a.cfg.People.BySession(ctx, login.Secret)
	if err != nil {
		return nil, accessError(err)
	}
	return &loggedIn{SetCookie: cookieOf(access.PeerOf(ctx), login.Secret), Body: toMe(id)}, nil
}

func (a *API) login(ctx context.Context, in *loginBody) (*loggedIn, error) {
	login, err := a.cfg.People.Login(ctx, in.Body.Name, in.Body.Password, shown(in.Cookie), access.PeerOf(ctx))
	return a.opened(ctx, login, err)
}

func (a *API) openLink(ctx context.Context, in *openBody) (*loggedIn, error) {
	login, err := a.cfg.People.OpenLink(ctx, access.Opening{
		Secret: in.Body.Link, Name: in.Body.Name, Display: in.Body.Display, Password: in.Body.Password,
	}, shown(in.Cookie), access.PeerOf(ctx))
	return a.opened(ctx, login, err)
}

func (a *API) checkLink(ctx context.Context, in *linkBody) (*body[LinkView], error) {
	link, err := a.cfg.People.FindLink(ctx, in.Body.Link)
	if err != nil {
		return nil, accessError(err)
	}
	return answer(LinkView{User: link.Owner, ExpiresAt: link.ExpiresAt}), nil
}

func (a *API) logout(ctx context.Context, in *withCookie) (*loggedOut, error) {
	if err := a.cfg.People.Logout(ctx, actor(ctx), shown(in.Cookie)); err != nil {
		return nil, accessError(err)
	}
	return &loggedOut{SetCookie: cookieOf(access.PeerOf(ctx), "")}, nil
}

func (a *API) changePassword(ctx context.Context, in *passwordBody) (*struct{}, error) {
	err := a.cfg.People.ChangePassword(ctx, who(ctx).User, in.Body.Present, in.Body.Next, shown(in.Cookie), access.PeerOf(ctx).Address)
	if errors.Is(err, access.ErrLogin) {
		return nil, invalid("body.present", nil, "it is not your present password")
	}
	err = accessError(err)
	if p, ok := errors.AsType[*Problem](err); ok {
		for i := range p.Errors {
			if p.Errors[i].Field == "body.password" {
				p.Errors[i].Field = "body.next"
			}
		}
	}
	return nil, err
}

// owner returns whose things a request asks for: one's own, or for admins anybody's; "" is everybody's.
func owner(ctx context.Context, asked string) (string, error) {
	id := who(ctx)
	switch {
	case asked == "" || asked == id.User:
		return id.User, nil
	case !id.Has(access.Admin):
		return "", filled(&Problem{
			Status: http.StatusForbidden, Detail: "What belongs to others is for admins.",
			Errors: []ErrorDetail{{Field: "query.owner", Value: brief(asked), Remedy: "leave it out for your own"}},
		})
	case asked == "*":
		return "", nil
	}
	return asked, nil
}

// ownerOfAny is whose session or token somebody may end: an admin anybody's.
func ownerOfAny(ctx context.Context) string {
	id := who(ctx)
	if id.Has(access.Admin) {
		return ""
	}
	return id.User
}

func (a *API) listSessions(ctx context.Context, in *ownerQuery) (*body[SessionList], error) {
	whose, err := owner(ctx, in.Owner)
	if err != nil {
		return nil, err
	}
	sessions, err := a.cfg.People.Sessions(ctx, whose)
	if err != nil {
		return nil, err
	}
	return answer(SessionList{Items: sessions}), nil
}

func (a *API) endSession(ctx context.Context, in *NamedPath) (*struct{}, error) {
	return nil, accessError(a.cfg.People.EndSession(ctx, actor(ctx), ownerOfAny(ctx), in.ID))
}
