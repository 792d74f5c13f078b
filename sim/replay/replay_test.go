package replay

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// received is one request that the fake server kept.
type received struct {
	Path    string
	At      string
	Timeout string
	Auth    string
	Body    string
}

// fakeServer keeps what it is sent and lives on a clock of its own.
type fakeServer struct {
	mu       sync.Mutex
	mode     string // "" = no clock endpoint
	requests []received
	now      time.Time
	timers   []time.Time
	lag      int              // so many clock questions are answered with the time before
	refuse   map[string][]int // path -> statuses answered first, one a request
	headers  http.Header      // sent with refusals
}

func (f *fakeServer) start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.URL
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path == pathClock {
		f.answerClock(w)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if statuses := f.refuse[r.URL.Path]; len(statuses) > 0 {
		f.refuse[r.URL.Path] = statuses[1:]
		maps.Copy(w.Header(), f.headers)
		http.Error(w, "labels[0]: too many", statuses[0])
		return
	}
	at := r.Header.Get("Fairlead-Event-Time")
	f.requests = append(f.requests, received{
		Path: r.URL.Path, At: at, Timeout: r.Header.Get("Fairlead-Resolve-Timeout"),
		Auth: r.Header.Get("Authorization"), Body: string(body),
	})
	if now, err := time.Parse(time.RFC3339Nano, at); err == nil && now.After(f.now) {
		f.now = now
	}
}

