package incident

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/entity"
	"github.com/fairlead/fairlead/base/signal"
)

// stand is a Grouping with the moves that it made, in a time of its own.
type stand struct {
	t     *testing.T
	g     *Grouping
	moves []Move
	told  map[string]GroupID // where the moves put each member
}

var testStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newStand(t *testing.T, change func(*GroupingConfig)) *stand {
	t.Helper()
	cfg := DefaultGroupingConfig()
	if change != nil {
		change(&cfg)
	}
	return &stand{t: t, g: NewGrouping(cfg, nil), told: map[string]GroupID{}}
}

func at(seconds float64) time.Time {
	return testStart.Add(time.Duration(seconds * float64(time.Second)))
}

// testMember is an alert of a name at a pod of a service.
func testMember(id, name, service, pod string, severity signal.Severity) Member {
	labels := map[string]string{"alertname": name, "severity": severity.String()}
	if service != "" {
		labels["service"] = service
	}
	if pod != "" {
		labels["pod"] = pod
	}
	set := signal.NewLabels(labels)
	m := Member{ID: id, Fingerprint: set.Fingerprint(), Name: name, TemplateKey: name, Labels: set, Severity: severity}
	m.Service, m.Instance, m.Host = entity.Of(set.Get)
	return m
}

// take keeps moves and checks that they agree with what the Grouping says.
func (b *stand) take(moves []Move) {
	b.t.Helper()
	b.moves = append(b.moves, moves...)
	for _, m := range moves {
		switch m.Kind {
		case MoveOpen, MoveAssign, MoveSplit, MoveMerge:
			for _, id := range m.Members {
				b.told[id] = m.Group
			}
		case MoveShow, MoveSuppress, MoveClose, MoveReopen:
		}
	}
}

func (b *stand) check() {
	b.t.Helper()
	for id, group := range b.told {
		if got := b.g.GroupOf(id); got != group && got != 0 {
			b.t.Errorf("the moves put %s into %d, the grouping says %d", id, group, got)
		}
	}
}

// burst fires n warnings of a service, one every step seconds.
func (b *stand) burst(prefix, service string, from, step float64, n int) []string {
	b.t.Helper()
	var ids []string
	for i := range n {
		id := fmt.Sprintf("%s%d", prefix, i)
		b.take(b.g.Fire(at(from+float64(i)*step), testMember(id, fmt.Sprintf("%sAlert%d", service, i%7), service, fmt.Sprintf("%s-%d", service, i), signal.Warning)))
		ids = append(ids, id)
	}
	return ids
}

func (b *stand) kinds(kind MoveKind) []Move {
	var got []Move
	for _, m := range b.moves {
		if m.Kind == kind {
			got = append(got, m)
		}
	}
	return got
}

func TestABurstIsOneGroupAndShownAtOnce(t *testing.T) {
	b := newStand(t, nil)
	ids := b.burst("a", "cart", 0, 2, 20)
	shows := b.kinds(MoveShow)
	if len(shows) != 1 || shows[0].At.After(at(10)) {
		t.Fatalf("got shows %v, want one within 10 s", shows)
	}
	for _, id := range ids {
		if b.g.GroupOf(id) != shows[0].Group {
			t.Errorf("%s is in %d, want %d", id, b.g.GroupOf(id), shows[0].Group)
		}
	}
	b.check()
}

