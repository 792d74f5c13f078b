package receive_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/alertmanager"
	"github.com/fairlead/fairlead/receive/pagerduty"
	"github.com/fairlead/fairlead/test/door"
)

// newHooked serves PagerDuty's protocol, Prometheus, and a made-up sender.
func newHooked(t *testing.T) *door.Door {
	t.Helper()
	toy := receive.Protocol{
		Kind: "toy", Mapped: true,
		Parse: func(r *receive.Request) (*receive.Delivery, error) {
			var body struct{ Toy, ID, Origin string }
			if err := receive.DecodeJSON(r.Body, &body); err != nil {
				return nil, err
			}
			if body.Toy == "" {
				return nil, receive.Invalid(receive.FieldError{Field: "toy", Remedy: "it is missing"})
			}
			a := signal.Alert{Identity: body.Toy, Keyed: true, Labels: signal.NewLabels(map[string]string{"alertname": body.Toy, "owner": "ann@example.org"})}
			a.Annotations = signal.NewLabels(map[string]string{"summary": "password=hunter22 of ann@example.org"})
			return &receive.Delivery{ID: body.ID, Pin: body.Origin, Alerts: []signal.Alert{a}}, nil
		},
	}
	d := door.New(t, map[string]receive.Protocol{"POST /v2/enqueue": pagerduty.Events(), "POST /in/toy/{integration}": toy}, alertmanager.Integration)
	d.Handle("POST /api/v2/alerts", alertmanager.New(alertmanager.Config{
		Publisher: d, Clock: clock.Wall{}, Bodies: receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)), Gate: d.Gate, Logger: slog.New(slog.DiscardHandler),
		ResolveTimeout: func() time.Duration { return time.Minute },
	}))
	return d
}

func TestARequestBecomesAnAlertWithoutSecrets(t *testing.T) {
	h := newHooked(t)
	if status, text := h.Post("/in/toy/shop", `{"toy":"Bear"}`); status != 200 {
		t.Fatalf("got %d %s", status, text)
	}
	a := h.Alerts()[0]
	if a.Source != "shop" || a.Identity != "Bear" || a.StartsAt.IsZero() || a.Labels.Get("owner") != "ann@example.org" {
		t.Errorf("got %+v", a)
	}
	if got := a.Annotations.Get("summary"); got != "password=[redacted] of [redacted]" {
		t.Errorf("the summary is %q", got)
	}
	_, counters, captures, err := h.Doors.Find("shop")
	if err != nil || counters.Requests != 1 || counters.Alerts != 1 || len(captures) != 1 || captures[0].Status != 200 {
		t.Errorf("got %+v, %+v, error %v", counters, captures, err)
	}
}

func TestPrometheusComesThroughADoorToo(t *testing.T) {
	h := newHooked(t)
	const body = `[{"labels":{"alertname":"Down","owner":"ann@example.org","dsn":"password=hunter22"},"annotations":{"summary":"ask ann@example.org"},"generatorURL":"http://ann:s3cret@prom/graph"}]`
	if status, text := h.Post("/api/v2/alerts", body); status != 200 {
		t.Fatalf("got %d %s", status, text)
	}
	a := h.Alerts()[0]
	if a.Source != "prometheus" || a.ResolveTimeout != time.Minute || a.Labels.Get("owner") != "ann@example.org" || a.Labels.Get("dsn") != "password=[redacted]" ||
		a.Annotations.Get("summary") != "ask [redacted]" || strings.Contains(a.GeneratorURL, "s3cret") {
		t.Errorf("got %+v", a)
	}
	if status, _ := h.Post("/api/v2/alerts", `[{"labels":{"token":"abcdefghijkl\u0000"}},{"labels":{"":"token=abcdefghijkl"}}]`); status != 400 {
		t.Errorf("bad alerts: got %d, want 400", status)
	}
	for _, letter := range h.Letters() {
		if strings.Contains(string(letter.Payload), "abcdefghijkl") {
			t.Errorf("a dead letter holds a secret: %s", letter.Payload)
		}
	}
	if _, counters, captures, err := h.Doors.Find("prometheus"); err != nil || counters.Requests != 2 || counters.Alerts != 2 || len(captures) == 0 || strings.Contains(captures[0].Body, "hunter22") {
		t.Errorf("the door counts %+v, error %v", counters, err)
	}
}

func TestAWrongKeyIsRefusedAndShowsNothing(t *testing.T) {
	h := newHooked(t)
	h.Post("/in/toy/shop", `{"toy":"Bear"}`)
	if _, _, err := h.Doors.Rotate(t.Context(), "shop", 0, "ann"); err != nil {
		t.Fatal(err)
	}
	for _, headers := range [][]string{nil, {"Authorization", "Bearer guess-guess-guess"}, {"X-Api-Key", "guess"}} {
		status, text := h.Post("/in/toy/shop", `{"toy":"Bear"}`, headers...)
		if status != 401 || strings.Contains(text, "guess-guess") || !strings.Contains(text, `"field":"key"`) {
			t.Errorf("%v: got %d %s", headers, status, text)
		}
	}
	if len(h.Alerts()) != 1 {
		t.Errorf("%d alerts were accepted, want 1", len(h.Alerts()))
	}
}

