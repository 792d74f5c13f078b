package alert

import (
	"container/heap"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/entity"
	"github.com/fairlead/fairlead/base/signal"
)

// EventKind says what a report or the passing of time did to an episode.
type EventKind uint8

// The kinds of event.
const (
	// Nothing changed but the counters: a repeat.
	Nothing EventKind = iota
	// Fired: a new episode began.
	Fired
	// Returned: an ended episode fires again.
	Returned
	// Ended: an episode resolved or timed out.
	Ended
	// Calmed: a flapping episode fires steadily again.
	Calmed
	// Forgotten: an ended episode left memory.
	Forgotten
)

// Event is one change of an episode.
type Event struct {
	Kind    EventKind
	At      time.Time
	Episode *Episode
	// Was says what the episode was before its sender changed its labels; nil if it did not. Any Kind may have it.
	Was *Was
}

// Was is what an incident counts by the labels of an episode.
type Was struct {
	Name     string
	Entity   entity.Ref
	Severity signal.Severity
}

// Tracker follows all episodes. It is deterministic and not safe for concurrent use. It costs O(log n) per change and
// O(1) per repeat; memory grows with the alerts that fire or ended within Config.Remember.
type Tracker struct {
	cfg    Config
	next   uint64
	byKey  map[key]*Episode
	byID   map[string]*Episode
	timers timers
	dirty  []*Episode
	firing int
}

type key struct {
	source      string
	fingerprint signal.Fingerprint
}

// NewTracker returns an empty Tracker. Episodes are numbered from next, at least 1.
func NewTracker(cfg Config, next uint64) *Tracker {
	return &Tracker{cfg: cfg, next: max(next, 1), byKey: map[key]*Episode{}, byID: map[string]*Episode{}}
}

// Next returns the number that the next new episode gets.
func (t *Tracker) Next() uint64 { return t.next }

// Episode returns the episode with this id, nil when it is not in memory.
func (t *Tracker) Episode(id string) *Episode { return t.byID[id] }

// Firing returns how many episodes fire; Len how many are in memory.
func (t *Tracker) Firing() int { return t.firing }

// Len returns how many episodes are in memory.
func (t *Tracker) Len() int { return len(t.byID) }

// Each calls visit for every episode in memory, in no particular order.
func (t *Tracker) Each(visit func(*Episode)) {
	for _, e := range t.byID {
		visit(e)
	}
}

// Find returns the newest episode in memory that an alert belongs to, nil if there is none.
func (t *Tracker) Find(a *signal.Alert) *Episode { return t.byKey[key{a.Source, a.Fingerprint()}] }

// Report takes one report at the server's time now. Call Advance(now) before.
func (t *Tracker) Report(now time.Time, a *signal.Alert) Event {
	k := key{a.Source, a.Fingerprint()}
	e := t.byKey[k]
	ended := !a.EndsAt.IsZero() && !a.EndsAt.After(now)
	switch {
	case e != nil && a.Keyed && stale(e, a, ended):
		t.repeat(now, e, nil)
		e.Note(now, StageDedupe, "too late", "A report came that is older than what is known; it changed nothing.")
		t.mark(e, changed)
		return Event{Kind: Nothing, At: now, Episode: e}
	case e == nil, e.State == Resolved && !ended && now.Sub(e.endedAt) > t.cfg.Return:
		return t.begin(now, k, a, ended)
	case e.State == Resolved && ended:
		t.repeat(now, e, a)
		return Event{Kind: Nothing, At: now, Episode: e}
	case e.State == Resolved:
		t.repeat(now, e, a)
		was := t.relabel(now, e, a)
		event := t.comeBack(now, e, a)
		event.Was = was
		return event
	}
	t.repeat(now, e, a)
	if ended {
		return t.end(now, e, a.EndsAt, "resolved", "The sender reported its end.")
	}
	t.schedule(now, e, a)
	return Event{Kind: Nothing, At: now, Episode: e, Was: t.relabel(now, e, a)}
}

// stale reports whether the sender itself says that a report is older than what is known of e: an end of before it fired
// again, or a firing of before its end. Webhooks are repeated and overtake each other.
func stale(e *Episode, a *signal.Alert, ended bool) bool {
	if ended {
		return e.State == Firing && a.EndsAt.Before(e.fired)
	}
	return e.State == Resolved && a.StartsAt.Before(e.EndsAt)
}