func TestWhenASingleAlertIsShown(t *testing.T) {
	for _, c := range []struct {
		name     string
		severity signal.Severity
		ends     float64 // 0 = never
		critical time.Duration
		muted    bool
		want     float64 // -1 = never
	}{
		{"a warning waits an hour for company", signal.Warning, 0, 30 * time.Second, false, 3600},
		{"a critical one waits thirty seconds", signal.Critical, 0, 30 * time.Second, false, 30},
		{"a critical one is shown at once when so configured", signal.Critical, 0, 0, false, 0},
		{"a critical one that clears before is never shown", signal.Critical, 20, 30 * time.Second, false, -1},
		{"a warning that clears is never shown", signal.Warning, 1200, 30 * time.Second, false, -1},
		{"a silenced one is never shown", signal.Critical, 0, 30 * time.Second, true, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newStand(t, func(cfg *GroupingConfig) { cfg.HoldCritical = c.critical })
			m := testMember("a", "DiskFull", "db", "db-0", c.severity)
			m.Muted = c.muted
			b.take(b.g.Fire(at(0), m))
			if c.ends > 0 {
				b.take(b.g.Resolve(at(c.ends), "a"))
			}
			b.take(b.g.Advance(at(7200)))
			shows := b.kinds(MoveShow)
			if c.want < 0 {
				if len(shows) != 0 {
					t.Errorf("got shown at %v, want never", shows[0].At)
				}
				if c.ends > 0 && len(b.kinds(MoveSuppress)) != 1 {
					t.Errorf("got no suppress, want one")
				}
				return
			}
			if len(shows) != 1 || !shows[0].At.Equal(at(c.want)) {
				t.Errorf("got %v, want one show at %v s", shows, c.want)
			}
		})
	}
}

func TestUnmutingLetsAnAlertBeShown(t *testing.T) {
	b := newStand(t, nil)
	m := testMember("a", "DiskFull", "db", "db-0", signal.Critical)
	m.Muted = true
	b.take(b.g.Fire(at(0), m))
	b.take(b.g.Advance(at(600)))
	b.take(b.g.Mute(at(600), "a", false))
	b.take(b.g.Advance(at(700)))
	if shows := b.kinds(MoveShow); len(shows) != 1 || !shows[0].At.Equal(at(630)) {
		t.Errorf("got %v, want one show 30 s after the silence ended", shows)
	}
}

func TestASecondBurstIsSplitOff(t *testing.T) {
	b := newStand(t, nil)
	first := b.burst("a", "cart", 0, 3, 40)      // until 120 s, then nothing more is due
	second := b.burst("b", "mail", 260, 1.5, 40) // its first alerts look like the tail of the first burst
	if a, z := b.g.GroupOf(first[39]), b.g.GroupOf(second[39]); a == z {
		t.Errorf("both bursts are in group %d", a)
	}
	home := map[GroupID]int{}
	for _, id := range second {
		home[b.g.GroupOf(id)]++
	}
	if n := home[b.g.GroupOf(second[39])]; n < 36 {
		t.Errorf("got %d of the second burst together, want at least 36: %v", n, home)
	}
	b.check()
}

func TestNeverSplitHolds(t *testing.T) {
	b := newStand(t, nil)
	first := b.burst("a", "cart", 0, 1, 40)
	b.g.Pin(Pin{Kind: PinNeverSplit, Group: b.g.GroupOf(first[0])})
	b.burst("b", "mail", 100, 0.5, 60)
	for _, m := range b.kinds(MoveSplit) {
		if m.Other == b.g.GroupOf(first[0]) {
			t.Errorf("got %v, want no split of group %d", m, m.Other)
		}
	}
}

func TestFaultsThatRecoverApartAreToldApartAfterwards(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := newStand(t, func(cfg *GroupingConfig) { cfg.SplitAt = 1e9 }) // never while they begin
	type event struct {
		at   float64
		id   string
		ends bool
	}
	var events []event
	for fault, onset := range []float64{0, 110} {
		for i := range 50 {
			id := fmt.Sprintf("f%d-%d", fault, i)
			events = append(events, event{onset + random.ExpFloat64()*40, id, false}, event{onset + 600 + 60*random.Float64(), id, true})
		}
	}
	slices.SortFunc(events, func(a, b event) int { return int(1e6 * (a.at - b.at)) })
	for i, e := range events {
		if e.ends {
			b.take(b.g.Resolve(at(e.at), e.id))
		} else {
			b.take(b.g.Fire(at(e.at), testMember(e.id, "Alert"+e.id, "", fmt.Sprint("pod-", i), signal.Warning)))
		}
	}
	b.take(b.g.Advance(at(3600)))
	splits := b.kinds(MoveSplit)
	if len(splits) != 1 {
		t.Fatalf("got %d splits, want 1", len(splits))
	}
	strangers := 0
	for _, id := range splits[0].Members {
		if id[1] == '0' {
			strangers++
		}
	}
	if strangers > 8 || len(splits[0].Members) < 40 {
		t.Errorf("got %d alerts split off, %d of them of the first fault", len(splits[0].Members), strangers)
	}
	b.check()
}

