package incident

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/ops/alert"
)

// find returns the current form of an incident; ErrNotFound when it is not in memory, ErrConflict when it was merged away.
func (e *Engine) find(number uint64) (*Incident, error) {
	inc := e.incidents[number]
	if inc == nil {
		return nil, fmt.Errorf("incident %s: %w", ID(number), ErrNotFound)
	}
	if inc.MergedInto != 0 {
		return nil, fmt.Errorf("incident %s was merged into %s; act on that one: %w", ID(number), ID(inc.MergedInto), ErrConflict)
	}
	return inc, nil
}

// Acknowledge says that somebody works on an incident. A forming one is shown first. ErrConflict when it has ended or is
// acknowledged already.
func (e *Engine) Acknowledge(number uint64, actor, note string) (*Step, error) {
	inc, err := e.find(number)
	if err != nil {
		return nil, err
	}
	if inc.State == Acknowledged || !inc.Current() {
		return nil, fmt.Errorf("incident %s is %s, only a forming or open one can be acknowledged: %w", inc.ID(), inc.State, ErrConflict)
	}
	s := e.step(inc, StepAcknowledge, actor, withNote("Acknowledged by "+actor, note), nil)
	if inc.State == Forming {
		e.byHand(e.grouping.Show(e.now, inc.Group))
		e.show(inc)
	}
	inc.State, inc.AcknowledgedAt, inc.AcknowledgedBy = Acknowledged, e.now, actor
	return s, nil
}

// Unacknowledge says that nobody works on an incident any more. ErrConflict when it is not acknowledged.
func (e *Engine) Unacknowledge(number uint64, actor, note string) (*Step, error) {
	inc, err := e.find(number)
	if err != nil {
		return nil, err
	}
	if inc.State != Acknowledged {
		return nil, fmt.Errorf("incident %s is %s, only an acknowledged one can be unacknowledged: %w", inc.ID(), inc.State, ErrConflict)
	}
	s := e.step(inc, StepRelease, actor, withNote("No longer acknowledged by "+inc.AcknowledgedBy, note), nil)
	s.By = inc.AcknowledgedBy
	inc.State, inc.AcknowledgedAt, inc.AcknowledgedBy = Open, zeroTime, ""
	return s, nil
}

// Resolve ends an incident by a person's hand, although alerts may still fire. ErrConflict when it has ended.
func (e *Engine) Resolve(number uint64, actor, reason string) (*Step, error) {
	inc, err := e.find(number)
	if err != nil {
		return nil, err
	}
	if !inc.Current() {
		return nil, fmt.Errorf("incident %s is %s already: %w", inc.ID(), inc.State, ErrConflict)
	}
	s := e.step(inc, StepResolve, actor, withNote("Resolved by "+actor, reason), nil)
	e.byHand(e.grouping.Close(e.now, inc.Group))
	e.finish(inc, Resolved)
	return s, nil
}

// Reopen makes an ended incident current again. ErrConflict when it has not ended.
func (e *Engine) Reopen(number uint64, actor, note string) (*Step, error) {
	inc, err := e.find(number)
	if err != nil {
		return nil, err
	}
	if inc.Current() {
		return nil, fmt.Errorf("incident %s is %s, only an ended one can be reopened: %w", inc.ID(), inc.State, ErrConflict)
	}
	s := e.step(inc, StepReopen, actor, withNote("Reopened by "+actor, note), nil)
	e.reopenByHand(inc, false)
	return s, nil
}

// reopenByHand makes inc current and shown. pin keeps the engine from ending it.
func (e *Engine) reopenByHand(inc *Incident, pin bool) {
	e.byHand(e.grouping.Reopen(e.now, inc.Group, pin))
	e.byHand(e.grouping.Show(e.now, inc.Group))
	inc.EndedAt = zeroTime
	e.show(inc)
}

