// Package alertmanager serves the reading side of Alertmanager's API v2, and silences, so that amtool, Grafana's Alertmanager
// data source and karma work with Fairlead as they are. The writing side for alerts is receive/alertmanager.
//
// The JSON is that of Alertmanager 0.34. What differs, because Fairlead is not Alertmanager:
//
//   - without an alertmanager.yml there is one receiver, "default";
//   - unless notify.per is group, alert groups are incidents: the one label of a group is "incident", and alerts without
//     incident make a group without labels; with it, they are those of the route tree, as Alertmanager's;
//   - alerts come the newest first, not by fingerprint, because they are written while they are read: an answer takes about as
//     much memory for many alerts as for few, and ends in the middle, which no client takes for whole, when reading fails;
//   - an alert that never times out is shown as ending in five minutes, because clients require an end;
//   - the configuration that /status shows is the alertmanager.yml with secrets replaced; without one it holds the receiver
//     and the inhibition rules, in Alertmanager's own form.
//
// Errors are a JSON string, as Alertmanager's clients expect, not problem details.
package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/notify"
)

// Alert is one alert that fires.
type Alert struct {
	// ID and Number are Fairlead's own.
	ID          string
	Number      uint64
	Fingerprint signal.Fingerprint
	Labels      signal.Labels
	Annotations signal.Labels
	// GeneratorURL links to where it was made; "" if unknown.
	GeneratorURL string
	// StartsAt is the sender's, UpdatedAt the time of the newest report, EndsAt when it times out; zero means never.
	StartsAt, UpdatedAt, EndsAt time.Time
	// InhibitedBy holds the fingerprints, in hexadecimal, of the alerts that mute it.
	InhibitedBy []string
	// Incident names the incident that it belongs to, for instance INC-12; "" if none.
	Incident string
}

// Source lists the alerts that fire now.
type Source interface {
	// Firing calls visit for each alert that fires, until visit returns an error, which it then returns.
	Firing(ctx context.Context, visit func(*Alert) error) error
	// Some is Firing for those of the alerts that have these numbers.
	Some(ctx context.Context, numbers []uint64, visit func(*Alert) error) error
}

// Silences holds the silences; *alert.Silences is one.
type Silences interface {
	Match(set signal.Labels, now time.Time) []string
	List(now time.Time) []alert.Silence
	Get(id string) (alert.Silence, error)
	Set(ctx context.Context, actor string, now time.Time, silence alert.Silence) (string, error)
	Expire(ctx context.Context, actor string, now time.Time, id string) error
}

// Routing says who is told of an alert; *notify.Plan is one.
type Routing interface {
	// Receivers returns the names of all receivers.
	Receivers() []string
	// ReceiversOf returns the names of those that are told of an alert with these labels.
	ReceiversOf(labels signal.Labels) []string
	// GroupsOf returns the groups of an alert with these labels, by which people are told; none when they are told by incident.
	GroupsOf(labels signal.Labels) []notify.AlertGroup
	// MutedGroup returns the names of the time intervals that keep a group quiet at a time.
	MutedGroup(group *notify.AlertGroup, now time.Time) []string
	// RouteLabels returns the labels of a group's route, made for these alerts of it.
	RouteLabels(group *notify.AlertGroup, alerts []notify.Told) map[string]string
	// Text returns the configuration without secrets.
	Text() string
}

// Config says what a Handler needs.
type Config struct {
	Source   Source
	Silences Silences
	Clock    clock.Clock
	// InhibitRules returns the rules in force.
	InhibitRules func() []alert.InhibitRule
	// Routing returns who is told at present; nil, or returning nil, means one receiver for everything.
	Routing func() Routing
	// Actor names who sent a request, for the audit log; nil means "loopback" for everybody.
	Actor func(*http.Request) string
	// Version is Fairlead's; Started is when the process started.
	Version string
	Started time.Time
	Logger  *slog.Logger
}

// Handler serves the API. It is safe for concurrent use.
type Handler struct {
	config Config
}

// New returns a handler.
func New(config Config) *Handler {
	if config.Actor == nil {
		config.Actor = func(*http.Request) string { return "loopback" }
	}
	if config.Routing == nil {
		config.Routing = func() Routing { return nil }
	}
	return &Handler{config: config}
}

// oneReceiver is the Routing without an alertmanager.yml.
type oneReceiver struct{ h *Handler }

// Receivers returns the one receiver.
func (oneReceiver) Receivers() []string { return []string{receiverName} }

// ReceiversOf returns the one receiver.
func (oneReceiver) ReceiversOf(signal.Labels) []string { return []string{receiverName} }

// GroupsOf returns none.
func (oneReceiver) GroupsOf(signal.Labels) []notify.AlertGroup { return nil }

// MutedGroup returns none.
func (oneReceiver) MutedGroup(*notify.AlertGroup, time.Time) []string { return nil }

