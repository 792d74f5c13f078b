package anomaly

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/entity"
	"github.com/fairlead/fairlead/base/signal"
)

const (
	// together is how long after something was told what else happens counts as the same.
	together = 5 * time.Minute
	// lull is how long nothing must begin in a group whose anomalies have all ended until it has ended.
	lull = 10 * time.Minute
	// lingers is how long an anomaly that has ended, or a faint one, weighs.
	lingers = 15 * time.Minute
	// longest is how long a group goes on at most: what ends later is normal by now.
	longest = 24 * time.Hour
	// listed is how many anomalies of a group are kept with it.
	listed = 20
)

// Group is what is abnormal in one entity at one time.
type Group struct {
	// ID tells it from others: it comes from the team, the entity and the beginning.
	ID string
	// Team and Entity say whose it is and what it is about; each may be "".
	Team, Entity string
	// Since is when the first anomaly began, Last when the newest did, Ended when it was over; zero while it goes on.
	Since, Last, Ended time.Time
	// Evidence is how rare it is, in powers of ten: -log10 of how often a week as rare a one as its rarest is expected, and half
	// as much for each other, up to 20. Rate is how often a week the team has a group of as much.
	Evidence, Rate float64
	// Count is how many series were abnormal, Active how many still are.
	Count, Active int
	// Findings are the rarest of them, rarest first.
	Findings []Finding
	// ToldAt is when people were told; zero if they were not. Joined is the group with which it was told, "" if by itself.
	ToldAt time.Time
	Joined string
	// Others is how many groups were told with this one.
	Others int

	active   map[signal.SeriesID]float64 // evidence of those that go on
	past     []weight                    // of those that have ended, and of faint ones
	known    bool                        // its evidence was once enough to make it one
	reported int                         // Count when it was reported last
	labels   signal.Labels               // of the alert, once told
}

// weight is evidence that counts for a while.
type weight struct {
	ID       signal.SeriesID `json:"id"`
	At       time.Time       `json:"at"`
	Evidence float64         `json:"evidence"`
}

// Board groups what a Watch finds, by entity, and decides with a budget for each team what people are told. It keeps to the
// times of what it is given. It is not safe for concurrent use.
type Board struct {
	budget float64
	teams  map[string]*teamState
	open   map[string]*Group // by team and entity
	now    time.Time         // the newest time that it was told
}

// teamState is what is known of a team.
type teamState struct {
	budget Budget
	burst  *Group // what was told last
}

// NewBoard returns a Board whose teams welcome so many anomalies a week.
func NewBoard(budget float64) *Board {
	return &Board{budget: cmp.Or(budget, DefaultBudget), teams: make(map[string]*teamState), open: make(map[string]*Group)}
}

// Change is what became of a group.
type Change struct {
	Group *Group
	// Alert is what to report of it; nil if people hear nothing.
	Alert *signal.Alert
}

// Take takes a finding and returns the group that it changed.
func (b *Board) Take(f Finding) Change {
	team, about := f.Labels.Get("team"), entityOf(f.Labels)
	key := team + "\x00" + about
	g := b.open[key]
	if f.Ended {
		return b.end(g, f)
	}
	if g == nil {
		g = &Group{
			ID: groupID(team, about, f.Since), Team: team, Entity: about, Since: f.Since, active: make(map[signal.SeriesID]float64),
		}
		b.open[key] = g
	}
	g.add(f)
	if !g.known {
		return Change{}
	}
	t := b.team(team)
	if g.ToldAt.IsZero() && g.Joined == "" {
		b.decide(t, g, f.At)
	}
	g.Rate, _ = t.budget.rate(g.Evidence)
	return Change{Group: g, Alert: g.report(f.At, false)}
}

// decide tells of a group, alone or with what was told just before.
func (b *Board) decide(t *teamState, g *Group, now time.Time) {
	if t.burst != nil && !t.burst.ToldAt.IsZero() && now.Sub(t.burst.ToldAt) < together {
		if rate, _ := t.budget.rate(g.Evidence); rate <= b.budget {
			g.Joined = t.burst.ID
			t.burst.Others++
		}
		return
	}
	if t.budget.tells(now, g.Evidence, b.budget) {
		g.ToldAt = now
		t.burst = g
	}
}

func (b *Board) team(name string) *teamState {
	t := b.teams[name]
	if t == nil {
		t = &teamState{}
		b.teams[name] = t
	}
	return t
}

