// Package door serves the protocols of receivers for their tests: real HTTP, real integrations on a real database, and a
// publisher that keeps what it is given.
package door

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/postgres"
)

// Door is a server of protocols. Requests from this machine need no key.
type Door struct {
	*httptest.Server
	// Doors are its integrations, Gate what lets senders in.
	Doors *integration.Registry
	Gate  *receive.Gate

	t       testing.TB
	mux     *http.ServeMux
	mu      sync.Mutex
	alerts  []signal.Alert       // guarded by mu
	letters []receive.DeadLetter // guarded by mu
	fail    error                // guarded by mu
}

// New serves protocols, each at a pattern of http.ServeMux, until the test ends. kinds are further kinds of integrations, for what
// the test serves by Handle.
func New(t testing.TB, protocols map[string]receive.Protocol, kinds ...string) *Door {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), logger)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range protocols {
		kinds = append(kinds, p.Kind)
	}
	d := &Door{t: t}
	if d.Doors, err = integration.NewRegistry(t.Context(), integration.NewSQL(db), kinds, time.Now, logger); err != nil {
		t.Fatal(err)
	}
	d.Gate = &receive.Gate{Integrations: d.Doors, Redactor: &integration.Redactor{}, Tee: receive.NewTee(nil), Anonymous: func(*http.Request) bool { return true }}
	hooks := receive.NewHooks(receive.HookConfig{
		Publisher: d, Clock: clock.Wall{}, Bodies: receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)), Gate: d.Gate, Logger: logger,
	})
	d.mux = http.NewServeMux()
	for pattern, p := range protocols {
		d.mux.Handle(pattern, hooks.Handle(p))
	}
	d.Server = httptest.NewServer(d.mux)
	t.Cleanup(func() {
		d.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// Handle serves something else at a pattern.
func (d *Door) Handle(pattern string, handler http.Handler) { d.mux.Handle(pattern, handler) }

// PublishAlerts is receive.Publisher's.
func (d *Door) PublishAlerts(_ context.Context, _ time.Time, alerts []signal.Alert) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail == nil {
		d.alerts = append(d.alerts, alerts...)
	}
	return d.fail
}

// DeadLetter is receive.Publisher's.
func (d *Door) DeadLetter(_ context.Context, _ time.Time, letter receive.DeadLetter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.letters = append(d.letters, letter)
	return nil
}

// Fail makes publishing fail with err from now on; nil mends it.
func (d *Door) Fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

// Taken returns what was published since the last call.
func (d *Door) Taken() []signal.Alert {
	d.mu.Lock()
	defer d.mu.Unlock()
	alerts := d.alerts
	d.alerts = nil
	return alerts
}

// Alerts returns what was published since the last call of Taken.
func (d *Door) Alerts() []signal.Alert {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.alerts)
}

// Letters returns the dead letters.
func (d *Door) Letters() []receive.DeadLetter {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.letters)
}

// Answer is what the server answered.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Post posts a body with headers in pairs and returns status and answer.
func (d *Door) Post(path, body string, headers ...string) (status int, answer string) {
	d.t.Helper()
	got := d.Send(http.MethodPost, path, body, headers...)
	return got.Status, got.Body
}

// Send sends a request with headers in pairs.
func (d *Door) Send(method, path, body string, headers ...string) Answer {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.URL+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return Answer{answer.StatusCode, answer.Header, string(text)}
}
