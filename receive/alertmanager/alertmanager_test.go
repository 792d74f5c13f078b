package alertmanager

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// memory is a Publisher that keeps everything in memory. It can be told to fail.
type memory struct {
	mu      sync.Mutex
	at      []time.Time
	alerts  []signal.Alert
	letters []receive.DeadLetter
	fail    error
}

func (m *memory) PublishAlerts(_ context.Context, at time.Time, alerts []signal.Alert) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.at = append(m.at, at)
	m.alerts = append(m.alerts, alerts...)
	return nil
}

func (m *memory) DeadLetter(_ context.Context, _ time.Time, letter receive.DeadLetter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.letters = append(m.letters, letter)
	return nil
}

func (m *memory) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for i := range m.alerts {
		names = append(names, m.alerts[i].Labels.Get("n"))
	}
	return names
}

type server struct {
	*httptest.Server
	memory *memory
	budget *receive.Budget
}

func newServer(t *testing.T, c clock.Clock, caps *receive.Caps, limits receive.Limits) *server {
	t.Helper()
	s := &server{memory: &memory{}, budget: receive.NewBudget(0)}
	s.Server = httptest.NewServer(New(Config{
		Publisher: s.memory, Clock: c, Bodies: receive.NewBodies(limits, s.budget), Caps: caps,
		ResolveTimeout: func() time.Duration { return 5 * time.Minute }, Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(s.Close)
	return s
}

type problem struct {
	Title, Detail string
	Status        int
	Errors        []receive.FieldError
}

// post sends body and returns status, header and problem of the answer.
func (s *server) post(t *testing.T, body io.Reader, header map[string]string) (int, http.Header, problem) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("post: %v", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p problem
	if answer.StatusCode == http.StatusOK {
		if len(text) != 0 {
			t.Errorf("a good request is answered with %q, want nothing", text)
		}
		return answer.StatusCode, answer.Header, p
	}
	if got := answer.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type is %s, want application/problem+json", got)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatalf("answer %q: %v", text, err)
	}
	if p.Status != answer.StatusCode || p.Detail == "" {
		t.Errorf("problem %+v does not fit status %d", p, answer.StatusCode)
	}
	return answer.StatusCode, answer.Header, p
}

func zipped(t *testing.T, text []byte) *bytes.Buffer {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}

func TestGoodRequestsAreKept(t *testing.T) {
	s := newServer(t, clock.Wall{}, nil, receive.DefaultLimits())
	if status, _, p := s.post(t, strings.NewReader(`[{"labels":{"n":"1"}},{"labels":{"n":"2"}}]`), nil); status != http.StatusOK {
		t.Fatalf("got %d %+v", status, p)
	}
	if status, _, p := s.post(t, zipped(t, []byte(`[{"labels":{"n":"3"}}]`)), map[string]string{"Content-Encoding": "gzip", receive.ResolveTimeoutHeader: "0"}); status != http.StatusOK {
		t.Fatalf("gzip: got %d %+v", status, p)
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, s.memory.names()); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	a := s.memory.alerts
	if a[0].Source != "prometheus" || a[0].ResolveTimeout != 5*time.Minute || a[2].ResolveTimeout != 0 {
		t.Errorf("got source %q, time-outs %s and %s, want prometheus, 5m and 0", a[0].Source, a[0].ResolveTimeout, a[2].ResolveTimeout)
	}
	if used := s.budget.Used(); used != 0 {
		t.Errorf("%d bytes of the budget are still held", used)
	}
}

func TestAMixedRequestKeepsTheGoodAlertsAndListsTheBad(t *testing.T) {
	s := newServer(t, clock.Wall{}, nil, receive.DefaultLimits())
	body := `[{"labels":{"n":"1"}},{"labels":{"x\u0001":"1"}},{"labels":{"n":"2"}},{"labels":{"n":"3"},"startsAt":"2999-01-01T00:00:00Z"}]`
	status, _, p := s.post(t, strings.NewReader(body), nil)
	if status != http.StatusBadRequest || p.Detail != "2 alerts cannot be accepted. 2 alerts are kept." {
		t.Errorf("got %d %q", status, p.Detail)
	}
	if len(p.Errors) != 2 || p.Errors[0].Field != `[1].labels."x\x01"` || p.Errors[1].Field != "[3].startsAt" {
		t.Errorf("got errors %+v, want those of [1] and [3]", p.Errors)
	}
	if diff := cmp.Diff([]string{"1", "2"}, s.memory.names()); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if l := s.memory.letters; len(l) != 2 || l[0].Receiver != "prometheus" || !strings.Contains(l[0].Reason, "control characters") || string(l[1].Payload) != `[{"labels":{"n":"3"},"startsAt":"2999-01-01T00:00:00Z"}]` {
		t.Errorf("got dead letters %+v", l)
	}
	// Offered again, it makes no second dead letter.
	again := httptest.NewRequestWithContext(receive.Replay(t.Context(), Integration), http.MethodPost, "/", bytes.NewReader(s.memory.letters[0].Payload))
	answer := httptest.NewRecorder()
	if s.Config.Handler.ServeHTTP(answer, again); answer.Code != http.StatusBadRequest || len(s.memory.letters) != 2 {
		t.Errorf("got %d and %d dead letters, want 400 and still 2", answer.Code, len(s.memory.letters))
	}
}

func TestManyBadAlertsMakeFewDeadLetters(t *testing.T) {
	s := newServer(t, clock.Wall{}, nil, receive.DefaultLimits())
	status, _, p := s.post(t, strings.NewReader("["+strings.Repeat(`{"labels":{}},`, 4999)+"{}]"), nil)
	if status != http.StatusBadRequest || len(p.Errors) != receive.MaxErrors || !strings.HasPrefix(p.Detail, "5000 alerts cannot") {
		t.Errorf("got %d, %d errors, %q", status, len(p.Errors), p.Detail)
	}
	if len(s.memory.letters) != 16 || !strings.Contains(s.memory.letters[15].Reason, "985 more bad alerts") {
		t.Errorf("got %d dead letters, the last because %q", len(s.memory.letters), s.memory.letters[len(s.memory.letters)-1].Reason)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	big := bytes.Repeat([]byte(" "), 20<<20)
	noise := make([]byte, 6<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	tests := []struct {
		name, encoding string
		body           []byte
		header         map[string]string
		status         int
		want           string
	}{
		{"malformed JSON", "", []byte(`[{"labels":`), nil, 400, "byte 11"},
		{"20 MB", "", big, nil, 413, "larger than 16777216 bytes"},
		{"a gzip bomb", "gzip", zipped(t, big).Bytes(), nil, 413, "after decompression"},
		{"6 MB of gzip", "gzip", zipped(t, noise).Bytes(), nil, 413, "(compressed)"},
		{"what is no gzip", "gzip", []byte(`[]`), nil, 400, "not valid gzip"},
		{"gzip that ends early", "gzip", zipped(t, benchmarkBody(3)).Bytes()[:200], nil, 400, "not valid gzip"},
		{"another encoding", "br", []byte(`[]`), nil, 415, "not supported"},
		{"a bad time-out", "", []byte(`[]`), map[string]string{receive.ResolveTimeoutHeader: "soon"}, 400, "not a duration"},
		{"a negative time-out", "", []byte(`[]`), map[string]string{receive.ResolveTimeoutHeader: "-5m"}, 400, "not a duration"},
	}
	s := newServer(t, clock.Wall{}, nil, receive.DefaultLimits())
	for _, test := range tests {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s chunked %t", test.name, chunked), func(t *testing.T) {
				header := map[string]string{}
				if test.encoding != "" {
					header["Content-Encoding"] = test.encoding
				}
				maps.Copy(header, test.header)
				var body io.Reader = bytes.NewReader(test.body)
				if chunked {
					body = io.MultiReader(body) // of unknown length
				}
				status, _, p := s.post(t, body, header)
				if status != test.status || !strings.Contains(p.Detail, test.want) {
					t.Errorf("got %d %q, want %d with %q", status, p.Detail, test.status, test.want)
				}
				if len(p.Errors) == 0 || p.Errors[0].Remedy == "" {
					t.Errorf("got errors %+v, want one with a remedy", p.Errors)
				}
			})
		}
	}
	if len(s.memory.alerts) != 0 || s.budget.Used() != 0 {
		t.Errorf("%d alerts were kept and %d bytes are held, want none", len(s.memory.alerts), s.budget.Used())
	}
}

func TestErrorsOfThePublisherBecomeAnswers(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
		retry  string
	}{
		{"a full stream", fmt.Errorf("publish: %w", receive.ErrFull), 503, "5"},
		{"a full disk", fmt.Errorf("publish: %w", receive.ErrUnavailable), 503, "5"},
		{"anything else", errors.New("surprise"), 500, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, clock.Wall{}, nil, receive.DefaultLimits())
			s.memory.fail = test.err
			status, header, _ := s.post(t, strings.NewReader(`[{"labels":{"n":"1"}},{}]`), nil)
			if status != test.status || header.Get("Retry-After") != test.retry {
				t.Errorf("got %d, Retry-After %q, want %d, %q", status, header.Get("Retry-After"), test.status, test.retry)
			}
			if len(s.memory.letters) != 0 {
				t.Error("a dead letter was made for a request that will be sent again")
			}
		})
	}
}

