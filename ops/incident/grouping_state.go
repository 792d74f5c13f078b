package incident

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

// Grouping decides which alerts belong to one incident and when people see it. It is a pure, deterministic state machine
// in memory: no I/O, no goroutine, no clock; all time is the now argument, which must not go backwards. The same calls
// give the same moves. Not safe for concurrent use.
type Grouping struct {
	cfg     GroupingConfig
	topo    Topology
	pace    *pace
	without map[string]bool
	next    GroupID
	now     time.Time
	groups  map[GroupID]*group
	members map[string]*member
	prints  map[signal.Fingerprint]*member // newest episode of each label set
	pins    map[Pin]bool
	timers  timerQueue
	recent  []*group // current groups that had an onset lately, oldest onset first
	past    []*group // groups that had an onset lately, current or not
	gone    []*member
	tested  time.Time
	first   time.Time // when the first alert came
	stood   int       // alerts that were firing all along
	marks   *marks
}

// group is a set of members that belong together.
type group struct {
	id       GroupID
	state    GroupState
	shown    bool
	openedAt time.Time
	shownAt  time.Time
	endedAt  time.Time
	quietAt  time.Time // when the last firing member ended; valid while firing is 0
	members  map[string]*member

	firing        int
	loud          int       // firing and not muted
	loudSince     time.Time // since when loud is above 0
	critical      int       // loud, and critical or weighed
	criticalSince time.Time

	onset   time.Time // time of the first onset
	lastOn  time.Time
	burst   burst
	onsets  []*member // members that count for the burst, by their time; the newest maxOnsets
	fresh   int       // how many counted in all
	profile profile
	timerAt time.Time
	// reviewAt is when the group is looked at once more; zero if not planned.
	reviewAt time.Time
	reviewed int // onsets at the last review
}

// maxOnsets bounds the onsets that a group keeps one by one.
const maxOnsets = 256

// member is an episode with where it stands.
type member struct {
	Member
	group     *group
	before    *group // that the episode before this one of the same label set was in
	firing    bool
	fresh     bool // counts for the burst of its group
	late      bool // joined long after the burst, for its name and place: does not count for it
	returned  bool // fired again after it had ended: its end says little
	at        time.Time
	lastFired time.Time
	endedAt   time.Time
	traits    traits
}

// NewGrouping returns an empty Grouping. topo may be nil.
func NewGrouping(cfg GroupingConfig, topo Topology) *Grouping {
	g := &Grouping{
		cfg: cfg, topo: topo, pace: newPace(cfg), next: 1, without: map[string]bool{},
		groups: map[GroupID]*group{}, members: map[string]*member{}, prints: map[signal.Fingerprint]*member{}, pins: map[Pin]bool{},
	}
	for _, name := range cfg.Without {
		g.without[name] = true
	}
	g.marks = newMarks(g.without)
	return g
}

