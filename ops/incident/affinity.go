package incident

import (
	"fmt"
	"math"
	"time"

	"github.com/fairlead/fairlead/base/entity"
)

// The names of the terms, as they stand in decisions and in GroupingConfig.Without.
const (
	termTime     = "time"
	termMap      = "map"
	termLabels   = "labels"
	termText     = "text"
	termTogether = "together"
)

// traits are what an alert shares with others, as interned numbers; -1 stands for "has none". An alert that lacks a trait
// is neither like nor unlike others in it: missing values never match each other.
type traits struct {
	place entity.Ref // where it is: instance, else service, else host
	loc   int32
	name  int32
	other []int32 // other label pairs
}

// maxOther bounds the other label pairs that are looked at.
const maxOther = 6

// marks knows how common each trait is.
type marks struct {
	labels, text bool
	ids          map[string]int32
	seen         []float64
	total        float64
	vague        [traitKinds]calibration
}

func newMarks(without map[string]bool) *marks {
	k := &marks{labels: !without[termLabels], text: !without[termText], ids: map[string]int32{}}
	for kind := range k.vague {
		k.vague[kind].settle()
	}
	return k
}

// maxTraits bounds how many different traits are told apart; later ones count as unknown.
const maxTraits = 200_000

func (k *marks) intern(kind byte, text string) int32 {
	key := string(kind) + text
	if id, known := k.ids[key]; known {
		return id
	}
	if len(k.seen) >= maxTraits {
		return -1
	}
	id := int32(len(k.seen))
	k.ids[key] = id
	k.seen = append(k.seen, 0)
	return id
}

// common labels say what an alert is or where it is; that is looked at by itself.
func common(label string) bool {
	switch label {
	case "alertname", "severity", "priority", "instance", "service", "source", "job":
		return true
	}
	return false
}

// read returns the traits of a member and counts them.
func (k *marks) read(m *Member) traits {
	t := k.look(m)
	t.each(func(id int32) { k.seen[id]++ })
	k.total++
	return t
}

// look returns the traits of a member.
func (k *marks) look(m *Member) traits {
	t := traits{loc: -1, name: -1}
	for _, ref := range []entity.Ref{m.Instance, m.Service, m.Host} {
		if !ref.IsZero() {
			t.place = ref
			break
		}
	}
	if k.labels && !t.place.IsZero() {
		t.loc = k.intern('p', t.place.String())
	}
	if k.text {
		if text := m.TemplateKey; text != "" {
			t.name = k.intern('n', text)
		} else if m.Name != "" {
			t.name = k.intern('n', m.Name)
		}
	}
	if k.labels {
		for _, label := range m.Labels {
			if common(label.Name) || len(t.other) == maxOther {
				continue
			}
			if id := k.intern('l', label.Name+"="+label.Value); id >= 0 {
				t.other = append(t.other, id)
			}
		}
	}
	return t
}

func (t *traits) each(visit func(id int32)) {
	if t.loc >= 0 {
		visit(t.loc)
	}
	if t.name >= 0 {
		visit(t.name)
	}
	for _, id := range t.other {
		visit(id)
	}
}

// share returns how large the share of all alerts with this trait is.
func (k *marks) share(id int32) float64 { return (k.seen[id] + 1) / (k.total + 50) }

// profile counts the traits of a group's members.
type profile struct {
	count map[int32]float64
	total float64
}

func (p *profile) add(t *traits, n float64) {
	if p.count == nil {
		p.count = map[int32]float64{}
	}
	t.each(func(id int32) { p.count[id] += n })
	p.total += n
}

// A profile starts as if it had already seen some alerts that are like anybody's; how many is learned for each kind of
// trait, because alert names are spread much wider inside a fault than places. These are the choices.
const (
	vagues     = 4
	vagueFirst = 4.0 // each next one is three times as many
)

const (
	kindLoc = iota
	kindName
	kindOther
	traitKinds
)

// calibration keeps, for one kind of trait, how well each choice foretold what joined groups.
type calibration struct {
	score [vagues]float64
	vague float64
}

// vagueMemory is how many joins back the choice of vagueness remembers.
const vagueMemory = 3000

// learn takes in that a trait with this share, held by count of total members, joined.
func (c *calibration) learn(q, count, total float64) {
	v := vagueFirst
	for i := range c.score {
		c.score[i] = c.score[i]*(1-1.0/vagueMemory) + math.Log((count+v*q)/((total+v)*q))
		v *= 3
	}
	c.settle()
}

