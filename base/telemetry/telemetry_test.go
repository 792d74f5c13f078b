package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/telemetry"
)

func TestLevelsAreNamedAsUsersWriteThem(t *testing.T) {
	for text, want := range map[string]slog.Level{
		"": slog.LevelInfo, "debug": slog.LevelDebug, "info": slog.LevelInfo, "WARN": slog.LevelWarn, "error": slog.LevelError,
	} {
		if got, err := telemetry.ParseLevel(text); err != nil || got != want {
			t.Errorf("%q is %v, error %v; want %v", text, got, err, want)
		}
	}
	if _, err := telemetry.NewLogger(&bytes.Buffer{}, "loud"); err == nil || !strings.Contains(err.Error(), `"loud"`) {
		t.Errorf("got %v, want an error that names the level", err)
	}
}

func TestLogsAreJSONUnlessAPersonReadsThem(t *testing.T) {
	var out bytes.Buffer
	logger, err := telemetry.NewLogger(&out, "warn")
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("too quiet")
	logger.Warn("heard", "key", "value")
	var line struct{ Level, Msg, Key string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, out.Bytes())
	}
	if line.Level != "WARN" || line.Msg != "heard" || line.Key != "value" {
		t.Errorf("got %+v", line)
	}
}

func TestLogsToAFileAreJSON(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	logger, err := telemetry.NewLogger(file, "")
	if err != nil {
		t.Fatal(err)
	}
	logger.Info("hello")
	if data, err := os.ReadFile(file.Name()); err != nil || !json.Valid(data) {
		t.Errorf("%v: %s", err, data)
	}
}

// page asks for path.
func page(t *testing.T, handler http.Handler, method, path string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return recorder.Code, recorder.Body.String()
}

func TestReadyListsWhatIsNot(t *testing.T) {
	mux := http.NewServeMux()
	health := &telemetry.Health{}
	telemetry.Routes(mux, telemetry.NewRegistry(), health)
	want := func(code int, text string) {
		t.Helper()
		gotCode, gotText := page(t, mux, http.MethodGet, "/-/ready")
		if diff := cmp.Diff(text, gotText); diff != "" || gotCode != code {
			t.Errorf("status %d, want %d (-want +got):\n%s", gotCode, code, diff)
		}
	}
	want(http.StatusOK, "Fairlead is ready.\n")
	var busErr error
	health.Register("store", func(context.Context) error { return nil })
	health.Register("bus", func(context.Context) error { return busErr })
	want(http.StatusOK, "Fairlead is ready.\n")
	busErr = errors.New("disk\nfull")
	health.Register("alerts", func(context.Context) error { return errors.New("catching up, 5 messages behind") })
	want(http.StatusServiceUnavailable, "Fairlead is not ready:\nalerts: catching up, 5 messages behind\nbus: disk full\n")
	health.Register("alerts", func(context.Context) error { return nil })
	busErr = nil
	want(http.StatusOK, "Fairlead is ready.\n")
	if code, _ := page(t, mux, http.MethodGet, "/-/healthy"); code != http.StatusOK {
		t.Errorf("healthy answers %d", code)
	}
	if code, _ := page(t, mux, http.MethodPost, "/-/ready"); code != http.StatusMethodNotAllowed {
		t.Errorf("POST answers %d, want 405", code)
	}
}

func TestReadyDoesNotWaitForASlowCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		health := &telemetry.Health{}
		health.Register("quick", func(context.Context) error { return nil })
		health.Register("slow", func(context.Context) error { <-release; return nil })
		mux := http.NewServeMux()
		telemetry.Routes(mux, telemetry.NewRegistry(), health)
		began := time.Now()
		code, text := page(t, mux, http.MethodGet, "/-/ready")
		if code != http.StatusServiceUnavailable || text != "Fairlead is not ready:\nslow: no answer in time\n" {
			t.Errorf("%d %q", code, text)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %s, want 2 s", took)
		}
	})
}

func TestMetricsHoldOwnAndRuntimeMetrics(t *testing.T) {
	registry := telemetry.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "fairlead_test_events_total", Help: "Events."})
	registry.MustRegister(counter)
	counter.Add(3)
	mux := http.NewServeMux()
	telemetry.Routes(mux, registry, &telemetry.Health{})
	code, text := page(t, mux, http.MethodGet, "/metrics")
	if code != http.StatusOK {
		t.Errorf("status %d", code)
	}
	for _, want := range []string{"\nfairlead_test_events_total 3\n", "\ngo_goroutines ", "\nprocess_resident_memory_bytes "} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
}