func TestAnAlertThatComesBackStaysInItsGroup(t *testing.T) {
	b := newStand(t, nil)
	ids := b.burst("a", "cart", 0, 1, 10)
	b.take(b.g.Resolve(at(60), ids[3]))
	again := testMember("again", "cartAlert3", "cart", "cart-3", signal.Warning)
	b.take(b.g.Fire(at(100), again))
	if got, want := b.g.GroupOf("again"), b.g.GroupOf(ids[3]); got != want {
		t.Errorf("got group %d, want %d", got, want)
	}
	// The same episode may fire again too.
	b.take(b.g.Resolve(at(110), "again"))
	b.take(b.g.Fire(at(120), again))
	if got, want := b.g.GroupOf("again"), b.g.GroupOf(ids[3]); got != want {
		t.Errorf("got group %d, want %d", got, want)
	}
}

// relapse brings one trouble twice: again a few minutes after it closed.
func relapse(b *stand, pin bool) (first GroupID) {
	ids := b.burst("a", "cart", 0, 1, 10)
	first = b.g.GroupOf(ids[0])
	for i, id := range ids {
		b.take(b.g.Resolve(at(200+float64(i)), id))
	}
	b.take(b.g.Advance(at(600)))
	if pin {
		b.g.Pin(Pin{Kind: PinNeverReopen, Group: first})
	}
	b.burst("b", "cart", 700, 1, 10)
	b.take(b.g.Advance(at(800)))
	return first
}

func TestTheSameTroubleReopensItsIncident(t *testing.T) {
	b := newStand(t, nil)
	first := relapse(b, false)
	if got := b.g.State(first); got != GroupShown {
		t.Errorf("got state %v, want shown", got)
	}
	if got := b.g.GroupOf("b9"); got != first {
		t.Errorf("got group %d, want %d", got, first)
	}
	b.check()
}

func TestNeverReopenMakesANewIncident(t *testing.T) {
	b := newStand(t, nil)
	first := relapse(b, true)
	if got := b.g.State(first); got != GroupClosed {
		t.Errorf("got state %v, want closed", got)
	}
	if got := b.g.GroupOf("b9"); got == first {
		t.Errorf("got group %d again", got)
	}
}

func TestALoneAlertAtTheSamePlaceJoinsWhatGoesOn(t *testing.T) {
	b := newStand(t, nil)
	ids := b.burst("a", "cart", 0, 1, 10)
	b.take(b.g.Fire(at(400), testMember("here", "OutOfMemory", "cart", "cart-4", signal.Critical)))
	b.take(b.g.Fire(at(1200), testMember("there", "OutOfMemory", "billing", "billing-1", signal.Critical)))
	b.take(b.g.Advance(at(1300)))
	if got, want := b.g.GroupOf("here"), b.g.GroupOf(ids[0]); got != want {
		t.Errorf("got the one at the same place in %d, want %d", got, want)
	}
	if got := b.g.GroupOf("there"); got == b.g.GroupOf(ids[0]) {
		t.Error("got the one elsewhere in the same group, want it shown by itself")
	}
}

func TestMissingLabelsAreNoPlace(t *testing.T) {
	b := newStand(t, nil)
	for i := range 10 {
		b.take(b.g.Fire(at(float64(i)), testMember(fmt.Sprint("a", i), fmt.Sprint("Alert", i), "", "", signal.Warning)))
	}
	b.take(b.g.Fire(at(400), testMember("late", "Other", "", "", signal.Critical)))
	b.take(b.g.Advance(at(500)))
	if got := b.g.GroupOf("late"); got == b.g.GroupOf("a0") {
		t.Error("two alerts without a place count as being at the same place")
	}
}

