// Package hooktest serves protocols of package receive to tests, with real integrations over a database in a temporary folder
// and a publisher that keeps what it is given.
package hooktest

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
)

// Server serves protocols until its test ends. Requests come from the loopback address, which needs no key.
type Server struct {
	*httptest.Server
	// Doors are the integrations.
	Doors *integration.Registry

	t testing.TB

	mu   sync.Mutex
	kept []signal.Alert       // guarded by mu
	dead []receive.DeadLetter // guarded by mu
}

// New serves protocols at patterns of http.ServeMux.
func New(t testing.TB, protocols map[string]receive.Protocol) *Server {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()}, "ops", store.Schema(), logger)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t}
	var kinds []string
	for _, p := range protocols {
		kinds = append(kinds, p.Kind)
	}
	if s.Doors, err = integration.NewRegistry(t.Context(), integration.NewSQL(db), kinds, time.Now, logger); err != nil {
		t.Fatal(err)
	}
	hooks := receive.NewHooks(receive.HookConfig{
		Publisher: publisher{s}, Clock: clock.Wall{}, Bodies: receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)),
		Gate:   &receive.Gate{Integrations: s.Doors, Redactor: &integration.Redactor{}, Anonymous: func() bool { return true }},
		Logger: logger,
	})
	mux := http.NewServeMux()
	for pattern, p := range protocols {
		mux.Handle(pattern, hooks.Handle(p))
	}
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Send posts a body with headers in pairs and returns status and answer.
func (s *Server) Send(path, body string, headers ...string) (status int, answer string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// Alerts returns what was published so far.
func (s *Server) Alerts() []signal.Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

// DeadLetters returns what was kept of what had to be refused.
func (s *Server) DeadLetters() []receive.DeadLetter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dead)
}

type publisher struct{ s *Server }

// PublishAlerts is receive.Publisher's.
func (p publisher) PublishAlerts(_ context.Context, _ time.Time, alerts []signal.Alert) error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.kept = append(p.s.kept, alerts...)
	return nil
}

// DeadLetter is receive.Publisher's.
func (p publisher) DeadLetter(_ context.Context, _ time.Time, letter receive.DeadLetter) error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.dead = append(p.s.dead, letter)
	return nil
}
