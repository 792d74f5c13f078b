package anomaly

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// latencies returns the record of minute i: a histogram in some form, whose mean is 0.1 until a fault makes it 0.13, and whose
// traffic changes a lot.
func latencies(i, fault int, form string, sum, count *float64) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 9))
	added := 1000 + 800*r.Float64()
	mean := 0.1 + 0.002*r.NormFloat64()
	if i >= fault {
		mean = 0.13
	}
	*count += added
	*sum += added * mean
	at := start + int64(i)*minuteStep
	labels := func(name string) signal.Labels {
		return signal.NewLabels(map[string]string{"__name__": name, "job": "shop"})
	}
	batch := signal.SampleBatch{At: time.UnixMilli(at)}
	switch form {
	case "classic":
		batch.Series = []signal.Series{
			{Labels: labels("latency_seconds_sum"), Type: signal.Counter, Family: "histogram", Samples: []signal.Sample{{At: at, Value: *sum}}},
			{Labels: labels("latency_seconds_count"), Type: signal.Counter, Family: "histogram", Samples: []signal.Sample{{At: at, Value: *count}}},
		}
	case "classic, added":
		batch.Series = []signal.Series{
			{Labels: labels("latency_seconds_count"), Type: signal.Delta, Samples: []signal.Sample{{At: at, Value: added}}},
			{Labels: labels("latency_seconds_sum"), Type: signal.Delta, Samples: []signal.Sample{{At: at, Value: added * mean}}},
		}
	case "native":
		batch.Series = []signal.Series{{
			Labels: labels("latency_seconds"), Family: "histogram", Histograms: []signal.HistogramSample{{At: at, Count: *count, Sum: *sum}},
		}}
	case "native, added":
		batch.Series = []signal.Series{{
			Labels: labels("latency_seconds"), Family: "histogram", Histograms: []signal.HistogramSample{{At: at, Delta: true, Count: added, Sum: added * mean}},
		}}
	}
	return signal.AppendSamples(nil, batch)
}

func TestTheMeanOfAHistogramIsJudged(t *testing.T) {
	const fault = 3 * 1440
	for _, form := range []string{"classic", "classic, added", "native", "native, added"} {
		t.Run(form, func(t *testing.T) {
			w := NewWatch(WatchConfig{})
			defer w.Close()
			var sum, count float64
			var first *Finding
			for i := range fault + 10 {
				r, err := signal.ReadSamples(latencies(i, fault, form, &sum, &count))
				if err != nil {
					t.Fatal(err)
				}
				var v signal.SeriesView
				for r.Next(&v) {
					w.Observe(&v, uint64(i+1), func(f Finding) {
						if i >= fault && first == nil && !f.Faint {
							first = &f
						}
					})
				}
			}
			if first == nil || first.Labels.Get("__name__") != "latency_seconds:mean" || first.Labels.Get("job") != "shop" {
				t.Fatalf("found %+v, want the mean", first)
			}
			if first.ID != first.Labels.SeriesID() || first.Verdict.Value < 0.125 || first.Verdict.High > 0.12 {
				t.Errorf("the finding is %+v", first)
			}
		})
	}
}