func TestADeliveryThatIsRepeatedChangesNothing(t *testing.T) {
	h := newHooked(t)
	h.Fail(receive.ErrUnavailable)
	if status, _ := h.Post("/in/toy/shop", `{"toy":"Bear","id":"d1"}`); status != 503 {
		t.Errorf("while nothing can be stored: got %d, want 503", status)
	}
	h.Fail(nil)
	for range 3 {
		if status, _ := h.Post("/in/toy/shop", `{"toy":"Bear","id":"d1"}`); status != 200 {
			t.Errorf("got %d, want 200", status)
		}
	}
	if len(h.Alerts()) != 1 {
		t.Errorf("%d alerts, want 1", len(h.Alerts()))
	}
}

func TestAPayloadOfAnotherShapeGoesToTheMapperOrIsKept(t *testing.T) {
	h := newHooked(t)
	if status, text := h.Post("/in/toy/shop", `{"title":"Own template","status":"open","id":"7"}`); status != 200 {
		t.Fatalf("got %d %s", status, text)
	}
	if a := h.Alerts()[0]; a.Name() != "Own template" || a.Identity != "7" || len(a.Notes) != 1 {
		t.Errorf("got %+v", a)
	}
	status, text := h.Post("/in/toy/shop", `{"nothing":"known","token":"abcdefghijkl"}`)
	if status != 400 || !strings.Contains(text, "toy") || !strings.Contains(text, "mapper.name") {
		t.Errorf("got %d %s", status, text)
	}
	if len(h.Letters()) != 1 || h.Letters()[0].Receiver != "toy/shop" || strings.Contains(string(h.Letters()[0].Payload), "abcdefghijkl") {
		t.Errorf("the dead letters are %+v", h.Letters())
	}
}

func TestAnotherOriginIsRefused(t *testing.T) {
	h := newHooked(t)
	for origin, want := range map[string]int{"arn:1": 200} {
		if status, _ := h.Post("/in/toy/shop", `{"toy":"Bear","origin":"`+origin+`"}`); status != want {
			t.Errorf("%s: got %d, want %d", origin, status, want)
		}
	}
	if status, _ := h.Post("/in/toy/shop", `{"toy":"Bear","origin":"arn:2"}`); status != 403 {
		t.Errorf("another origin: got %d, want 403", status)
	}
}

func TestWhatIsPassedOnIsUntouchedAndItsAnswerComesBack(t *testing.T) {
	h := newHooked(t)
	var got []byte
	var header http.Header
	var path string
	today := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body) //nolint:errcheck // compared below
		header, path = r.Header.Clone(), r.URL.RequestURI()
		w.Header().Set("X-Today", "yes")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "thanks") // compared below
	}))
	defer today.Close()
	if _, err := h.Doors.Create(t.Context(), &integration.Integration{Name: "shop", Kind: "toy", Forward: today.URL}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(zip, `{"toy":"Bear"}`) // into memory
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	status, text := h.Post("/in/toy/shop?x=1", zipped.String(), "Content-Encoding", "gzip", "Authorization", "Bearer of-the-tool", "X-Own", "kept")
	if status != 202 || text != "thanks" {
		t.Errorf("got %d %q, want today's answer", status, text)
	}
	if !bytes.Equal(got, zipped.Bytes()) || header.Get("Content-Encoding") != "gzip" || header.Get("Authorization") != "Bearer of-the-tool" ||
		header.Get("X-Own") != "kept" || path != "/in/toy/shop?x=1" {
		t.Errorf("passed on: %d bytes to %s with %v", len(got), path, header)
	}
	if len(h.Alerts()) != 1 || h.Alerts()[0].Identity != "Bear" {
		t.Errorf("here: %+v", h.Alerts())
	}
	// What Fairlead cannot use or store is no reason to keep it from today's tool.
	h.Fail(receive.ErrUnavailable)
	if status, _ := h.Post("/in/toy/shop", `{"toy":"Lion"}`); status != 202 || string(got) != `{"toy":"Lion"}` {
		t.Errorf("while nothing can be stored here: got %d, passed on %q", status, got)
	}
	today.Close()
	if status, text := h.Post("/in/toy/shop", `{"toy":"Bear"}`); status != 502 || !strings.Contains(text, "did not answer") {
		t.Errorf("without today's tool: got %d %s, want 502", status, text)
	}
}

func TestLongAndStrangeFieldsAreCut(t *testing.T) {
	h := newHooked(t)
	long := strings.Repeat("x", 3000)
	if status, _ := h.Post("/in/toy/shop", `{"toy":"`+long+`"}`); status != 200 {
		t.Fatal(status)
	}
	if a := h.Alerts()[0]; len(a.Identity) > 1024 || len(a.Notes) != 1 {
		t.Errorf("the key has %d bytes, notes %q", len(a.Identity), a.Notes)
	}
}
