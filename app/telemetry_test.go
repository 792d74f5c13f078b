package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/signal"
)

// read returns the first message of a subject.
func (r *running) read(subject string) []byte {
	r.t.Helper()
	ctx, stop := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer stop()
	var data []byte
	err := r.samples.bus.Consume(ctx, bus.TelemetryStream, []string{subject}, 0, 1, func(_ context.Context, messages []bus.Message) error {
		data = append(data, messages[0].Data...)
		stop()
		return nil
	})
	if data == nil {
		r.t.Fatalf("nothing came at %s: %v", subject, err)
	}
	return data
}

func TestLogsAndTracesArePublishedWithoutSecrets(t *testing.T) {
	r := start(t, testConfig(t), Options{})
	defer r.stop()
	now := time.Now().UnixNano()
	resource := `"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}`
	status, body := r.request(http.MethodPost, "/v1/logs", fmt.Sprintf(
		`{"resourceLogs":[{%s,"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"login with password=hunter22 by ann@example.org"}}]}]}]}`, resource, now))
	if status != http.StatusOK {
		t.Fatalf("logs: answer %d %s", status, body)
	}
	status, body = r.request(http.MethodPost, "/v1/traces", fmt.Sprintf(
		`{"resourceSpans":[{%s,"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"GET","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[{"key":"auth","value":{"stringValue":"Bearer abcdefghijklmnop"}}]}]}]}]}`, resource, now, now+5))
	if status != http.StatusOK {
		t.Fatalf("traces: answer %d %s", status, body)
	}
	logs, err := signal.DecodeLogs(r.read("fairlead.main.telemetry.logs.*"))
	if err != nil {
		t.Fatal(err)
	}
	if got := logs.Records[0].Body; logs.Resource.Get("service.name") != "shop" || !strings.HasPrefix(got, "login with password=") || strings.Contains(got, "hunter22") || strings.Contains(got, "example.org") {
		t.Errorf("the log record is %q of %v", got, logs.Resource)
	}
	spans, err := signal.DecodeSpans(r.read("fairlead.main.telemetry.spans.*"))
	if err != nil {
		t.Fatal(err)
	}
	if s := spans.Spans[0]; s.Name != "GET" || s.End-s.Start != 5 || strings.Contains(s.Attributes.Get("auth"), "abcdef") || s.Trace[15] != 0x10 {
		t.Errorf("the span is %+v", s)
	}
}

// What cannot be read, or makes the detector panic, is set aside and holds nothing up.
func TestPoisonousTelemetryIsSetAside(t *testing.T) {
	r := start(t, testConfig(t), Options{})
	defer r.stop()
	if _, err := r.samples.bus.Publish(t.Context(), bus.SampleSubject(tenant, 0), []byte("no record")); err != nil {
		t.Fatal(err)
	}
	if err := guarded(func() error { panic("poison") }); err == nil || err.Error() != "panic: poison" {
		t.Errorf("a panic became %v", err)
	}
	at := time.Now()
	for _, name := range []string{"before", "after"} { // series of either partition
		if status, body := r.request(http.MethodPost, "/v1/metrics", otlpGauge(name, at, 1)); status != http.StatusOK {
			t.Fatalf("answer %d %s", status, body)
		}
	}
	r.until("what came behind it is stored", func() bool {
		return r.ask("count({job=\"shop\",__name__=~\"before|after\"})", at.Add(time.Second)) == "2"
	})
	var letters struct {
		Items []struct{ Receiver, Reason string }
	}
	r.until("it is a dead letter", func() bool {
		r.get("/api/fairlead/v1/dead-letters", &letters)
		return len(letters.Items) == 1 && letters.Items[0].Receiver == "samples" && strings.Contains(letters.Items[0].Reason, "cannot be read")
	})
}
