package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// taken keeps what was published.
type taken struct {
	mu     sync.Mutex
	series []signal.Series    // guarded by mu
	logs   []signal.LogBatch  // guarded by mu
	spans  []signal.SpanBatch // guarded by mu
	err    error
}

func (p *taken) PublishLogs(_ context.Context, _ time.Time, batches []signal.LogBatch) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logs = append(p.logs, batches...)
	return p.err
}

func (p *taken) PublishSpans(_ context.Context, _ time.Time, batches []signal.SpanBatch) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spans = append(p.spans, batches...)
	return p.err
}

func (p *taken) PublishSamples(_ context.Context, _ time.Time, _ string, series []signal.Series) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.series = append(p.series, series...)
	return p.err
}

// find returns the series of a name that has a label's value ("" for any).
func (p *taken) find(t *testing.T, name, label, value string) signal.Series {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.series {
		if s.Labels.Get("__name__") == name && (label == "" || s.Labels.Get(label) == value) {
			return s
		}
	}
	t.Fatalf("no series %s with %s=%q among %d", name, label, value, len(p.series))
	return signal.Series{}
}

func newReceiver() (*Receiver, *taken) {
	p := &taken{}
	return New(receive.NewIntake(receive.IntakeConfig{
		Publisher: p, Clock: clock.Wall{}, Bodies: receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)),
		Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler),
	})), p
}

// example returns one metric of each kind.
func example() (pmetric.Metrics, pmetric.MetricSlice) {
	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "checkout")
	rm.Resource().Attributes().PutStr("service.instance.id", "c-1")
	rm.Resource().Attributes().PutStr("k8s.pod.name", "checkout-1")
	list := rm.ScopeMetrics().AppendEmpty().Metrics()
	at := pcommon.NewTimestampFromTime(time.Now())
	add := func(name, unit string) pmetric.Metric {
		m := list.AppendEmpty()
		m.SetName(name)
		m.SetUnit(unit)
		m.SetDescription("Of " + name + ".")
		return m
	}
	p := add("queue.length", "{item}").SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(at)
	p.SetIntValue(7)
	sum := add("requests", "{request}").SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p = sum.DataPoints().AppendEmpty()
	p.SetTimestamp(at)
	p.SetDoubleValue(12)
	added := add("jobs", "").SetEmptySum()
	added.SetIsMonotonic(true)
	added.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	p = added.DataPoints().AppendEmpty()
	p.SetTimestamp(at)
	p.SetIntValue(3)
	h := add("latency", "s").SetEmptyHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	hp := h.DataPoints().AppendEmpty()
	hp.SetTimestamp(at)
	hp.SetCount(6)
	hp.SetSum(2.5)
	hp.ExplicitBounds().FromRaw([]float64{0.1, 1})
	hp.BucketCounts().FromRaw([]uint64{1, 3, 2})
	e := add("size", "By").SetEmptyExponentialHistogram()
	e.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	ep := e.DataPoints().AppendEmpty()
	ep.SetTimestamp(at)
	ep.SetCount(4)
	ep.SetSum(40)
	ep.SetScale(1)
	ep.Positive().SetOffset(2)
	ep.Positive().BucketCounts().FromRaw([]uint64{1, 3})
	s := add("old", "").SetEmptySummary().DataPoints().AppendEmpty()
	s.SetTimestamp(at)
	s.SetCount(3)
	s.SetSum(9)
	q := s.QuantileValues().AppendEmpty()
	q.SetQuantile(0.5)
	q.SetValue(3)
	return metrics, list
}

func post(t *testing.T, rc *Receiver, contentType, encoding string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	return postTo(rc.Metrics(), contentType, encoding, body)
}