// End ends an episode because its sender says so by its key alone.
func (t *Tracker) End(now time.Time, e *Episode, a *signal.Alert) Event {
	t.repeat(now, e, nil)
	at := a.EndsAt
	if at.IsZero() || at.After(now) {
		at = now
	}
	if e.State == Resolved || at.Before(e.fired) {
		return Event{Kind: Nothing, At: now, Episode: e}
	}
	reason := "The sender reported its end."
	if a.Actor != "" {
		reason = a.Actor + " closed it at the sender."
	}
	return t.end(now, e, at, "resolved", reason)
}

// Hear counts a report that is about an episode but does not say whether it fires, with a line for its record.
func (t *Tracker) Hear(now time.Time, e *Episode, line Line) {
	t.repeat(now, e, nil)
	e.Note(now, line.Stage, line.Outcome, line.Reason)
	t.mark(e, changed)
}

// begin starts an episode. A report that is already over makes an ended episode, which nobody is told about.
func (t *Tracker) begin(now time.Time, k key, a *signal.Alert, ended bool) Event {
	e := &Episode{
		Seq: t.next, ID: "A" + strconv.FormatUint(t.next, 10),
		Source: a.Source, Identity: a.Identity, Fingerprint: k.fingerprint, TemplateKey: TemplateKey(a), Labels: a.Labels,
		Severity: a.Severity(),
		State:    Firing, StartsAt: a.StartsAt, ReceivedAt: now, LastReceivedAt: now, Reports: 1, timer: -1,
		fired: a.StartsAt,
	}
	t.next++
	e.read(a)
	e.Service, e.Instance, e.Host = entity.Of(a.Labels.Get)
	e.Note(now, StageReceive, "accepted", "Reported by "+a.Source+".")
	for _, note := range a.Notes {
		e.Note(now, StageNormalise, "adjusted", note)
	}
	t.mark(e, fresh)
	t.byKey[k] = e
	t.byID[e.ID] = e
	if ended {
		e.State, e.EndsAt, e.endedAt = Resolved, a.EndsAt, now
		e.Note(now, StageDedupe, "already over", "The first report said that it had ended, so nobody was told.")
		t.at(e, now.Add(t.cfg.Remember))
		return Event{Kind: Nothing, At: now, Episode: e}
	}
	t.firing++
	t.schedule(now, e, a)
	return Event{Kind: Fired, At: now, Episode: e}
}

// repeat counts a report and takes over what may have changed in it.
func (t *Tracker) repeat(now time.Time, e *Episode, a *signal.Alert) {
	e.Reports++
	e.LastReceivedAt = now
	t.mark(e, repeated)
	if a != nil && e.read(a) {
		t.mark(e, changed)
	}
}

// relabel takes over the labels of a report whose identity is the sender's key, so that an alert that its sender makes worse,
// or calls by another name, is known as what it is now. It returns what the episode was, nil if nothing changed. An end says
// nothing of the kind: many senders send it with less.
func (t *Tracker) relabel(now time.Time, e *Episode, a *signal.Alert) *Was {
	if !a.Keyed || slices.Equal(e.Labels, a.Labels) {
		return nil
	}
	was := &Was{Name: e.Name(), Entity: e.Entity(), Severity: e.Severity}
	before, severity := e.Labels, e.Severity
	e.Labels, e.Severity, e.TemplateKey = a.Labels, a.Severity(), TemplateKey(a)
	e.Service, e.Instance, e.Host = entity.Of(a.Labels.Get)
	e.labelsNew = true
	outcome, reason := "changed", "Its sender changed "+strings.Join(differing(before, a.Labels), ", ")+"."
	switch {
	case e.Severity > severity:
		outcome, reason = "worse", fmt.Sprintf("Its sender made it %s; it was %s.", e.Severity, severity)
	case e.Severity < severity:
		outcome, reason = "milder", fmt.Sprintf("Its sender made it %s; it was %s.", e.Severity, severity)
	}
	e.Note(now, StageIdentity, outcome, reason)
	t.mark(e, changed)
	return was
}