// RouteLabels returns none.
func (oneReceiver) RouteLabels(*notify.AlertGroup, []notify.Told) map[string]string { return nil }

// Text returns the receiver and the inhibition rules.
func (o oneReceiver) Text() string { return o.h.configuration() }

func (h *Handler) routing() Routing {
	if r := h.config.Routing(); r != nil {
		return r
	}
	return oneReceiver{h}
}

// Mux is what routes are put on; *http.ServeMux is one.
type Mux interface {
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
}

// Routes mounts the API on mux, below /api/v2.
func (h *Handler) Routes(mux Mux) {
	for pattern, serve := range map[string]func(*http.Request) (any, error){
		"GET /api/v2/receivers":       h.receivers,
		"GET /api/v2/status":          h.status,
		"GET /api/v2/silences":        h.silences,
		"POST /api/v2/silences":       h.postSilence,
		"GET /api/v2/silence/{id}":    h.silence,
		"DELETE /api/v2/silence/{id}": h.deleteSilence,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, serve) })
	}
	for pattern, serve := range map[string]func(*http.Request, *list) error{
		"GET /api/v2/alerts":        h.alerts,
		"GET /api/v2/alerts/groups": h.groups,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.stream(w, r, serve) })
	}
}

// statusError is an error with the HTTP status that it is answered with.
type statusError struct {
	status int
	text   string // "" answers without body
}

// Error returns the text.
func (e *statusError) Error() string { return e.text }

func badRequest(format string, args ...any) error {
	return &statusError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// answer writes what serve returns; a nil body is an empty 200.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, serve func(*http.Request) (any, error)) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	body, err := serve(r)
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	status := http.StatusOK
	if err != nil {
		status, body = h.failure(r, err)
		if status == http.StatusServiceUnavailable {
			header.Set("Retry-After", "5")
		}
	}
	if body == nil {
		w.WriteHeader(status)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`"the answer could not be written"`)
		h.config.Logger.Error("an answer could not be encoded", "path", r.URL.Path, "error", err)
	}
	header.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client has gone: nobody is left to tell
}

// failure maps an error to status and body.
func (h *Handler) failure(r *http.Request, err error) (status int, body any) {
	var known *statusError
	switch {
	case errors.As(err, &known):
		if known.text == "" {
			return known.status, nil
		}
		return known.status, known.text
	case errors.Is(err, alert.ErrInvalidSilence):
		return http.StatusBadRequest, err.Error()
	case errors.Is(err, alert.ErrNoSilence):
		return http.StatusNotFound, err.Error()
	case errors.Is(store.Classify(err), store.ErrUnavailable):
		return http.StatusServiceUnavailable, "nothing can be stored at the moment; try again later"
	case r.Context().Err() != nil:
		return http.StatusServiceUnavailable, "the request ended"
	}
	h.config.Logger.Error("a request failed", "path", r.URL.Path, "error", err)
	return http.StatusInternalServerError, err.Error()
}

// apiLevel is the version of Alertmanager whose API this is; amtool compares it with its own.
const apiLevel = "0.34.0"

func (h *Handler) status(*http.Request) (any, error) {
	return map[string]any{
		"cluster": map[string]any{"status": "disabled", "peers": []any{}},
		"versionInfo": map[string]string{
			"version": apiLevel, "revision": h.config.Version, "branch": "fairlead", "buildUser": "", "buildDate": "", "goVersion": runtime.Version(),
		},
		"config": map[string]string{"original": h.routing().Text()},
		"uptime": stamp(h.config.Started),
	}, nil
}

// configuration returns what is in force in the form of an alertmanager.yml.
func (h *Handler) configuration() string {
	type receiver struct {
		Name string `yaml:"name"`
	}
	type route struct {
		Receiver string   `yaml:"receiver"`
		GroupBy  []string `yaml:"group_by"`
	}
	text, err := yaml.Marshal(struct {
		Route        route               `yaml:"route"`
		Receivers    []receiver          `yaml:"receivers"`
		InhibitRules []alert.InhibitRule `yaml:"inhibit_rules,omitempty"`
	}{route{receiverName, []string{groupLabel}}, []receiver{{receiverName}}, h.config.InhibitRules()})
	if err != nil {
		return "# the configuration cannot be written: " + err.Error()
	}
	return string(text)
}

func (h *Handler) receivers(r *http.Request) (any, error) {
	matchers, err := parseFilter(r.URL.Query()["receiver_matchers"])
	if err != nil {
		return nil, badRequest("failed to parse receiver_matchers param: %v", err)
	}
	type receiver struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	}
	all := []receiver{}
	if matchers.Matches(nil) {
		for _, name := range h.routing().Receivers() {
			all = append(all, receiver{name, map[string]string{}})
		}
	}
	return all, nil
}

// stamp writes a time as Alertmanager does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