// settle takes the choice that has foretold best.
func (c *calibration) settle() {
	best := 1
	for i := range c.score {
		if c.score[i] > c.score[best] {
			best = i
		}
	}
	c.vague = vagueFirst * math.Pow(3, float64(best))
}

// ratio returns how many times likelier a trait is in a group with this count than anywhere. Rare traits that a group
// has weigh much, common ones little.
func (k *marks) ratio(kind int, id int32, count, total float64) float64 {
	if id < 0 {
		return 1
	}
	q := k.share(id)
	v := k.vague[kind].vague
	return (max(0, count) + v*q) / ((max(0, total) + v) * q)
}

// learn takes in that a member with these traits joined a group with this profile.
func (k *marks) learn(t *traits, p *profile) {
	if p.total < 5 {
		return
	}
	if t.loc >= 0 {
		k.vague[kindLoc].learn(k.share(t.loc), p.count[t.loc], p.total)
	}
	if t.name >= 0 {
		k.vague[kindName].learn(k.share(t.name), p.count[t.name], p.total)
	}
	for _, id := range t.other {
		k.vague[kindOther].learn(k.share(id), p.count[id], p.total)
	}
}

// likeness returns the log-odds that labels and text add for a member to be of a group.
func (g *Grouping) likeness(t *traits, p *profile) (labels, text float64) {
	if t.loc >= 0 {
		labels = 0.5 * math.Log(g.marks.ratio(kindLoc, t.loc, p.count[t.loc], p.total))
	}
	if t.name >= 0 {
		text = 0.5 * math.Log(g.marks.ratio(kindName, t.name, p.count[t.name], p.total))
	}
	if len(t.other) > 0 {
		sum := 0.0
		for _, id := range t.other {
			sum += math.Log(g.marks.ratio(kindOther, id, p.count[id], p.total))
		}
		labels += 0.3 * sum / float64(len(t.other))
	}
	return labels, text
}

// choose returns the current group that a fresh member fits best, nil when it fits none, and the log rate at which alerts
// like it come from there.
func (g *Grouping) choose(m *member) (*group, []Term, float64) {
	var best *group
	var bestTerms [3]float64
	alone := g.alone()
	score := math.Log(alone)
	looked := 0
	for i := len(g.recent) - 1; i >= max(0, len(g.recent)-recentScan) && looked < recentLook; i-- {
		gr := g.recent[i]
		age := max(0, seconds(gr.onset, m.at))
		if g.groups[gr.id] != gr || !gr.current() || age > g.pace.reach || (gr.fresh < 2 && age > g.pace.alone) || g.forbidden(m, gr) {
			continue
		}
		looked++
		var s [3]float64
		s[0] = math.Log(alone)
		if !g.without[termTime] {
			post := g.pace.look(gr.burst, age)
			s[0] = math.Log(g.pace.rateAt(&post, age) + 1e-9)
		}
		s[1], s[2] = g.likeness(&m.traits, &gr.profile)
		if sum := s[0] + s[1] + s[2]; sum > score {
			best, score, bestTerms = gr, sum, s
		}
	}
	if best == nil {
		return nil, nil, score
	}
	return best, []Term{
		{Name: termTime, Weight: bestTerms[0] - math.Log(alone), Detail: fmt.Sprintf("It began %.0f s after the first of %d alerts.", max(0, seconds(best.onset, m.at)), best.fresh)},
		{Name: termLabels, Weight: bestTerms[1], Detail: "Its place and labels are " + moreOrLess(bestTerms[1]) + "."},
		{Name: termText, Weight: bestTerms[2], Detail: "Alerts of this name are " + moreOrLess(bestTerms[2]) + "."},
	}, score
}

func moreOrLess(weight float64) string {
	switch {
	case weight > 0.1:
		return "more common in it than elsewhere"
	case weight < -0.1:
		return "rarer in it than elsewhere"
	}
	return "as common in it as elsewhere"
}

// recentScan bounds the groups that choose passes over, recentLook those that it weighs.
const (
	recentScan = 1024
	recentLook = 48
)