func postTo(h http.Handler, contentType, encoding string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/v1/metrics", bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if encoding != "" {
		r.Header.Set("Content-Encoding", encoding)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryKindOfMetricIsTakenInEveryForm(t *testing.T) {
	metrics, _ := example()
	request := pmetricotlp.NewExportRequestFromMetrics(metrics)
	asProto, err := request.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	asText, err := request.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(asProto)
	_ = z.Close()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct {
		name, contentType, encoding string
		body                        []byte
	}{
		{"protobuf", "application/x-protobuf", "", asProto},
		{"JSON", "application/json", "", asText},
		{"gzip", "application/x-protobuf", "gzip", zipped.Bytes()},
		{"zstd", "application/x-protobuf", "zstd", encoder.EncodeAll(asProto, nil)},
	} {
		t.Run(form.name, func(t *testing.T) {
			rc, p := newReceiver()
			w := post(t, rc, form.contentType, form.encoding, form.body)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != form.contentType {
				t.Fatalf("answer %d %q as %s", w.Code, w.Body, w.Header().Get("Content-Type"))
			}
			checkExample(t, p)
		})
	}
}

func checkExample(t *testing.T, p *taken) {
	t.Helper()
	gauge := p.find(t, "queue_length", "", "")
	if gauge.Type != signal.Gauge || gauge.Samples[0].Value != 7 || gauge.Labels.Get("job") != "checkout" || gauge.Labels.Get("instance") != "c-1" || gauge.Labels.Get("k8s_pod_name") != "checkout-1" {
		t.Errorf("the gauge is %+v", gauge)
	}
	if s := p.find(t, "requests_total", "", ""); s.Type != signal.Counter || s.Samples[0].Value != 12 || s.Family != "counter" {
		t.Errorf("the cumulative sum is %+v", s)
	}
	if s := p.find(t, "jobs_total", "", ""); s.Type != signal.Delta || s.Samples[0].Value != 3 {
		t.Errorf("the delta sum is %+v", s)
	}
	if s := p.find(t, "latency_seconds_bucket", "le", "1"); s.Type != signal.Counter || s.Samples[0].Value != 4 {
		t.Errorf("the bucket up to 1 is %+v", s)
	}
	if s := p.find(t, "latency_seconds_sum", "", ""); s.Type != signal.Counter || s.Samples[0].Value != 2.5 {
		t.Errorf("the sum of the histogram is %+v", s)
	}
	h := p.find(t, "size_bytes", "", "")
	if len(h.Histograms) != 1 || !h.Histograms[0].Delta || h.Histograms[0].Count != 4 || h.Histograms[0].Positive[1] != 3 {
		t.Errorf("the exponential histogram is %+v", h)
	}
	if s := p.find(t, "old", "quantile", "0.5"); s.Samples[0].Value != 3 {
		t.Errorf("the median of the summary is %+v", s)
	}
	if s := p.find(t, "old_count", "", ""); s.Type != signal.Counter {
		t.Errorf("the count of the summary is %+v", s)
	}
	p.find(t, "target_info", "", "")
}

func TestWhatIsBadIsToldAsPartialSuccess(t *testing.T) {
	metrics, list := example()
	at := pcommon.NewTimestampFromTime(time.Now())
	infinite := list.At(0).Gauge().DataPoints().AppendEmpty()
	infinite.SetTimestamp(at)
	infinite.SetDoubleValue(math.Inf(1))
	future := list.At(0).Gauge().DataPoints().AppendEmpty()
	future.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(time.Hour)))
	future.Attributes().PutStr("a", "b")
	negative := list.At(1).Sum().DataPoints().AppendEmpty()
	negative.SetTimestamp(at)
	negative.SetDoubleValue(-1)
	negative.Attributes().PutStr("a", "b")
	odd := list.AppendEmpty()
	odd.SetName("odd")
	odd.SetEmptySum().DataPoints().AppendEmpty().SetTimestamp(at)
	empty := list.AppendEmpty()
	empty.SetName("empty")
	body, err := pmetricotlp.NewExportRequestFromMetrics(metrics).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	rc, p := newReceiver()
	w := post(t, rc, "application/x-protobuf", "", body)
	response := pmetricotlp.NewExportResponse()
	if err := response.UnmarshalProto(w.Body.Bytes()); err != nil || w.Code != http.StatusOK {
		t.Fatalf("answer %d, %v", w.Code, err)
	}
	if got := response.PartialSuccess().RejectedDataPoints(); got != 5 {
		t.Errorf("%d data points are said to be rejected, want 5: %s", got, response.PartialSuccess().ErrorMessage())
	}
	if !strings.Contains(response.PartialSuccess().ErrorMessage(), "queue.length") {
		t.Errorf("the message is %q", response.PartialSuccess().ErrorMessage())
	}
	checkExample(t, p)
}

