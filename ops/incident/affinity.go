package incident

import "math"

// features are what an alert shares with others: interned label pairs, rarest first.
type features []int32

// profile counts the features of a group's members.
type profile struct {
	count map[int32]float64
	total float64
}

func (p *profile) add(f features, n float64) {
	if p.count == nil {
		p.count = map[int32]float64{}
	}
	for _, id := range f {
		p.count[id] += n
	}
	p.total += n
}

// marks knows how common each feature is.
type marks struct {
	without map[string]bool
	ids     map[string]int32
	seen    []float64
	total   float64
}

func newMarks(without map[string]bool) *marks {
	return &marks{without: without, ids: map[string]int32{}}
}

func (k *marks) read(m *Member) features {
	return nil
}

// choose returns the current group that a fresh member fits best; nil when it fits none.
func (g *Grouping) choose(m *member) (*group, []Term) {
	var best *group
	alone := 1/g.cfg.NoiseEvery.Seconds() + 1/g.cfg.FaultEvery.Seconds()
	rate := alone
	kept := g.recent[:0]
	for _, gr := range g.recent {
		if g.groups[gr.id] != gr || !gr.current() || seconds(gr.onset, g.now) > 3600 {
			continue
		}
		kept = append(kept, gr)
		if g.forbidden(m, gr) {
			continue
		}
		age := max(0, seconds(gr.onset, m.at))
		post := g.pace.look(gr.burst, age)
		if r := g.pace.rateAt(&post, age); r > rate {
			best, rate = gr, r
		}
	}
	g.recent = kept
	if best == nil {
		return nil, nil
	}
	return best, []Term{{Name: "time", Weight: math.Log(rate / alone), Detail: "It began while the others did."}}
}
