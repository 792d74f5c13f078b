package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fairlead/fairlead/test/postgres"
)

// running is an App that serves on a free port.
type running struct {
	*App
	t    *testing.T
	stop func()
}

func start(t *testing.T, cfg Config, opts Options) *running {
	t.Helper()
	opts.Logger, opts.Dev = slog.New(slog.DiscardHandler), true
	cfg.HTTP.Listen = "127.0.0.1:0"
	a, err := New(t.Context(), cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	r := &running{App: a, t: t}
	r.stop = func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stopped with %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	}
	return r
}

func testConfig(t *testing.T) Config {
	cfg := DefaultConfig()
	cfg.Data.Dir = filepath.Join(t.TempDir(), "data")
	cfg.Store.URL = postgres.Config(t).URL
	return cfg
}

func (r *running) request(method, path, content string, headers ...string) (status int, body string) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), method, strings.TrimSuffix(r.URL(), "/")+path, bytes.NewReader([]byte(content)))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			q.Host = headers[i+1]
		}
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

func (r *running) get(path string, into any) {
	r.t.Helper()
	status, body := r.request(http.MethodGet, path, "")
	if status != http.StatusOK {
		r.t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		r.t.Fatal(err)
	}
}

type listed struct {
	Items []struct {
		ID, State, Title string
		AlertCount       int
	}
}

// until asks again until the answer is right.
func (r *running) until(what string, right func() bool) {
	r.t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for range 500 {
		if right() {
			return
		}
		<-poll.C
	}
	r.t.Fatalf("waited in vain until %s", what)
}

const storm = `[
	{"labels":{"alertname":"A","service":"cart","severity":"critical"}},{"labels":{"alertname":"B","service":"cart","severity":"critical"}},
	{"labels":{"alertname":"C","service":"cart","severity":"critical"}},{"labels":{"alertname":"D","service":"cart","severity":"critical"}},
	{"labels":{"alertname":"E","service":"cart","severity":"critical"}},{"labels":{"alertname":"F","service":"cart","severity":"critical"}}]`

func TestAPostedAlertBecomesAnIncidentThatSurvivesARestart(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cfg := testConfig(t)
	r := start(t, cfg, Options{})
	if status, body := r.request(http.MethodPost, "/api/v2/alerts", storm); status != http.StatusOK {
		t.Fatalf("got %d %s", status, body)
	}
	var before listed
	r.until("the incident is open", func() bool {
		r.get("/api/fairlead/v1/incidents?state=open", &before)
		return len(before.Items) == 1
	})
	if before.Items[0].AlertCount != 6 {
		t.Errorf("got %d alerts, want 6", before.Items[0].AlertCount)
	}
	if status, body := r.request(http.MethodPost, "/api/fairlead/v1/incidents/"+before.Items[0].ID+"/acknowledge", `{"note":"looking"}`); status != http.StatusOK {
		t.Errorf("acknowledge: %d %s", status, body)
	}
	r.stop()
	r = start(t, cfg, Options{})
	defer r.stop()
	var after listed
	r.get("/api/fairlead/v1/incidents", &after)
	if len(after.Items) != 1 || after.Items[0].State != "acknowledged" || after.Items[0].AlertCount != 6 {
		t.Errorf("after a restart: got %+v", after.Items)
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	r := start(t, testConfig(t), Options{})
	defer r.stop()
	if status, _ := r.request(http.MethodGet, "/api/fairlead/v1/stats", "", "Host", "evil.example"); status != http.StatusMisdirectedRequest {
		t.Errorf("a foreign host name: got %d, want 421", status)
	}
	if status, _ := r.request(http.MethodPost, "/api/v2/alerts", storm, "Origin", "http://evil.example"); status != http.StatusForbidden {
		t.Errorf("a foreign origin: got %d, want 403", status)
	}
	if status, _ := r.request(http.MethodPost, "/api/v2/alerts", storm, "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("a cross-site post: got %d, want 403", status)
	}
}

func TestABadReloadKeepsWhatRunsAndAGoodOneTakesOver(t *testing.T) {
	cfg := testConfig(t)
	path := filepath.Join(t.TempDir(), "fairlead.yml")
	put := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("")
	r := start(t, cfg, Options{Reload: func() (Config, error) { return LoadConfig(path, nil) }})
	defer r.stop()
	r.request(http.MethodPost, "/api/v2/alerts", storm)
	inhibited := func() int {
		var stats struct{ Alerts struct{ Inhibited int } }
		r.get("/api/fairlead/v1/stats", &stats)
		return stats.Alerts.Inhibited
	}
	rule := "inhibit_rules:\n  - source_matchers: ['alertname=\"A\"']\n    target_matchers: ['alertname=\"B\"']\n    equal: [service]\n"
	put(rule + "nonsense: true\n")
	if status, body := r.request(http.MethodPost, "/-/reload", ""); status != http.StatusBadRequest || !strings.Contains(body, "line 5") || !strings.Contains(body, "nonsense") {
		t.Errorf("bad reload: got %d %s", status, body)
	}
	if n := inhibited(); n != 0 {
		t.Errorf("a bad reload inhibited %d alerts", n)
	}
	put(rule)
	if status, body := r.request(http.MethodPost, "/-/reload", ""); status != http.StatusOK {
		t.Fatalf("good reload: got %d %s", status, body)
	}
	r.until("the rule inhibits one alert", func() bool { return inhibited() == 1 })
}

func TestTheEventClockIsDrivenByTheRecording(t *testing.T) {
	cfg := testConfig(t)
	cfg.Clock = "event"
	r := start(t, cfg, Options{})
	at := func(time string) []string {
		return []string{"Fairlead-Event-Time", time, "Fairlead-Resolve-Timeout", "0"}
	}
	if status, _ := r.request(http.MethodPost, "/api/v2/alerts", storm); status != http.StatusBadRequest {
		t.Errorf("without an event time: got %d, want 400", status)
	}
	r.request(http.MethodPost, "/api/v2/alerts", `[{"labels":{"alertname":"Lone","severity":"critical"},"startsAt":"2021-07-04T00:00:00Z"}]`, at("2021-07-04T00:00:00Z")...)
	var c struct {
		Mode      string
		Now       time.Time
		NextTimer *time.Time
	}
	r.get("/api/fairlead/v1/clock", &c)
	if c.Mode != "event" || c.Now.Year() != 2021 || c.NextTimer == nil {
		t.Fatalf("got %+v, want the recording's time and something that waits", c)
	}
	r.request(http.MethodPost, "/api/v2/alerts", `[]`, at("2021-07-04T00:01:00Z")...)
	r.get("/api/fairlead/v1/clock", &c)
	var open listed
	r.get("/api/fairlead/v1/incidents?state=open", &open)
	if len(open.Items) != 1 {
		t.Errorf("a minute of event time later: got %d open incidents, want 1", len(open.Items))
	}
	r.stop()
	cfg.Clock = "wall"
	if _, err := New(t.Context(), cfg, Options{Logger: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "empty folder") {
		t.Errorf("a wall clock on a recording's folder: got error %v", err)
	}
}

func TestAFolderThatCannotBeUsedIsAClearError(t *testing.T) {
	cfg := testConfig(t)
	cfg.HTTP.Listen = "127.0.0.1:0"
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Data.Dir = filepath.Join(file, "data")
	_, err := New(t.Context(), cfg, Options{Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "data.dir") || !strings.Contains(err.Error(), "--data.dir") {
		t.Errorf("got error %v, want one that names the key and the remedy", err)
	}
}
