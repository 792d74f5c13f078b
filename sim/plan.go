package sim

import "math"

// An incident of the practice shop has between fewest and most distinct alerts. Whatever is broken, the size of the shop
// is chosen so that this holds.
const (
	fewest = 250
	most   = 350
	aim    = 295
	settle = 520 // shop seconds after the deploy for which that is rehearsed
)

// plan is what a seed stands for.
type plan struct {
	seed  dice
	scale float64 // of the number of replicas
	fault fault
	count int // distinct alerts of the incident
}

// newPlan chooses the fault of a seed and finds a size of the shop with which it raises about aim alerts: each attempt
// lives through the incident without sending anything.
func newPlan(seed int64) plan {
	d := dice(seed)
	best := plan{seed: d, count: -1 << 20}
	for variant := range uint64(4) {
		f := newFault(dice(d.bits(id("fault"), variant)))
		scale := 1.5
		for range 7 {
			p := plan{seed: d, scale: scale, fault: f}
			p.count = p.rehearse()
			if abs(p.count-aim) < abs(best.count-aim) {
				best = p
			}
			if abs(p.count-aim) <= 25 {
				return p
			}
			scale *= math.Pow(float64(aim)/float64(max(p.count, 10)), .9)
			scale = min(max(scale, .6), 6.5)
		}
		if best.count > fewest+10 && best.count < most-10 {
			break
		}
	}
	return best
}

// rehearse returns how many distinct alerts the plan's fault raises.
func (p plan) rehearse() int {
	w := newWorld(p.seed, p.scale, p.fault)
	e := newEvaluator(p.seed)
	seen := map[*rule]map[*series]bool{}
	count := 0
	for w.now < p.fault.at+settle && count < 2*most {
		w.advance()
		for _, g := range e.due(w.now) {
			for _, a := range e.evaluate(w, g) {
				if !a.real || seen[a.rule][a.series] {
					continue
				}
				if seen[a.rule] == nil {
					seen[a.rule] = map[*series]bool{}
				}
				seen[a.rule][a.series] = true
				count++
			}
			for _, watched := range g.rules {
				for _, a := range watched.active {
					if a.state == firing {
						a.sends, a.sentAt = 1, w.now
					}
				}
			}
		}
	}
	return count
}

func abs(n int) int { return max(n, -n) }
