package incident

import (
	"math"
	"slices"
	"time"
)

// When the alerts of a group have ended, more is known than when they began: alerts of one fault end together, some time
// after the fault is mended. A review plays the onsets and the ends of the group and of those beside it through once more
// (expectation maximisation over bursts, each with its own time of recovery) and asks whether there was one fault more.

// moveReview is what due returns for a review. It is no MoveKind: nothing of it leaves the Grouping.
const moveReview = "review"

// reviewLeast is how many onsets make a group worth a review; reviewBeside how many other groups are looked at.
const (
	reviewLeast  = 8
	reviewBeside = 4
	reviewRounds = 6
	reviewCuts   = 10
)

// notePast bounds how many groups are remembered as neighbours in time.
const notePast = 256

// note remembers a new group as one that had an onset lately.
func (g *Grouping) note(gr *group) {
	g.recent = append(g.recent, gr)
	if len(g.recent) > 4*recentScan {
		g.recent = slices.Clone(g.recent[len(g.recent)-recentScan:])
	}
	g.past = append(g.past, gr)
	if len(g.past) > 2*notePast {
		g.past = slices.Clone(g.past[notePast:])
	}
}

// trial is one account of a set of onsets: a number of bursts and how likely each onset is of each.
type trial struct {
	g      *Grouping
	now    float64
	at     []float64 // onset of each event
	end    []float64 // end of each event; NaN while it fires, 0 when it says nothing
	bursts []trialBurst
	share  [][]float64 // per burst, per event
	own    []bool      // events of the reviewed group: only they may be of the new burst
	known  int         // bursts that exist; one more is new
}

type trialBurst struct {
	onset float64
	burst burst
	post  posterior
	ended float64 // weight of the ended events
	mid   float64 // mean of their ends
	wide  float64 // standard deviation of their ends
}

// clone copies the bursts and shares.
func (t *trial) clone() *trial {
	c := *t
	c.bursts = slices.Clone(t.bursts)
	c.share = make([][]float64, len(t.share))
	for k := range t.share {
		c.share[k] = slices.Clone(t.share[k])
	}
	return &c
}

// maximise fits each burst to its share of the events.
func (t *trial) maximise() {
	spread := t.g.cfg.Recovery.Seconds()
	for k := range t.bursts {
		b := &t.bursts[k]
		var sum, age, ended, mid float64
		for i, r := range t.share[k] {
			if r < 1e-6 {
				continue
			}
			sum += r
			age += r * max(0, t.at[i]-b.onset)
			if e := t.end[i]; e > 0 {
				w := r
				if b.wide > 0 {
					w *= t.inlier(b, e)
				}
				ended += w
				mid += w * e
			}
		}
		b.burst = burst{n: max(0, sum-1), s: age}
		b.post = t.g.pace.look(b.burst, max(1, t.now-b.onset))
		b.post.sure = 1
		b.ended = ended
		if ended < 1 {
			b.wide = 0
			continue
		}
		mid /= ended
		vary := 0.0
		for i, r := range t.share[k] {
			if e := t.end[i]; r > 1e-6 && e > 0 {
				w := r
				if b.wide > 0 {
					w *= t.inlier(b, e)
				}
				vary += w * (e - mid) * (e - mid)
			}
		}
		b.mid = mid
		b.wide = max(0.8*spread, math.Sqrt((vary+6*spread*spread)/(ended+6)))
	}
}

// strayRate is how the ends of strays are spread, per second.
const strayRate = 1.0 / 1500

// inlier returns how likely it is that an end is of the recovery of b and not a stray.
func (t *trial) inlier(b *trialBurst, end float64) float64 {
	z := (end - b.mid) / b.wide
	p := (1 - t.g.cfg.Stray) * math.Exp(-z*z/2) / (b.wide * 2.5066)
	return p / (p + t.g.cfg.Stray*strayRate)
}

// waves puts the density of an end in the recovery of each burst into out, and returns that of a stray: an alert that two
// faults make fire at once begins with the one and ends with the other.
func (t *trial) waves(end float64, out []float64) float64 {
	stray := 0.0
	for k := range t.bursts {
		b := &t.bursts[k]
		switch {
		case b.wide == 0 || end == 0:
			out[k] = strayRate
		case math.IsNaN(end):
			out[k] = 0
			if t.now < b.mid {
				out[k] = strayRate
			}
		default:
			z := (end - b.mid) / b.wide
			out[k] = math.Exp(-z*z/2) / (b.wide * 2.5066)
		}
		stray += out[k]
	}
	return 0.5*stray/float64(len(t.bursts)) + 0.5*strayRate
}