func TestPeoplesHands(t *testing.T) {
	b := newStand(t, nil)
	ids := b.burst("a", "cart", 0, 1, 10)
	group := b.g.GroupOf(ids[0])
	fresh, moves := b.g.NewGroup(at(20), ids[:2])
	b.take(moves)
	if b.g.GroupOf(ids[0]) != fresh || b.g.State(fresh) != GroupShown {
		t.Fatalf("got %d in state %v, want %d shown", b.g.GroupOf(ids[0]), b.g.State(fresh), fresh)
	}
	b.take(b.g.Resolve(at(30), ids[0]))
	b.take(b.g.Fire(at(200), testMember("again", "cartAlert0", "cart", "cart-0", signal.Warning)))
	if b.g.GroupOf("again") == group {
		t.Error("an alert that was moved away by hand went back in a later episode")
	}
	b.take(b.g.Merge(at(210), group, fresh, true))
	if b.g.State(fresh) != GroupNone || b.g.GroupOf(ids[1]) != group {
		t.Errorf("got %v and %d, want the merged group gone", b.g.State(fresh), b.g.GroupOf(ids[1]))
	}
	b.take(b.g.Unshow(at(220), group))
	b.take(b.g.Advance(at(9000)))
	if b.g.State(group) != GroupForming {
		t.Errorf("got %v, want it to stay forming", b.g.State(group))
	}
	b.take(b.g.Close(at(9010), group))
	if b.g.State(group) != GroupSuppressed {
		t.Errorf("got %v, want suppressed", b.g.State(group))
	}
	b.take(b.g.Reopen(at(9020), group, true))
	for _, id := range append(slices.Clone(ids), "again") {
		b.take(b.g.Resolve(at(9030), id))
	}
	b.take(b.g.Advance(at(99_000)))
	if b.g.State(group) != GroupForming {
		t.Errorf("got %v, want it kept open by hand", b.g.State(group))
	}
	b.check()
}

// play fires and resolves random alerts: bursts, lone ones, returns.
func play(g *Grouping, seed uint64, until float64) []Move {
	random := rand.New(rand.NewPCG(seed, 7))
	var moves []Move
	now, burst := 0.0, 0.0
	for n := 0; now < until; n++ {
		if random.Float64() < 0.02 {
			burst = now
		}
		if now-burst < 60 {
			now += random.ExpFloat64()
		} else {
			now += random.ExpFloat64() * 60
		}
		k := random.IntN(60)
		id, severity := fmt.Sprintf("%d-%d", k, n/100), signal.Warning
		if random.Float64() < 0.05 {
			severity = signal.Critical
		}
		resolve := random.Float64() < 0.4
		if resolve {
			moves = append(moves, g.Resolve(at(now), id)...)
		} else {
			moves = append(moves, g.Fire(at(now), testMember(id, fmt.Sprint("Alert", k), fmt.Sprint("s", k%9), fmt.Sprint("p", k%20), severity))...)
		}
	}
	return moves
}

func TestTheSameCallsGiveTheSameMoves(t *testing.T) {
	for seed := range uint64(5) {
		a := play(NewGrouping(DefaultGroupingConfig(), nil), seed, 20_000)
		z := play(NewGrouping(DefaultGroupingConfig(), nil), seed, 20_000)
		if diff := cmp.Diff(a, z); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		short := play(NewGrouping(DefaultGroupingConfig(), nil), seed, 12_000)
		if diff := cmp.Diff(a[:len(short)], short); diff != "" {
			t.Fatalf("seed %d: a prefix made other moves: %s", seed, diff)
		}
	}
}

