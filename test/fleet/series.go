package main

import (
	"math"
	"math/rand/v2"
)

// generator makes the values of one series of a normal system, one after the other.
type generator struct {
	kind         int
	rng          rand.PCG
	level, noise float64
	phi, state   float64
	day, phase   float64 // how much the time of day moves the level
	weekend      float64
	rate         float64 // of events a value
	fault        float64 // what a fault adds, in units of the noise
}

// kinds of series; each is a way in which real ones are normal.
var kinds = []string{"gaussian", "ar1", "season", "lognormal", "student", "poisson", "sparse", "flat"}

func newGenerator(seed, number uint64) *generator {
	g := &generator{rng: *rand.NewPCG(seed, number)}
	r := rand.New(&g.rng)
	between := func(low, high float64) float64 { return low + (high-low)*r.Float64() }
	g.kind = int(number % uint64(len(kinds))) //nolint:gosec // eight
	g.level, g.noise, g.weekend = between(20, 500), between(1, 15), 1
	switch kinds[g.kind] {
	case "ar1":
		g.phi = between(0.7, 0.95)
	case "season":
		g.level, g.day, g.phase, g.weekend = between(100, 5000), between(0.25, 0.6), between(0, 2*math.Pi), between(0.45, 1)
		g.noise, g.phi = between(0.02, 0.06), between(0, 0.8)
	case "lognormal":
		g.noise = between(0.15, 0.5)
	case "poisson":
		g.level = between(2, 60)
	case "sparse":
		g.rate, g.noise = math.Pow(10, between(-3.3, -1.7)), 1
		g.phi = between(0.4, 0.9)
	case "flat":
		g.level, g.rate, g.noise = math.Floor(between(0, 20)), 0.7/10080, 1
	}
	return g
}

// next returns the value at a time, in seconds since a Monday.
func (g *generator) next(at float64) float64 {
	r := rand.New(&g.rng)
	v := 0.0
	switch kinds[g.kind] {
	case "gaussian":
		v = g.level + g.noise*r.NormFloat64()
	case "ar1":
		g.state = g.phi*g.state + math.Sqrt(1-g.phi*g.phi)*r.NormFloat64()
		v = g.level + g.noise*g.state
	case "season":
		g.state = g.phi*g.state + math.Sqrt(1-g.phi*g.phi)*r.NormFloat64()
		mu := g.level * (1 + g.day*math.Sin(2*math.Pi*at/86400+g.phase))
		mu *= 1 + (g.weekend-1)*weekendShare(at)
		return math.Max(0, mu*(1+g.noise*(g.state+g.fault)))
	case "lognormal":
		return g.level * math.Exp(g.noise*r.NormFloat64()) * (1 + g.fault*g.noise)
	case "student":
		chi := 0.0
		for range 3 {
			x := r.NormFloat64()
			chi += x * x
		}
		v = g.level + g.noise*r.NormFloat64()/math.Sqrt(chi/3)
	case "poisson":
		return math.Round(math.Max(0, poisson(r, g.level)+g.fault*math.Sqrt(g.level)))
	case "sparse":
		if r.Float64() < g.rate {
			for v = 1; r.Float64() > g.phi; v++ {
				continue
			}
		}
		return v + math.Round(g.fault)
	case "flat":
		v = g.level
		if r.Float64() < g.rate {
			v--
		}
		return v + math.Round(g.fault)
	}
	return v + g.fault*g.noise
}

// weekendShare returns how much it is weekend: 0 to 1, with four hours to change over.
func weekendShare(at float64) float64 {
	const change = 4 * 3600
	into := math.Mod(at, 7*86400) - 5*86400 // since Saturday began
	if into < -change/2 {
		into += 7 * 86400
	}
	return math.Max(0, math.Min(math.Min(into/change+0.5, (2*86400-into)/change+0.5), 1))
}

// poisson draws a count: exactly for small means, and as a rounded normal for large ones.
func poisson(r *rand.Rand, mean float64) float64 {
	if mean > 30 {
		return math.Round(mean + math.Sqrt(mean)*r.NormFloat64())
	}
	limit, n := math.Exp(-mean), 0.0
	for product := r.Float64(); product > limit; product *= r.Float64() {
		n++
	}
	return n
}
