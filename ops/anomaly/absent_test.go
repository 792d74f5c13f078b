package anomaly

import (
	"fmt"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// A series that stops without a word is told where that hardly ever happens; one that was said to end is not, nor is anything
// after nobody listened for a while.
func TestASeriesThatStopsIsMissed(t *testing.T) {
	const series, days = 60, 10
	w := NewWatch(WatchConfig{})
	defer w.Close()
	labelsOf := func(n int) signal.Labels {
		return signal.NewLabels(map[string]string{"__name__": "load", "instance": fmt.Sprint("host-", n)})
	}
	named := map[signal.SeriesID]signal.Labels{}
	for n := range series {
		named[labelsOf(n).SeriesID()] = labelsOf(n)
	}
	var found []string
	note := func(f Finding) {
		if f.Verdict.Test == Absent {
			found = append(found, fmt.Sprintf("%s ended %v: %s", f.Labels.Get("instance"), f.Ended, f.Summary()))
		}
	}
	minute := 0
	feed := func(until int, without ...int) {
		for ; minute < until; minute++ {
			at := start + int64(minute)*minuteStep
			batch := signal.SampleBatch{At: time.UnixMilli(at)}
			for n := range series {
				value := float64((minute*7919 + n*31) % 101)
				if len(without) > 0 && (n == without[0] || n == without[1] && minute > without[2]) {
					continue
				}
				if len(without) > 0 && n == without[1] {
					value = signal.Stale()
				}
				batch.Series = append(batch.Series, signal.Series{Labels: labelsOf(n), Type: signal.Gauge, Samples: []signal.Sample{{At: at, Value: value}}})
			}
			r, err := signal.ReadSamples(signal.AppendSamples(nil, batch))
			if err != nil {
				t.Fatal(err)
			}
			var v signal.SeriesView
			for r.Next(&v) {
				w.Observe(&v, uint64(minute+1), note)
			}
			w.Sweep(func(id signal.SeriesID) (signal.Labels, bool) { return named[id], true }, note)
		}
	}
	const day = 1440
	feed(days * day)
	if len(found) > 0 {
		t.Fatalf("while all came was found: %v", found)
	}
	feed(days*day+60, 3, 4, days*day) // host-3 stops, host-4 is said to have ended
	if len(found) != 1 || found[0] != "host-3 ended false: load has sent nothing for 16m; usual is a value each 1m." {
		t.Fatalf("found %v, want host-3", found)
	}
	feed(days*day + 61)
	if len(found) != 2 || found[1] != "host-3 ended true: load has sent nothing for 1h1m; usual is a value each 1m." {
		t.Fatalf("found %v, want that host-3 is back", found)
	}
	minute += 120 // nobody listens
	feed(minute+5, 5, 6, 0)
	feed(minute + 5)
	if len(found) != 2 {
		t.Errorf("after a pause was found %v, want nothing more", found)
	}
}