// Fire tells that a new episode fires, or that a known one fires again. It advances the time to now first.
func (g *Grouping) Fire(now time.Time, m Member) []Move {
	moves := g.Advance(now)
	now = g.now
	if known := g.members[m.ID]; known != nil {
		return append(moves, g.again(now, known, m)...)
	}
	fresh := &member{Member: m, firing: true, lastFired: now, at: now}
	if !m.StartsAt.IsZero() && m.StartsAt.Before(now) && now.Sub(m.StartsAt) <= g.cfg.Late {
		fresh.at = m.StartsAt
	}
	g.members[m.ID] = fresh
	before := g.prints[m.Fingerprint]
	g.prints[m.Fingerprint] = fresh
	if before != nil {
		fresh.before = before.group
	}
	fresh.traits = g.marks.read(&m)
	if !g.without[termTogether] && before != nil && before.group.current() && (before.firing || now.Sub(before.endedAt) <= g.cfg.Return) && !g.forbidden(fresh, before.group) {
		before.returned = true
		term := Term{Name: termTogether, Weight: 4, Detail: "The same alert was firing here a moment ago."}
		moves = append(moves, g.join(now, before.group, fresh, false, []Term{term}, "The same alert was firing here a moment ago."))
		return append(moves, g.settle(now, before.group)...)
	}
	if g.standing(now, fresh) {
		gr := g.open(now, fresh)
		moves = append(moves, Move{Kind: MoveOpen, At: now, Group: gr.id, Members: []string{m.ID}, Reason: "It was firing already when the first alerts came."})
		return append(moves, g.settle(now, gr)...)
	}
	target, terms, score := g.choose(fresh)
	if before != nil && before.group.current() && !before.firing && !g.forbidden(fresh, before.group) {
		// It may have come back late, unless a burst is on that is likelier to have brought it.
		pause := now.Sub(before.endedAt).Seconds()
		if back := g.comesBack(pause); !g.without[termTogether] && back > score {
			before.returned = true
			term := Term{Name: termTogether, Weight: back - math.Log(g.alone()), Detail: fmt.Sprintf("The same alert ended here %.0f s ago.", pause)}
			moves = append(moves, g.join(now, before.group, fresh, false, []Term{term}, "The same alert was firing here not long ago."))
			return append(moves, g.settle(now, before.group)...)
		}
	}
	if target == nil {
		if target, terms = g.ongoing(fresh); target != nil {
			fresh.late = true
		}
	}
	switch {
	case fresh.late:
		moves = append(moves, g.join(now, target, fresh, true, terms, "Alerts of this name fire there, and the trouble is not over."))
	case target == nil:
		target = g.open(now, fresh)
		moves = append(moves, Move{Kind: MoveOpen, At: now, Group: target.id, Members: []string{m.ID}, Terms: terms, Reason: "Nothing that is going on fits it."})
	default:
		moves = append(moves, g.join(now, target, fresh, true, terms, "It began with the others."))
	}
	if now.Sub(g.tested) >= g.cfg.Restless {
		g.tested = now
		moves = append(moves, g.rethink(now, target)...)
	}
	if target.state != GroupNone && g.groups[target.id] != target {
		return append(moves, g.settle(now, fresh.group)...)
	}
	if fresh.group != target {
		moves = append(moves, g.settle(now, fresh.group)...)
	}
	return append(moves, g.settle(now, target)...)
}

// comesBack returns the log rate of an alert that ended so many seconds ago to fire again by flapping, on the scale of
// choose, which is the rate of all alerts together.
func (g *Grouping) comesBack(pause float64) float64 {
	scale := g.cfg.Return.Seconds() / 2
	return math.Log(0.02/scale) - pause/scale + math.Log(float64(len(g.prints))+1)
}

// again lets a known episode fire again.
func (g *Grouping) again(now time.Time, m *member, fresh Member) []Move {
	m.Flapping = fresh.Flapping
	if m.firing {
		return nil
	}
	g.count(now, m, -1)
	m.firing, m.returned, m.lastFired = true, true, now
	m.Muted = fresh.Muted
	g.count(now, m, 1)
	var moves []Move
	gr := m.group
	if !gr.current() && !g.pins[Pin{Kind: PinNeverReopen, Group: gr.id}] {
		moves = append(moves, g.reopen(now, gr, "One of its alerts fires again."))
	}
	return append(moves, g.settle(now, gr)...)
}

// Resolve tells that an episode ended. It advances the time to now first. An unknown id does nothing.
func (g *Grouping) Resolve(now time.Time, id string) []Move {
	moves := g.Advance(now)
	m := g.members[id]
	if m == nil || !m.firing {
		return moves
	}
	g.count(g.now, m, -1)
	m.firing, m.endedAt = false, g.now
	g.count(g.now, m, 1)
	g.gone = append(g.gone, m)
	if gr := m.group; gr.fresh >= reviewLeast && gr.reviewed != gr.fresh && gr.reviewAt.IsZero() && gr.firing*7 <= len(gr.members) {
		gr.reviewAt = g.now.Add(g.cfg.ReviewAfter)
	}
	return append(moves, g.settle(g.now, m.group)...)
}

