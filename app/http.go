package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/base/telemetry"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/web/api"
	"github.com/fairlead/fairlead/web/mlflow"
	"github.com/fairlead/fairlead/web/ui"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	headerBytes   = 64 << 10
)

// newServer builds the one mux that speaks everything.
func (a *App) newServer() *http.Server {
	mux := a.newRoutes()
	a.routes = mux
	a.live.set(&a.cfg)
	telemetry.Routes(mux, a.registry, a.health)
	a.api = api.New(mux, api.Config{
		Version: a.opts.Version, People: a.people, Approvals: a.approvals, OIDC: a.oidc, OIDCName: a.cfg.Access.OIDC.Name, DB: a.db, Desk: a.desk, Map: a.graph, Clock: a.clock, Settled: a.settled, Telling: a.teller.NextTimer,
		Integrations: a.integrations, Heartbeats: beats{a.heartbeats}, Anomalies: judgement{a.samples}, Windows: a.silences, Receivers: a.wouldTell,
		Replay: func(ctx context.Context, letter store.DeadLetter) (bool, string, error) {
			return a.replay(ctx, mux, letter)
		},
		Signer: a.signer, Exported: a.exported(), Erase: a.erase, Reminded: a.reminded, Health: a.ownHealth,
		Still:    a.still,
		Learning: &a.learning, Experiments: a.learning.experiments, Models: a.learning.models, Traces: a.learning.traces, Files: a.learning.files,
		Logger: a.part("api"),
	})
	a.alertmanagerRoutes(mux)
	a.hookRoutes(mux)
	a.telemetryRoutes(mux)
	a.learningRoutes(mux)
	mux.HandleFunc("POST /-/reload", a.serveReload)
	pages := ui.Handler()
	mux.Handle("GET /", pages)
	handler := a.recovered(a.guard(mlflow.KeepNames(healthPage(pages, mux))))
	a.otlp.server = httpServer(a.otlpHandler(handler))
	return httpServer(a.orGRPC(handler))
}

func httpServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes, Protocols: unencrypted(),
	}
}

// guard refuses requests that a foreign page could have made a browser send: an unknown Host (DNS rebinding), and a
// changing request from another origin. It notes where a request comes from.
func (a *App) guard(next http.Handler) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.origins.Serves(r) {
			p := receive.Problem{
				Status: http.StatusMisdirectedRequest, Detail: "This host name is not served here.",
				Errors: []receive.FieldError{{Field: "Host", Value: receive.Excerpt(r.Host), Remedy: "use 127.0.0.1 or localhost, or name the host in http.external_url or access.hosts"}},
			}
			p.Write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(access.WithPeer(r.Context(), a.origins.Peer(r))))
	}))
}

// recovered turns a panic into a 500 and a log line, so that one poisonous request does not end the process.
func (a *App) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // compared as net/http does
				panic(cause) // so that net/http breaks the connection
			}
			// Not the path: it can hold a key.
			a.logger.Error("a request made Fairlead panic; please report it", "route", r.Pattern, "panic", fmt.Sprint(cause))
			p := receive.Problem{Status: http.StatusInternalServerError, Detail: "Something went wrong here; the log has it."}
			p.Write(w)
		}()
		next.ServeHTTP(w, r)
	})
}

// keepDeadLetter stores a refused piece.
func (a *App) keepDeadLetter(ctx context.Context, at time.Time, letter receive.DeadLetter) error {
	return a.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return store.AddDeadLetter(ctx, tx, store.DeadLetter{
			ID: "D" + strings.ToLower(rand.Text()[:16]), At: at, Receiver: letter.Receiver, Reason: letter.Reason, Payload: letter.Payload,
		})
	})
}

// healthPage answers a browser that opens /health with the page of that address; MLflow's clients ask there whether the server
// lives.
func healthPage(pages, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/health" && strings.Contains(r.Header.Get("Accept"), "text/html") {
			pages.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}