func TestTimeOfReceiptOnAnEventClock(t *testing.T) {
	event := &clock.Event{}
	s := newServer(t, event, nil, receive.DefaultLimits())
	alert := `[{"labels":{"n":"1"},"startsAt":"2021-03-01T10:00:00Z"}]`
	if status, _, p := s.post(t, strings.NewReader(alert), nil); status != http.StatusBadRequest || p.Errors[0].Field != receive.EventTimeHeader {
		t.Errorf("without a time: got %d %+v, want a 400 that names the header", status, p)
	}
	if status, _, _ := s.post(t, strings.NewReader(alert), map[string]string{receive.EventTimeHeader: "noon"}); status != http.StatusBadRequest {
		t.Errorf("with a word for a time: got %d, want 400", status)
	}
	at := time.Date(2021, 3, 1, 10, 1, 0, 0, time.UTC)
	if status, _, p := s.post(t, strings.NewReader(alert), map[string]string{receive.EventTimeHeader: at.Format(time.RFC3339)}); status != http.StatusOK {
		t.Fatalf("got %d %+v", status, p)
	}
	if status, _, p := s.post(t, strings.NewReader(`[]`), map[string]string{receive.EventTimeHeader: at.Add(time.Hour).Format(time.RFC3339)}); status != http.StatusOK {
		t.Fatalf("got %d %+v", status, p)
	}
	if diff := cmp.Diff([]time.Time{at, at.Add(time.Hour)}, s.memory.at); diff != "" {
		t.Errorf("times of receipt (-want +got):\n%s", diff)
	}
	wall := newServer(t, clock.Wall{}, nil, receive.DefaultLimits())
	if status, _, _ := wall.post(t, strings.NewReader(alert), map[string]string{receive.EventTimeHeader: at.Format(time.RFC3339)}); status != http.StatusOK || time.Since(wall.memory.at[0]) > time.Minute {
		t.Error("a wall clock took the time of the header")
	}
}

