package badinput_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/fairlead/fairlead/test/need"
)

// telemetryRow is one wrong request with telemetry. It is sent with something good, which must be kept.
type telemetryRow struct {
	protocol, request string
	body              string // of a metric, log record or span for OTLP, in JSON; whole with raw
	raw               bool
	headers           []string
	series            []prompb.TimeSeries // for remote write
	status            int
	says              string // is part of the answer
	reason            string // by which it is counted; "" when nothing is
}

func (r *telemetryRow) path() string {
	return map[string]string{"metrics": "/v1/metrics", "logs": "/v1/logs", "traces": "/v1/traces", "remote write": "/api/v1/write"}[r.protocol]
}

// kind is what the protocol brings, as counters name it.
func (r *telemetryRow) kind() string {
	return map[string]string{"metrics": "samples", "remote write": "samples", "logs": "log_records", "traces": "spans"}[r.protocol]
}

func (r *telemetryRow) payload(t *testing.T, good string, at time.Time) (string, []string) {
	t.Helper()
	headers := []string{"Content-Type: application/json"}
	if r.raw {
		return r.body, append(headers, r.headers...)
	}
	nano := at.UnixNano()
	switch r.protocol {
	case "metrics":
		return fmt.Sprintf(`{"resourceMetrics":[{"scopeMetrics":[{"metrics":[%s,{"name":%q,"gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":1}]}}]}]}]}`, r.body, good, nano), headers
	case "logs":
		return fmt.Sprintf(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[%s,{"timeUnixNano":"%d","body":{"stringValue":"good"}}]}]}]}`, r.body, nano), headers
	case "traces":
		return fmt.Sprintf(`{"resourceSpans":[{"scopeSpans":[{"spans":[%s,{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"good","startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`, r.body, nano, nano), headers
	}
	request := prompb.WriteRequest{Timeseries: append(r.series, prompb.TimeSeries{
		Labels: []prompb.Label{{Name: "__name__", Value: good}}, Samples: []prompb.Sample{{Value: 1, Timestamp: at.UnixMilli()}},
	})}
	data, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(snappy.Encode(nil, data)), append([]string{"Content-Type: application/x-protobuf", "Content-Encoding: snappy"}, r.headers...)
}

func labelled(pairs ...string) []prompb.Label {
	var labels []prompb.Label
	for i := 0; i < len(pairs); i += 2 {
		labels = append(labels, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return labels
}

func telemetryRows(at time.Time) []telemetryRow {
	nano, ms := at.UnixNano(), at.UnixMilli()
	gauge := func(point string) string {
		return fmt.Sprintf(`{"name":"bad","gauge":{"dataPoints":[{%s}]}}`, point)
	}
	sum := func(temporality int, value float64) string {
		return fmt.Sprintf(`{"name":"sum","sum":{"isMonotonic":true,"aggregationTemporality":%d,"dataPoints":[{"timeUnixNano":"%d","asDouble":%g}]}}`, temporality, nano, value)
	}
	one := []prompb.Sample{{Value: 1, Timestamp: ms}}
	return []telemetryRow{
		{protocol: "metrics", request: "broken protobuf", raw: true, body: "\xff\xff\xff", headers: []string{"Content-Type: application/x-protobuf"}, status: 400, says: "ExportMetricsServiceRequest"},
		{protocol: "metrics", request: "broken JSON", raw: true, body: `{"resourceMetrics":`, status: 400, says: "ExportMetricsServiceRequest"},
		{protocol: "metrics", request: "a wrong content type", raw: true, body: "hello", headers: []string{"Content-Type: text/plain"}, status: 415, says: "Content-Type"},
		{protocol: "metrics", request: "zstd that is none", raw: true, body: "hello", headers: []string{"Content-Encoding: zstd"}, status: 400, says: "zstd"},
		{protocol: "metrics", request: "an infinite value", body: gauge(fmt.Sprintf(`"timeUnixNano":"%d","asDouble":"Infinity"`, nano)), status: 200, says: "send a finite value", reason: "infinite"},
		{protocol: "metrics", request: "a time in 2999", body: gauge(`"timeUnixNano":"32472144000000000000","asDouble":1`), status: 400, says: "ExportMetricsServiceRequest"},
		{protocol: "metrics", request: "a time an hour ahead", body: gauge(fmt.Sprintf(`"timeUnixNano":"%d","asDouble":1`, nano+3600e9)), status: 200, says: "in the future", reason: "future"},
		{protocol: "metrics", request: "a time in 1970", body: gauge(`"timeUnixNano":"1","asDouble":1`), status: 200, says: "more than 90 days before", reason: "past"},
		{protocol: "metrics", request: "a negative counter", body: sum(2, -1), status: 200, says: "a counter cannot be negative", reason: "negative_counter"},
		{protocol: "metrics", request: "a sum without temporality", body: sum(0, 1), status: 200, says: "say whether the sum is cumulative", reason: "unsupported"},
		{protocol: "metrics", request: "a sum in both temporalities", body: sum(1, 1) + "," + sum(2, 5), status: 200, says: "send this series in one temporality", reason: "mixed_temporality"},
		{protocol: "metrics", request: "a histogram whose buckets do not fit its bounds", body: fmt.Sprintf(`{"name":"h","histogram":{"aggregationTemporality":2,"dataPoints":[{"timeUnixNano":"%d","count":"3","sum":1,"explicitBounds":[1,2],"bucketCounts":["3"]}]}}`, nano), status: 200, says: "want one more than the 2 explicitBounds", reason: "histogram"},
		{protocol: "metrics", request: "a metric with no values", body: `{"name":"empty"}`, status: 200, says: "neither gauge, sum", reason: "empty"},
		{protocol: "metrics", request: "a metric with no name", body: fmt.Sprintf(`{"gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":1}]}}`, nano), status: 200, says: "the metric has no name", reason: "labels"},
		{protocol: "remote write", request: "no snappy", raw: true, body: "hello", headers: []string{"Content-Type: application/x-protobuf"}, status: 400, says: "snappy"},
		{protocol: "remote write", request: "broken protobuf", raw: true, body: string(snappy.Encode(nil, []byte("\xff\xff\xff"))), headers: []string{"Content-Type: application/x-protobuf"}, status: 400, says: "body"},
		{protocol: "remote write", request: "JSON", raw: true, body: "{}", status: 415, says: "Content-Type"},
		{protocol: "remote write", request: "a series without a name", series: []prompb.TimeSeries{{Labels: labelled("job", "x"), Samples: one}}, status: 400, says: "the name of the metric is missing", reason: "labels"},
		{protocol: "remote write", request: "a label twice", series: []prompb.TimeSeries{{Labels: labelled("__name__", "twice", "a", "1", "a", "2"), Samples: one}}, status: 400, says: "only once", reason: "labels"},
		{protocol: "remote write", request: "a label's value of 5,000 bytes", series: []prompb.TimeSeries{{Labels: labelled("__name__", "long", "a", strings.Repeat("x", 5000)), Samples: one}}, status: 400, says: "at most 4096 bytes", reason: "labels"},
		{protocol: "remote write", request: "a counter that becomes a gauge by OTLP", series: []prompb.TimeSeries{{Labels: labelled("__name__", "turned_total"), Samples: one}}, status: 204},
		{protocol: "metrics", request: "the gauge of that name", body: fmt.Sprintf(`{"name":"turned_total","gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":1}]}}`, nano+1e9), status: 200, says: "gauge, was counter", reason: "type_change"},
		{protocol: "remote write", request: "5,000 values of one label (the cap was set to 1,000 series)", series: manySeries(5000, ms), status: 400, says: "drop this label", reason: "cardinality"},
		{protocol: "logs", request: "broken protobuf", raw: true, body: "\xff", headers: []string{"Content-Type: application/x-protobuf"}, status: 400, says: "ExportLogsServiceRequest"},
		{protocol: "logs", request: "a time an hour ahead", body: fmt.Sprintf(`{"timeUnixNano":"%d","body":{"stringValue":"x"}}`, nano+3600e9), status: 200, says: "in the future", reason: "future"},
		{protocol: "logs", request: "300 attributes", body: fmt.Sprintf(`{"timeUnixNano":"%d","attributes":[%s]}`, nano, manyAttributes(300)), status: 200, says: "at most 256", reason: "labels"},
		{protocol: "traces", request: "no trace id", body: fmt.Sprintf(`{"spanId":"0102030405060708","startTimeUnixNano":"%d","endTimeUnixNano":"%d"}`, nano, nano), status: 200, says: "the 16 bytes that name the trace", reason: "identity"},
		{protocol: "traces", request: "an end before the start", body: fmt.Sprintf(`{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060709","startTimeUnixNano":"%d","endTimeUnixNano":"%d"}`, nano, nano-5), status: 200, says: "it is before the start", reason: "past"},
		{protocol: "traces", request: "those of an experiment, without spans", raw: true, body: "{}", headers: []string{"x-mlflow-experiment-id: 0"}, status: 400, says: "the request holds no spans"},
	}
}

func manySeries(n int, ms int64) []prompb.TimeSeries {
	var series []prompb.TimeSeries
	for i := range n {
		series = append(series, prompb.TimeSeries{Labels: labelled("__name__", "requests", "user", "u"+strconv.Itoa(i)), Samples: []prompb.Sample{{Value: 1, Timestamp: ms}}})
	}
	return series
}

func manyAttributes(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"key":"a%d","value":{"stringValue":"x"}}`, i))
	}
	return strings.Join(list, ",")
}

// counted returns how much was refused by a reason so far.
func (s *server) counted(t *testing.T, kind, reason string) int {
	t.Helper()
	got := s.send(t, http.DefaultClient, http.MethodGet, "/metrics", strings.NewReader(""))
	sum := 0
	for line := range strings.Lines(got.body) {
		if strings.HasPrefix(line, "fairlead_receive_rejected_telemetry_total{") && strings.Contains(line, `kind="`+kind+`"`) && strings.Contains(line, `reason="`+reason+`"`) {
			fields := strings.Fields(line)
			n, _ := strconv.ParseFloat(fields[len(fields)-1], 64)
			sum += int(n)
		}
	}
	return sum
}

// stored waits until a metric has a value.
func (s *server) stored(t *testing.T, name string) {
	t.Helper()
	need.Eventually(t, 10*time.Second, name+" to be stored", func() bool {
		got := s.send(t, http.DefaultClient, http.MethodGet, "/api/v1/query?query="+url.QueryEscape(name), strings.NewReader(""))
		return strings.Contains(got.body, `"__name__":"`+name+`"`)
	})
}

// TestBadTelemetry sends each row of the table beside something good: that is kept, and what is bad is told and counted.
func TestBadTelemetry(t *testing.T) {
	s := serve(t, t.TempDir(), []string{"FAIRLEAD_RECEIVE_MAX_SERIES_PER_SENDER=1000"})
	var page strings.Builder
	page.WriteString(telemetryHead)
	for i, r := range telemetryRows(time.Now()) {
		t.Run(r.protocol+": "+r.request, func(t *testing.T) {
			good := fmt.Sprintf("good_%d", i)
			body, headers := r.payload(t, good, time.Now())
			before := s.counted(t, r.kind(), r.reason)
			got := s.send(t, http.DefaultClient, http.MethodPost, r.path(), strings.NewReader(body), headers...)
			if got.status != r.status || !strings.Contains(got.body, r.says) {
				t.Errorf("got %d %s, want %d with %q", got.status, got.body, r.status, r.says)
			}
			kept, counts := "nothing", ""
			if !r.raw && got.status != http.StatusBadRequest || r.reason != "" {
				kept = "the good"
				if r.kind() == "samples" && r.reason != "cardinality" {
					s.stored(t, good)
				}
			}
			if r.reason == "cardinality" {
				kept = "what fits"
			}
			if r.reason != "" {
				counts = "`" + r.reason + "`"
				if after := s.counted(t, r.kind(), r.reason); after <= before {
					t.Errorf("%d are counted as %s, %d before", after, r.reason, before)
				}
			}
			fmt.Fprintf(&page, "| %s | %s | %s | %s | %s |\n", r.protocol, r.request, strings.TrimSpace(fmt.Sprintf("%d %s", got.status, escape(said(got.body)))), counts, kept)
		})
	}
	if peak := s.resident(t); peak > 500<<20 {
		t.Errorf("the server held %d MiB at most, want under 500", peak>>20)
	}
	need.Page(t, "bad-input-telemetry.md", page.String(), *update, "go test ./test/badinput -update")
}

// changing is what changes from run to run.
var changing = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z|"id":"[^"]*"`)

// said returns what an answer says, in one line.
func said(body string) string {
	var told struct {
		Message        string
		Detail         string
		PartialSuccess struct{ ErrorMessage string }
		Errors         []struct{ Field, Remedy string }
	}
	text := body
	if json.Unmarshal([]byte(body), &told) == nil {
		text = told.Message + told.PartialSuccess.ErrorMessage + told.Detail
		if len(told.Errors) > 0 {
			text += " `" + told.Errors[0].Field + "`: " + told.Errors[0].Remedy
		}
	}
	text = changing.ReplaceAllString(strings.ToValidUTF8(text, "�"), "...")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "..."
	}
	return strings.TrimSpace(strings.ReplaceAll(text, "\n", " "))
}

const telemetryHead = `<!-- Written by go test ./test/badinput -update. Do not edit. -->

# Bad telemetry

What is answered to telemetry that cannot be used, by which reason it is counted
(` + "`fairlead_receive_rejected_telemetry_total`" + `), and what of the request is kept: each was sent beside something good. The table is a
test: it runs against the built binary. A sender that showed its key finds the number of what was refused, and why, on the page
of its integration.

| what | request | answer | counted | kept |
| --- | --- | --- | --- | --- |
`