// Own gives an incident to somebody; owner "" gives it back. ErrConflict when it is that person's already.
func (e *Engine) Own(number uint64, owner, actor, note string) (*Step, error) {
	inc, err := e.find(number)
	if err != nil {
		return nil, err
	}
	if inc.Owner == owner {
		return nil, fmt.Errorf("incident %s belongs to %s already: %w", inc.ID(), orNobody(owner), ErrConflict)
	}
	text := "Given to " + owner + " by " + actor
	switch owner {
	case "":
		text = "Given back by " + actor
	case actor:
		text = "Taken by " + actor
	}
	s := e.step(inc, StepOwn, actor, withNote(text, note), nil)
	s.By, inc.Owner = inc.Owner, owner
	return s, nil
}

// Merge moves other incidents into one. ErrConflict when one was merged away already, ErrInvalid when it names itself or
// nothing.
func (e *Engine) Merge(number uint64, from []uint64, actor string) ([]*Step, error) {
	into, err := e.find(number)
	if err != nil {
		return nil, err
	}
	if len(from) == 0 || slices.Contains(from, number) {
		return nil, fmt.Errorf("merge into %s: name at least one other incident: %w", into.ID(), ErrInvalid)
	}
	parts := make([]*Incident, len(from))
	for i, n := range from {
		if parts[i], err = e.find(n); err != nil {
			return nil, err
		}
		if slices.Contains(parts[:i], parts[i]) {
			return nil, fmt.Errorf("merge into %s: %s is named twice: %w", into.ID(), ID(n), ErrInvalid)
		}
	}
	var steps []*Step
	for _, part := range parts {
		s := e.step(into, StepMerge, actor, "Merged "+part.ID()+" into this by "+actor, nil)
		s.Other = part.Number
		e.fuse(into, part)
		steps = append(steps, s)
	}
	return steps, nil
}

// Split makes a new incident out of some alerts of one. ErrInvalid when an alert is not in it, or when nothing would stay.
func (e *Engine) Split(number uint64, alerts []string, actor string) (*Step, error) {
	inc, err := e.find(number)
	if err != nil {
		return nil, err
	}
	episodes, err := e.episodes(alerts)
	if err != nil {
		return nil, err
	}
	for _, a := range episodes {
		if e.Root(a.Incident) != inc {
			return nil, fmt.Errorf("split %s: alert %s is in %s: %w", inc.ID(), a.ID, orNone(ID(a.Incident)), ErrInvalid)
		}
	}
	inc.refresh()
	if len(episodes) >= inc.Total.Alerts {
		return nil, fmt.Errorf("split %s: all %d alerts are named, at least one must stay: %w", inc.ID(), inc.Total.Alerts, ErrInvalid)
	}
	return e.splitOff(inc, episodes, StepSplit, actor, plural(len(episodes), "alert")+" split off "+inc.ID()+" by "+actor), nil
}

// formAgain makes a group forming that the Grouping shows, without forbidding to show it later. What a person forbade before
// stays forbidden.
func (e *Engine) formAgain(group GroupID) {
	forbidden := Pin{Kind: PinNeverShow, Group: group}
	before := e.grouping.Pinned(forbidden)
	e.byHand(e.grouping.Unshow(e.now, group))
	if !before {
		e.grouping.Unpin(forbidden)
	}
}

// splitOff moves alerts into a new incident, which has the state of inc.
func (e *Engine) splitOff(inc *Incident, episodes []*alert.Episode, kind StepKind, actor, text string) *Step {
	group, moves := e.grouping.NewGroup(e.now, ids(episodes))
	e.byHand(moves)
	fresh := e.create(group, inc.State)
	if fresh.State == Forming {
		e.formAgain(group)
	} else {
		fresh.ShownAt = e.now
	}
	if !inc.Current() {
		fresh.EndedAt = inc.EndedAt
		e.byHand(e.grouping.Close(e.now, group))
	}
	s := e.step(fresh, kind, actor, text, nil)
	s.Other = inc.Number
	e.place(s, fresh, ids(episodes), nil, text)
	first := e.now
	for _, a := range episodes {
		if a.ReceivedAt.Before(first) {
			first = a.ReceivedAt
		}
	}
	fresh.StartedAt = first
	e.touch(inc)
	return s
}