// Mute tells that an episode was silenced or inhibited, or no longer is. It advances the time to now first.
func (g *Grouping) Mute(now time.Time, id string, muted bool) []Move {
	moves := g.Advance(now)
	m := g.members[id]
	if m == nil || m.Muted == muted {
		return moves
	}
	g.count(g.now, m, -1)
	m.Muted = muted
	g.count(g.now, m, 1)
	return append(moves, g.settle(g.now, m.group)...)
}

// Grade tells that the sender made an episode worse or milder. It advances the time to now first. An unknown id does nothing.
func (g *Grouping) Grade(now time.Time, id string, severity signal.Severity) []Move {
	moves := g.Advance(now)
	m := g.members[id]
	if m == nil || m.Severity == severity {
		return moves
	}
	g.count(g.now, m, -1)
	m.Severity = severity
	g.count(g.now, m, 1)
	return append(moves, g.settle(g.now, m.group)...)
}

// Advance does what waited for a time up to now, in the order of those times.
func (g *Grouping) Advance(now time.Time) []Move {
	var moves []Move
	for {
		next, id := g.timers.peek()
		if next.IsZero() || next.After(now) {
			break
		}
		g.timers.pop()
		gr := g.groups[id]
		if gr == nil || !gr.timerAt.Equal(next) {
			continue
		}
		gr.timerAt = time.Time{}
		if next.After(g.now) {
			g.now = next
		}
		moves = append(moves, g.act(g.now, gr)...)
	}
	if now.After(g.now) {
		g.now = now
	}
	g.forget()
	return moves
}

// NextTimer returns the earliest time at which Advance would do something; zero when nothing waits.
func (g *Grouping) NextTimer() time.Time {
	for {
		next, id := g.timers.peek()
		if next.IsZero() {
			return next
		}
		if gr := g.groups[id]; gr != nil && gr.timerAt.Equal(next) {
			return next
		}
		g.timers.pop()
	}
}

// act does what is due for a group.
func (g *Grouping) act(now time.Time, gr *group) []Move {
	due, kind, reason := g.due(gr)
	if due.IsZero() {
		return nil
	}
	if due.After(now) {
		g.wake(gr, due)
		return nil
	}
	if kind == moveReview {
		moves := g.review(now, gr)
		if g.groups[gr.id] != gr {
			return moves
		}
		return append(moves, g.settle(now, gr)...)
	}
	move := Move{Kind: kind, At: now, Group: gr.id, Reason: reason}
	switch kind {
	case MoveShow:
		if host, terms := g.host(gr); host != nil {
			moves := []Move{g.fuse(now, host, gr, terms, "It began while this was going on, at the same place, and found no company of its own.")}
			return append(moves, g.settle(now, host)...)
		}
		if old, terms := g.relapse(now, gr); old != nil {
			moves := []Move{g.reopen(now, old, "The same alerts came back soon after it was over.")}
			old.afresh()
			moves = append(moves, g.fuse(now, old, gr, terms, "The same alerts came back soon after it was over."))
			return append(moves, g.settle(now, old)...)
		}
		gr.state, gr.shown, gr.shownAt = GroupShown, true, now
	case MoveSuppress:
		gr.state, gr.endedAt = GroupSuppressed, now
	case MoveClose:
		gr.state, gr.endedAt = GroupClosed, now
	case MoveOpen, MoveAssign, MoveMerge, MoveSplit, MoveReopen, moveReview: // nothing of the kind is waited for
	}
	return append([]Move{move}, g.settle(now, gr)...)
}

// settle sees to it that what is due for a group is done or waited for.
func (g *Grouping) settle(now time.Time, gr *group) []Move {
	due, _, _ := g.due(gr)
	if due.IsZero() {
		gr.timerAt = time.Time{}
		return nil
	}
	if !due.After(now) {
		return g.act(now, gr)
	}
	g.wake(gr, due)
	return nil
}

func (g *Grouping) wake(gr *group, due time.Time) {
	if !gr.timerAt.Equal(due) {
		gr.timerAt = due
		g.timers.push(due, gr.id)
	}
}

