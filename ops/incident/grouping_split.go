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
	age    []float64 // seconds since the first event, per event
	zero   time.Time
	end    float64 // now
	loc    []int   // dense number of each event's location, -1 for none; name likewise
	name   []int
	locs   []int32 // trait of each dense number
	names  []int32
}

// contender is a group, or one that might be, while a scene is played through.
type contender struct {
	group  *group // nil for the one that might be
	onset  float64
	burst  burst
	post   posterior
	postN  float64
	postAt float64
	loc    []float64
	name   []float64
	total  float64
	rate   float64
}

// sceneGroups bounds the groups of a scene.
const sceneGroups = 6

// rethink looks whether a second burst began lately inside the groups around gr.
func (g *Grouping) rethink(now time.Time, gr *group) []Move {
	if g.without[termTime] {
		return nil
	}
	sc := g.scene(now, gr)
	last := len(sc.events) - 1
	if last < 2 {
		return nil
	}
	var cuts []int
	for back := 2; back <= last && back < 150; back += 1 + back/6 {
		cuts = append(cuts, last+1-back)
	}
	if len(cuts) == 0 {
		return nil
	}
	without := make([]float64, len(sc.events)+1)
	g.play(&sc, cuts[len(cuts)-1], false, nil, without)
	best, cut := g.cfg.SplitAt, -1
	for _, c := range cuts {
		if sc.events[c].group.onsets[0] == sc.events[c] || g.tooSoon(&sc, c) {
			continue
		}
		if llr := g.play(&sc, c, true, nil, nil) - (without[len(sc.events)] - without[c]); llr > best {
			best, cut = llr, c
		}
	}
	if cut < 0 {
		return nil
	}
	share := make([]float64, len(sc.events))
	g.play(&sc, cut, true, share, nil)
	return g.split(now, sc.events, share, best)
}

// tooSoon reports whether a burst that began with the event would follow another, in the same scene, by less than Apart.
func (g *Grouping) tooSoon(sc *scene, event int) bool {
	at := sc.events[event].at
	for _, gr := range sc.groups {
		if gap := at.Sub(gr.onset); gap > 0 && gap < g.cfg.Apart && gr.fresh >= g.cfg.Company {
			return true
		}
	}
	return false
}

