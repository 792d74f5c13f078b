package promwrite

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// taken keeps what was published.
type taken struct {
	receive.TelemetryPublisher // nothing but samples comes

	series []signal.Series
}

func (p *taken) PublishSamples(_ context.Context, _ time.Time, _ string, series []signal.Series) error {
	p.series = append(p.series, series...)
	return nil
}

func newHandler(perSender int) (*Handler, *taken) {
	p := &taken{}
	return New(receive.NewIntake(receive.IntakeConfig{
		Publisher: p, Clock: clock.Wall{}, Bodies: receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)),
		Caps: receive.NewCaps(receive.CapsConfig{PerSender: perSender}), Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler),
	})), p
}

type message interface{ Marshal() ([]byte, error) }

// send posts a message and returns the answer.
func send(t *testing.T, h http.Handler, contentType string, m message) *httptest.ResponseRecorder {
	t.Helper()
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return post(h, contentType, snappy.Encode(nil, data))
}

func post(h http.Handler, contentType string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(body))
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	typeV1 = "application/x-protobuf"
	typeV2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

func labelsV1(pairs ...string) []prompb.Label {
	var labels []prompb.Label
	for i := 0; i < len(pairs); i += 2 {
		labels = append(labels, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return labels
}

func now() int64 { return time.Now().UnixMilli() }

func exampleHistogram() *histogram.Histogram {
	return &histogram.Histogram{
		Schema: 1, Count: 6, Sum: 10, ZeroThreshold: 0.001, ZeroCount: 1,
		PositiveSpans: []histogram.Span{{Offset: -1, Length: 2}}, PositiveBuckets: []int64{2, 1},
	}
}

func TestVersionOneIsTakenWhole(t *testing.T) {
	h, p := newHandler(0)
	at := now()
	w := send(t, h, typeV1, &prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{
			{
				Labels: labelsV1("job", "shop", "__name__", "requests_total"), Samples: []prompb.Sample{{Value: 5, Timestamp: at}, {Value: math.Float64frombits(0x7ff0000000000002), Timestamp: at + 1}},
				Exemplars: []prompb.Exemplar{{Labels: labelsV1("trace_id", "7"), Value: 1, Timestamp: at}},
			},
			{Labels: labelsV1("__name__", "latency"), Histograms: []prompb.Histogram{prompb.FromIntHistogram(at, exampleHistogram())}},
		},
		Metadata: []prompb.MetricMetadata{{Type: prompb.MetricMetadata_COUNTER, MetricFamilyName: "requests_total", Help: "Requests."}},
	})
	if w.Code != http.StatusNoContent {
		t.Fatalf("answer %d %s, want 204", w.Code, w.Body)
	}
	if len(p.series) != 3 {
		t.Fatalf("%d series were taken, want two and one description", len(p.series))
	}
	first := p.series[0]
	if want := (signal.Labels{{Name: "__name__", Value: "requests_total"}, {Name: "job", Value: "shop"}}); !first.Labels.Equal(want) {
		t.Errorf("labels %v, want %v", first.Labels, want)
	}
	if first.Type != signal.Counter || first.Help != "Requests." || len(first.Samples) != 2 || !first.Samples[1].IsStale() || len(first.Exemplars) != 1 {
		t.Errorf("the first series is %+v", first)
	}
	want := []signal.HistogramSample{{
		At: at, Schema: 1, Count: 6, Sum: 10, ZeroThreshold: 0.001, ZeroCount: 1, PositiveSpans: []signal.BucketSpan{{Offset: -1, Length: 2}}, Positive: []float64{2, 3},
	}}
	if diff := cmp.Diff(want, p.series[1].Histograms); diff != "" {
		t.Errorf("histograms, want -, got +:\n%s", diff)
	}
}

func TestVersionTwoIsTakenWholeAndSaysHowMuch(t *testing.T) {
	h, p := newHandler(0)
	at := now()
	w := send(t, h, typeV2, &writev2.Request{
		Symbols: []string{"", "__name__", "queue", "job", "shop", "Things that wait.", "trace_id", "7"},
		Timeseries: []writev2.TimeSeries{{
			LabelsRefs: []uint32{1, 2, 3, 4}, Samples: []writev2.Sample{{Value: 3, Timestamp: at}},
			Metadata:   writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_GAUGE, HelpRef: 5},
			Exemplars:  []writev2.Exemplar{{LabelsRefs: []uint32{6, 7}, Value: 3, Timestamp: at}},
			Histograms: []writev2.Histogram{writev2.FromIntHistogram(0, at+1, exampleHistogram())},
		}, {LabelsRefs: []uint32{1, 99}, Samples: []writev2.Sample{{Value: 3, Timestamp: at}}}},
	})
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "labels_refs") {
		t.Errorf("answer %d %s, want 400 for the second series", w.Code, w.Body)
	}
	for header, want := range map[string]string{"Samples": "1", "Histograms": "1", "Exemplars": "1"} {
		if got := w.Header().Get("X-Prometheus-Remote-Write-" + header + "-Written"); got != want {
			t.Errorf("%s written: %q, want %q", header, got, want)
		}
	}
	if len(p.series) != 1 || p.series[0].Type != signal.Gauge || p.series[0].Help != "Things that wait." {
		t.Errorf("taken: %+v", p.series)
	}
}