// due returns what a group will do next, when and why; a zero time when nothing but new input moves it.
func (g *Grouping) due(gr *group) (time.Time, MoveKind, string) {
	at, kind, reason := g.dueState(gr)
	if !gr.reviewAt.IsZero() && (at.IsZero() || !gr.reviewAt.After(at)) {
		return gr.reviewAt, moveReview, ""
	}
	return at, kind, reason
}

func (g *Grouping) dueState(gr *group) (time.Time, MoveKind, string) {
	switch {
	case gr.state == GroupForming && gr.firing == 0:
		if g.pins[Pin{Kind: PinNeverClose, Group: gr.id}] {
			return time.Time{}, "", ""
		}
		return gr.quietAt.Add(g.cfg.SettleForming), MoveSuppress, "It cleared before anybody had to be told."
	case gr.state == GroupShown && gr.firing == 0:
		if g.pins[Pin{Kind: PinNeverClose, Group: gr.id}] {
			return time.Time{}, "", ""
		}
		return gr.quietAt.Add(g.cfg.Settle), MoveClose, "All its alerts have ended."
	case gr.state == GroupForming && gr.loud > 0 && !g.pins[Pin{Kind: PinNeverShow, Group: gr.id}]:
		if company := gr.company(); company >= g.cfg.Company {
			return gr.loudSince, MoveShow, strconv.Itoa(company) + " alerts began together."
		}
		if at := gr.criticalSince.Add(g.cfg.HoldCritical); gr.critical > 0 && at.Before(gr.loudSince.Add(g.cfg.Hold)) {
			return at, MoveShow, "An alert that cannot wait did not clear within " + g.cfg.HoldCritical.String() + "."
		}
		return gr.loudSince.Add(g.cfg.Hold), MoveShow, "It did not clear within " + g.cfg.Hold.String() + "."
	}
	return time.Time{}, "", ""
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

// afresh lets the burst of a group begin anew with the next member.
func (gr *group) afresh() {
	for _, m := range gr.onsets {
		m.fresh = false
	}
	gr.onsets, gr.fresh, gr.burst, gr.reviewed = nil, 0, burst{}, 0
}

// company returns how many alerts that are not muted began in the group; of the newest maxOnsets.
func (gr *group) company() int {
	n := 0
	for _, m := range gr.onsets {
		if !m.Muted {
			n++
		}
	}
	return n
}

func (gr *group) current() bool { return gr.state == GroupForming || gr.state == GroupShown }

func (g *Grouping) forbidden(m *member, gr *group) bool {
	if len(g.pins) == 0 {
		return false
	}
	return g.pins[Pin{Kind: PinNeverJoin, Group: gr.id, Member: m.ID}] || g.pins[Pin{Kind: PinNeverJoin, Group: gr.id, Fingerprint: m.Fingerprint}]
}

// standing reports whether an alert was firing long before the first alert of all was received. A sender's clock that is
// some minutes or many years behind does not make it so.
func (g *Grouping) standing(now time.Time, m *member) bool {
	if g.first.IsZero() {
		g.first = now
	}
	age := now.Sub(m.StartsAt)
	if m.StartsAt.IsZero() || age <= g.cfg.ColdAge || age > g.cfg.ColdMost || now.Sub(g.first) > g.cfg.ColdStart || g.stood >= g.cfg.ColdAlerts {
		return false
	}
	g.stood++
	return true
}

// open makes a forming group of one member.
func (g *Grouping) open(now time.Time, m *member) *group {
	gr := &group{id: g.next, state: GroupForming, openedAt: now, members: map[string]*member{}}
	g.next++
	g.groups[gr.id] = gr
	g.put(now, gr, m, true)
	g.note(gr)
	return gr
}

func (g *Grouping) join(now time.Time, gr *group, m *member, fresh bool, terms []Term, reason string) Move {
	if fresh && !m.late {
		g.marks.learn(&m.traits, &gr.profile)
	}
	g.put(now, gr, m, fresh)
	return Move{Kind: MoveAssign, At: now, Group: gr.id, Members: []string{m.ID}, Terms: terms, Reason: reason}
}

// put adds a member that is in no group to a group.
func (g *Grouping) put(now time.Time, gr *group, m *member, fresh bool) {
	m.group, m.fresh = gr, fresh
	gr.members[m.ID] = m
	if gr.firing == 0 {
		gr.quietAt = now
	}
	g.count(now, m, 1)
	if !fresh {
		return
	}
	i := len(gr.onsets)
	for i > 0 && gr.onsets[i-1].at.After(m.at) {
		i--
	}
	gr.onsets = slices.Insert(gr.onsets, i, m)
	switch {
	case m.late:
	case i == 0 && gr.fresh == len(gr.onsets)-1:
		g.restart(gr)
	default:
		gr.burst.add(seconds(gr.onset, m.at), 1)
	}
	gr.fresh++
	gr.lastOn = gr.onsets[len(gr.onsets)-1].at
	gr.profile.add(&m.traits, 1)
	if len(gr.onsets) > maxOnsets {
		gr.onsets = slices.Delete(gr.onsets, 0, 1)
	}
}

// restart computes the burst of a group anew from its onsets, which must be all there ever were.
func (g *Grouping) restart(gr *group) {
	gr.burst = burst{}
	for i, m := range gr.onsets {
		if i == 0 {
			gr.onset = m.at
			gr.burst.grave = m.Severity == signal.Critical
			continue
		}
		if m.late {
			continue
		}
		gr.burst.add(seconds(gr.onset, m.at), 1)
	}
}

// take removes a member from its group.
func (g *Grouping) take(now time.Time, m *member) {
	gr := m.group
	g.count(now, m, -1)
	delete(gr.members, m.ID)
	if !m.fresh {
		return
	}
	gr.fresh--
	gr.profile.add(&m.traits, -1)
	whole := gr.fresh == len(gr.onsets)-1
	if i := slices.Index(gr.onsets, m); i >= 0 {
		gr.onsets = slices.Delete(gr.onsets, i, i+1)
		if whole && i == 0 {
			g.restart(gr)
			return
		}
	}
	if !m.late {
		gr.burst.add(seconds(gr.onset, m.at), -1)
	}
}

// count adds (n = 1) or takes away (n = -1) what a member adds to its group's tallies.
func (g *Grouping) count(now time.Time, m *member, n int) {
	gr := m.group
	if !m.firing {
		return
	}
	gr.firing += n
	if gr.firing == 0 {
		gr.quietAt = now
	}
	if m.Muted {
		return
	}
	if gr.loud == 0 {
		gr.loudSince = now
	}
	gr.loud += n
	if m.Severity != signal.Critical && !m.Weighed {
		return
	}
	if gr.critical == 0 {
		gr.criticalSince = now
	}
	gr.critical += n
}

func (g *Grouping) reopen(now time.Time, gr *group, why string) Move {
	gr.state, gr.endedAt = GroupForming, time.Time{}
	if gr.shown {
		gr.state = GroupShown
	}
	if gr.firing == 0 {
		gr.quietAt = now
	}
	return Move{Kind: MoveReopen, At: now, Group: gr.id, Reason: why}
}

// forget drops members that ended, and groups that are over, longer ago than Forget.
func (g *Grouping) forget() {
	limit := g.now.Add(-g.cfg.Forget)
	n := 0
	for n < len(g.gone) && g.gone[n].endedAt.Before(limit) {
		m := g.gone[n]
		n++
		if m.firing || !m.endedAt.Before(limit) || g.members[m.ID] != m {
			continue
		}
		if m.group.current() {
			continue
		}
		delete(g.members, m.ID)
		delete(m.group.members, m.ID)
		if g.prints[m.Fingerprint] == m {
			delete(g.prints, m.Fingerprint)
		}
		if len(m.group.members) == 0 {
			delete(g.groups, m.group.id)
		}
	}
	if n > 0 {
		g.gone = g.gone[n:]
	}
}