func TestASenderWithEndlessValuesIsHeldBackAndOthersAreNot(t *testing.T) {
	s := newServer(t, clock.Wall{}, receive.NewCaps(receive.CapsConfig{PerSender: 100}), receive.DefaultLimits())
	batch := func(from, to int) string {
		var parts []string
		for i := from; i < to; i++ {
			parts = append(parts, fmt.Sprintf(`{"labels":{"n":"%d","request_id":"r%d","job":"api"}}`, i%7, i))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	if status, _, p := s.post(t, strings.NewReader(batch(0, 90)), nil); status != http.StatusOK {
		t.Fatalf("got %d %+v", status, p)
	}
	status, header, p := s.post(t, strings.NewReader(batch(80, 120)), nil)
	if status != http.StatusTooManyRequests || header.Get("Retry-After") == "" || !strings.Contains(p.Detail, `label "request_id" has the most values`) || !strings.Contains(p.Detail, "20 alerts are kept") {
		t.Errorf("got %d, Retry-After %q, %q", status, header.Get("Retry-After"), p.Detail)
	}
	if len(p.Errors) != 1 || p.Errors[0].Field != "[20].labels.request_id" {
		t.Errorf("got errors %+v", p.Errors)
	}
	if status, _, p := s.post(t, strings.NewReader(batch(0, 100)), nil); status != http.StatusOK {
		t.Errorf("known alerts: got %d %+v, want them taken", status, p)
	}
	if got := len(s.memory.names()); got != 90+20+100 {
		t.Errorf("%d alerts were kept, want 210", got)
	}
	if len(s.memory.letters) != 0 {
		t.Errorf("got %d dead letters, want none", len(s.memory.letters))
	}
	other := func(text string) int {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
		defer client.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Skipf("no second loopback address to send from: %v", err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	if status := other(batch(200, 300)); status != http.StatusOK {
		t.Errorf("another sender: got %d, want 200", status)
	}
}

func TestASenderThatStopsHalfWayHoldsNothing(t *testing.T) {
	limits := receive.DefaultLimits()
	limits.ReadTimeout = 200 * time.Millisecond
	s := newServer(t, clock.Wall{}, nil, limits)
	for _, leave := range []bool{true, false} {
		t.Run(fmt.Sprintf("hangs up %t", leave), func(t *testing.T) {
			conn, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := fmt.Fprintf(conn, "POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n[{\"labels\":{\"n\":\"1\"}}"); err != nil {
				t.Fatal(err)
			}
			if leave {
				if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn) // ends only because the server closes
			if err != nil {
				t.Fatalf("the connection was not closed: %v", err)
			}
			want := "408 Request Timeout"
			if leave {
				want = "400 Bad Request"
			}
			if !strings.Contains(string(answer), want) {
				t.Errorf("got %q, want %s", answer, want)
			}
			if got := s.memory.names(); got != nil {
				t.Errorf("kept %v of half a request", got)
			}
		})
	}
}

func BenchmarkHandler(b *testing.B) {
	handler := New(Config{
		Publisher: nothing{}, Clock: clock.Wall{}, Bodies: receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)),
		Caps: receive.NewCaps(receive.CapsConfig{}), ResolveTimeout: func() time.Duration { return time.Minute }, Logger: slog.New(slog.DiscardHandler),
	})
	body := benchmarkBody(256)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/api/v2/alerts", bytes.NewReader(body))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*256), "ns/alert")
}

type nothing struct{}

func (nothing) PublishAlerts(context.Context, time.Time, []signal.Alert) error { return nil }

func (nothing) DeadLetter(context.Context, time.Time, receive.DeadLetter) error { return nil }
