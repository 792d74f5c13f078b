package signal

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func exampleSamples() SampleBatch {
	return SampleBatch{
		At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Source: "prometheus",
		Series: []Series{
			{
				Labels: NewLabels(map[string]string{"__name__": "http_requests_total", "job": "shop", "instance": "a:80"}),
				Type:   Counter, Family: "counter", Help: "Requests.",
				Samples:   []Sample{{At: 1772366400000, Value: 1}, {At: 1772366415000, Value: 3}},
				Exemplars: []Exemplar{{At: 1772366400001, Value: 1, Labels: Labels{{"trace_id", "abc"}}}},
			},
			{
				Labels: NewLabels(map[string]string{"__name__": "latency", "job": "shop", "instance": "b:80"}),
				Unit:   "seconds", Family: "histogram",
				Histograms: []HistogramSample{{
					At: 1772366400000, Schema: 3, ZeroThreshold: 1e-9, ZeroCount: 1, Count: 6, Sum: 12.5,
					PositiveSpans: []BucketSpan{{Offset: -2, Length: 2}, {Offset: 3, Length: 1}}, Positive: []float64{1, 2, 2}, Delta: true,
				}},
			},
			{
				Labels: NewLabels(map[string]string{"__name__": "gone"}), Type: Gauge,
				Samples: []Sample{{At: -5, Value: Stale()}, {At: 7, Value: math.Inf(1)}},
			},
		},
	}
}

// readAll reads a record whole.
func readAll(data []byte) (SampleBatch, error) {
	r, err := ReadSamples(data)
	if err != nil {
		return SampleBatch{}, err
	}
	batch := SampleBatch{At: r.At, Source: r.Source}
	for {
		var v SeriesView
		if !r.Next(&v) {
			return batch, r.Err()
		}
		s := Series{Type: v.Type, Samples: v.Samples, Histograms: v.Histograms, Exemplars: v.Exemplars}
		if s.Labels, s.Family, s.Unit, s.Help, err = v.Describe(); err != nil {
			return batch, err
		}
		if v.ID != s.Labels.SeriesID() {
			return batch, errors.New("the id is not that of the labels")
		}
		batch.Series = append(batch.Series, s)
	}
}

func TestSamplesComeOutOfARecordAsTheyWentIn(t *testing.T) {
	want := exampleSamples()
	got, err := readAll(AppendSamples(nil, want))
	if err != nil {
		t.Fatal(err)
	}
	bits := cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
	if diff := cmp.Diff(want, got, bits); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if !got.Series[2].Samples[0].IsStale() || got.Series[2].Samples[1].IsStale() {
		t.Error("the staleness marker was lost")
	}
}

func TestADamagedRecordOfSamplesIsRefused(t *testing.T) {
	data := AppendSamples(nil, exampleSamples())
	for cut := range len(data) {
		if _, err := readAll(data[:cut]); !errors.Is(err, ErrRecord) {
			t.Fatalf("cut at %d of %d: error %v, want ErrRecord", cut, len(data), err)
		}
	}
	if _, err := readAll(append(data, 0)); !errors.Is(err, ErrRecord) {
		t.Errorf("a byte too much: error %v, want ErrRecord", err)
	}
}

func FuzzReadSamples(f *testing.F) {
	f.Add(AppendSamples(nil, exampleSamples()))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = readAll(data) })
}

func TestSeriesOfAResourceTravelTogether(t *testing.T) {
	var series []Series
	for _, instance := range []string{"a", "b", "c", "d", "e"} {
		for _, name := range []string{"x", "y"} {
			series = append(series, Series{Labels: NewLabels(map[string]string{"__name__": name, "instance": instance}), Samples: []Sample{{At: 1, Value: 1}}})
		}
	}
	at := map[string]int{}
	count := 0
	for _, portion := range DealSeries(series, 2) {
		for _, s := range portion.Series {
			count++
			instance := s.Labels.Get("instance")
			if p, known := at[instance]; known && p != portion.Partition {
				t.Errorf("instance %s is in partitions %d and %d", instance, p, portion.Partition)
			}
			at[instance] = portion.Partition
		}
	}
	if count != len(series) {
		t.Errorf("%d series were dealt, want %d", count, len(series))
	}
}

func BenchmarkSampleRecord(b *testing.B) {
	var batch SampleBatch
	for i := range 2000 {
		batch.Series = append(batch.Series, Series{
			Labels: NewLabels(map[string]string{
				"__name__": "metric_" + string(rune('a'+i%26)), "job": "shop", "instance": "host-" + string(rune('a'+i/100)), "pod": string(rune('a' + i%50)),
				"path": "/api/v1/" + string(rune('a'+i%17)), "code": "200", "namespace": "production",
			}),
			Type: Counter, Samples: []Sample{{At: 1772366400000 + int64(i), Value: float64(i)}},
		})
	}
	var record []byte
	for b.Loop() {
		record = AppendSamples(record[:0], batch)
		r, err := ReadSamples(record)
		if err != nil {
			b.Fatal(err)
		}
		var v SeriesView
		for r.Next(&v) {
			continue
		}
	}
	b.ReportMetric(float64(len(record))/2000, "bytes/sample")
	b.ReportMetric(2000*float64(b.N)/b.Elapsed().Seconds()/1e6, "Msamples/s")
}