func TestWhatIsBadIsNamedAndTheRestKept(t *testing.T) {
	at := now()
	good := prompb.TimeSeries{Labels: labelsV1("__name__", "good"), Samples: []prompb.Sample{{Value: 1, Timestamp: at}}}
	tests := []struct {
		name string
		bad  prompb.TimeSeries
		want string
	}{
		{"no name", prompb.TimeSeries{Labels: labelsV1("job", "x"), Samples: good.Samples}, "__name__"},
		{"far in the future", prompb.TimeSeries{Labels: labelsV1("__name__", "x"), Samples: []prompb.Sample{{Timestamp: at + 3600_000}}}, "future"},
		{"a negative counter", prompb.TimeSeries{Labels: labelsV1("__name__", "x_total"), Samples: []prompb.Sample{{Value: -1, Timestamp: at}}}, "cannot be negative"},
		{"a label twice", prompb.TimeSeries{Labels: labelsV1("__name__", "x", "a", "1", "a", "2"), Samples: good.Samples}, "only once"},
		{"broken UTF-8", prompb.TimeSeries{Labels: labelsV1("__name__", "x", "a", "\xff"), Samples: good.Samples}, "valid UTF-8"},
		{"an endless label", prompb.TimeSeries{Labels: labelsV1("__name__", "x", "a", strings.Repeat("x", 5000)), Samples: good.Samples}, "at most 4096"},
		{"a histogram that contradicts itself", prompb.TimeSeries{
			Labels: labelsV1("__name__", "x"), Histograms: []prompb.Histogram{{Count: &prompb.Histogram_CountInt{CountInt: 9}, PositiveDeltas: []int64{1}, Timestamp: at}},
		}, "contradicts itself"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h, p := newHandler(0)
			w := send(t, h, typeV1, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{test.bad, good}})
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), test.want) {
				t.Errorf("answer %d %s, want 400 with %q", w.Code, w.Body, test.want)
			}
			if len(p.series) != 1 || p.series[0].Labels.Get("__name__") != "good" {
				t.Errorf("taken: %+v, want the good series", p.series)
			}
		})
	}
}

func TestAnExplodingLabelIsNamed(t *testing.T) {
	h, p := newHandler(100)
	var all []prompb.TimeSeries
	for i := range 150 {
		all = append(all, prompb.TimeSeries{Labels: labelsV1("__name__", "x", "user", strings.Repeat("u", i+1)), Samples: []prompb.Sample{{Timestamp: now()}}})
	}
	w := send(t, h, typeV1, &prompb.WriteRequest{Timeseries: all})
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "labels.user") {
		t.Errorf("answer %d %s, want 400 that names the label user", w.Code, w.Body)
	}
	if len(p.series) != 100 {
		t.Errorf("%d series were taken, want the first 100", len(p.series))
	}
}

func TestWhatIsNoRemoteWriteIsRefused(t *testing.T) {
	h, _ := newHandler(0)
	for name, test := range map[string]struct {
		contentType string
		body        []byte
		want        int
	}{
		"another message":  {"application/x-protobuf;proto=other.Message", snappy.Encode(nil, nil), 415},
		"JSON":             {"application/json", []byte("{}"), 415},
		"no snappy":        {typeV1, []byte("not packed at all"), 400},
		"no protobuf":      {typeV1, snappy.Encode(nil, []byte("\xff\xff\xff")), 400},
		"a bomb":           {typeV1, []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0}, 413},
		"nothing in it":    {typeV1, snappy.Encode(nil, nil), 204},
		"no v2 in it":      {typeV2, snappy.Encode(nil, []byte{0x0a}), 400},
		"nothing, version": {typeV2, snappy.Encode(nil, nil), 204},
	} {
		if w := post(h, test.contentType, test.body); w.Code != test.want {
			t.Errorf("%s: answer %d %s, want %d", name, w.Code, w.Body, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	one, _ := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: labelsV1("__name__", "x"), Samples: []prompb.Sample{{Value: 1}}, Histograms: []prompb.Histogram{prompb.FromIntHistogram(1, exampleHistogram())}}}}).Marshal()
	two, _ := (&writev2.Request{Symbols: []string{"", "__name__", "x"}, Timeseries: []writev2.TimeSeries{{LabelsRefs: []uint32{1, 2}, Histograms: []writev2.Histogram{writev2.FromIntHistogram(0, 1, exampleHistogram())}}}}).Marshal()
	f.Add(one, true)
	f.Add(two, false)
	f.Fuzz(func(_ *testing.T, data []byte, first bool) {
		v := &receive.Visit{At: time.Now()}
		if first {
			_, _ = parseV1(data, v)
		} else {
			_, _ = parseV2(data, v)
		}
	})
}