// scene collects the groups that compete with gr and their onsets.
func (g *Grouping) scene(now time.Time, gr *group) scene {
	sc := scene{groups: []*group{gr}}
	limit := now.Add(-g.cfg.Window)
	for i := len(g.recent) - 1; i >= max(0, len(g.recent)-recentScan) && len(sc.groups) < sceneGroups; i-- {
		if other := g.recent[i]; other != gr && g.groups[other.id] == other && other.current() && other.lastOn.After(limit) {
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
	if len(sc.events) == 0 {
		return sc
	}
	sc.zero = sc.events[0].at
	sc.end = seconds(sc.zero, now)
	dense := map[int32]int{-1: -1}
	for _, e := range sc.events {
		sc.age = append(sc.age, seconds(sc.zero, e.at))
		for _, trait := range []struct {
			id   int32
			to   *[]int
			list *[]int32
		}{{e.traits.loc, &sc.loc, &sc.locs}, {e.traits.name, &sc.name, &sc.names}} {
			n, known := dense[trait.id]
			if !known {
				n = len(*trait.list)
				dense[trait.id] = n
				*trait.list = append(*trait.list, trait.id)
			}
			*trait.to = append(*trait.to, n)
		}
	}
	return sc
}

// contenders returns the groups of a scene as they were before the event with index cut.
func (sc *scene) contenders(cut int, with bool) []contender {
	start := sc.age[cut]
	cs := make([]contender, 0, len(sc.groups)+1)
	for _, gr := range sc.groups {
		c := contender{
			group: gr, onset: seconds(sc.zero, gr.onset), burst: gr.burst, total: gr.profile.total, postN: -1,
			loc: make([]float64, len(sc.locs)), name: make([]float64, len(sc.names)),
		}
		for n, id := range sc.locs {
			c.loc[n] = gr.profile.count[id]
		}
		for n, id := range sc.names {
			c.name[n] = gr.profile.count[id]
		}
		cs = append(cs, c)
	}
	for i := cut; i < len(sc.events); i++ {
		e := sc.events[i]
		for k := range cs {
			if c := &cs[k]; c.group == e.group {
				if !e.late && (e != e.group.onsets[0] || e.group.fresh > len(e.group.onsets)) {
					c.burst.add(sc.age[i]-c.onset, -1)
				}
				c.count(sc, i, -1)
			}
		}
	}
	if with {
		cs = append(cs, contender{onset: start, postN: -1, loc: make([]float64, len(sc.locs)), name: make([]float64, len(sc.names))})
	}
	return cs
}

func (c *contender) count(sc *scene, event int, n float64) {
	c.total += n
	if k := sc.loc[event]; k >= 0 {
		c.loc[k] += n
	}
	if k := sc.name[event]; k >= 0 {
		c.name[k] += n
	}
}

// play returns the log-likelihood of the scene's events from index cut on, with or without a new burst that begins at
// cut. share, when not nil, receives the probability that each event belongs to the new burst; sums the log-likelihood up
// to each event.
func (g *Grouping) play(sc *scene, cut int, with bool, share, sums []float64) float64 {
	alone := 1/g.cfg.NoiseEvery.Seconds() + 1/g.cfg.FaultEvery.Seconds()
	cs := sc.contenders(cut, with)
	logL := 0.0
	at := sc.age[cut]
	for i := cut; i <= len(sc.events); i++ {
		next := sc.end
		if i < len(sc.events) {
			next = sc.age[i]
		}
		for at < next {
			to := min(next, at+10)
			for k := range cs {
				if c := &cs[k]; c.onset < to {
					g.refresh(c, at)
					logL -= g.pace.between(&c.post, at-c.onset, to-c.onset)
				}
			}
			at = to
		}
		if sums != nil {
			sums[i] = logL
		}
		if i == len(sc.events) {
			break
		}
		if with && i == cut {
			logL += math.Log(1 / g.cfg.FaultEvery.Seconds())
			if share != nil {
				share[i] = 1
			}
			cs[len(cs)-1].count(sc, i, 1)
			continue
		}
		sum := alone
		for k := range cs {
			c := &cs[k]
			if c.onset > at || (c.onset == at && c.group != nil) {
				c.rate = 0
				continue
			}
			g.refresh(c, at)
			c.rate = g.pace.rateAt(&c.post, at-c.onset) * g.fit(sc, c, i)
			sum += c.rate
		}
		logL += math.Log(sum)
		for k := range cs {
			c := &cs[k]
			if c.rate > 0 {
				c.burst.add(at-c.onset, c.rate/sum)
				c.count(sc, i, c.rate/sum)
			}
		}
		if share != nil {
			share[i] = cs[len(cs)-1].rate / sum
		}
	}
	return logL
}

// fit returns how much likelier the traits of an event are in a contender than anywhere.
func (g *Grouping) fit(sc *scene, c *contender, event int) float64 {
	r := 1.0
	if k := sc.loc[event]; k >= 0 {
		r *= g.marks.ratio(kindLoc, sc.locs[k], c.loc[k], c.total)
	}
	if k := sc.name[event]; k >= 0 {
		r *= g.marks.ratio(kindName, sc.names[k], c.name[k], c.total)
	}
	return math.Sqrt(r)
}

// refresh brings a contender's posterior up to date, unless little has changed since the last time.
func (g *Grouping) refresh(c *contender, at float64) {
	if c.postN >= 0 && c.burst.n-c.postN < 0.04*c.burst.n && at-c.postAt < 0.04*(at-c.onset)+0.5 {
		return
	}
	c.post = g.pace.look(c.burst, max(0, at-c.onset))
	if c.group == nil {
		c.post.sure = 1
	}
	c.postN, c.postAt = max(0, c.burst.n), at
}

// split moves the events that more likely belong to the new burst into a group of their own.
func (g *Grouping) split(now time.Time, events []*member, share []float64, weight float64) []Move {
	var fresh *group
	var moves []Move
	byGroup := map[GroupID]int{}
	var touched []*group
	for i, p := range share {
		m := events[i]
		if p <= .5 || g.pins[Pin{Kind: PinStay, Group: m.group.id, Member: m.ID}] || g.pins[Pin{Kind: PinNeverSplit, Group: m.group.id}] {
			continue
		}
		from := m.group
		if fresh == nil {
			if len(from.members) == 1 {
				continue
			}
			fresh = &group{id: g.next, state: from.state, openedAt: now, quietAt: now, endedAt: from.endedAt, onset: m.at, members: map[string]*member{}}
			if from.shown {
				fresh.shown, fresh.shownAt = true, now
			}
			if g.pins[Pin{Kind: PinNeverShow, Group: from.id}] {
				g.pins[Pin{Kind: PinNeverShow, Group: g.next}] = true
			}
			g.next++
			g.groups[fresh.id] = fresh
		}
		g.take(now, m)
		m.late = false
		g.put(now, fresh, m, true)
		if len(from.members) == 0 {
			delete(g.groups, from.id)
			moves = append(moves, Move{Kind: MoveMerge, At: now, Group: fresh.id, Other: from.id, Members: []string{m.ID}, Reason: "It was the beginning of this burst of alerts."})
			continue
		}
		k, ok := byGroup[from.id]
		if !ok {
			kind := MoveAssign
			if len(moves) == 0 {
				kind = MoveSplit
			}
			k = len(moves)
			byGroup[from.id] = k
			touched = append(touched, from)
			moves = append(moves, Move{Kind: kind, At: now, Group: fresh.id, Other: from.id, Reason: "A second burst of alerts began.", Terms: []Term{{Name: termTime, Weight: weight, Detail: "More alerts began than the first trouble brings by now."}}})
		}
		moves[k].Members = append(moves[k].Members, m.ID)
	}
	if fresh == nil {
		return nil
	}
	g.note(fresh)
	for _, gr := range touched {
		moves = append(moves, g.settle(now, gr)...)
	}
	return append(moves, g.settle(now, fresh)...)
}
