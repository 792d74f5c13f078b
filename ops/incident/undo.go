package incident

import (
	"fmt"

	"github.com/fairlead/fairlead/ops/alert"
)

// Undo takes a step back: the state before it is restored, and pinned, so that the engine does not repeat the step there.
// It returns the step that records the undoing. Incidents and alerts that the step names must be in memory (see Needs).
// ErrConflict when the step was undone already or when what came after stands in the way; the text says what to do.
func (e *Engine) Undo(s *Step, actor string) (*Step, error) {
	if !s.Kind.Undoable() {
		return nil, fmt.Errorf("step %s: a %s cannot be undone: %w", s.ID(), s.Kind, ErrConflict)
	}
	if !s.UndoneAt.IsZero() {
		return nil, fmt.Errorf("step %s was undone already by %s: %w", s.ID(), s.UndoneBy, ErrConflict)
	}
	inc := e.incidents[s.Incident]
	if inc == nil {
		return nil, fmt.Errorf("incident %s: %w", ID(s.Incident), ErrNotFound)
	}
	if inc.MergedInto != 0 && s.Kind != StepSplit {
		return nil, fmt.Errorf("step %s: %s was merged into %s since; undo that merge first: %w", s.ID(), inc.ID(), ID(inc.MergedInto), ErrConflict)
	}
	if err := e.undo(s, inc, actor); err != nil {
		return nil, err
	}
	s.UndoneAt, s.UndoneBy = e.now, actor
	e.undone = append(e.undone, s)
	record := e.step(inc, StepUndo, actor, "Undone by "+actor+": "+lower(s.Text), nil)
	record.Undoes = s.Number
	return record, nil
}

func (e *Engine) undo(s *Step, inc *Incident, actor string) error {
	switch s.Kind {
	case StepOpen:
		return e.undoOpen(s, inc)
	case StepAssign:
		return e.undoAssign(s, inc, actor)
	case StepMerge:
		return e.undoMerge(s, inc)
	case StepSplit:
		return e.undoSplit(s, inc, actor)
	case StepShow:
		return e.undoShow(s, inc)
	case StepSuppress:
		return e.undoEnd(s, inc, Suppressed)
	case StepClose, StepResolve:
		return e.undoEnd(s, inc, Resolved)
	case StepReopen:
		return e.undoReopen(s, inc)
	case StepAcknowledge:
		return e.undoAcknowledge(s, inc)
	case StepRelease:
		return e.undoRelease(s, inc)
	case StepOwn:
		inc.Owner = s.By
		e.touch(inc)
		return nil
	case StepNote, StepUndo:
	}
	return fmt.Errorf("step %s: a %s cannot be undone: %w", s.ID(), s.Kind, ErrConflict)
}

// undoOpen hides the incident for good: its alerts are kept and counted, nobody is told.
func (e *Engine) undoOpen(s *Step, inc *Incident) error {
	if !inc.Current() {
		return e.blocked(s, inc)
	}
	e.byHand(e.grouping.Close(e.now, inc.Group))
	e.grouping.Pin(Pin{Kind: PinNeverReopen, Group: inc.Group})
	e.finish(inc, Suppressed)
	return nil
}

// undoAssign puts the alerts that are still there back to where they came from; those that came from nowhere make an
// incident of their own.
func (e *Engine) undoAssign(s *Step, inc *Incident, actor string) error {
	back := map[uint64][]*alert.Episode{}
	var order []uint64
	for i, id := range s.Alerts {
		a := e.tracker.Episode(id)
		if a == nil || e.Root(a.Incident) != inc {
			continue
		}
		home := s.Homes[i]
		if root := e.Root(home); root == nil || root == inc {
			home = 0
		}
		if back[home] == nil {
			order = append(order, home)
		}
		back[home] = append(back[home], a)
	}
	if len(order) == 0 {
		return fmt.Errorf("step %s: none of its alerts is in %s any more: %w", s.ID(), inc.ID(), ErrConflict)
	}
	for _, home := range order {
		episodes := back[home]
		text := "Taken out of " + inc.ID() + " by " + actor
		if home == 0 {
			e.splitOff(inc, episodes, StepSplit, actor, text)
		} else {
			e.sendHome(episodes, home, text)
		}
		for _, a := range episodes {
			e.grouping.Pin(Pin{Kind: PinNeverJoin, Group: inc.Group, Member: a.ID, Fingerprint: a.Fingerprint})
		}
	}
	return nil
}

func (e *Engine) sendHome(episodes []*alert.Episode, home uint64, text string) {
	root := e.Root(home)
	e.enlist(root, episodes)
	for _, a := range episodes {
		e.rehome(a, e.incidents[home])
		a.Why = []byte{}
		a.Note(e.now, alert.StageIncident, root.ID(), text)
	}
}

