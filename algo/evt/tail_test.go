package evt

import (
	"math"
	"math/rand/v2"
	"testing"
)

var usual = Settings{Rate: 0.01, Gap: 4, Memory: 1e6, Caution: 1, PriorPeaks: 6, Lightest: 1.5}

// learn returns a tail that has seen values.
func learn(values []float32, s *Settings) *Tail {
	t := &Tail{}
	for _, v := range values {
		t.Observe(v, false, 0.5, s)
	}
	return t
}

// draw returns n values of a distribution.
func draw(n int, seed uint64, one func(r *rand.Rand) float64) []float32 {
	r := rand.New(rand.NewPCG(seed, 7))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(one(r))
	}
	return values
}

var distributions = map[string]func(r *rand.Rand) float64{
	"exponential": (*rand.Rand).ExpFloat64,
	"normal":      (*rand.Rand).NormFloat64,
	"student with 3 degrees of freedom": func(r *rand.Rand) float64 {
		chi := 0.0
		for range 3 {
			x := r.NormFloat64()
			chi += x * x
		}
		return r.NormFloat64() / math.Sqrt(chi/3)
	},
	"events of one in a hundred": func(r *rand.Rand) float64 {
		if r.Float64() < 0.99 {
			return 0
		}
		return 1 + math.Floor(r.ExpFloat64())
	},
}

// What is expected once in ten times the length of what was seen comes about that rarely, and what comes often is not
// called rare: the two errors that a detector pays for.
func TestRatesAreThoseThatCome(t *testing.T) {
	const learned, judged = 20_000, 400_000
	for name, one := range distributions {
		t.Run(name, func(t *testing.T) {
			alarms := 0
			for seed := range uint64(4) {
				tail := learn(draw(learned, seed, one), &usual)
				for _, x := range draw(judged, seed+100, one) {
					if tail.Rate(x, 0.5, &usual) < 1.0/(10*learned) {
						alarms++
					}
				}
			}
			expected := 4 * judged / (10 * learned)
			if alarms > 4*expected {
				t.Errorf("%d alarms in %d values, want about %d", alarms, 4*judged, expected)
			}
		})
	}
}

func TestTheThresholdLetsTheWantedRateThrough(t *testing.T) {
	for name, one := range distributions {
		t.Run(name, func(t *testing.T) {
			tail := learn(draw(50_000, 3, one), &usual)
			if got := tail.Clusters() / 50_000; got < 0.005 || got > 0.02 {
				t.Errorf("clusters begin with a share of %g of the values, want about %g", got, usual.Rate)
			}
		})
	}
}

func TestUnitsDoNotMatter(t *testing.T) {
	values := draw(10_000, 5, distributions["exponential"])
	plain := learn(values, &usual)
	const unit = 1 << 20
	for i := range values {
		values[i] *= unit
	}
	scaled := learn(values, &usual)
	for _, x := range []float32{3, 5, 8, 12} {
		a, b := plain.Rate(x, 0.5, &usual), scaled.Rate(x*unit, 0.5, &usual)
		if math.Abs(a-b) > 1e-6*a {
			t.Errorf("rate of %g is %g, in another unit %g", x, a, b)
		}
	}
}

func TestRarerIsRarer(t *testing.T) {
	tail := learn(draw(10_000, 6, distributions["student with 3 degrees of freedom"]), &usual)
	before := 1.0
	for x := float32(0); x < 1e6; x = x*1.5 + 1 {
		rate := tail.Rate(x, 0.5, &usual)
		if rate > before || rate < 0 || math.IsNaN(rate) {
			t.Fatalf("rate of %g is %g, of less it was %g", x, rate, before)
		}
		before = rate
	}
}

func TestAFaultDoesNotTeachTheTail(t *testing.T) {
	values := draw(20_000, 8, distributions["normal"])
	tail := learn(values, &usual)
	for range 5 {
		for range 60 {
			tail.Observe(1000, true, 0.5, &usual)
		}
		for _, v := range values[:1000] {
			tail.Observe(v, false, 0.5, &usual)
		}
	}
	if after := tail.Rate(8, 0.5, &usual); after > 1e-4 {
		t.Errorf("after five faults of 1000 the rate of 8 is %g, want at most 1e-4", after)
	}
}

func TestNothingSeenSaysNothing(t *testing.T) {
	var tail Tail
	if got := tail.Rate(1e9, 0.5, &usual); got != 1 {
		t.Errorf("rate before anything was seen is %g, want 1", got)
	}
}