// expect computes the shares anew and returns the log-likelihood.
func (t *trial) expect() float64 {
	alone := t.g.alone()
	logL := 0.0
	waves := make([]float64, len(t.bursts))
	for i := range t.at {
		stray := t.waves(t.end[i], waves)
		sum := alone * strayRate
		for k := range t.bursts {
			b := &t.bursts[k]
			r := 0.0
			if age := t.at[i] - b.onset; age >= 0 && (k < t.known || t.own[i]) {
				r = t.g.pace.rateAt(&b.post, age) * ((1-t.g.cfg.Stray)*waves[k] + t.g.cfg.Stray*stray)
			}
			t.share[k][i] = r
			sum += r
		}
		logL += math.Log(sum)
		for k := range t.bursts {
			t.share[k][i] /= sum
		}
	}
	for k := range t.bursts {
		logL -= t.g.pace.between(&t.bursts[k].post, 0, t.now-t.bursts[k].onset)
	}
	return logL
}

// run alternates the two steps and returns the log-likelihood.
func (t *trial) run() float64 {
	logL := 0.0
	for range reviewRounds {
		t.maximise()
		logL = t.expect()
	}
	return logL
}

func (g *Grouping) alone() float64 {
	return 1/g.cfg.NoiseEvery.Seconds() + 1/g.cfg.FaultEvery.Seconds()
}

// review looks at a group whose alerts have ended, and at those beside it.
func (g *Grouping) review(now time.Time, gr *group) []Move {
	gr.reviewAt = time.Time{}
	gr.reviewed = gr.fresh
	if g.without[termTime] || len(gr.onsets) < reviewLeast {
		return nil
	}
	groups := g.beside(gr)
	var events []*member
	for _, o := range groups {
		events = append(events, o.onsets...)
	}
	slices.SortStableFunc(events, func(a, b *member) int { return a.at.Compare(b.at) })
	zero := events[0].at
	base := &trial{g: g, now: seconds(zero, now)}
	for _, e := range events {
		base.at = append(base.at, seconds(zero, e.at))
		end := math.NaN()
		switch {
		case e.returned:
			end = 0
		case !e.firing:
			end = max(1, seconds(zero, e.endedAt))
		}
		base.end = append(base.end, end)
		base.own = append(base.own, e.group == gr)
	}
	for _, o := range groups {
		base.bursts = append(base.bursts, trialBurst{onset: seconds(zero, o.onset)})
		share := make([]float64, len(events))
		for i, e := range events {
			if e.group == o {
				share[i] = 1
			}
		}
		base.share = append(base.share, share)
	}
	base.known = len(base.bursts)
	fresh := base.clone()
	before := base.run()
	best, gain := g.reviewSplit(fresh, events, gr, before)
	if gain > g.cfg.ReviewAt {
		return g.regroup(now, best, events, gain)
	}
	return nil
}

// reviewSplit looks for the best account with one burst more, which begins inside gr.
func (g *Grouping) reviewSplit(base *trial, events []*member, gr *group, before float64) (best *trial, gain float64) {
	var own []int
	ends := []float64{}
	for i, e := range events {
		if e.group == gr {
			own = append(own, i)
			if base.end[i] > 0 {
				ends = append(ends, base.end[i])
			}
		}
	}
	slices.Sort(ends)
	middle := math.NaN()
	if len(ends) > 0 {
		middle = ends[len(ends)/2]
	}
	mine := 0
	for k := range base.share {
		if base.share[k][own[0]] == 1 {
			mine = k
		}
	}
	gain = math.Inf(-1)
	step := max(1, (len(own)-4)/reviewCuts)
	for n := 1; n <= len(own)-4; n += step {
		for _, late := range []bool{false, true} {
			t := base.clone()
			share := make([]float64, len(events))
			for _, i := range own[n:] {
				r := 0.6
				if late && t.end[i] > 0 {
					r = 0.1
					if t.end[i] >= middle {
						r = 0.9
					}
				}
				share[i] = r
				t.share[mine][i] = 1 - r
			}
			t.bursts = append(t.bursts, trialBurst{onset: t.at[own[n]]})
			t.share = append(t.share, share)
			if logL := t.run() - before + math.Log(1/g.cfg.FaultEvery.Seconds()); logL > gain {
				best, gain = t, logL
			}
		}
	}
	return best, gain
}

// beside returns gr and the groups whose onsets lie nearest to its own.
func (g *Grouping) beside(gr *group) []*group {
	groups := []*group{gr}
	var others []*group
	for _, o := range g.past {
		if o == gr || g.groups[o.id] != o || o.state == GroupSuppressed || len(o.onsets) < reviewLeast || o.fresh > len(o.onsets) {
			continue
		}
		if o.onset.Before(gr.lastOn.Add(time.Minute)) && o.lastOn.After(gr.onset.Add(-time.Minute)) {
			others = append(others, o)
		}
	}
	slices.SortStableFunc(others, func(a, b *group) int {
		return int(a.onset.Sub(gr.onset).Abs().Milliseconds() - b.onset.Sub(gr.onset).Abs().Milliseconds())
	})
	return append(groups, others[:min(len(others), reviewBeside)]...)
}

// regroup moves the events to where a trial puts them; its last burst is new.
func (g *Grouping) regroup(now time.Time, t *trial, events []*member, weight float64) []Move {
	last := len(t.bursts) - 1
	return g.split(now, events, t.share[last], weight)
}
