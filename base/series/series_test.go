package series_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"

	"github.com/fairlead/fairlead/base/series"
	"github.com/fairlead/fairlead/base/signal"
)

const start = 1772366400000 // milliseconds

func open(t *testing.T, dir string) (*series.Store, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	s, err := series.Open(series.Config{Dir: dir}, slog.New(slog.DiscardHandler), registry)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, registry
}

func write(t *testing.T, w *series.Writer, all ...signal.Series) {
	t.Helper()
	r, err := signal.ReadSamples(signal.AppendSamples(nil, signal.SampleBatch{At: time.UnixMilli(start), Source: "test", Series: all}))
	if err != nil {
		t.Fatal(err)
	}
	b := w.Begin(t.Context())
	var v signal.SeriesView
	for r.Next(&v) {
		if err := b.Add(&v); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
}

// ask returns the answer to a query as text.
func ask(t *testing.T, s *series.Store, query string, at int64) string {
	t.Helper()
	q, err := s.Engine().NewInstantQuery(t.Context(), s.DB(), promql.NewPrometheusQueryOpts(false, 0), query, time.UnixMilli(at))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	result := q.Exec(t.Context())
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	return result.Value.String()
}

func gauge(name string, samples ...signal.Sample) signal.Series {
	return signal.Series{Labels: signal.NewLabels(map[string]string{"__name__": name, "job": "shop"}), Type: signal.Gauge, Samples: samples}
}

func TestSamplesAreFoundAgainAfterTheEndOfTheProcess(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	w := s.Writer()
	write(t, w, gauge("a", signal.Sample{At: start, Value: 1}), gauge("b", signal.Sample{At: start, Value: 2}))
	write(t, w, gauge("a", signal.Sample{At: start + 15_000, Value: 3}))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, registry := open(t, dir)
	// What the stream brings again changes nothing.
	write(t, s.Writer(), gauge("a", signal.Sample{At: start + 15_000, Value: 3}))
	want := fmt.Sprintf("{__name__=\"a\", job=\"shop\"} => 3 @[%d]", start+20_000)
	if got := ask(t, s, "a", start+20_000); got != want {
		t.Errorf("a is %s, want %s", got, want)
	}
	for _, reason := range []string{"out_of_order", "duplicate", "other"} {
		if got := rejected(t, registry, reason); got != 0 {
			t.Errorf("%g samples were rejected as %s, want none", got, reason)
		}
	}
}

func rejected(t *testing.T, registry *prometheus.Registry, reason string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "fairlead_series_rejected_samples_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			if m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no counter for %s", reason)
	return 0
}

func TestWhatContradictsIsCountedAndTheRestKept(t *testing.T) {
	s, registry := open(t, t.TempDir())
	w := s.Writer()
	write(t, w, gauge("a", signal.Sample{At: start, Value: 1}))
	write(t, w, gauge("a", signal.Sample{At: start, Value: 2}), gauge("b", signal.Sample{At: start, Value: 7}))
	write(t, w, gauge("a", signal.Sample{At: start - 3*3600_000, Value: 1}))
	if got := rejected(t, registry, "duplicate"); got != 1 {
		t.Errorf("%g were counted as duplicate, want 1", got)
	}
	if got := rejected(t, registry, "too_old"); got != 1 {
		t.Errorf("%g were counted as too old, want 1", got)
	}
	if got, want := ask(t, s, "sum(a) + sum(b)", start), fmt.Sprintf("{} => 8 @[%d]", start); got != want {
		t.Errorf("the sum is %s, want %s", got, want)
	}
}

func TestIncrementsBecomeACounter(t *testing.T) {
	s, _ := open(t, t.TempDir())
	w := s.Writer()
	delta := func(at int64, value float64) signal.Series {
		d := gauge("added_total", signal.Sample{At: at, Value: value})
		d.Type = signal.Delta
		return d
	}
	write(t, w, delta(start, 5))
	write(t, w, delta(start+60_000, 10))
	write(t, w, delta(start+60_000, 10)) // comes twice
	write(t, w, delta(start+120_000, 10))
	if got, want := ask(t, s, "added_total", start+120_000), fmt.Sprintf("{__name__=\"added_total\", job=\"shop\"} => 25 @[%d]", start+120_000); got != want {
		t.Errorf("the counter is %s, want %s", got, want)
	}
}

func TestNativeHistogramsAreStored(t *testing.T) {
	s, _ := open(t, t.TempDir())
	h := signal.Series{
		Labels: signal.NewLabels(map[string]string{"__name__": "latency", "job": "shop"}), Family: "histogram", Unit: "seconds",
		Histograms: []signal.HistogramSample{{At: start, Schema: 0, Count: 4, Sum: 10, PositiveSpans: []signal.BucketSpan{{Offset: 0, Length: 2}}, Positive: []float64{1, 3}}},
	}
	write(t, s.Writer(), h)
	if got, want := ask(t, s, "histogram_count(latency)", start), fmt.Sprintf("{job=\"shop\"} => 4 @[%d]", start); got != want {
		t.Errorf("the count is %s, want %s", got, want)
	}
	if got := s.Metadata()["latency"]; got.Unit != "seconds" || got.Family != "histogram" {
		t.Errorf("the metadata are %+v", got)
	}
	h.Histograms[0].Count = math.NaN()
	h.Histograms[0].At++
	h.Histograms[0].PositiveSpans = []signal.BucketSpan{{Offset: 0, Length: 9}}
	write(t, s.Writer(), h) // counted, not an error
}

func BenchmarkAppend(b *testing.B) {
	s, err := series.Open(series.Config{Dir: b.TempDir()}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	const count = 2000
	batch := signal.SampleBatch{}
	for i := range count {
		batch.Series = append(batch.Series, gauge(fmt.Sprintf("m%d", i), signal.Sample{}))
	}
	w := s.Writer()
	at := int64(start)
	for b.Loop() {
		at += 15_000
		for i := range batch.Series {
			batch.Series[i].Samples[0] = signal.Sample{At: at, Value: float64(at)}
		}
		record := signal.AppendSamples(nil, batch)
		r, err := signal.ReadSamples(record)
		if err != nil {
			b.Fatal(err)
		}
		app := w.Begin(context.Background())
		var v signal.SeriesView
		for r.Next(&v) {
			if err := app.Add(&v); err != nil {
				b.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds()/1e6, "Msamples/s")
}
