package anomaly

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

const minuteStep = 60_000

// start is a Monday, 00:00 UTC, in milliseconds.
const start = 1772409600_000

// run observes values a minute apart and returns what was said of each.
func run(s *Series, kind Kind, values ...float64) []Verdict {
	verdicts := make([]Verdict, len(values))
	for i, v := range values {
		verdicts[i] = s.Observe(max(s.at, start)+minuteStep, v, kind)
	}
	return verdicts
}

func noise(n int, level, spread float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	values := make([]float64, n)
	for i := range values {
		values[i] = level + spread*r.NormFloat64()
	}
	return values
}

// begins returns where anomalies began.
func begins(verdicts []Verdict) []int {
	var at []int
	for i := range verdicts {
		if verdicts[i].Begins {
			at = append(at, i)
		}
	}
	return at
}

func TestASeriesIsSmall(t *testing.T) {
	if got := unsafe.Sizeof(Series{}); got > 2500 {
		t.Errorf("a series takes %d bytes, want at most 2500", got)
	} else {
		t.Logf("a series takes %d bytes", got)
	}
}

func TestFaultsAreFoundAndNormalIsNot(t *testing.T) {
	const week = 7 * 24 * 60
	tests := []struct {
		name  string
		fault func(values []float64) // changes what comes after a week
		until int                    // values until it is told; 0 means never
	}{
		{"nothing", func([]float64) {}, 0},
		{"a spike of ten deviations", func(v []float64) { v[0] += 50 }, 1},
		{"a level six deviations higher", func(v []float64) {
			for i := range v {
				v[i] += 30
			}
		}, 10},
		{"a level six deviations lower", func(v []float64) {
			for i := range v {
				v[i] -= 30
			}
		}, 10},
		{"three times the noise", func(v []float64) {
			for i := range v {
				v[i] = 100 + 3*(v[i]-100)
			}
		}, 30},
		{"a value that repeats itself", func(v []float64) {
			for i := range v {
				v[i] = v[0]
			}
		}, 15},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s Series
			values := noise(week+120, 100, 5, 1)
			test.fault(values[week:])
			got := begins(run(&s, Gauge, values...))
			if test.until == 0 {
				if len(got) > 0 {
					t.Errorf("anomalies begin at %v, want none", got)
				}
				return
			}
			if len(got) == 0 || got[0] < week || got[0] >= week+test.until {
				t.Errorf("anomalies begin at %v, want one from %d to %d", got, week, week+test.until)
			}
		})
	}
}

func TestWhatCannotBeJudgedIsSkipped(t *testing.T) {
	var s Series
	run(&s, Gauge, 1, 2, 3)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if v := s.Observe(s.at+minuteStep, bad, Gauge); !v.Skipped {
			t.Errorf("value %v was judged", bad)
		}
	}
	if v := s.Observe(s.at, 4, Gauge); !v.Skipped {
		t.Error("a second value of the same time was judged")
	}
	if v := s.Observe(s.at-minuteStep, 4, Gauge); !v.Skipped {
		t.Error("a value of an earlier time was judged")
	}
	if v := s.Observe(s.at+minuteStep, 4, Gauge); v.Skipped {
		t.Error("the next good value was skipped")
	}
}

func TestACounterIsJudgedByItsRate(t *testing.T) {
	var s Series
	got := run(&s, Counter, 1000, 1600, 2200, 50, 650)
	for i, want := range []struct {
		skipped bool
		value   float64
	}{{true, 0}, {false, 10}, {false, 10}, {true, 0}, {false, 10}} {
		if got[i].Skipped != want.skipped || got[i].Value != want.value {
			t.Errorf("value %d: skipped %v, value %g; want %v, %g", i, got[i].Skipped, got[i].Value, want.skipped, want.value)
		}
	}
}

func TestScaleAndShiftChangeNothing(t *testing.T) {
	values := noise(3000, 100, 5, 2)
	values[2500] += 60
	var plain, moved Series
	moves := make([]float64, len(values))
	for i, v := range values {
		moves[i] = 1e6 + 1024*(v-100)
	}
	a, b := begins(run(&plain, Gauge, values...)), begins(run(&moved, Gauge, moves...))
	if len(a) != 1 || len(b) != 1 || a[0] != b[0] {
		t.Errorf("anomalies begin at %v, of the moved series at %v; want the same", a, b)
	}
}

func BenchmarkObserve(b *testing.B) {
	const count = 10_000
	slab := make([]Series, count)
	values := noise(1<<16, 100, 5, 3)
	at, next := int64(start), 0
	b.ReportAllocs()
	for b.Loop() {
		if next%count == 0 {
			at += 15_000
		}
		slab[next%count].Observe(at, values[next&(1<<16-1)], Gauge)
		next++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpoints/s")
}
