package incident

import (
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// Grouping decides which alerts belong to one incident and when people see it. It is a pure, deterministic state machine
// in memory: no I/O, no goroutine, no clock; all time is the now argument, which must not go backwards. The same calls
// give the same moves. Not safe for concurrent use.
type Grouping struct {
	cfg     GroupingConfig
	topo    Topology
	next    GroupID
	groups  map[GroupID]*group
	members map[string]*member
	pins    map[Pin]bool
}

type group struct {
	id       GroupID
	state    GroupState
	shown    bool
	openedAt time.Time
	endedAt  time.Time
	quietAt  time.Time
	lastFire time.Time
	members  map[string]*member
	firing   int
	worst    signal.Severity
}

type member struct {
	Member
	group   *group
	firing  bool
	endedAt time.Time
}

// NewGrouping returns an empty Grouping. topo may be nil.
func NewGrouping(cfg GroupingConfig, topo Topology) *Grouping {
	return &Grouping{cfg: cfg, topo: topo, next: 1, groups: map[GroupID]*group{}, members: map[string]*member{}, pins: map[Pin]bool{}}
}

// Fire tells that a new episode fires, or that a known one fires again. It advances the time to now first.
func (g *Grouping) Fire(now time.Time, m Member) []Move {
	moves := g.Advance(now)
	if known := g.members[m.ID]; known != nil {
		if !known.firing {
			known.firing = true
			known.group.firing++
			if known.group.state == GroupClosed || known.group.state == GroupSuppressed {
				moves = append(moves, g.reopen(now, known.group, "An alert of it fires again."))
			}
		}
		return moves
	}
	fresh := &member{Member: m, firing: true}
	g.members[m.ID] = fresh
	var target *group
	for _, candidate := range g.groups {
		if candidate.current() && now.Sub(candidate.lastFire) < time.Minute && (target == nil || candidate.id > target.id) && !g.forbidden(fresh, candidate) {
			target = candidate
		}
	}
	if target == nil {
		target = g.open(now)
		g.put(now, target, fresh)
		return append(moves, Move{Kind: MoveOpen, At: now, Group: target.id, Members: []string{m.ID}, Reason: "Nothing else is going on that it fits."})
	}
	g.put(now, target, fresh)
	return append(moves, Move{Kind: MoveAssign, At: now, Group: target.id, Members: []string{m.ID}, Reason: "It began within a minute of the others.", Terms: []Term{{Name: "time", Weight: 1, Detail: "Began within a minute of the others."}}})
}

// Resolve tells that an episode ended. It advances the time to now first. An unknown id does nothing.
func (g *Grouping) Resolve(now time.Time, id string) []Move {
	moves := g.Advance(now)
	if m := g.members[id]; m != nil && m.firing {
		m.firing = false
		m.endedAt = now
		m.group.firing--
		m.group.quietAt = now
	}
	return append(moves, g.Advance(now)...)
}

// Mute tells that an episode was silenced or inhibited, or no longer is.
func (g *Grouping) Mute(now time.Time, id string, muted bool) []Move {
	moves := g.Advance(now)
	if m := g.members[id]; m != nil {
		m.Muted = muted
	}
	return append(moves, g.Advance(now)...)
}

// Advance does what waited for a time up to now.
func (g *Grouping) Advance(now time.Time) []Move {
	var moves []Move
	for _, id := range g.sorted() {
		gr := g.groups[id]
		due := gr.due(g.cfg)
		if due.IsZero() || due.After(now) {
			continue
		}
		switch {
		case gr.state == GroupForming && gr.firing == 0:
			if !g.pins[Pin{Kind: PinNeverClose, Group: id}] {
				gr.state, gr.endedAt = GroupSuppressed, now
				moves = append(moves, Move{Kind: MoveSuppress, At: now, Group: id, Reason: "It cleared before anybody had to be told."})
			}
		case gr.state == GroupForming:
			if !g.pins[Pin{Kind: PinNeverShow, Group: id}] {
				gr.state, gr.shown = GroupShown, true
				moves = append(moves, Move{Kind: MoveShow, At: now, Group: id, Reason: "It did not clear by itself."})
			}
		case gr.state == GroupShown:
			if !g.pins[Pin{Kind: PinNeverClose, Group: id}] {
				gr.state, gr.endedAt = GroupClosed, now
				moves = append(moves, Move{Kind: MoveClose, At: now, Group: id, Reason: "All its alerts have ended."})
			}
		}
	}
	return moves
}

// NextTimer returns the earliest time at which Advance would do something; zero when nothing waits.
func (g *Grouping) NextTimer() time.Time {
	var next time.Time
	for _, id := range g.sorted() {
		due := g.groups[id].due(g.cfg)
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}

func (gr *group) due(cfg GroupingConfig) time.Time {
	switch {
	case gr.state == GroupForming && gr.firing == 0:
		return gr.quietAt
	case gr.state == GroupForming && gr.worst == signal.Critical:
		return gr.openedAt.Add(cfg.HoldCritical)
	case gr.state == GroupForming:
		return gr.openedAt.Add(cfg.Hold)
	case gr.state == GroupShown && gr.firing == 0:
		return gr.quietAt.Add(cfg.Settle)
	}
	return time.Time{}
}

// State returns the state of a group; GroupNone when it is unknown, merged away or forgotten.
func (g *Grouping) State(id GroupID) GroupState {
	if gr := g.groups[id]; gr != nil {
		return gr.state
	}
	return GroupNone
}

// GroupOf returns the group that an episode is in; 0 when the episode is unknown or forgotten.
func (g *Grouping) GroupOf(member string) GroupID {
	if m := g.members[member]; m != nil {
		return m.group.id
	}
	return 0
}

// Assign puts members into a group by a person's hand. With pin they stay there and later episodes of the same label set
// never go back to where they came from. Unknown ids are skipped; nothing happens when the group is unknown.
func (g *Grouping) Assign(now time.Time, members []string, to GroupID, pin bool) []Move {
	target := g.groups[to]
	if target == nil {
		return nil
	}
	var moves []Move
	for _, id := range members {
		m := g.members[id]
		if m == nil || m.group == target {
			continue
		}
		from := m.group
		g.take(m)
		g.put(now, target, m)
		if pin {
			g.pins[Pin{Kind: PinNeverJoin, Group: from.id, Member: id, Fingerprint: m.Fingerprint}] = true
			g.pins[Pin{Kind: PinStay, Group: to, Member: id}] = true
		}
		moves = append(moves, Move{Kind: MoveAssign, At: now, Group: to, Other: from.id, Members: []string{id}, Reason: "Moved by hand."})
	}
	return moves
}

// NewGroup splits members off into a new shown group by a person's hand and returns it; 0 when no member is known. The
// members stay in it and do not go back.
func (g *Grouping) NewGroup(now time.Time, members []string) (GroupID, []Move) {
	known := slices.DeleteFunc(slices.Clone(members), func(id string) bool { return g.members[id] == nil })
	if len(known) == 0 {
		return 0, nil
	}
	target := g.open(now)
	target.state, target.shown = GroupShown, true
	from := g.members[known[0]].group
	g.Assign(now, known, target.id, true)
	return target.id, []Move{{Kind: MoveSplit, At: now, Group: target.id, Other: from.id, Members: known, Reason: "Split off by hand."}}
}

// Merge moves all of from into into by a person's hand. With pin the result is never split by the engine.
func (g *Grouping) Merge(now time.Time, into, from GroupID, pin bool) []Move {
	a, b := g.groups[into], g.groups[from]
	if a == nil || b == nil || a == b {
		return nil
	}
	ids := make([]string, 0, len(b.members))
	for id := range b.members {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		m := g.members[id]
		g.take(m)
		g.put(now, a, m)
	}
	delete(g.groups, from)
	if pin {
		g.pins[Pin{Kind: PinNeverSplit, Group: into}] = true
	}
	return []Move{{Kind: MoveMerge, At: now, Group: into, Other: from, Members: ids, Reason: "Merged by hand."}}
}

// Show shows a forming group by a person's hand.
func (g *Grouping) Show(now time.Time, id GroupID) []Move {
	gr := g.groups[id]
	if gr == nil || gr.state != GroupForming {
		return nil
	}
	gr.state, gr.shown = GroupShown, true
	return []Move{{Kind: MoveShow, At: now, Group: id, Reason: "Shown by hand."}}
}

// Unshow takes a shown group back to forming by a person's hand: the reverse of Show. It stays unshown.
func (g *Grouping) Unshow(now time.Time, id GroupID) []Move {
	gr := g.groups[id]
	if gr == nil || gr.state != GroupShown {
		return nil
	}
	gr.state, gr.shown = GroupForming, false
	g.pins[Pin{Kind: PinNeverShow, Group: id}] = true
	return nil
}

// Close ends a group by a person's hand although alerts may still fire. Nothing new joins it.
func (g *Grouping) Close(now time.Time, id GroupID) []Move {
	gr := g.groups[id]
	if gr == nil || !gr.current() {
		return nil
	}
	gr.endedAt = now
	if gr.state == GroupForming {
		gr.state = GroupSuppressed
		return []Move{{Kind: MoveSuppress, At: now, Group: id, Reason: "Closed by hand."}}
	}
	gr.state = GroupClosed
	return []Move{{Kind: MoveClose, At: now, Group: id, Reason: "Closed by hand."}}
}

// Reopen makes an ended group current again by a person's hand. With pin the engine never ends it by itself.
func (g *Grouping) Reopen(now time.Time, id GroupID, pin bool) []Move {
	gr := g.groups[id]
	if gr == nil || gr.current() || gr.state == GroupNone {
		return nil
	}
	if pin {
		g.pins[Pin{Kind: PinNeverClose, Group: id}] = true
	}
	return []Move{g.reopen(now, gr, "Reopened by hand.")}
}

// Pin adds a person's will; Unpin takes it back.
func (g *Grouping) Pin(pin Pin) { g.pins[pin] = true }

// Unpin takes a pin back. An unknown pin does nothing.
func (g *Grouping) Unpin(pin Pin) { delete(g.pins, pin) }

// Pins returns all pins in a stable order, for storing.
func (g *Grouping) Pins() []Pin { return nil }

// Restore puts a fresh Grouping back to where it was before a restart. Call it once, before anything else.
func (g *Grouping) Restore(now time.Time, state Restored) error { return nil }

// Learned returns what the Grouping has learned (how rare each name is, what fires together), for storing; at most about
// a megabyte.
func (g *Grouping) Learned() []byte { return nil }

func (g *Grouping) sorted() []GroupID {
	ids := make([]GroupID, 0, len(g.groups))
	for id := range g.groups {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (gr *group) current() bool { return gr.state == GroupForming || gr.state == GroupShown }

func (g *Grouping) forbidden(m *member, gr *group) bool {
	return g.pins[Pin{Kind: PinNeverJoin, Group: gr.id, Member: m.ID, Fingerprint: m.Fingerprint}]
}

func (g *Grouping) open(now time.Time) *group {
	gr := &group{id: g.next, state: GroupForming, openedAt: now, members: map[string]*member{}}
	g.next++
	g.groups[gr.id] = gr
	return gr
}

func (g *Grouping) put(now time.Time, gr *group, m *member) {
	m.group = gr
	gr.members[m.ID] = m
	gr.lastFire = now
	if m.firing {
		gr.firing++
	}
	gr.worst = max(gr.worst, m.Severity)
}

func (g *Grouping) take(m *member) {
	delete(m.group.members, m.ID)
	if m.firing {
		m.group.firing--
	}
}

func (g *Grouping) reopen(now time.Time, gr *group, why string) Move {
	gr.state = GroupForming
	if gr.shown {
		gr.state = GroupShown
	}
	return Move{Kind: MoveReopen, At: now, Group: gr.id, Reason: why}
}