// differing returns the names of at most five labels that two label sets have not in common.
func differing(a, b signal.Labels) []string {
	var names []string
	for _, pair := range [][2]signal.Labels{{a, b}, {b, a}} {
		for _, l := range pair[0] {
			if pair[1].Get(l.Name) != l.Value && !slices.Contains(names, l.Name) && len(names) < 5 {
				names = append(names, l.Name)
			}
		}
	}
	return names
}

// read takes over annotations and link of a report, and reports whether they changed.
func (e *Episode) read(a *signal.Alert) bool {
	text := textHash(a)
	if text == e.text {
		return false
	}
	e.text, e.textNew, e.Annotations, e.GeneratorURL = text, true, a.Annotations, a.GeneratorURL
	return true
}

// comeBack makes an ended episode fire again.
func (t *Tracker) comeBack(now time.Time, e *Episode, a *signal.Alert) Event {
	e.State, e.EndsAt, e.fired = Firing, time.Time{}, a.StartsAt
	e.Flaps++
	t.firing++
	t.mark(e, changed)
	e.returns = append(recent(e.returns, now.Add(-t.cfg.FlapWindow)), now)
	if !e.Flapping && len(e.returns) >= t.cfg.FlapReturns {
		e.Flapping = true
		e.Note(now, StageFlap, "flapping", fmt.Sprintf("It came back %d times within %s: changes are held back until it is quiet for %s.", len(e.returns), t.cfg.FlapWindow, t.cfg.FlapQuiet))
	}
	t.schedule(now, e, a)
	if e.heldEnd {
		e.heldEnd = false
		return Event{Kind: Nothing, At: now, Episode: e}
	}
	if !e.Flapping {
		e.Note(now, StageDedupe, "fires again", fmt.Sprintf("It fired again %s after its end, so it counts as the same alert.", now.Sub(e.endedAt).Round(time.Second)))
	}
	return Event{Kind: Returned, At: now, Episode: e}
}

func (t *Tracker) end(now time.Time, e *Episode, endsAt time.Time, outcome, reason string) Event {
	e.State, e.EndsAt, e.endedAt, e.ExpiresAt = Resolved, endsAt, now, time.Time{}
	t.firing--
	t.mark(e, changed)
	if e.Flapping {
		e.heldEnd = true
		t.at(e, now.Add(t.cfg.FlapQuiet))
		return Event{Kind: Nothing, At: now, Episode: e}
	}
	e.Note(now, StageDedupe, outcome, reason)
	t.at(e, now.Add(t.cfg.Remember))
	return Event{Kind: Ended, At: now, Episode: e}
}

// schedule sets when a firing episode times out, or is looked at again because it flaps.
func (t *Tracker) schedule(now time.Time, e *Episode, a *signal.Alert) {
	switch {
	case !a.EndsAt.IsZero():
		e.ExpiresAt = a.EndsAt
	case a.ResolveTimeout > 0:
		e.ExpiresAt = now.Add(a.ResolveTimeout)
	default:
		e.ExpiresAt = time.Time{}
	}
	due := e.ExpiresAt
	if e.Flapping {
		if calm := e.returns[len(e.returns)-1].Add(t.cfg.FlapQuiet); due.IsZero() || calm.Before(due) {
			due = calm
		}
	}
	t.at(e, due)
}

// NextTimer returns when the next episode times out, calms down or is forgotten; zero when none waits.
func (t *Tracker) NextTimer() time.Time {
	if len(t.timers) == 0 {
		return time.Time{}
	}
	return t.timers[0].due
}

// NextDecision is NextTimer without the mere forgetting of ended episodes: zero when nothing that people see waits.
func (t *Tracker) NextDecision() time.Time {
	var next time.Time
	for _, e := range t.timers {
		if (e.State == Firing || e.heldEnd) && (next.IsZero() || e.due.Before(next)) {
			next = e.due
		}
	}
	return next
}