// end notes that an anomaly of a group has ended.
func (b *Board) end(g *Group, f Finding) Change {
	if g == nil || g.active == nil {
		return Change{}
	}
	evidence, known := g.active[f.ID]
	if !known {
		return Change{}
	}
	delete(g.active, f.ID)
	g.past = append(g.past, weight{f.ID, f.At, evidence})
	g.Active = len(g.active)
	g.Last = f.At
	if !g.known {
		return Change{}
	}
	return Change{Group: g}
}

// Advance lets time pass: what is over ends.
func (b *Board) Advance(now time.Time) []Change {
	b.now = now
	var changes []Change
	for key, g := range b.open {
		over := len(g.active) == 0 && now.Sub(g.Last) >= lull
		if !over && now.Sub(g.Since) < longest {
			continue
		}
		g.Ended, g.Active = now, 0
		delete(b.open, key)
		if !g.known {
			continue
		}
		t := b.team(g.Team)
		t.budget.learn(now, g.Evidence, b.budget, !g.ToldAt.IsZero() || g.Joined != "")
		if t.burst == g && now.Sub(g.ToldAt) >= together {
			t.burst = nil
		}
		changes = append(changes, Change{Group: g, Alert: g.report(now, true)})
	}
	slices.SortFunc(changes, func(x, y Change) int { return cmp.Compare(x.Group.ID, y.Group.ID) })
	return changes
}

// add takes a finding into the group.
func (g *Group) add(f Finding) {
	evidence := evidenceOf(&f)
	g.Last = f.At
	if f.Faint {
		g.past = append(g.past, weight{f.ID, f.At, evidence})
	} else {
		if _, known := g.active[f.ID]; !known {
			g.Count++
		}
		g.active[f.ID] = evidence
		g.Active = len(g.active)
	}
	g.Findings = append(g.Findings, f)
	slices.SortStableFunc(g.Findings, func(a, b Finding) int { return cmp.Compare(evidenceOf(&b), evidenceOf(&a)) })
	if len(g.Findings) > listed {
		g.Findings = g.Findings[:listed]
	}
	g.weigh(f.At)
	if g.known = g.known || g.Evidence >= least; g.known {
		g.Count = max(g.Count, g.series())
	}
}

// series returns how many series weigh now.
func (g *Group) series() int {
	seen := make(map[signal.SeriesID]bool, len(g.active)+len(g.past))
	for id := range g.active {
		seen[id] = true
	}
	for _, w := range g.past {
		seen[w.ID] = true
	}
	return len(seen)
}

// evidenceOf returns how rare something is, in powers of ten. What a young series says of itself is trusted less.
func evidenceOf(f *Finding) float64 {
	evidence := min(-logWeekly(&f.Verdict), most)
	age := f.Age.Hours() / grownHours
	if f.Pooled {
		age = max(age, pooledAge)
	}
	trust := math.Sqrt(min(age, 1))
	if f.Faint {
		return evidence * trust
	}
	return least + (evidence-least)*trust
}

const (
	// most is the most that one anomaly may weigh: beyond it no tail can be trusted.
	most = 9
	// grownHours is how long a series has to be watched until what it says is trusted fully.
	grownHours = 48
	// pooledAge is the part of that age from which a series counts that its siblings helped to judge.
	pooledAge = 0.35
)

const (
	// also is what each further anomaly of a group weighs of what it would alone: what happens in one entity at one time is
	// one thing, seen several times, but chance does not see it several times.
	also = 0.5
	// counted is how many anomalies of a group are weighed.
	counted = 20
)

// weigh sums up the evidence of the anomalies, each series once: the rarest whole, of each other a part.
func (g *Group) weigh(now time.Time) {
	g.past = slices.DeleteFunc(g.past, func(w weight) bool { return now.Sub(w.At) > lingers })
	by := maps.Clone(g.active)
	for _, w := range g.past {
		by[w.ID] = max(by[w.ID], w.Evidence)
	}
	all := slices.SortedFunc(maps.Values(by), func(a, b float64) int { return cmp.Compare(b, a) })
	sum := 0.0
	for i, evidence := range all[:min(len(all), counted)] {
		if i > 0 {
			evidence *= also
		}
		sum += evidence
	}
	g.Evidence = max(g.Evidence, sum)
}

