package fdr

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestOneSpendsNoMoreThanThereIs(t *testing.T) {
	sum := 0.0
	for n := uint64(1); n < 5_000_000; n++ {
		sum += spend(n)
	}
	if sum > 1 || sum < 0.4 {
		t.Errorf("the shares of the first five million tests sum to %g, want a good part of 1 and no more", sum)
	}
}

func TestTheShareOfFalseDiscoveriesStaysBelowTheBound(t *testing.T) {
	s := Settings{Rate: 0.2}
	for _, real := range []float64{0, 0.01, 0.1} {
		wrong, right := 0.0, 0.0
		share := 0.0
		const streams = 200
		for seed := range uint64(streams) {
			r := rand.New(rand.NewPCG(seed, 9))
			var l LORD
			w, all := 0.0, 0.0
			for range 3000 {
				p, isReal := r.Float64(), r.Float64() < real
				if isReal {
					p = math.Pow(p, 12) // strong evidence
				}
				if l.Test(p, s) {
					all++
					if isReal {
						right++
					} else {
						w++
					}
				}
			}
			wrong += w
			if all > 0 {
				share += w / all
			}
		}
		if got := share / streams; got > s.Rate {
			t.Errorf("with %g real ones the share of false discoveries is %g, want at most %g", real, got, s.Rate)
		}
		if real > 0 && right/streams < 0.3*real*3000 {
			t.Errorf("of %g real ones %g are found", real*3000, right/streams)
		}
		if real == 0 && wrong/streams > s.Rate {
			t.Errorf("with none real %g are found in each stream", wrong/streams)
		}
	}
}

func TestADiscoveryAllowsMore(t *testing.T) {
	s := Settings{Rate: 0.2, Memory: 1000}
	var l LORD
	for range 500 {
		l.Test(1, s)
	}
	before := l.Level(s)
	if !l.Test(1e-12, s) {
		t.Fatal("a p-value of 1e-12 is no discovery")
	}
	if after := l.Level(s); after <= before {
		t.Errorf("after a discovery the level is %g, before it was %g", after, before)
	}
	for range 100_000 {
		l.Test(1, s)
	}
	if got, want := l.Level(s), spend(1000)*s.Rate/2; math.Abs(got-want) > 1e-12 {
		t.Errorf("long after, the level is %g, want that of a forgotten past, %g", got, want)
	}
}
