package sim

import "math"

// An incident of the practice shop has between fewest and most distinct alerts. Whatever is broken, the size of the shop
// is chosen so that this holds.
const (
	fewest = 250
	most   = 350
	aim    = 295
	near   = 25  // an attempt so close to aim is taken
	settle = 520 // shop seconds after the deploy for which the incident is rehearsed
	early  = 270 // shop seconds after the deploy by which most of it must stand
)

// plan is what a seed stands for.
type plan struct {
	seed  dice
	scale float64 // of the number of replicas
	fault fault
	count int // distinct alerts of the incident
	soon  int // how many of them came early
}

// newPlan chooses the fault of a seed and finds a size of the shop with which it raises about aim alerts, most of them
// early: each attempt lives through the incident without sending anything.
func newPlan(seed int64) plan {
	d := dice(seed)
	best := plan{seed: d, count: -1 << 20}
	for variant := range uint64(16) {
		f := newFault(dice(d.bits(id("fault"), variant)))
		scale := 1.5
		for range 7 {
			p := plan{seed: d, scale: scale, fault: f}
			p.rehearse()
			if p.miss() < best.miss() {
				best = p
			}
			if p.miss() <= near {
				return p
			}
			scale *= math.Pow(float64(aim)/float64(max(p.count, 10)), .9)
			scale = min(max(scale, .6), 6.5)
		}
		if best.miss() <= aim-fewest-10 {
			break
		}
	}
	return best
}

// miss says how far the plan is from a good one, in alerts.
func (p plan) miss() int {
	return max(p.count-aim, aim-p.count) + max(p.count*3/4-p.soon, 0)
}

// rehearse counts the distinct alerts that the plan's fault raises.
func (p *plan) rehearse() {
	w := newWorld(p.seed, p.scale, p.fault)
	e := newEvaluator(p.seed)
	type key struct {
		rule   string
		series *series
	}
	seen := map[key]bool{}
	for w.now < p.fault.at+settle && len(seen) < 2*most {
		w.advance()
		for _, g := range e.due(w.now) {
			for _, a := range e.evaluate(w, g) {
				if a.real {
					seen[key{a.rule.name, a.series}] = true
				}
				a.sends, a.sentAt = 1, w.now
			}
		}
		if w.now <= p.fault.at+early {
			p.soon = len(seen)
		}
	}
	p.count = len(seen)
}
