package incident

import (
	"slices"
	"time"
)

// Assign puts members into a group by a person's hand. With pin they stay there and later episodes of the same label set
// never go back to where they came from. Unknown ids are skipped; nothing happens when the group is unknown.
func (g *Grouping) Assign(now time.Time, members []string, to GroupID, pin bool) []Move {
	moves := g.Advance(now)
	target := g.groups[to]
	if target == nil {
		return moves
	}
	for _, id := range members {
		m := g.members[id]
		if m == nil || m.group == target {
			continue
		}
		from := m.group
		g.take(g.now, m)
		g.put(g.now, target, m, false)
		if pin {
			g.pins[Pin{Kind: PinNeverJoin, Group: from.id, Fingerprint: m.Fingerprint}] = true
			g.pins[Pin{Kind: PinStay, Group: to, Member: id}] = true
		}
		moves = append(moves, Move{Kind: MoveAssign, At: g.now, Group: to, Other: from.id, Members: []string{id}, Reason: "Moved by hand.", ByHand: true})
		moves = append(moves, g.settle(g.now, from)...)
	}
	return append(moves, g.settle(g.now, target)...)
}

// NewGroup splits members off into a new shown group by a person's hand and returns it; 0 when no member is known. The
// members stay in it and do not go back.
func (g *Grouping) NewGroup(now time.Time, members []string) (GroupID, []Move) {
	moves := g.Advance(now)
	known := slices.DeleteFunc(slices.Clone(members), func(id string) bool { return g.members[id] == nil })
	if len(known) == 0 {
		return 0, moves
	}
	target := &group{id: g.next, state: GroupShown, shown: true, openedAt: g.now, shownAt: g.now, onset: g.now, lastOn: g.now, quietAt: g.now, members: map[string]*member{}}
	g.next++
	g.groups[target.id] = target
	from := g.members[known[0]].group
	moves = append(moves, Move{Kind: MoveSplit, At: g.now, Group: target.id, Other: from.id, Members: known, Reason: "Split off by hand.", ByHand: true})
	for _, move := range g.Assign(g.now, known, target.id, true) {
		if move.Kind != MoveAssign {
			moves = append(moves, move)
		}
	}
	return target.id, moves
}

// Merge moves all of from into into by a person's hand. With pin the result is never split by the engine.
func (g *Grouping) Merge(now time.Time, into, from GroupID, pin bool) []Move {
	moves := g.Advance(now)
	a, b := g.groups[into], g.groups[from]
	if a == nil || b == nil || a == b {
		return moves
	}
	if pin {
		g.pins[Pin{Kind: PinNeverSplit, Group: into}] = true
	}
	merged := g.fuse(g.now, a, b, nil, "Merged by hand.")
	merged.ByHand = true
	moves = append(moves, merged)
	return append(moves, g.settle(g.now, a)...)
}

// fuse moves all of b into a and drops b.
func (g *Grouping) fuse(now time.Time, a, b *group, terms []Term, reason string) Move {
	ids := make([]string, 0, len(b.members))
	for id := range b.members {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		m := b.members[id]
		fresh := m.fresh
		g.take(now, m)
		g.put(now, a, m, fresh)
	}
	if b.shown && !a.shown {
		a.shown, a.shownAt = true, b.shownAt
		if a.state == GroupForming {
			a.state = GroupShown
		}
	}
	delete(g.groups, b.id)
	return Move{Kind: MoveMerge, At: now, Group: a.id, Other: b.id, Members: ids, Terms: terms, Reason: reason}
}

// Show shows a forming group by a person's hand.
func (g *Grouping) Show(now time.Time, id GroupID) []Move {
	moves := g.Advance(now)
	gr := g.groups[id]
	if gr == nil || gr.state != GroupForming {
		return moves
	}
	gr.state, gr.shown, gr.shownAt = GroupShown, true, g.now
	moves = append(moves, Move{Kind: MoveShow, At: g.now, Group: id, Reason: "Shown by hand.", ByHand: true})
	return append(moves, g.settle(g.now, gr)...)
}

// Unshow takes a shown group back to forming by a person's hand: the reverse of Show. It stays unshown.
func (g *Grouping) Unshow(now time.Time, id GroupID) []Move {
	moves := g.Advance(now)
	gr := g.groups[id]
	if gr == nil || gr.state != GroupShown {
		return moves
	}
	gr.state, gr.shown = GroupForming, false
	g.pins[Pin{Kind: PinNeverShow, Group: id}] = true
	return append(moves, g.settle(g.now, gr)...)
}

// Close ends a group by a person's hand although alerts may still fire. Nothing new joins it.
func (g *Grouping) Close(now time.Time, id GroupID) []Move {
	moves := g.Advance(now)
	gr := g.groups[id]
	if gr == nil || !gr.current() {
		return moves
	}
	gr.endedAt = g.now
	kind := MoveClose
	if gr.state == GroupForming {
		gr.state, kind = GroupSuppressed, MoveSuppress
	} else {
		gr.state = GroupClosed
	}
	return append(moves, Move{Kind: kind, At: g.now, Group: id, Reason: "Closed by hand.", ByHand: true})
}

// Reopen makes an ended group current again by a person's hand. With pin the engine never ends it by itself.
func (g *Grouping) Reopen(now time.Time, id GroupID, pin bool) []Move {
	moves := g.Advance(now)
	gr := g.groups[id]
	if gr == nil || gr.current() {
		return moves
	}
	if pin {
		g.pins[Pin{Kind: PinNeverClose, Group: id}] = true
	}
	reopened := g.reopen(g.now, gr, "Reopened by hand.")
	reopened.ByHand = true
	moves = append(moves, reopened)
	return append(moves, g.settle(g.now, gr)...)
}

// Pin adds a person's will.
func (g *Grouping) Pin(pin Pin) { g.pins[pin] = true }

// Pinned reports whether a pin is there.
func (g *Grouping) Pinned(pin Pin) bool { return g.pins[pin] }

// Unpin takes a pin back. An unknown pin does nothing. What the pin held up is done with the next Advance.
func (g *Grouping) Unpin(pin Pin) {
	delete(g.pins, pin)
	if gr := g.groups[pin.Group]; gr != nil {
		if due, _, _ := g.due(gr); !due.IsZero() {
			g.wake(gr, due)
		}
	}
}
