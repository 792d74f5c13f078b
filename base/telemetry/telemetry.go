// Package telemetry gives Fairlead its own logs, metrics and health.
//
//	logger, err := telemetry.NewLogger(os.Stderr, "info")
//	registry := telemetry.NewRegistry()
//	health := &telemetry.Health{}
//	health.Register("bus", func(ctx context.Context) error { ... })
//	telemetry.Routes(mux, registry, health)
//
// Logger and registry are handed to each component; there are no global ones, so that several Fairleads can run in one
// process, as tests do. Metrics are named fairlead_<package>_<what>_<unit>[_total].
//
// Routes mounts three pages without authentication, which tell nothing about what is monitored: /metrics for Prometheus,
// /-/healthy, which answers 200 as long as the process serves, and /-/ready, which answers 200 when every registered check
// passes and otherwise 503 with one line for each that does not.
//
// It leaves out traces of Fairlead itself; they come when a user of them does.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTimeout bounds how long /-/ready waits for all checks together.
const checkTimeout = 2 * time.Second

// ParseLevel returns the level that text names: debug, info, warn or error, in any case. "" is info.
func ParseLevel(text string) (slog.Level, error) {
	switch strings.ToLower(text) {
	case "debug":
		return slog.LevelDebug, nil
	case "info", "":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, fmt.Errorf("log level %q is unknown: use debug, info, warn or error", text)
}

// NewLogger returns a logger that writes lines of text if out is a terminal and JSON otherwise. Level is as in ParseLevel.
func NewLogger(out io.Writer, level string) (*slog.Logger, error) {
	parsed, err := ParseLevel(level)
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: parsed}
	if isTerminal(out) {
		return slog.New(slog.NewTextHandler(out, options)), nil
	}
	return slog.New(slog.NewJSONHandler(out, options)), nil
}

// isTerminal reports whether out is a device that shows characters to a person.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && file.Name() != os.DevNull
}

// NewRegistry returns a registry with the Go runtime's and the process's collectors.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// Health knows which components are ready. It is safe for concurrent use; the zero value, without checks, is ready.
type Health struct {
	mu     sync.Mutex
	checks map[string]func(ctx context.Context) error // guarded by mu
}

// Register adds a named readiness check, in the place of an earlier one of that name. It returns nil when the component is
// ready, and otherwise an error that an operator understands: it stands on a page that needs no login.
func (h *Health) Register(name string, check func(ctx context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.checks == nil {
		h.checks = make(map[string]func(ctx context.Context) error)
	}
	h.checks[name] = check
}

// errSlow says that a check did not answer in time.
var errSlow = errors.New("no answer in time")

// Check is the answer of one readiness check; Err is nil when the component is ready.
type Check struct {
	Name string
	Err  error
}

// Checks runs every check at once and returns their answers, sorted by name. When ctx ends, the checks that have not answered
// count as failed; they must heed ctx.
func (h *Health) Checks(ctx context.Context) []Check {
	h.mu.Lock()
	answers := make(map[string]chan error, len(h.checks))
	for name, check := range h.checks {
		answer := make(chan error, 1)
		answers[name] = answer
		go func() { answer <- check(ctx) }() // ends with ctx at the latest
	}
	h.mu.Unlock()
	checks := make([]Check, 0, len(answers))
	for name, answer := range answers {
		var err error
		select {
		case err = <-answer:
		case <-ctx.Done():
			select {
			case err = <-answer:
			default:
				err = errSlow
			}
		}
		checks = append(checks, Check{Name: name, Err: err})
	}
	slices.SortFunc(checks, func(a, b Check) int { return strings.Compare(a.Name, b.Name) })
	return checks
}

// Ready runs Checks and returns one error for each that failed, with the name in front, sorted; none means ready.
func (h *Health) Ready(ctx context.Context) []error {
	var failed []error
	for _, check := range h.Checks(ctx) {
		if check.Err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", check.Name, check.Err))
		}
	}
	return failed
}

// Mux is what routes are put on; *http.ServeMux is one.
type Mux interface {
	Handle(pattern string, handler http.Handler)
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
}

// Routes mounts /metrics, /-/healthy and /-/ready on mux, for GET and HEAD.
func Routes(mux Mux, registry *prometheus.Registry, health *Health) {
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "Fairlead is healthy.\n")
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
		defer cancel()
		failed := health.Ready(ctx)
		if len(failed) == 0 {
			answer(w, http.StatusOK, "Fairlead is ready.\n")
			return
		}
		var text strings.Builder
		text.WriteString("Fairlead is not ready:\n")
		for _, err := range failed {
			// One line each, whatever the error holds.
			text.WriteString(strings.Join(strings.Fields(err.Error()), " ") + "\n")
		}
		answer(w, http.StatusServiceUnavailable, text.String())
	})
}

// answer writes a page of plain text that no cache keeps.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // who asked may be gone
}
