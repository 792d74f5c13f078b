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

// What is judged of a histogram and not stored as a series can be drawn too.
func TestTheMeanOfAHistogramIsDrawn(t *testing.T) {
	r := start(t, testConfig(t), Options{})
	defer r.stop()
	at := time.Now().Add(-10 * time.Minute).Truncate(time.Second)
	for i := range 5 {
		point := fmt.Sprintf(`"timeUnixNano":"%d","count":"%d","sum":%d`, at.Add(time.Duration(i)*time.Minute).UnixNano(), 10*(i+1), 5*(i+1))
		body := fmt.Sprintf(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
			{"name":"classic","histogram":{"aggregationTemporality":2,"dataPoints":[{%s,"explicitBounds":[1],"bucketCounts":["%d","0"]}]}},
			{"name":"native","exponentialHistogram":{"aggregationTemporality":2,"dataPoints":[{%s,"scale":0,"positive":{"bucketCounts":["%d"]}}]}}]}]}]}`,
			point, 10*(i+1), point, 10*(i+1))
		if status, answer := r.request(http.MethodPost, "/v1/metrics", body); status != http.StatusOK {
			t.Fatalf("answer %d %s", status, answer)
		}
	}
	r.until("the samples are there", func() bool { return r.ask("count_over_time(classic_count[15m])", time.Now()) == "5" })
	span := "&from=" + url.QueryEscape(at.Add(-time.Minute).Format(time.RFC3339)) + "&to=" + url.QueryEscape(time.Now().Format(time.RFC3339))
	for selector, want := range map[string]float64{"classic:mean": 0.5, "native:mean": 0.5, "native:rate": 10.0 / 60} {
		var chart struct{ Items []struct{ Values []float64 } }
		r.get("/api/fairlead/v1/series/chart?selector="+url.QueryEscape(selector)+span, &chart)
		if len(chart.Items) != 1 || len(chart.Items[0].Values) != 4 || chart.Items[0].Values[3] != want {
			t.Errorf("the chart of %s is %v, want four values of %g", selector, chart.Items, want)
		}
	}
}