// host returns the shown group that a small group is rather a straggler of than a trouble of its own; nil when it stands
// alone. A new fault would have brought more alerts by now.
func (g *Grouping) host(gr *group) (*group, []Term) {
	if gr.fresh >= g.cfg.Company || len(gr.onsets) == 0 {
		return nil, nil
	}
	var best *group
	var bestTerms []Term
	score := 0.0
	for _, o := range g.recent[max(0, len(g.recent)-recentScan):] {
		if o == gr || g.groups[o.id] != o || o.state != GroupShown || o.fresh < g.cfg.Company || g.apart(gr, o) {
			continue
		}
		since := max(0, seconds(o.lastOn, gr.onset))
		near := 0.0
		for _, m := range gr.onsets {
			near += g.nearness(&m.traits, o)
		}
		near /= float64(len(gr.onsets))
		sum := near - since/g.cfg.Straggle.Seconds()
		if near > 0 && sum > score {
			best, score = o, sum
			bestTerms = []Term{
				{Name: termTime, Weight: -since / g.cfg.Straggle.Seconds(), Detail: fmt.Sprintf("It began %.0f s after the newest of the others.", since)},
				{Name: termMap, Weight: near, Detail: "It is where the others are, or next to it."},
			}
		}
	}
	return best, bestTerms
}

// apart reports whether people have said that two groups are not one.
func (g *Grouping) apart(a, b *group) bool {
	if len(g.pins) == 0 {
		return false
	}
	if g.pins[Pin{Kind: PinNeverMerge, Group: a.id, Other: b.id}] || g.pins[Pin{Kind: PinNeverMerge, Group: b.id, Other: a.id}] {
		return true
	}
	for _, m := range a.members {
		if g.forbidden(m, b) {
			return true
		}
	}
	return false
}

// nearness returns how near a place is to a group: 2 when the group has alerts there, 1 to 2 when next to it on the map, 0
// when nothing is known, negative when far.
func (g *Grouping) nearness(t *traits, gr *group) float64 {
	if t.place.IsZero() {
		return 0
	}
	if t.loc >= 0 && gr.profile.count[t.loc] > 0 {
		return 2
	}
	if g.topo == nil || g.without[termMap] {
		return 0
	}
	best := -1.0
	known := false
	for i := range min(len(gr.onsets), 32) {
		hops, sure, ok := g.topo.Distance(t.place, gr.onsets[i].traits.place)
		if !ok {
			continue
		}
		known = true
		if hops <= 1 {
			best = max(best, 1+sure)
		}
	}
	if !known {
		return 0
	}
	return best
}

// ongoing returns the shown group that a late alert belongs to for its name and place: its alerts still fire, it has
// others of this name, and they are in the same service, at the same place, or next to it on the map.
func (g *Grouping) ongoing(m *member) (*group, []Term) {
	if m.traits.name < 0 {
		return nil, nil
	}
	for i := len(g.recent) - 1; i >= max(0, len(g.recent)-recentScan); i-- {
		gr := g.recent[i]
		if g.groups[gr.id] != gr || gr.state != GroupShown || gr.firing == 0 || gr.profile.count[m.traits.name] == 0 || g.forbidden(m, gr) {
			continue
		}
		if seconds(gr.lastOn, m.at) > g.cfg.Ongoing.Seconds() {
			continue
		}
		for _, o := range gr.onsets {
			if o.traits.name == m.traits.name && o.firing && !m.Service.IsZero() && o.Service == m.Service {
				return gr, []Term{
					{Name: termText, Weight: 1, Detail: "Alerts of this name fire in it."},
					{Name: termLabels, Weight: 1, Detail: "They are of the same service, " + m.Service.Name + "."},
				}
			}
		}
	}
	return nil, nil
}

// relapse returns the group that ended a short while ago and whose alerts are the ones of gr; nil when gr is news.
func (g *Grouping) relapse(now time.Time, gr *group) (*group, []Term) {
	var old *group
	for _, m := range gr.onsets {
		if m.before == nil || (old != nil && m.before != old) {
			return nil, nil
		}
		old = m.before
	}
	if old == nil || g.groups[old.id] != old || old.state != GroupClosed || now.Sub(old.endedAt) > g.cfg.Relapse ||
		g.pins[Pin{Kind: PinNeverReopen, Group: old.id}] || g.apart(gr, old) {
		return nil, nil
	}
	return old, []Term{{Name: termTogether, Weight: float64(len(gr.onsets)), Detail: "All of these alerts were in it before."}}
}
