package incident

import (
	"math"
	"slices"
	"time"
)

// scene is a set of groups whose onsets may be mixed up, with the onsets of the last minutes.
type scene struct {
	groups []*group
	events []*member // by time
}

// contender is a group, or one that might be, while a scene is played through.
type contender struct {
	group *group // nil for the one that might be
	onset time.Time
	burst burst
	post  posterior
	from  float64
}

// rethink looks whether a second burst began lately inside the groups around gr.
func (g *Grouping) rethink(now time.Time, gr *group) []Move {
	sc := g.scene(now, gr)
	if len(sc.events) < 3 {
		return nil
	}
	best, cut := g.cfg.SplitAt, -1
	last := len(sc.events) - 1
	for back := 2; back <= last+1 && back < 120; back += 1 + back/6 {
		c := last + 1 - back
		if slices.ContainsFunc(sc.groups, func(o *group) bool { return o.onset.Equal(sc.events[c].at) && o.onsets[0] == sc.events[c] }) {
			continue
		}
		if llr := g.play(now, sc, c, true, nil) - g.play(now, sc, c, false, nil); llr > best {
			best, cut = llr, c
		}
	}
	if cut < 0 {
		return nil
	}
	share := make([]float64, len(sc.events))
	g.play(now, sc, cut, true, share)
	return g.split(now, sc, share, best)
}

// scene collects the groups that compete with gr and their onsets.
func (g *Grouping) scene(now time.Time, gr *group) scene {
	sc := scene{groups: []*group{gr}}
	limit := now.Add(-g.cfg.Window)
	for _, other := range g.recent {
		if other != gr && other.current() && other.lastOn.After(limit) && len(sc.groups) < 6 {
			sc.groups = append(sc.groups, other)
		}
	}
	for _, other := range sc.groups {
		for i := len(other.onsets) - 1; i >= 0 && other.onsets[i].at.After(limit); i-- {
			sc.events = append(sc.events, other.onsets[i])
		}
	}
	slices.SortStableFunc(sc.events, func(a, b *member) int { return a.at.Compare(b.at) })
	if len(sc.events) > maxOnsets {
		sc.events = sc.events[len(sc.events)-maxOnsets:]
	}
	return sc
}

// play returns the log-likelihood of the scene's events from index cut on, with or without a new burst that begins at
// cut. share, when not nil, receives the probability that each event belongs to the new burst.
func (g *Grouping) play(now time.Time, sc scene, cut int, with bool, share []float64) float64 {
	start := sc.events[cut].at
	alone := 1/g.cfg.NoiseEvery.Seconds() + 1/g.cfg.FaultEvery.Seconds()
	cs := make([]contender, 0, 8)
	for _, gr := range sc.groups {
		c := contender{group: gr, onset: gr.onset, burst: gr.burst}
		for i := len(gr.onsets) - 1; i >= 0 && !gr.onsets[i].at.Before(start); i-- {
			if i > 0 || gr.fresh > len(gr.onsets) {
				c.burst.add(seconds(gr.onset, gr.onsets[i].at), -1)
			}
		}
		if c.onset.After(start) {
			c.burst = burst{}
		}
		cs = append(cs, c)
	}
	if with {
		cs = append(cs, contender{onset: start})
	}
	logL := 0.0
	at := start
	rates := make([]float64, len(cs))
	for i := cut; i <= len(sc.events); i++ {
		next := now
		if i < len(sc.events) {
			next = sc.events[i].at
		}
		for at.Before(next) {
			to := at.Add(10 * time.Second)
			if to.After(next) {
				to = next
			}
			for k := range cs {
				c := &cs[k]
				if c.onset.After(to) {
					continue
				}
				c.post = g.look(c, at)
				logL -= g.pace.between(&c.post, seconds(c.onset, at), seconds(c.onset, to))
			}
			at = to
		}
		if i == len(sc.events) {
			break
		}
		e := sc.events[i]
		if with && i == cut {
			logL += math.Log(1 / g.cfg.FaultEvery.Seconds())
			if share != nil {
				share[i] = 1
			}
			continue
		}
		sum := alone
		first := false
		for k := range cs {
			c := &cs[k]
			rates[k] = 0
			if c.group != nil && c.group.onsets[0] == e && c.group.fresh == len(c.group.onsets) {
				first = true
			}
			if c.onset.After(e.at) {
				continue
			}
			c.post = g.look(c, e.at)
			rates[k] = g.pace.rateAt(&c.post, seconds(c.onset, e.at))
			sum += rates[k]
		}
		if first && !with {
			// It opened a group of its own; both accounts say so.
			logL += math.Log(sum)
			continue
		}
		logL += math.Log(sum)
		for k := range cs {
			if rates[k] > 0 {
				cs[k].burst.add(seconds(cs[k].onset, e.at), rates[k]/sum)
			}
		}
		if with && share != nil {
			share[i] = rates[len(rates)-1] / sum
		}
	}
	return logL
}

func (g *Grouping) look(c *contender, at time.Time) posterior {
	post := g.pace.look(c.burst, max(0, seconds(c.onset, at)))
	if c.group == nil {
		post.sure = 1
	}
	return post
}

// split moves the events that more likely belong to the new burst into a group of their own.
func (g *Grouping) split(now time.Time, sc scene, share []float64, weight float64) []Move {
	var fresh *group
	var moves []Move
	byGroup := map[GroupID]int{}
	for i, p := range share {
		if p <= .5 {
			continue
		}
		m := sc.events[i]
		from := m.group
		if fresh == nil {
			fresh = &group{id: g.next, state: from.state, openedAt: now, quietAt: now, onset: m.at, members: map[string]*member{}}
			if from.shown {
				fresh.shown, fresh.shownAt = true, now
			}
			g.next++
			g.groups[fresh.id] = fresh
		}
		g.take(now, m)
		g.put(now, fresh, m, true)
		k, ok := byGroup[from.id]
		if !ok {
			kind := MoveAssign
			if len(moves) == 0 {
				kind = MoveSplit
			}
			k = len(moves)
			byGroup[from.id] = k
			moves = append(moves, Move{Kind: kind, At: now, Group: fresh.id, Other: from.id, Reason: "A second burst of alerts began.", Terms: []Term{{Name: "time", Weight: weight, Detail: "More alerts began than the first trouble brings by now."}}})
		}
		moves[k].Members = append(moves[k].Members, m.ID)
	}
	if fresh == nil {
		return nil
	}
	g.recent = append(g.recent, fresh)
	for _, gr := range sc.groups {
		if len(gr.members) == 0 {
			continue
		}
		moves = append(moves, g.settle(now, gr)...)
	}
	return append(moves, g.settle(now, fresh)...)
}
