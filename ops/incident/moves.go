package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/ops/alert"
)

// take carries out what the Grouping decided: bookkeeping, and one step for each move.
func (e *Engine) take(moves []Move) {
	for i := range moves {
		m := &moves[i]
		if m.Kind == MoveOpen || m.Kind == MoveSplit {
			e.takeNew(m)
			continue
		}
		inc := e.byGroup[m.Group]
		if inc == nil {
			continue // a person ended it in the same instant
		}
		switch m.Kind {
		case MoveAssign:
			e.takeAssign(inc, m)
		case MoveMerge:
			if from := e.byGroup[m.Other]; from != nil {
				s := e.step(inc, StepMerge, engineActor, "Merged "+from.ID()+" into this: "+lower(m.Reason), m.Terms)
				s.Other = from.Number
				e.merge(inc, from)
			}
		case MoveShow:
			e.step(inc, StepShow, engineActor, m.Reason, m.Terms)
			e.show(inc)
		case MoveSuppress:
			e.step(inc, StepSuppress, engineActor, m.Reason, m.Terms)
			e.finish(inc, Suppressed)
		case MoveClose:
			e.step(inc, StepClose, engineActor, m.Reason, m.Terms)
			e.finish(inc, Resolved)
		case MoveReopen:
			e.step(inc, StepReopen, engineActor, m.Reason, m.Terms)
			e.revive(inc)
		case MoveOpen, MoveSplit, moveReview:
		}
	}
}

// takeNew makes an incident for a group that was opened or split off.
func (e *Engine) takeNew(m *Move) {
	inc := e.create(m.Group, Forming)
	kind, text := StepOpen, "Opened: "+lower(m.Reason)
	if other := e.byGroup[m.Other]; m.Kind == MoveSplit && other != nil {
		kind, text = StepSplit, "Split off "+other.ID()+": "+lower(m.Reason)
		inc.State, inc.ShownAt = other.State, other.ShownAt
		if !other.ShownAt.IsZero() {
			inc.ShownAt = e.now
		}
	}
	s := e.step(inc, kind, engineActor, text, m.Terms)
	if other := e.byGroup[m.Other]; other != nil {
		s.Other = other.Number
		e.touch(other)
	}
	e.place(s, inc, m.Members, m.Terms, m.Reason)
}

func (e *Engine) create(group GroupID, state State) *Incident {
	inc := &Incident{Number: e.nextIncident, Group: group, State: state, StartedAt: e.now, LastSeenAt: e.now}
	e.nextIncident++
	e.incidents[inc.Number] = inc
	if group != 0 {
		e.byGroup[group] = inc
	}
	return inc
}

// takeAssign puts members into an incident. Those of one instant that come from the same place share a step.
func (e *Engine) takeAssign(inc *Incident, m *Move) {
	var from uint64
	if other := e.byGroup[m.Other]; other != nil {
		from = other.Number
	}
	k := assignKey{inc.Number, from}
	s := e.assigned[k]
	if s == nil || len(s.Alerts) >= maxStepAlerts {
		s = e.step(inc, StepAssign, engineActor, "", m.Terms)
		s.Other = from
		e.assigned[k] = s
	}
	e.place(s, inc, m.Members, m.Terms, m.Reason)
	s.Text = plural(len(s.Alerts), "alert") + " joined: " + lower(m.Reason)
}

// maxStepAlerts bounds how many alerts one assign step lists; more make further steps.
const maxStepAlerts = 1000

// place makes inc the home of alerts and notes that in the step and in each decision record.
func (e *Engine) place(s *Step, inc *Incident, ids []string, terms []Term, reason string) {
	for _, id := range ids {
		a := e.tracker.Episode(id)
		if a == nil {
			continue
		}
		s.Alerts = append(s.Alerts, id)
		s.Homes = append(s.Homes, a.Incident)
		e.rehome(a, inc)
		a.Why = encodeTerms(terms)
		a.Note(e.now, alert.StageIncident, inc.ID(), reason+termSummary(terms))
	}
}

// rehome makes inc the home of an alert.
func (e *Engine) rehome(a *alert.Episode, inc *Incident) {
	a.Incident = inc.Number
	e.tracker.Touch(a)
	e.recount(a)
}

func (e *Engine) show(inc *Incident) {
	inc.State = Open
	if inc.ShownAt.IsZero() {
		inc.ShownAt = e.now
	}
	e.touch(inc)
}

