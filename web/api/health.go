package api

import (
	"context"
	"net/http"
	"time"
)

// Health is how the server itself is.
type Health struct {
	Version   string        `json:"version"`
	StartedAt time.Time     `json:"startedAt" doc:"By the machine's clock."`
	Now       time.Time     `json:"now" doc:"By the machine's clock."`
	Ready     bool          `json:"ready" doc:"All checks pass; the same as /-/ready."`
	Checks    []HealthCheck `json:"checks"`
	Queues    []Queue       `json:"queues" doc:"What waits to be worked on."`
	Telemetry []Telemetry   `json:"telemetry" doc:"What came since the start, by protocol and kind."`
	Store     StoreHealth   `json:"store"`
	Disk      DiskHealth    `json:"disk"`
	Process   ProcessHealth `json:"process"`
	Trends    []Trend       `json:"trends" doc:"The last hour at most, since the start; it is not kept."`
}

// HealthCheck is a component and whether it is ready.
type HealthCheck struct {
	Name    string `json:"name"`
	Problem string `json:"problem" doc:"Empty when it is ready."`
}

// Queue is what waits to be worked on.
type Queue struct {
	Name       string   `json:"name" enum:"alerts,deliveries,writes"`
	Waiting    int64    `json:"waiting"`
	LagSeconds *float64 `json:"lagSeconds" doc:"How long the oldest has waited; null where that is not known."`
	Bytes      int64    `json:"bytes,omitempty" doc:"What the stream holds, tidied pieces included."`
	Capacity   int64    `json:"capacity,omitempty" doc:"Beyond so many bytes senders are told to come back later."`
}

// Telemetry is what a protocol brought of one kind since the start.
type Telemetry struct {
	Protocol string         `json:"protocol" example:"otlp"`
	Kind     string         `json:"kind" enum:"samples,log_records,spans"`
	Accepted int            `json:"accepted"`
	Refused  int            `json:"refused"`
	Reasons  map[string]int `json:"reasons" doc:"How many were refused for what."`
	LastAt   *time.Time     `json:"lastAt" doc:"When a request was refused last, in whole or in part."`
	Last     string         `json:"last" doc:"Why it was."`
	Sender   string         `json:"sender" doc:"Whose it was."`
}

// StoreHealth counts what the writer of rows did since the start.
type StoreHealth struct {
	Engine   string `json:"engine" enum:"sqlite,postgresql"`
	Writes   uint64 `json:"writes" doc:"Changes committed."`
	Failures uint64 `json:"failures" doc:"Changes that could not be committed."`
	Commits  uint64 `json:"commits" doc:"Transactions; several changes share one."`
}

// DiskHealth is where the data folder is. The sizes are in bytes.
type DiskHealth struct {
	Total int64      `json:"total" doc:"0 where that is not known."`
	Free  int64      `json:"free"`
	Used  int64      `json:"used" doc:"By the data folder."`
	Parts []DiskPart `json:"parts" doc:"The data folder's content, largest first."`
}

// DiskPart is a file or folder in the data folder.
type DiskPart struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// ProcessHealth is what the process uses; 0 where that is not known.
type ProcessHealth struct {
	MemoryBytes int64   `json:"memoryBytes" doc:"Resident."`
	CPUSeconds  float64 `json:"cpuSeconds" doc:"Since the start."`
	Goroutines  int64   `json:"goroutines"`
	OpenFiles   int64   `json:"openFiles"`
	MaxFiles    int64   `json:"maxFiles"`
}

// Trend is a figure over time, oldest first.
type Trend struct {
	Name   string    `json:"name" enum:"alerts,lag,deliveries,memory,cpu,commits"`
	Unit   string    `json:"unit" example:"alerts/s"`
	Every  float64   `json:"everySeconds"`
	Values []float64 `json:"values"`
}

func (a *API) healthRoutes() {
	route(a, http.MethodGet, "/health", "getHealth", "How the server itself is: checks, queues, lags, disk", a.getHealth)
}

func (a *API) getHealth(ctx context.Context, _ *none) (*body[Health], error) {
	h, err := a.cfg.Health(ctx)
	if err != nil {
		return nil, err
	}
	h.Version = a.cfg.Version
	return answer(h), nil
}