func TestWhatIsNoOTLPIsRefused(t *testing.T) {
	rc, p := newReceiver()
	for name, test := range map[string]struct {
		contentType, body string
		want              int
	}{
		"text":            {"text/plain", "hello", 415},
		"broken protobuf": {"application/x-protobuf", "\xff\xff\xff", 400},
		"broken JSON":     {"application/json", "{", 400},
		"nothing":         {"application/x-protobuf", "", 200},
	} {
		if w := post(t, rc, test.contentType, "", []byte(test.body)); w.Code != test.want {
			t.Errorf("%s: answer %d %q, want %d", name, w.Code, w.Body, test.want)
		}
	}
	p.err = receive.ErrFull
	if w := post(t, rc, "application/json", "", []byte("{}")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"code":14`) {
		t.Errorf("a full stream is answered with %d %s %v", w.Code, w.Body, w.Header())
	}
}

// serveGRPC serves gRPC until the test ends and returns its address.
func serveGRPC(t *testing.T, rc *Receiver) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- NewGRPC(rc, nil).Run(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// The OpenTelemetry SDK's own exporters send to the real servers.
func TestTheSDKSends(t *testing.T) {
	rc, p := newReceiver()
	ctx, address := t.Context(), serveGRPC(t, rc)
	server := httptest.NewServer(rc.Metrics())
	defer server.Close()
	overGRPC, err := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpoint(address), otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithCompressor("gzip"))
	if err != nil {
		t.Fatal(err)
	}
	overHTTP, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(server.URL+"/v1/metrics"), otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression))
	if err != nil {
		t.Fatal(err)
	}
	for name, exporter := range map[string]sdk.Exporter{"grpc": overGRPC, "http": overHTTP} {
		provider := sdk.NewMeterProvider(sdk.WithReader(sdk.NewPeriodicReader(exporter)), sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", name))))
		counter, err := provider.Meter("test").Int64Counter("sent", metric.WithUnit("{thing}"))
		if err != nil {
			t.Fatal(err)
		}
		counter.Add(ctx, 5, metric.WithAttributes(attribute.String("color", "blue")))
		if err := provider.Shutdown(ctx); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s := p.find(t, "sent_total", "job", name); s.Samples[0].Value != 5 || s.Labels.Get("color") != "blue" {
			t.Errorf("over %s came %+v", name, s)
		}
	}
}

func FuzzRequests(f *testing.F) {
	metrics, _ := example()
	request := pmetricotlp.NewExportRequestFromMetrics(metrics)
	asProto, _ := request.MarshalProto()
	asText, _ := request.MarshalJSON()
	f.Add(asProto, false)
	f.Add(asText, true)
	for _, m := range []answer{plogotlp.NewExportRequestFromLogs(exampleLogs()), ptraceotlp.NewExportRequestFromTraces(exampleTraces())} {
		asProto, _ := m.MarshalProto()
		asText, _ := m.MarshalJSON()
		f.Add(asProto, false)
		f.Add(asText, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, text bool) {
		form := asProtobuf
		if text {
			form = asJSON
		}
		if request, err := parseMetrics(data, form); err == nil {
			translate(t.Context(), request.Metrics(), &receive.Visit{At: time.Now()})
		}
		if request, err := parseLogs(data, form); err == nil {
			logBatches(request.Logs(), 1)
		}
		if request, err := parseTraces(data, form); err == nil {
			spanBatches(request.Traces())
		}
	})
}