// Advance does the one thing that waits longest for a time up to now, and reports whether there was any.
func (t *Tracker) Advance(now time.Time) (Event, bool) {
	if len(t.timers) == 0 || t.timers[0].due.After(now) {
		return Event{}, false
	}
	e := t.timers[0]
	due := e.due
	heap.Pop(&t.timers)
	switch {
	case e.State == Firing && !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(due):
		return t.end(due, e, e.ExpiresAt, "timed out", "No further report came before its time-out."), true
	case e.State == Firing:
		e.Flapping = false
		e.Note(due, StageFlap, "calm", "It fires steadily again.")
		t.mark(e, changed)
		t.at(e, e.ExpiresAt)
		return Event{Kind: Calmed, At: due, Episode: e}, true
	case e.heldEnd:
		e.heldEnd, e.Flapping = false, false
		e.Note(due, StageFlap, "calm", "It ended and stayed away, so the end counts.")
		t.mark(e, changed)
		t.at(e, due.Add(t.cfg.Remember))
		return Event{Kind: Ended, At: due, Episode: e}, true
	}
	t.forget(e)
	return Event{Kind: Forgotten, At: due, Episode: e}, true
}

func (t *Tracker) forget(e *Episode) {
	e.forgotten = true
	delete(t.byID, e.ID)
	if k := (key{e.Source, e.Fingerprint}); t.byKey[k] == e {
		delete(t.byKey, k)
	}
}

// Restore puts a stored episode back into memory after a restart, or because a person works on an old incident. An
// episode that is there already is left alone.
func (t *Tracker) Restore(now time.Time, e *Episode, lines int) {
	if t.byID[e.ID] != nil {
		return
	}
	e.timer, e.lines, e.dirty, e.textNew, e.labelsNew, e.Annotations, e.GeneratorURL, e.Why = -1, lines, clean, false, false, nil, "", nil
	e.Service, e.Instance, e.Host = entity.Of(e.Labels.Get)
	e.fired = e.StartsAt
	t.next = max(t.next, e.Seq+1)
	t.byID[e.ID] = e
	k := key{e.Source, e.Fingerprint}
	if known := t.byKey[k]; known == nil || known.Seq < e.Seq {
		t.byKey[k] = e
	}
	if e.State == Firing {
		t.firing++
		if e.Flapping {
			e.returns = []time.Time{e.LastReceivedAt}
		}
		t.at(e, e.ExpiresAt)
		return
	}
	e.endedAt = e.LastReceivedAt
	if e.Flapping {
		e.heldEnd = true
	}
	t.at(e, later(now, e.endedAt.Add(t.cfg.Remember)))
}

// Touch marks an episode as changed by a later stage.
func (t *Tracker) Touch(e *Episode) { t.mark(e, changed) }

func (t *Tracker) mark(e *Episode, d dirtiness) {
	if e.dirty == clean {
		t.dirty = append(t.dirty, e)
	}
	e.dirty = max(e.dirty, d)
}

// Changes are the episodes that have to be stored, each in one list, in order of their number.
type Changes struct {
	Fresh, Changed, Repeated []*Episode
}

// TakeChanges returns what changed since the last call. The caller stores it and then calls Stored.
func (t *Tracker) TakeChanges() Changes {
	var c Changes
	for _, e := range t.dirty {
		switch e.dirty {
		case fresh:
			c.Fresh = append(c.Fresh, e)
		case changed:
			c.Changed = append(c.Changed, e)
		case repeated:
			c.Repeated = append(c.Repeated, e)
		case clean:
		}
		e.dirty = clean
	}
	t.dirty = t.dirty[:0]
	return c
}

// PutBack takes changes back that could not be stored.
func (t *Tracker) PutBack(c Changes) {
	for d, list := range map[dirtiness][]*Episode{fresh: c.Fresh, changed: c.Changed, repeated: c.Repeated} {
		for _, e := range list {
			t.mark(e, d)
		}
	}
}

// Stored lets go of what was written and is not needed in memory: call it after the commit.
func (c Changes) Stored() {
	for _, list := range [][]*Episode{c.Fresh, c.Changed} {
		for _, e := range list {
			e.Lines, e.Annotations, e.GeneratorURL, e.Why, e.textNew, e.labelsNew = nil, nil, "", nil, false, false
		}
	}
}

func recent(times []time.Time, since time.Time) []time.Time {
	for len(times) > 0 && times[0].Before(since) {
		times = times[1:]
	}
	return times
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
