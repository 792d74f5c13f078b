package incident

import (
	"math"
	"time"
)

// A fault makes many alerts begin in a short time: a few at once, then ever fewer. The onset of a group is modelled as a
// Poisson process that starts with the first alert and whose rate decays exponentially, with unknown size (how many alerts
// the fault brings in all, Gamma prior) and unknown pace (how fast they come, a grid of decay times). Both posteriors have
// closed forms in two sums, the number of alerts and the sum of their ages, so a group costs a handful of numbers.

// paces is the number of decay times that a burst weighs against each other.
const paces = 5

// pace is the grid of decay times.
type pace struct {
	tau      [paces]float64 // seconds; each is twice the one before
	logTau   [paces]float64
	logPrior [paces]float64
	shape    float64 // of the Gamma prior of the size
	rate     float64
	odds     float64 // that a lone alert is the first of a burst
	reach    float64 // seconds after which no burst brings alerts any more
	ahead    float64 // seconds by which a cause is ahead of what follows
	alone    float64 // seconds after which a lone alert stays alone
}

// newPace returns the grid around cfg.Pace, doubling from a quarter of it.
func newPace(cfg GroupingConfig) *pace {
	p := &pace{shape: cfg.SizeShape, rate: cfg.SizeShape / cfg.Size, odds: cfg.BurstOdds}
	centre := cfg.Pace.Seconds()
	total := 0.0
	for k := range p.tau {
		p.tau[k] = centre * math.Pow(2, float64(k)-2)
		p.logTau[k] = math.Log(p.tau[k])
		weight := math.Exp(-0.5 * math.Pow((float64(k)-2)/cfg.PaceSpread, 2))
		p.logPrior[k] = weight
		total += weight
	}
	for k := range p.tau {
		p.logPrior[k] = math.Log(p.logPrior[k] / total)
	}
	p.reach = 8 * p.tau[paces-1]
	p.alone = 8 * centre
	p.ahead = centre / 3
	return p
}

// burst is the sufficient statistic of an onset: n alerts after the first, at ages that sum to s seconds. Fractions
// count alerts that may be somebody else's.
type burst struct {
	n, s  float64
	grave bool // it began with a critical alert
}

func (b *burst) add(age, share float64) {
	b.n += share
	b.s += share * age
}

// posterior is what a burst believes at one age.
type posterior struct {
	weight [paces]float64 // of each decay time, times size
	size   [paces]float64 // expected number of alerts in all, per decay time
	sure   float64        // probability that it is a burst at all
}

// decay returns exp(-age/tau) for each decay time. They double, so each is the square of the next.
func (p *pace) decay(age float64) (e [paces]float64) {
	last := math.Exp(-age / p.tau[paces-1])
	for k := paces - 1; k >= 0; k-- {
		e[k] = last
		last *= last
	}
	return e
}

// look returns what b believes at the given age.
func (p *pace) look(b burst, age float64) posterior {
	var post posterior
	best := math.Inf(-1)
	decay := p.decay(age)
	n := max(0, b.n)
	for k, tau := range p.tau {
		full := p.rate + 1 - decay[k]
		post.size[k] = (p.shape + n) / full
		post.weight[k] = p.logPrior[k] - n*p.logTau[k] - b.s/tau - (p.shape+n)*math.Log(full)
		best = max(best, post.weight[k])
	}
	total := 0.0
	for k := range post.weight {
		post.weight[k] = math.Exp(post.weight[k] - best)
		total += post.weight[k]
	}
	for k := range post.weight {
		post.weight[k] *= post.size[k] / total // from here on the weight includes the size
	}
	// A lone alert is mostly just that; each further alert that surely belongs to it makes it a burst.
	var odds float64
	switch {
	case n >= 2:
		odds = p.odds * 1600
	case n > 0:
		odds = p.odds * math.Pow(40, n)
	default:
		empty := 0.0
		for k := range p.tau {
			empty += math.Exp(p.logPrior[k] + p.shape*math.Log(p.rate/(p.rate+1-decay[k])))
		}
		// A critical alert may be the cause, some seconds before what follows from it.
		if b.grave {
			empty = max(empty, 0.5*math.Exp(-age/p.ahead))
		}
		odds = p.odds * empty
	}
	post.sure = odds / (1 + odds)
	return post
}

// rateAt returns the expected alerts per second at the given age.
func (p *pace) rateAt(post *posterior, age float64) float64 {
	if age < 0 {
		return 0
	}
	sum := 0.0
	decay := p.decay(age)
	for k, tau := range p.tau {
		sum += post.weight[k] * decay[k] / tau
	}
	return sum * post.sure
}

// between returns the expected number of alerts between two ages.
func (p *pace) between(post *posterior, from, to float64) float64 {
	from = max(from, 0)
	if to <= from {
		return 0
	}
	sum := 0.0
	first, last := p.decay(from), p.decay(to)
	for k := range p.tau {
		sum += post.weight[k] * (first[k] - last[k])
	}
	return sum * post.sure
}

func seconds(from, to time.Time) float64 { return to.Sub(from).Seconds() }