// report returns the alert of a group that was told; nil if there is nothing new to say.
func (g *Group) report(now time.Time, ended bool) *signal.Alert {
	if g.ToldAt.IsZero() || !ended && g.reported > 0 && g.Count < 2*g.reported {
		return nil
	}
	g.reported = g.Count
	top := &g.Findings[0]
	if g.labels == nil {
		g.labels = g.describe()
	}
	annotations := map[string]string{"summary": top.Summary(), "description": top.Why()}
	if g.Count > 1 || g.Others > 0 {
		annotations["summary"] = g.summary()
	}
	alert := signal.Alert{
		Source: Source, Keyed: true, Identity: g.ID, Labels: g.labels, Annotations: signal.NewLabels(annotations), StartsAt: g.Since,
	}
	if ended {
		alert.EndsAt = now
	}
	return &alert
}

// describe returns the labels of the alert: those that all its anomalies share.
func (g *Group) describe() signal.Labels {
	labels := g.Findings[0].Alert().Labels.Map()
	if len(g.Findings) > 1 {
		for i := range g.Findings {
			for name, value := range labels {
				if other := g.Findings[i].Labels.Get(name); other != value && name != "alertname" && name != "severity" {
					delete(labels, name)
				}
			}
		}
		labels["alertname"] = "Anomaly: " + labels["alertname"]
	}
	if g.Team != "" {
		labels["team"] = g.Team
	}
	return signal.NewLabels(labels)
}

// summary says in one line what is abnormal, when it is more than one series.
func (g *Group) summary() string {
	about := g.Entity
	if about == "" {
		about = "one entity"
	}
	text := fmt.Sprintf("%d series of %s are abnormal. %s", g.Count, about, g.Findings[0].Summary())
	if g.Count == 1 {
		text = g.Findings[0].Summary()
	}
	if g.Others > 0 {
		text += fmt.Sprintf(" So are series of %d other entities.", g.Others)
	}
	return text
}

// Title says in few words what is abnormal.
func (g *Group) Title() string {
	if len(g.Findings) == 0 {
		return g.Entity
	}
	top := &g.Findings[0]
	title := top.Labels.Get("__name__") + " " + top.Verdict.Test.words()
	if g.Count > 1 {
		title += fmt.Sprintf(", and %d more", g.Count-1)
	}
	return title
}

// Why says why people were told, or were not.
func (g *Group) Why() string {
	rate := "it is among the rarest that the team had"
	if g.Rate > 0 {
		rate = "by those before it, one of as much evidence comes about " + often(g.Rate)
	}
	switch {
	case !g.ToldAt.IsZero():
		return "People were told: " + rate + "."
	case g.Joined != "":
		return "It was told with another that began within five minutes before."
	}
	return "People were not told: " + rate + ", which is not rare enough for the budget."
}

// groupID makes the identity of a group, the same for the same beginning.
func groupID(team, about string, since time.Time) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(team + "\x00" + about)) // never fails
	return fmt.Sprintf("anomaly-%016x-%d", h.Sum64(), since.Unix())
}

// entityOf returns what a series is about: its service, else its instance, host or metric.
func entityOf(labels signal.Labels) string {
	service, instance, host := entity.Of(labels.Get)
	switch {
	case service.Kind == entity.Job && !instance.IsZero():
		return instance.String()
	case !service.IsZero():
		return service.String()
	case !instance.IsZero():
		return instance.String()
	case !host.IsZero():
		return host.String()
	}
	return "metric:" + labels.Get("__name__")
}

// BudgetState is what is known of a team's budget.
type BudgetState struct {
	Team   string
	Budget Budget
	// Asked is how many a week are welcome.
	Asked float64
}

// Left returns how many may be told now.
func (s *BudgetState) Left() int { return max(s.Budget.left(s.Asked), 0) }

// Budgets returns the budgets of all teams, by name, as of the time up to which the Board knows.
func (b *Board) Budgets() []BudgetState {
	states := make([]BudgetState, 0, len(b.teams))
	for name, t := range b.teams {
		if now := b.now; !now.IsZero() && now.After(t.budget.At) && !t.budget.At.IsZero() {
			t.budget.advance(now, b.budget)
		}
		state := t.budget
		state.Told = slices.Clone(state.Told)
		states = append(states, BudgetState{Team: name, Budget: state, Asked: b.budget})
	}
	slices.SortFunc(states, func(x, y BudgetState) int { return cmp.Compare(x.Team, y.Team) })
	return states
}

// Open returns the groups that go on, newest first.
func (b *Board) Open() []*Group {
	groups := make([]*Group, 0, len(b.open))
	for _, g := range b.open {
		if g.known {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, func(x, y *Group) int { return cmp.Or(y.Since.Compare(x.Since), cmp.Compare(x.ID, y.ID)) })
	return groups
}
