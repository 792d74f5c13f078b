package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/fairlead/fairlead/base/access"
)

// oidcCookie is what a browser holds between the two halves of a login through a provider.
const oidcCookie = "fairlead_oidc"

// oidcPath is where the cookie is sent.
const oidcPath = Prefix + "/login/oidc"

func (a *API) oidcRoutes(mux interface {
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
},
) {
	mux.HandleFunc("GET "+oidcPath, a.beginOIDC)
	mux.HandleFunc("GET "+oidcPath+"/callback", a.finishOIDC)
}

// loginFailed sends the browser to the login page with a short reason; the log has the whole one.
func (a *API) loginFailed(w http.ResponseWriter, r *http.Request, err error) {
	code := "failed"
	for _, known := range []error{access.ErrState, access.ErrRefused, access.ErrDomain, access.ErrNoRole, access.ErrProvider, access.ErrLogin} {
		if errors.Is(err, known) {
			code = known.Error()
		}
	}
	if errors.Is(err, access.ErrLogin) {
		code = "disabled"
	}
	a.cfg.Logger.Warn("a login through the provider failed", "reason", code, "error", err)
	http.Redirect(w, r, "/login?error="+url.QueryEscape(code), http.StatusSeeOther)
}

func (a *API) holdOIDC(w http.ResponseWriter, r *http.Request, value string) {
	c := http.Cookie{
		Name: oidcCookie, Value: value, Path: oidcPath, HttpOnly: true, Secure: access.PeerOf(r.Context()).Secure, MaxAge: 600,
		SameSite: http.SameSiteLaxMode, // the provider sends the browser back from its own site
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, &c)
}

// beginOIDC is GET /login/oidc?return=PATH, in a browser.
func (a *API) beginOIDC(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if a.cfg.OIDC == nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	to, cookie, err := a.cfg.OIDC.Begin(r.Context(), r.URL.Query().Get("return"))
	if err != nil {
		a.loginFailed(w, r, err)
		return
	}
	a.holdOIDC(w, r, cookie)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// finishOIDC is where the provider sends the browser back to.
func (a *API) finishOIDC(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if a.cfg.OIDC == nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	query := r.URL.Query()
	answer := access.Answer{State: query.Get("state"), Code: query.Get("code"), Error: query.Get("error")}
	if c, err := r.Cookie(oidcCookie); err == nil {
		answer.Cookie = c.Value
	}
	a.holdOIDC(w, r, "")
	peer := access.PeerOf(r.Context())
	login, back, err := a.cfg.OIDC.Finish(r.Context(), answer, SessionOf(r), peer)
	if err != nil {
		a.loginFailed(w, r, err)
		return
	}
	cookie := cookieOf(peer, login.Secret)
	http.SetCookie(w, &cookie)
	http.Redirect(w, r, back, http.StatusSeeOther)
}