func (f *fakeServer) answerClock(w http.ResponseWriter) {
	if f.mode == "" {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	state := map[string]any{"mode": f.mode, "now": f.now.Format("2006-01-02T15:04:05.000Z")}
	if f.lag > 0 {
		f.lag--
		state["now"] = f.now.Add(-time.Hour)
	} else {
		for _, timer := range f.timers {
			if timer.After(f.now) {
				state["nextTimer"] = timer
				break
			}
		}
	}
	_ = json.NewEncoder(w).Encode(state)
}

// jumpTime is a wall clock on which sleeping takes no time.
type jumpTime struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newJumpTime() *jumpTime {
	return &jumpTime{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (j *jumpTime) Now() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.now
}

func (j *jumpTime) Sleep(ctx context.Context, d time.Duration) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.now = j.now.Add(d)
	j.slept = append(j.slept, d)
	return ctx.Err()
}

func writeFile(t *testing.T, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	text := []byte(strings.Join(lines, "\n") + "\n")
	if strings.HasSuffix(name, ".gz") {
		var packed bytes.Buffer
		writer := gzip.NewWriter(&packed)
		if _, err := writer.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		text = packed.Bytes()
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func alertLine(at, name string) string {
	return fmt.Sprintf(`{"at":%q,"alerts":[{"labels":{"alertname":%q},"startsAt":%q}]}`, at, name, at)
}

func TestAlertStreamsAreMergedByTimeAndCarryTheirTime(t *testing.T) {
	server := &fakeServer{mode: "event"}
	one := writeFile(t, "one.jsonl", alertLine("2026-01-01T00:00:00Z", "A"), "",
		alertLine("2026-01-01T00:00:02Z", "C"), alertLine("2026-01-01T00:00:01.500Z", "late"))
	two := writeFile(t, "two.jsonl.gz", alertLine("2026-01-01T00:00:01Z", "B"), alertLine("2026-01-01T00:00:03Z", "D"))

	summary, err := Run(t.Context(), Config{Paths: []string{one, two}, To: server.start(t), Speed: Max, Token: "secret"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range server.requests {
		var alerts []struct{ Labels map[string]string }
		if err := json.Unmarshal([]byte(r.Body), &alerts); err != nil {
			t.Fatalf("body %s: %v", r.Body, err)
		}
		got = append(got, r.At+" "+alerts[0].Labels["alertname"])
		if r.Path != "/api/v2/alerts" || r.Timeout != "0" || r.Auth != "Bearer secret" {
			t.Errorf("request = %+v, want /api/v2/alerts with timeout 0 and the token", r)
		}
	}
	want := []string{
		"2026-01-01T00:00:00.000Z A", "2026-01-01T00:00:01.000Z B",
		"2026-01-01T00:00:02.000Z C", "2026-01-01T00:00:02.000Z late", "2026-01-01T00:00:03.000Z D",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if summary.Lines != 5 || summary.Alerts != 5 {
		t.Errorf("summary = %+v, want 5 lines and 5 alerts", summary)
	}
}

func TestOTLPGoesToItsEndpointWithItsNewestTime(t *testing.T) {
	server := &fakeServer{mode: "event"}
	traces := writeFile(t, "a.jsonl", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+
		`{"startTimeUnixNano":"1675078732055637924","endTimeUnixNano":"1675078733000000000","attributes":[{"key":"x","value":{"stringValue":"\"timeUnixNano\":\"9999999999999999999\""}}]}]}]}]}`)
	logs := writeFile(t, "b.jsonl", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano": 1675078731000000000}]}]}]}`)
	metrics := writeFile(t, "c.jsonl", `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{"timeUnixNano":"1675078734000000000","asInt":"1"}]}}]}]}]}`)

	if _, err := Run(t.Context(), Config{Paths: []string{metrics, traces, logs}, To: server.start(t), Speed: Max}, nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range server.requests {
		got = append(got, r.Path+" "+r.At+" "+r.Timeout)
	}
	want := []string{
		"/v1/logs 2023-01-30T11:38:51.000Z ", "/v1/traces 2023-01-30T11:38:53.000Z ", "/v1/metrics 2023-01-30T11:38:54.000Z ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestOTLPToAServerWithoutItNamesTheFile(t *testing.T) {
	server := &fakeServer{mode: "event", refuse: map[string][]int{"/v1/logs": {404}}}
	logs := writeFile(t, "logs.jsonl", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1675078731000000000"}]}]}]}`)
	_, err := Run(t.Context(), Config{Paths: []string{logs}, To: server.start(t), Speed: Max}, nil)
	wantError(t, err, logs+":1: ", "does not take OTLP logs yet")
}

func TestFastReplayNeedsTheEventClock(t *testing.T) {
	stream := writeFile(t, "s.jsonl", alertLine("2026-01-01T00:00:00Z", "A"))
	for _, mode := range []string{"wall", ""} {
		for _, speed := range []Speed{10, Max} {
			server := &fakeServer{mode: mode}
			_, err := Run(t.Context(), Config{Paths: []string{stream}, To: server.start(t), Speed: speed}, nil)
			wantError(t, err, "--speed "+speed.String()+" needs a server on the event clock", "serve --clock event", "--speed 1")
			if len(server.requests) > 0 {
				t.Errorf("mode %q speed %s: %d requests sent, want none", mode, speed, len(server.requests))
			}
		}
	}
}

func TestEdgesComeFirst(t *testing.T) {
	server := &fakeServer{mode: "event"}
	edges := writeFile(t, "edges.json", `{"edges":[]}`)
	stream := writeFile(t, "s.jsonl", alertLine("2026-01-01T00:00:00Z", "A"))
	if _, err := Run(t.Context(), Config{Paths: []string{stream}, To: server.start(t), Edges: edges, Speed: Max}, nil); err != nil {
		t.Fatal(err)
	}
	if got := server.requests[0]; got.Path != pathEdges || got.Body != "{\"edges\":[]}\n" {
		t.Errorf("first request = %+v, want the edges", got)
	}
}

func TestPaceFollowsTheRecording(t *testing.T) {
	stream := writeFile(t, "s.jsonl", alertLine("2026-01-01T00:00:00Z", "A"), alertLine("2026-01-01T00:00:20Z", "B"))
	for _, test := range []struct {
		name  string
		mode  string
		speed Speed
		took  time.Duration
		ticks int // empty posts between the two lines
	}{
		{"real time on the wall clock sends nothing between lines", "wall", RealTime, 20 * time.Second, 0},
		{"real time on the event clock lets the time go on", "event", RealTime, 20 * time.Second, 19},
		{"ten times faster", "event", 10, 2 * time.Second, 1},
		{"as fast as possible", "event", Max, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := &fakeServer{mode: test.mode}
			wall := newJumpTime()
			summary, err := run(t.Context(), Config{Paths: []string{stream}, To: server.start(t), Speed: test.speed}, nil, wall)
			if err != nil {
				t.Fatal(err)
			}
			if summary.Took != test.took {
				t.Errorf("took %s, want %s", summary.Took, test.took)
			}
			empty := 0
			for _, r := range server.requests {
				if r.Body == "[]" {
					empty++
				}
			}
			if empty != test.ticks {
				t.Errorf("%d empty posts, want %d: %+v", empty, test.ticks, server.requests)
			}
		})
	}
}

func TestShiftToNowMovesEveryTime(t *testing.T) {
	server := &fakeServer{mode: "event"}
	stream := writeFile(t, "s.jsonl",
		`{"at":"2026-01-01T00:00:00Z","alerts":[{"labels":{"a":"b"},"startsAt":"2025-12-31T23:59:00Z","endsAt":"0001-01-01T00:00:00Z"}]}`,
		`{"at":"2026-01-01T00:01:00Z","alerts":[{"labels":{"a":"b"},"startsAt":"2025-12-31T23:59:00Z","endsAt":"2026-01-01T00:00:30.25Z"}]}`)
	logs := writeFile(t, "l.jsonl", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1767225660000000000","observedTimeUnixNano":"0"}]}]}]}`)
	config := Config{Paths: []string{stream, logs}, To: server.start(t), Speed: Max, ShiftToNow: true}
	if _, err := run(t.Context(), config, nil, newJumpTime()); err != nil { // 2030-01-01T00:00:00Z
		t.Fatal(err)
	}
	var got []string
	for _, r := range server.requests {
		got = append(got, r.At+" "+r.Body)
	}
	want := []string{
		`2030-01-01T00:00:00.000Z [{"endsAt":"0001-01-01T00:00:00Z","labels":{"a":"b"},"startsAt":"2029-12-31T23:59:00.000Z"}]`,
		`2030-01-01T00:01:00.000Z [{"endsAt":"2030-01-01T00:00:30.250Z","labels":{"a":"b"},"startsAt":"2029-12-31T23:59:00.000Z"}]`,
		`2030-01-01T00:01:00.000Z {"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1893456060000000000","observedTimeUnixNano":"0"}]}]}]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestBusyServerIsAskedAgain(t *testing.T) {
	server := &fakeServer{
		mode:    "event",
		refuse:  map[string][]int{"/api/v2/alerts": {429, 503}},
		headers: http.Header{"Retry-After": {"3"}},
	}
	stream := writeFile(t, "s.jsonl", alertLine("2026-01-01T00:00:00Z", "A"))
	wall := newJumpTime()
	summary, err := run(t.Context(), Config{Paths: []string{stream}, To: server.start(t), Speed: Max}, nil, wall)
	if err != nil {
		t.Fatal(err)
	}
	if summary.Retries != 2 || summary.Took != 6*time.Second || len(server.requests) != 1 {
		t.Errorf("summary = %+v with %d accepted, want 2 retries in 6s and 1 accepted", summary, len(server.requests))
	}
}

func TestBusyServerIsGivenUpInTheEnd(t *testing.T) {
	server := &fakeServer{mode: "event", refuse: map[string][]int{"/api/v2/alerts": slices.Repeat([]int{503}, 1000)}}
	stream := writeFile(t, "s.jsonl", alertLine("2026-01-01T00:00:00Z", "A"))
	config := Config{Paths: []string{stream}, To: server.start(t), Speed: Max, RetryFor: 20 * time.Second}
	_, err := run(t.Context(), config, nil, newJumpTime())
	wantError(t, err, stream+":1: ", "503")
}

func TestRefusalNamesLineAndAnswer(t *testing.T) {
	server := &fakeServer{mode: "event", refuse: map[string][]int{"/api/v2/alerts": {400}}}
	stream := writeFile(t, "s.jsonl", alertLine("2026-01-01T00:00:00Z", "A"))
	_, err := Run(t.Context(), Config{Paths: []string{stream}, To: server.start(t), Speed: Max}, nil)
	wantError(t, err, stream+":1: ", "400", "labels[0]: too many")
}

func TestEventClockIsAdvancedUntilNothingWaits(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	server := &fakeServer{mode: "event", lag: 3, timers: []time.Time{
		begin.Add(30 * time.Second), begin.Add(30*time.Second + 200*time.Microsecond), begin.Add(time.Hour),
	}}
	stream := writeFile(t, "s.jsonl", alertLine("2026-01-01T00:00:00Z", "A"))
	summary, err := run(t.Context(), Config{Paths: []string{stream}, To: server.start(t), Speed: Max}, nil, newJumpTime())
	if err != nil {
		t.Fatal(err)
	}
	if summary.Rounds != 3 || summary.Waiting || !server.now.Equal(begin.Add(time.Hour)) {
		t.Errorf("summary = %+v at %s, want 3 rounds to 01:00", summary, server.now)
	}

	server = &fakeServer{mode: "event", timers: server.timers}
	config := Config{Paths: []string{stream}, To: server.start(t), Speed: Max, MaxRounds: 2}
	if summary, err = run(t.Context(), config, nil, newJumpTime()); err != nil || !summary.Waiting || summary.Rounds != 2 {
		t.Errorf("with two rounds allowed: %+v, %v, want to stop waiting after 2", summary, err)
	}
}

func TestClockThatStandsStillIsAnError(t *testing.T) {
	server := &fakeServer{mode: "event", lag: 1 << 30}
	stream := writeFile(t, "s.jsonl", alertLine("2026-01-01T00:00:00Z", "A"))
	_, err := run(t.Context(), Config{Paths: []string{stream}, To: server.start(t), Speed: Max}, nil, newJumpTime())
	wantError(t, err, "event clock stands at")
}

func TestBrokenRecordingsNameTheirLine(t *testing.T) {
	good := alertLine("2026-01-01T00:00:00Z", "A")
	for _, test := range []struct{ name, line, want string }{
		{"malformed JSON", `{"at":`, "unexpected end of JSON"},
		{"alerts that are no list", `{"at":"2026-01-01T00:00:00Z","alerts":7}`, "neither an alert line"},
		{"no time", `{"alerts":[]}`, `"at" is missing`},
		{"unreadable time", `{"at":"yesterday","alerts":[]}`, `read "at"`},
		{"truth instead of a stream", `{"line":0,"pos":0,"incident":"x"}`, "neither an alert line"},
		{"OTLP without a time", `{"resourceLogs":[]}`, "no time"},
		{"a line that is too long", `{"at":"` + strings.Repeat("x", MaxLine) + `"}`, "longer than 16 MB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := &fakeServer{mode: "event"}
			stream := writeFile(t, "s.jsonl.gz", good, test.line)
			_, err := Run(t.Context(), Config{Paths: []string{stream}, To: server.start(t), Speed: Max}, nil)
			wantError(t, err, stream+":2: ", test.want)
			if len(server.requests) != 1 {
				t.Errorf("%d requests, want the good line before", len(server.requests))
			}
		})
	}
}

func TestTruncatedGzipIsAnError(t *testing.T) {
	stream := writeFile(t, "s.jsonl.gz", alertLine("2026-01-01T00:00:00Z", "A"))
	packed, err := os.ReadFile(stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stream, packed[:len(packed)-6], 0o600); err != nil {
		t.Fatal(err)
	}
	server := &fakeServer{mode: "event"}
	_, err = Run(t.Context(), Config{Paths: []string{stream}, To: server.start(t), Speed: Max}, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error = %v, want unexpected EOF", err)
	}
}

func TestFolderOfRecordingsLeavesOtherFilesOut(t *testing.T) {
	server := &fakeServer{mode: "event"}
	stream := writeFile(t, "stream.jsonl", alertLine("2026-01-01T00:00:00Z", "A"))
	folder := filepath.Dir(stream)
	if err := os.WriteFile(filepath.Join(folder, "truth.jsonl"), []byte(`{"line":0,"incident":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	summary, err := Run(t.Context(), Config{Paths: []string{folder}, To: server.start(t), Speed: Max}, &progress)
	if err != nil || summary.Lines != 1 {
		t.Errorf("summary = %+v, %v, want one line", summary, err)
	}
	if !strings.Contains(progress.String(), "truth.jsonl is no recording") {
		t.Errorf("progress = %q, want a word about truth.jsonl", progress.String())
	}
	_, err = Run(t.Context(), Config{Paths: []string{t.TempDir()}, To: server.start(t), Speed: Max}, nil)
	wantError(t, err, "holds no recording")
}

func TestUnusableConfigurationIsRefused(t *testing.T) {
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{To: "http://x"}, "nothing to replay"},
		{Config{Paths: []string{"x"}, To: "127.0.0.1:8460"}, "server"},
		{Config{Paths: []string{"x"}, To: "ftp://x"}, "want a URL"},
		{Config{Paths: []string{"x"}, To: "http://x", Speed: -3}, "speed -3"},
	} {
		_, err := Run(t.Context(), test.config, nil)
		wantError(t, err, test.want)
	}
}

func TestParseSpeed(t *testing.T) {
	for text, want := range map[string]Speed{"1": 1, "10": 10, "0.5": 0.5, "max": Max} {
		if got, err := ParseSpeed(text); got != want || err != nil {
			t.Errorf("ParseSpeed(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "NaN", "fast", "Inf"} {
		if got, err := ParseSpeed(text); err == nil {
			t.Errorf("ParseSpeed(%q) = %v, want an error", text, got)
		}
	}
}

func TestCancelledReplayStops(t *testing.T) {
	server := &fakeServer{mode: "wall"}
	stream := writeFile(t, "s.jsonl", alertLine("2026-01-01T00:00:00Z", "A"), alertLine("2027-01-01T00:00:00Z", "B"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	summary, err := Run(ctx, Config{Paths: []string{stream}, To: server.start(t)}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || summary.Lines != 1 {
		t.Errorf("summary = %+v, %v, want one line and the deadline", summary, err)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error = %v, want %q in it", err, part)
		}
	}
}

// BenchmarkReplay measures how fast the client is when the server answers at once; 1 op = 1 line of 2 alerts.
func BenchmarkReplay(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == pathClock {
			fmt.Fprint(w, `{"mode":"event","now":"2100-01-01T00:00:00Z"}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	path := filepath.Join(b.TempDir(), "s.jsonl")
	var text bytes.Buffer
	for i := range b.N {
		at := time.UnixMilli(int64(i)).UTC().Format(time.RFC3339Nano)
		labels := `{"labels":{"alertname":"HighErrorRate","service":"checkout","instance":"checkout-7","severity":"critical"},"startsAt":"` + at + `"}`
		fmt.Fprintf(&text, `{"at":%q,"alerts":[%s,%s]}`+"\n", at, labels, labels)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	if _, err := Run(b.Context(), Config{Paths: []string{path}, To: server.URL, Speed: Max}, nil); err != nil {
		b.Fatal(err)
	}
}
