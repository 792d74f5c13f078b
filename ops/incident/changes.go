package incident

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/fairlead/fairlead/ops/alert"
)

// Changes is what has to be stored after the engine did something.
type Changes struct {
	// At is the engine's time.
	At        time.Time
	Alerts    alert.Changes
	Incidents []*Incident
	// Steps are new, Undone known steps that were undone.
	Steps, Undone []*Step
}

// Empty reports whether there is nothing to store.
func (c *Changes) Empty() bool {
	return len(c.Incidents) == 0 && len(c.Steps) == 0 && len(c.Undone) == 0 &&
		len(c.Alerts.Fresh) == 0 && len(c.Alerts.Changed) == 0 && len(c.Alerts.Repeated) == 0
}

// TakeChanges returns what changed since the last call. What it points to belongs to the engine: store it before the next
// call of any method.
func (e *Engine) TakeChanges() Changes {
	e.settle()
	c := Changes{At: e.now, Alerts: e.tracker.TakeChanges(), Incidents: e.changed, Steps: e.steps, Undone: e.undone}
	for _, inc := range c.Incidents {
		inc.dirty = false
		inc.refresh()
		inc.Root = e.Root(inc.Number).Number
	}
	e.changed, e.steps, e.undone = nil, nil, nil
	clear(e.assigned)
	return c
}

// putBack takes changes back that could not be stored, so that the next TakeChanges returns them too.
func (e *Engine) putBack(c Changes) {
	e.tracker.PutBack(c.Alerts)
	for _, inc := range c.Incidents {
		e.touch(inc)
	}
	e.steps = append(c.Steps, e.steps...)
	e.undone = append(c.Undone, e.undone...)
}

// Memory is what an Engine needs to go on after a restart, beside alerts and incidents.
type Memory struct {
	Now          time.Time `json:"now"`
	NextIncident uint64    `json:"nextIncident"`
	NextStep     uint64    `json:"nextStep"`
	NextAlert    uint64    `json:"nextAlert"`
	NextGroup    GroupID   `json:"nextGroup"`
	Pins         []Pin     `json:"pins"`
	Learned      []byte    `json:"learned"`
}

// Stored is a stored alert: the episode, and what its fields do not say.
type Stored struct {
	Episode *alert.Episode
	// Lines is the length of its decision record.
	Lines int
}

// Restore puts back what was stored: call it once, before anything else. Alerts and incidents that ended long ago may be
// left out; Adopt brings them back when a person works on them.
func (e *Engine) Restore(memory Memory, incidents []*Incident, alerts []Stored) error {
	e.now = memory.Now
	e.nextIncident, e.nextStep = max(1, memory.NextIncident), max(1, memory.NextStep)
	e.tracker = alert.NewTracker(e.cfg.Alert, memory.NextAlert)
	e.Adopt(incidents, alerts)
	state := Restored{Pins: memory.Pins, NextGroup: memory.NextGroup, Learned: memory.Learned}
	for _, inc := range incidents {
		if inc.MergedInto != 0 || inc.Group == 0 {
			continue
		}
		state.Groups = append(state.Groups, RestoredGroup{
			ID: inc.Group, State: groupState(inc), OpenedAt: inc.StartedAt, ShownAt: inc.ShownAt, EndedAt: inc.EndedAt,
		})
	}
	for _, stored := range alerts {
		a := stored.Episode
		root := e.Root(a.Incident)
		if root == nil || root.Group == 0 {
			continue
		}
		m := RestoredMember{Member: e.member(a), Group: root.Group, FiredAt: a.ReceivedAt, LastFiredAt: a.ReceivedAt}
		if a.State == alert.Resolved && !a.Flapping {
			m.ResolvedAt = a.LastReceivedAt
		}
		state.Members = append(state.Members, m)
		if e.inhibitor != nil && a.State == alert.Firing {
			e.inhibitor.Fire(a.ID, a.Labels)
		}
	}
	if err := e.grouping.Restore(e.now, state); err != nil {
		return fmt.Errorf("restore grouping: %w", err)
	}
	return nil
}

// Adopt brings stored incidents and alerts back into memory, where they are not yet.
func (e *Engine) Adopt(incidents []*Incident, alerts []Stored) {
	for _, inc := range incidents {
		if e.incidents[inc.Number] != nil {
			continue
		}
		e.incidents[inc.Number] = inc
		if inc.MergedInto == 0 && inc.Group != 0 {
			e.byGroup[inc.Group] = inc
		}
		if !inc.Current() {
			e.ended = append(e.ended, inc)
		}
		e.nextIncident = max(e.nextIncident, inc.Number+1)
	}
	for _, inc := range incidents {
		if inc = e.incidents[inc.Number]; inc.MergedInto == 0 {
			continue
		}
		if into := e.incidents[inc.MergedInto]; into != nil && !slices.Contains(into.merged, inc) {
			into.merged = append(into.merged, inc)
		}
	}
	for _, stored := range alerts {
		stored.Episode.Counted = stored.Episode.Count()
		e.tracker.Restore(e.now, stored.Episode, stored.Lines)
	}
}

// Has reports whether the incident with this number is in memory.
func (e *Engine) Has(number uint64) bool { return e.incidents[number] != nil }

// HasAlert reports whether the alert with this id is in memory.
func (e *Engine) HasAlert(id string) bool { return e.tracker.Episode(id) != nil }

func groupState(inc *Incident) GroupState {
	switch inc.State {
	case Forming:
		return GroupForming
	case Suppressed:
		return GroupSuppressed
	case Resolved:
		return GroupClosed
	case Open, Acknowledged:
	}
	return GroupShown
}

// Memory returns what Restore needs beside alerts and incidents.
func (e *Engine) Memory() Memory {
	return Memory{
		Now: e.now, NextIncident: e.nextIncident, NextStep: e.nextStep, NextAlert: e.tracker.Next(),
		Pins: e.grouping.Pins(), Learned: e.grouping.Learned(),
	}
}

// Encode returns the memory as JSON, for storing.
func (m *Memory) Encode() ([]byte, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode the engine's memory: %w", err)
	}
	return data, nil
}