// Assign moves alerts into an incident. ErrInvalid when one is there already.
func (e *Engine) Assign(number uint64, alerts []string, actor string) (*Step, error) {
	inc, err := e.find(number)
	if err != nil {
		return nil, err
	}
	episodes, err := e.episodes(alerts)
	if err != nil {
		return nil, err
	}
	var from uint64
	for _, a := range episodes {
		root := e.Root(a.Incident)
		if root == inc {
			return nil, fmt.Errorf("assign to %s: alert %s is in it already: %w", inc.ID(), a.ID, ErrInvalid)
		}
		if root != nil {
			from = root.Number
		}
	}
	text := plural(len(episodes), "alert") + " moved here by " + actor
	s := e.step(inc, StepAssign, actor, text, nil)
	s.Other = from
	e.enlist(inc, episodes)
	e.place(s, inc, ids(episodes), nil, text)
	return s, nil
}

// fuse merges part into inc, for the Grouping too. One that the Grouping has forgotten takes over the other's group.
func (e *Engine) fuse(inc, part *Incident) {
	known := e.grouping.State(inc.Group) != GroupNone
	if known {
		e.byHand(e.grouping.Merge(e.now, inc.Group, part.Group, true))
	}
	e.merge(inc, part)
	if !known && e.grouping.State(part.Group) != GroupNone {
		inc.Group = part.Group
		e.byGroup[inc.Group] = inc
	}
}

// enlist moves alerts into the group of inc; one that the Grouping has forgotten gets a new group.
func (e *Engine) enlist(inc *Incident, episodes []*alert.Episode) {
	if e.grouping.State(inc.Group) != GroupNone {
		e.byHand(e.grouping.Assign(e.now, ids(episodes), inc.Group, true))
		return
	}
	group, moves := e.grouping.NewGroup(e.now, ids(episodes))
	e.byHand(moves)
	if group == 0 {
		return
	}
	inc.Group = group
	e.byGroup[group] = inc
	switch {
	case !inc.Current():
		e.byHand(e.grouping.Close(e.now, group))
	case inc.State == Forming:
		e.formAgain(group)
	}
}

// Comment adds a note to an incident. ErrInvalid when the text is empty.
func (e *Engine) Comment(number uint64, actor, text string) (*Step, error) {
	inc, err := e.find(number)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("note on %s: the text is empty: %w", inc.ID(), ErrInvalid)
	}
	return e.step(inc, StepNote, actor, text, nil), nil
}

func (e *Engine) episodes(alerts []string) ([]*alert.Episode, error) {
	if len(alerts) == 0 {
		return nil, fmt.Errorf("name at least one alert: %w", ErrInvalid)
	}
	var episodes []*alert.Episode
	for _, id := range alerts {
		a := e.tracker.Episode(id)
		if a == nil {
			return nil, fmt.Errorf("alert %s: %w", id, ErrNotFound)
		}
		if !slices.Contains(episodes, a) {
			episodes = append(episodes, a)
		}
	}
	return episodes, nil
}

func ids(episodes []*alert.Episode) []string {
	out := make([]string, len(episodes))
	for i, a := range episodes {
		out[i] = a.ID
	}
	return out
}

func withNote(text, note string) string {
	if note = strings.TrimSpace(note); note != "" {
		return text + ": " + note
	}
	return text
}

func orNone(id string) string {
	if id == "" {
		return "no incident"
	}
	return id
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

// byHand takes what the Grouping answered to a person's step. The step itself is booked by the caller; what followed from it
// by itself, for instance that a group is now large enough to be shown, is carried out by settle once the books are right.
func (e *Engine) byHand(moves []Move) {
	for i := range moves {
		if !moves[i].ByHand {
			e.aside = append(e.aside, moves[i])
		}
	}
}

// settle carries out what was put aside.
func (e *Engine) settle() {
	moves := e.aside
	e.aside = nil
	e.take(moves)
}
