// Package api is Fairlead's own HTTP API below /api/fairlead/v1: JSON described by OpenAPI 3.1, cursors, RFC 9457 problems
// and server-sent events. It is a thin face over ops and base: it reads SQL and lets people's steps through the Desk.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/ml/trace"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/ops/topology"
)

// Prefix is the path that everything here is below.
const Prefix = "/api/fairlead/v1"

// Config is what an API works on.
type Config struct {
	Version string
	DB      *store.DB
	Desk    *incident.Desk
	Map     *topology.Map
	Clock   clock.Clock
	// Receivers returns whom Fairlead would tell of an alert with these labels; nil knows nobody.
	Receivers func(labels signal.Labels) []string
	// People are the users; nil leaves out all routes of logging in, which only tests of other routes do.
	People *access.Directory
	// Approvals are what people ask others for; nil leaves its routes out.
	Approvals *approval.Board
	// OIDC begins and ends logins through a provider; nil for none. OIDCName is what people know it by.
	OIDC     *access.OIDC
	OIDCName string
	// Windows are the maintenance calendar and the silences.
	Windows *alert.Windows
	// Integrations are the doors of webhook senders.
	Integrations *integration.Registry
	// Heartbeats are the senders that are expected to be heard; nil for none.
	Heartbeats Heartbeats
	// Anomalies are what the detectors found; nil leaves their routes out.
	Anomalies Anomalies
	// Telling returns when somebody is to be told next, on the event clock; nil or zero when nobody is.
	Telling func() time.Time
	// Learning, Experiments, Models, Traces and Files are the MLOps half.
	Learning    Learning
	Experiments *experiment.Store
	Models      *model.Registry
	Traces      *trace.Store
	Files       *artifact.Files
	// Still reports whether whoever opened a long answer still may see the same; nil means always.
	Still func(r *http.Request) bool
	// Settled returns when everything that was accepted before the call has been applied.
	Settled func(ctx context.Context) error
	// Replay offers a dead letter again to the receiver it came through; reason says why it was refused.
	Replay func(ctx context.Context, letter store.DeadLetter) (accepted bool, reason string, err error)
	// Reminded returns when somebody was last reminded of silences, by id; nil when nobody ever is.
	Reminded func(ctx context.Context) (map[string]time.Time, error)
	// Health says how the server itself is, but for its version; nil leaves its route out.
	Health func(ctx context.Context) (Health, error)
	// Erase forgets a person; store.ErrConflict when they can still log in, store.ErrNotFound when nobody knows them.
	Erase func(ctx context.Context, name, actor, reason string) (Erasure, error)
	// Signer signs checkpoints of the audit log.
	Signer *audit.Signer
	// Exported says how the export of checkpoints goes; nil when they are exported nowhere.
	Exported func() audit.Exported
	Logger   *slog.Logger
}

// API serves the routes. It is safe for concurrent use.
type API struct {
	cfg  Config
	huma huma.API
	hub  *hub
}

// actor names who acts, for steps, notes and the audit log: never what the client claims.
func actor(ctx context.Context) string { return access.Actor(ctx) }

// New puts the routes on mux. Run the API's Run beside the server, for the events.
func New(mux humago.Mux, cfg Config) *API {
	useProblems()
	config := huma.DefaultConfig("Fairlead", cfg.Version)
	config.OpenAPIPath = Prefix + "/openapi"
	config.DocsPath, config.SchemasPath = "", ""
	config.CreateHooks = nil
	config.Info.Description = "Incidents, alerts and why they were told or not. Lists have cursors; errors are RFC 9457 problems with field, value and remedy."
	a := &API{cfg: cfg, huma: humago.New(mux, config), hub: newHub()}
	if cfg.People != nil {
		a.accessRoutes()
		a.oidcRoutes(mux)
	}
	if cfg.Approvals != nil {
		a.approvalRoutes()
		a.learningRoutes()
		a.experimentRoutes()
		a.runRoutes()
		a.fileRoutes()
		a.registerRoutes()
		a.traceRoutes()
		a.modelRoutes()
	}
	a.incidentRoutes()
	a.alertRoutes()
	a.notifyRoutes()
	a.systemRoutes()
	a.integrationRoutes()
	a.heartbeatRoutes()
	a.anomalyRoutes()
	a.maintenanceRoutes()
	a.silenceRoutes()
	a.teeRoutes()
	a.auditRoutes()
	a.analyticsRoutes()
	if cfg.Health != nil {
		a.healthRoutes()
	}
	a.ownRoutes()
	mux.HandleFunc("GET "+Prefix+"/events", a.serveEvents)
	return a
}

// OpenAPI returns the description of the API as JSON.
func (a *API) OpenAPI() ([]byte, error) { return a.huma.OpenAPI().MarshalJSON() }

// route registers an operation below Prefix.
func route[I, O any](a *API, method, path, id, summary string, handler func(context.Context, *I) (*O, error)) {
	huma.Register(a.huma, huma.Operation{
		OperationID: id, Method: method, Path: Prefix + path, Summary: summary, Tags: []string{strings.Split(path, "/")[1]},
		MaxBodyBytes: 16 << 20,
	}, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err == nil {
			return out, nil
		}
		if p, ok := err.(*Problem); ok { //nolint:errorlint // only a problem made here
			return nil, p
		}
		return nil, problem(ctx, a.cfg.Logger, err)
	})
}

// body wraps an answer for huma.
type body[T any] struct {
	Body T
}

func answer[T any](value T) *body[T] { return &body[T]{Body: value} }

func invalid(field string, value any, remedy string) *Problem {
	return &Problem{
		Type: "about:blank", Title: http.StatusText(http.StatusUnprocessableEntity), Status: http.StatusUnprocessableEntity, Detail: "A value cannot be used.",
		Errors: []ErrorDetail{{Field: field, Value: brief(value), Remedy: remedy}}, ID: newID(),
	}
}