func (e *Engine) finish(inc *Incident, state State) {
	inc.State, inc.EndedAt = state, e.now
	e.ended = append(e.ended, inc)
	e.touch(inc)
}

func (e *Engine) revive(inc *Incident) {
	inc.EndedAt = zeroTime
	inc.State = Forming
	if !inc.ShownAt.IsZero() {
		inc.State = Open
	}
	e.touch(inc)
}

// merge makes from a part of into. The alerts keep from as their home.
func (e *Engine) merge(into, from *Incident) {
	from.MergedInto = into.Number
	into.merged = append(into.merged, from)
	delete(e.byGroup, from.Group)
	if !from.ShownAt.IsZero() && into.State == Forming {
		e.show(into)
		into.ShownAt = from.ShownAt
	}
	into.LastSeenAt = latest(into.LastSeenAt, from.LastSeenAt)
	if from.StartedAt.Before(into.StartedAt) {
		into.StartedAt = from.StartedAt
	}
	e.touchTree(from)
}

// unmerge makes from an incident of its own again.
func (e *Engine) unmerge(from *Incident) {
	into := e.incidents[from.MergedInto]
	from.MergedInto = 0
	e.touchTree(from)
	if into != nil {
		into.merged = slices.DeleteFunc(into.merged, func(i *Incident) bool { return i == from })
		e.touch(into)
	}
}

// touchTree marks an incident and all that were merged into it as changed.
func (e *Engine) touchTree(inc *Incident) {
	e.touch(inc)
	for _, part := range inc.merged {
		e.touchTree(part)
	}
}

// refresh computes what follows from the tallies.
func (i *Incident) refresh() {
	i.Total = i.Own
	if len(i.merged) > 0 {
		i.Total = Tally{}
		i.Total.add(&i.Own)
		for _, part := range i.merged {
			part.refresh()
			i.Total.add(&part.Total)
		}
	}
	i.Severity = max(i.Severity, i.Total.Worst)
	if len(i.Total.Names) > 0 {
		i.Title = title(&i.Total)
	}
}

// forget lets go of incidents that ended long ago; they stay stored.
func (e *Engine) forget() {
	// One round only: what is not stored yet goes to the end of the queue and must not be asked again now.
	for n := len(e.ended); n > 0 && e.now.Sub(e.ended[0].EndedAt) > 2*e.cfg.Grouping.Forget; n-- {
		inc := e.ended[0]
		e.ended = e.ended[1:]
		if root := e.Root(inc.Number); root == nil || (!root.Current() && e.now.Sub(root.EndedAt) > 2*e.cfg.Grouping.Forget) {
			e.drop(inc)
		}
	}
}

func (e *Engine) drop(inc *Incident) {
	if inc.dirty {
		e.ended = append(e.ended, inc) // not stored yet: next time
		return
	}
	delete(e.incidents, inc.Number)
	if e.byGroup[inc.Group] == inc {
		delete(e.byGroup, inc.Group)
	}
	for _, part := range inc.merged {
		e.drop(part)
	}
}

func sortEpisodes(episodes []*alert.Episode) {
	slices.SortFunc(episodes, func(a, b *alert.Episode) int { return cmp.Compare(a.Seq, b.Seq) })
}

func encodeTerms(terms []Term) []byte {
	if len(terms) == 0 {
		return []byte{} // clears what is stored
	}
	data, err := json.Marshal(terms)
	if err != nil {
		return nil // only a weight that is no number
	}
	return data
}

// termSummary writes the terms as "time +1.2, map +0.8".
func termSummary(terms []Term) string {
	if len(terms) == 0 {
		return ""
	}
	parts := make([]string, len(terms))
	for i, term := range terms {
		parts[i] = fmt.Sprintf("%s %+.1f", term.Name, term.Weight)
	}
	return " (log-odds: " + strings.Join(parts, ", ") + ")"
}

func lower(sentence string) string {
	if sentence == "" {
		return sentence
	}
	if first := sentence[0]; first >= 'A' && first <= 'Z' && (len(sentence) < 2 || sentence[1] < 'A' || sentence[1] > 'Z') {
		return string(first+'a'-'A') + sentence[1:]
	}
	return sentence
}

// Received returns how many reports the engine has taken since it started.
func (e *Engine) Received() uint64 { return e.received }

// String describes the engine for logs.
func (e *Engine) String() string {
	return strconv.Itoa(e.tracker.Len()) + " alerts, " + strconv.Itoa(len(e.incidents)) + " incidents in memory"
}