func TestMovesTellEverything(t *testing.T) {
	for seed := range uint64(10) {
		g := NewGrouping(DefaultGroupingConfig(), nil)
		home, state, size := map[string]GroupID{}, map[GroupID]GroupState{}, map[GroupID]int{}
		put := func(m Move) {
			for _, id := range m.Members {
				size[home[id]]--
				home[id] = m.Group
				size[m.Group]++
			}
		}
		for _, m := range append(play(g, seed, 20_000), g.Advance(at(20_001))...) {
			switch m.Kind {
			case MoveOpen:
				state[m.Group] = GroupForming
				put(m)
			case MoveSplit:
				state[m.Group] = state[m.Other]
				put(m)
			case MoveAssign:
				put(m)
			case MoveMerge:
				put(m)
				delete(state, m.Other)
				if size[m.Other] != 0 {
					t.Fatalf("seed %d: %d members left in %d after it was merged away", seed, size[m.Other], m.Other)
				}
			case MoveShow:
				state[m.Group] = GroupShown
			case MoveClose:
				state[m.Group] = GroupClosed
			case MoveSuppress:
				state[m.Group] = GroupSuppressed
			case MoveReopen:
				state[m.Group] = g.State(m.Group)
			}
		}
		for id, group := range home {
			if got := g.GroupOf(id); got != 0 && got != group {
				t.Errorf("seed %d: the moves put %s into %d, the grouping says %d", seed, id, group, got)
			}
		}
	}
}

func TestRestoreGoesOnWhereItWas(t *testing.T) {
	b := newStand(t, nil)
	ids := b.burst("a", "cart", 0, 2, 20)
	b.take(b.g.Fire(at(300), testMember("lone", "DiskFull", "db", "db-0", signal.Critical)))
	b.g.Pin(Pin{Kind: PinNeverClose, Group: b.g.GroupOf(ids[0])})
	state := Restored{Pins: b.g.Pins(), Learned: b.g.Learned()}
	for id, gr := range b.g.groups {
		state.Groups = append(state.Groups, RestoredGroup{ID: id, State: gr.state, OpenedAt: gr.openedAt, ShownAt: gr.shownAt, EndedAt: gr.endedAt})
	}
	for _, m := range b.g.members {
		state.Members = append(state.Members, RestoredMember{Member: m.Member, Group: m.group.id, FiredAt: m.at, LastFiredAt: m.lastFired, ResolvedAt: m.endedAt})
	}
	again := NewGrouping(DefaultGroupingConfig(), nil)
	if err := again.Restore(at(301), state); err != nil {
		t.Fatalf("restore: %v", err)
	}
	continued := func(g *Grouping) []Move {
		var moves []Move
		for i, id := range ids {
			moves = append(moves, g.Resolve(at(310+float64(i)), id)...)
		}
		moves = append(moves, g.Fire(at(340), testMember("next", "cartAlert2", "cart", "cart-2", signal.Warning))...)
		return append(moves, g.Advance(at(9000))...)
	}
	if diff := cmp.Diff(continued(b.g), continued(again)); diff != "" {
		t.Errorf("the restored grouping goes on differently: %s", diff)
	}
}

func TestRestoreRefusesWhatItCannotRead(t *testing.T) {
	if err := NewGrouping(DefaultGroupingConfig(), nil).Restore(at(0), Restored{Learned: []byte("{")}); err == nil {
		t.Error("got no error for a broken memory")
	}
}

func TestEndedMembersAreForgotten(t *testing.T) {
	g := NewGrouping(DefaultGroupingConfig(), nil)
	for i := range 5000 {
		id := fmt.Sprint(i)
		g.Fire(at(float64(i)*10), testMember(id, "A"+id, "s", "p"+id, signal.Warning))
		g.Resolve(at(float64(i)*10+5), id)
	}
	g.Advance(at(5000*10 + 20_000))
	if len(g.members) != 0 || len(g.groups) != 0 || len(g.prints) != 0 {
		t.Errorf("got %d members, %d groups, %d label sets in memory, want none", len(g.members), len(g.groups), len(g.prints))
	}
}

func BenchmarkFire(b *testing.B) {
	for _, c := range []struct {
		name string
		step time.Duration
	}{{"storm of 50000 a second", 20 * time.Microsecond}, {"calm of an alert every two seconds", 2 * time.Second}} {
		b.Run(c.name, func(b *testing.B) {
			g := NewGrouping(DefaultGroupingConfig(), nil)
			members := make([]Member, b.N)
			for i := range members {
				members[i] = testMember(fmt.Sprint(i), fmt.Sprint("Alert", i%300), fmt.Sprint("s", i%200), fmt.Sprint("p", i), signal.Warning)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range members {
				g.Fire(testStart.Add(time.Duration(i)*c.step), members[i])
			}
		})
	}
}