// undoMerge makes the merged incident one of its own again, in the state it would have without the merge.
func (e *Engine) undoMerge(s *Step, inc *Incident) error {
	from := e.incidents[s.Other]
	if from == nil {
		return fmt.Errorf("incident %s: %w", ID(s.Other), ErrNotFound)
	}
	if from.MergedInto != inc.Number {
		return fmt.Errorf("step %s: %s is not part of %s any more: %w", s.ID(), from.ID(), inc.ID(), ErrConflict)
	}
	e.unmerge(from)
	var episodes []*alert.Episode
	e.tracker.Each(func(a *alert.Episode) {
		if e.Root(a.Incident) == from {
			episodes = append(episodes, a)
		}
	})
	sortEpisodes(episodes)
	group, moves := e.grouping.NewGroup(e.now, ids(episodes))
	e.byHand(moves)
	from.Group = group
	if group == 0 { // all its alerts ended long ago
		if from.Current() {
			e.finish(from, Resolved)
		}
		return nil
	}
	e.byGroup[group] = from
	e.grouping.Pin(Pin{Kind: PinNeverMerge, Group: inc.Group, Other: from.Group})
	switch {
	case !from.Current():
		e.byHand(e.grouping.Close(e.now, from.Group))
	case from.State == Forming:
		e.show(from)
	}
	return nil
}

// undoSplit puts the alerts back. What was split off becomes a part of where it came from.
func (e *Engine) undoSplit(s *Step, inc *Incident, actor string) error {
	if inc.MergedInto != 0 {
		return fmt.Errorf("step %s: %s was merged into %s since; undo that merge first: %w", s.ID(), inc.ID(), ID(inc.MergedInto), ErrConflict)
	}
	other := e.Root(s.Other)
	if other == nil {
		return fmt.Errorf("incident %s: %w", ID(s.Other), ErrNotFound)
	}
	if other == inc {
		return fmt.Errorf("step %s: %s is part of %s already: %w", s.ID(), inc.ID(), other.ID(), ErrConflict)
	}
	for i, id := range s.Alerts {
		a := e.tracker.Episode(id)
		if a == nil || a.Incident != inc.Number {
			continue
		}
		if home := e.incidents[s.Homes[i]]; home != nil && e.Root(home.Number) == other {
			e.rehome(a, home)
		}
		a.Note(e.now, alert.StageIncident, other.ID(), "Put back by "+actor)
	}
	e.fuse(other, inc)
	e.grouping.Pin(Pin{Kind: PinNeverSplit, Group: other.Group})
	return nil
}

// undoShow takes the page back: the incident is suppressed and stays so.
func (e *Engine) undoShow(s *Step, inc *Incident) error {
	if inc.State != Open {
		return e.blocked(s, inc)
	}
	e.byHand(e.grouping.Unshow(e.now, inc.Group))
	inc.State, inc.ShownAt = Forming, zeroTime
	e.touch(inc)
	return nil
}

// undoEnd makes the incident what it was before it ended; the engine never ends it again by itself.
func (e *Engine) undoEnd(s *Step, inc *Incident, want State) error {
	if inc.State != want {
		return e.blocked(s, inc)
	}
	e.byHand(e.grouping.Reopen(e.now, inc.Group, true))
	inc.EndedAt = zeroTime
	switch {
	case s.Kind == StepSuppress: // it was hidden wrongly: show it
		e.byHand(e.grouping.Show(e.now, inc.Group))
		e.show(inc)
	case s.Before == Forming:
		inc.State = Forming
		if e.grouping.State(inc.Group) == GroupShown {
			e.show(inc)
		}
	case s.Before == Acknowledged:
		inc.State = Acknowledged
	default:
		inc.State = Open
	}
	e.touch(inc)
	return nil
}

func (e *Engine) undoReopen(s *Step, inc *Incident) error {
	if !inc.Current() {
		return e.blocked(s, inc)
	}
	e.byHand(e.grouping.Close(e.now, inc.Group))
	e.grouping.Pin(Pin{Kind: PinNeverReopen, Group: inc.Group})
	e.finish(inc, s.Before)
	return nil
}

func (e *Engine) undoAcknowledge(s *Step, inc *Incident) error {
	if inc.State != Acknowledged {
		return e.blocked(s, inc)
	}
	inc.State, inc.AcknowledgedAt, inc.AcknowledgedBy = Open, zeroTime, ""
	if s.Before == Forming {
		e.formAgain(inc.Group)
		inc.State, inc.ShownAt = Forming, zeroTime
	}
	e.touch(inc)
	return nil
}

func (e *Engine) undoRelease(s *Step, inc *Incident) error {
	if inc.State != Open {
		return e.blocked(s, inc)
	}
	inc.State, inc.AcknowledgedAt, inc.AcknowledgedBy = Acknowledged, e.now, s.By
	e.touch(inc)
	return nil
}

func (e *Engine) blocked(s *Step, inc *Incident) error {
	return fmt.Errorf("step %s: %s is %s by now, so this %s cannot be taken back: %w", s.ID(), inc.ID(), inc.State, s.Kind, ErrConflict)
}

// Needs returns the numbers of the incidents and the ids of the alerts that undoing a step works on.
func (s *Step) Needs() (incidents []uint64, alerts []string) {
	incidents = append(incidents, s.Incident)
	if s.Other != 0 {
		incidents = append(incidents, s.Other)
	}
	for _, home := range s.Homes {
		if home != 0 {
			incidents = append(incidents, home)
		}
	}
	return incidents, s.Alerts
}
