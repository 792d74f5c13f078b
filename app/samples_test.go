package app

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// otlpGauge returns OTLP in JSON with one value.
func otlpGauge(name string, at time.Time, value float64) string {
	return fmt.Sprintf(`{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeMetrics":[{"metrics":[{"name":%q,"gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":%g}]}}]}]}]}`,
		name, at.UnixNano(), value)
}

// ask returns the value of a query that has one, "" for none.
func (r *running) ask(query string, at time.Time) string {
	r.t.Helper()
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	r.get("/api/v1/query?time="+url.QueryEscape(at.Format(time.RFC3339))+"&query="+url.QueryEscape(query), &answer)
	if len(answer.Data.Result) == 0 {
		return ""
	}
	return answer.Data.Result[0].Value[1].(string)
}

func TestSamplesAreStoredAskedForAndKeptOverARestart(t *testing.T) {
	cfg := testConfig(t)
	r := start(t, cfg, Options{})
	at := time.Now().Add(-time.Minute)
	for i := range 3 {
		status, body := r.request(http.MethodPost, "/v1/metrics", otlpGauge("queue.length", at.Add(time.Duration(i)*time.Second), float64(i)))
		if status != http.StatusOK {
			t.Fatalf("answer %d %s", status, body)
		}
	}
	now := time.Now()
	r.until("the last value can be asked for", func() bool { return r.ask("queue_length", now) == "2" })
	r.stop()
	r = start(t, cfg, Options{})
	defer r.stop()
	if got := r.ask(`sum_over_time(queue_length{job="shop"}[5m])`, now); got != "3" {
		t.Errorf("after a restart the sum of the values is %q, want 3", got)
	}
	status, body := r.request(http.MethodPost, "/api/v1/write", "nothing packed", "Content-Type", "application/x-protobuf")
	if status != http.StatusBadRequest || !strings.Contains(body, "snappy") {
		t.Errorf("a broken remote write is answered with %d %s", status, body)
	}
	if status, body := r.request(http.MethodGet, "/api/v1/query?query=sum(", ""); status != http.StatusBadRequest || !strings.Contains(body, "unclosed left parenthesis") {
		t.Errorf("a broken query is answered with %d %s", status, body)
	}
	_, body = r.request(http.MethodGet, "/metrics", "")
	for _, want := range []string{`fairlead_receive_telemetry_total{kind="samples",protocol="otlp"} 0`, `fairlead_receive_telemetry_requests_total{code="400",kind="samples",protocol="remote-write"} 1`} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// A fault in a series that was normal for a day becomes an incident, on the clock of the recording.
func TestAnAnomalyBecomesAnIncident(t *testing.T) {
	cfg := testConfig(t)
	cfg.Clock = "event"
	r := start(t, cfg, Options{})
	defer r.stop()
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for i := range 600 {
		at := begin.Add(time.Duration(i) * time.Minute)
		value := 100 + float64(i*7919%13)
		if i >= 560 {
			value += 400
		}
		status, body := r.request(http.MethodPost, "/v1/metrics", otlpGauge("orders.waiting", at, value), "Fairlead-Event-Time", at.Format(time.RFC3339))
		if status != http.StatusOK {
			t.Fatalf("answer %d %s", status, body)
		}
	}
	var list listed
	r.get("/api/fairlead/v1/incidents", &list)
	if len(list.Items) != 1 || !strings.Contains(list.Items[0].Title, "orders_waiting unusually high") {
		t.Fatalf("incidents: %+v, want one about the orders that wait", list.Items)
	}
}
