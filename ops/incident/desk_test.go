package incident

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/test/postgres"
)

var dawn = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// bench is a Desk on a real database, with helpers to play a story.
type bench struct {
	*Desk
	t        *testing.T
	db       *store.DB
	config   store.Config
	now      time.Time
	sequence uint64
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, config: postgres.Config(t), now: dawn}
	b.open()
	t.Cleanup(func() { _ = b.db.Close() })
	return b
}

func (b *bench) open() {
	b.t.Helper()
	ctx := b.t.Context()
	logger := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, b.config, "ops", store.Schema(), logger)
	if err != nil {
		b.t.Fatal(err)
	}
	desk, err := OpenDesk(ctx, db, DeskConfig{Engine: DefaultConfig(), Consumer: "test"}, logger)
	if err != nil {
		b.t.Fatal(err)
	}
	b.db, b.Desk = db, desk
}

// restart closes and opens everything, as a process does.
func (b *bench) restart(clean bool) {
	b.t.Helper()
	if clean {
		if err := b.Close(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.db.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.open()
}

// pass lets time pass.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	b.now = b.now.Add(d)
	if err := b.Advance(b.t.Context(), b.now); err != nil {
		b.t.Fatal(err)
	}
}

// send applies a batch.
func (b *bench) send(alerts ...signal.Alert) {
	b.t.Helper()
	b.sequence = b.Position() + 1
	if err := b.Apply(b.t.Context(), []signal.AlertBatch{{At: b.now, Alerts: alerts}}, b.sequence, nil); err != nil {
		b.t.Fatal(err)
	}
}

func fire(name, service, severity string) signal.Alert {
	return signal.Alert{
		Source:   "prometheus",
		Labels:   signal.NewLabels(map[string]string{"alertname": name, "service": service, "instance": service + "-0", "severity": severity}),
		StartsAt: dawn,
	}
}

func end(name, service, severity string, at time.Time) signal.Alert {
	a := fire(name, service, severity)
	a.EndsAt = at
	return a
}

// storm makes an incident of six alerts that is shown.
func (b *bench) storm(service string) uint64 {
	b.t.Helper()
	for i := range 6 {
		b.send(fire(fmt.Sprintf("Bad%c", 'A'+i), service, "critical"))
		b.pass(time.Second)
	}
	b.pass(time.Minute)
	list, _, err := List(b.t.Context(), b.db.Read(), Filter{States: []State{Open}, Limit: 10})
	if err != nil || len(list) == 0 {
		b.t.Fatalf("no open incident after a storm: %v", err)
	}
	return list[0].Number
}

func (b *bench) incident(number uint64) *Incident {
	b.t.Helper()
	inc, err := Find(b.t.Context(), b.db.Read(), number)
	if err != nil {
		b.t.Fatal(err)
	}
	return inc
}

// check compares what is stored with itself and with the audit log: each alert counted once, sums right, nothing forged.
func (b *bench) check() {
	b.t.Helper()
	ctx := b.t.Context()
	rows, err := b.db.Read().QueryContext(ctx, `SELECT a.incident, count(*), sum(a.reports), sum(CASE WHEN a.state = 'firing' THEN 1 ELSE 0 END)
		FROM alerts a WHERE a.incident <> 0 GROUP BY a.incident`)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	got := map[uint64][3]int{}
	for rows.Next() {
		var n uint64
		var alerts, reports, firing int
		if err := rows.Scan(&n, &alerts, &reports, &firing); err != nil {
			b.t.Fatal(err)
		}
		got[n] = [3]int{alerts, reports, firing}
	}
	if err := rows.Err(); err != nil {
		b.t.Fatal(err)
	}
	all, err := load(ctx, b.db.Read(), "1 = 1")
	if err != nil {
		b.t.Fatal(err)
	}
	want := map[uint64][3]int{}
	total := map[uint64]int{}
	for _, inc := range all {
		if inc.Own.Alerts != 0 {
			want[inc.Number] = [3]int{inc.Own.Alerts, inc.Own.Reports, inc.Own.Firing}
		}
		total[inc.Root] += inc.Own.Alerts
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Fatalf("tallies (-incidents +alerts):\n%s", diff)
	}
	for _, inc := range all {
		if inc.MergedInto == 0 && inc.Total.Alerts != total[inc.Number] {
			b.t.Fatalf("%s: total of %d alerts, its parts have %d", inc.ID(), inc.Total.Alerts, total[inc.Number])
		}
		if inc.MergedInto == 0 && inc.Root != inc.Number {
			b.t.Fatalf("%s was not merged but its root is %d", inc.ID(), inc.Root)
		}
	}
	b.agree()
	b.verify()
}

// tell writes down the newest steps.
func (b *bench) tell() {
	b.t.Helper()
	newest, err := steps(b.t.Context(), b.db.Read(), "1 = 1 ORDER BY number DESC LIMIT 12")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range newest {
		b.t.Logf("%s %s %s %s by %s: %s (other %d, undoes %d) %v %v", s.ID(), s.At.Format("15:04:05"), ID(s.Incident), s.Kind, s.Actor, s.Text, s.Other, s.Undoes, s.Alerts, s.Homes)
	}
}

// agree compares what the engine and its Grouping believe.
func (b *bench) agree() {
	b.t.Helper()
	for _, inc := range b.engine.incidents {
		state := b.engine.grouping.State(inc.Group)
		if inc.MergedInto != 0 || state == GroupNone {
			continue
		}
		shown := inc.State == Open || inc.State == Acknowledged
		forming := inc.State == Forming
		if shown != (state == GroupShown) || forming != (state == GroupForming) {
			b.tell()
			b.t.Fatalf("%s is %s, its group %d is %s", inc.ID(), inc.State, inc.Group, state)
		}
	}
	b.engine.tracker.Each(func(a *alert.Episode) {
		root, group := b.engine.Root(a.Incident), b.engine.grouping.GroupOf(a.ID)
		if root != nil && group != 0 && root.Group != group {
			b.tell()
			b.t.Fatalf("alert %s is in %s with group %d, the grouping says group %d", a.ID, root.ID(), root.Group, group)
		}
	})
}

func (b *bench) verify() {
	b.t.Helper()
	tx, err := b.db.Read().BeginTx(b.t.Context(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	report, err := audit.Verify(b.t.Context(), tx, NewCheck())
	if err != nil {
		b.t.Fatal(err)
	}
	if len(report.Problems) > 0 {
		b.t.Fatalf("audit: %+v", report.Problems)
	}
}

func TestAStormBecomesOneShownIncidentThatClosesAndIsKept(t *testing.T) {
	b := newBench(t)
	n := b.storm("cart")
	if inc := b.incident(n); inc.Total.Alerts != 6 || inc.Severity != signal.Critical || inc.ShownAt.IsZero() {
		t.Errorf("got %d alerts, %s, shown %s", inc.Total.Alerts, inc.Severity, inc.ShownAt)
	}
	for i := range 6 {
		b.send(end(fmt.Sprintf("Bad%c", 'A'+i), "cart", "critical", b.now))
	}
	for range 30 {
		b.pass(time.Minute)
	}
	if inc := b.incident(n); inc.State != Resolved || inc.Total.Firing != 0 {
		t.Errorf("got %s with %d firing, want it resolved", inc.State, inc.Total.Firing)
	}
	b.check()
}

func TestManyAlertsThatEndAtOnceAreStoredInPartsAndEndAlike(t *testing.T) {
	play := func(few bool) *bench {
		b := newBench(t)
		n := advanceEvents + 10
		if few {
			n = advanceEvents - 10
		}
		var alerts []signal.Alert
		for i := range n {
			a := fire("Bad", "cart", "critical")
			a.Labels = signal.NewLabels(map[string]string{"alertname": "Bad", "service": "cart", "pod": fmt.Sprint(i)})
			a.ResolveTimeout = time.Minute
			alerts = append(alerts, a)
		}
		b.send(alerts...)
		b.pass(30 * time.Second)
		b.pass(time.Hour)
		return b
	}
	for _, few := range []bool{true, false} {
		b := play(few)
		inc := b.incident(1)
		if inc.State != Resolved || inc.Total.Firing != 0 || inc.EndedAt.After(dawn.Add(30*time.Minute)) {
			t.Errorf("few %t: got %s with %d firing, ended %s", few, inc.State, inc.Total.Firing, inc.EndedAt)
		}
		if now := b.Stats().Now; !now.Equal(b.now) {
			t.Errorf("few %t: the incidents are at %s, want %s", few, now, b.now)
		}
		b.check()
	}
}

func TestARestartGoesOnWhereItStopped(t *testing.T) {
	play := func(restart func(b *bench)) *Incident {
		b := newBench(t)
		n := b.storm("cart")
		before := b.incident(n)
		restart(b)
		if diff := cmp.Diff(before, b.incident(n), cmp.AllowUnexported(Incident{})); diff != "" {
			t.Errorf("the restart itself changed something: %s", diff)
		}
		b.send(fire("BadA", "cart", "critical"), fire("BadG", "cart", "critical"))
		b.pass(time.Second)
		for i := range 7 {
			b.send(end(fmt.Sprintf("Bad%c", 'A'+i), "cart", "critical", b.now))
		}
		for range 30 {
			b.pass(time.Minute)
		}
		b.check()
		return b.incident(n)
	}
	want := play(func(*bench) {})
	if want.State != Resolved || want.Total.Reports < 8 {
		t.Fatalf("without a restart: got %s with %d reports", want.State, want.Total.Reports)
	}
	for _, clean := range []bool{true, false} {
		got := play(func(b *bench) { b.restart(clean) })
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Incident{})); diff != "" {
			t.Errorf("clean %t (-without +with a restart):\n%s", clean, diff)
		}
	}
}

func TestATransientIsSuppressedAndNobodyIsTold(t *testing.T) {
	b := newBench(t)
	b.send(fire("Blip", "cart", "warning"))
	b.pass(20 * time.Second)
	b.send(end("Blip", "cart", "warning", b.now))
	for range 30 {
		b.pass(time.Minute)
	}
	inc := b.incident(1)
	if inc.State != Suppressed || !inc.ShownAt.IsZero() {
		t.Errorf("got %s, shown at %s", inc.State, inc.ShownAt)
	}
	b.check()
}

// TestWhateverHappensTheBooksBalance plays random storms, repeats, ends, people's steps, undoing and restarts.
func TestWhateverHappensTheBooksBalance(t *testing.T) {
	seeds := 20
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			b := newBench(t)
			dice := rand.New(rand.NewPCG(uint64(seed), 7)) //nolint:gosec // a test's dice
			for range 150 {
				b.randomStep(dice)
				b.agree()
			}
			b.check()
		})
	}
}

func (b *bench) randomStep(dice *rand.Rand) {
	b.t.Helper()
	ctx := b.t.Context()
	severity := []string{"warning", "critical"}[dice.IntN(2)]
	name, service := fmt.Sprintf("Bad%c", 'A'+dice.IntN(8)), []string{"cart", "pay", "db", "web"}[dice.IntN(4)]
	switch dice.IntN(10) {
	case 0, 1, 2:
		b.send(fire(name, service, severity))
	case 3:
		b.send(end(name, service, severity, b.now), fire(name, "ship", severity))
	case 4:
		b.pass(time.Duration(dice.IntN(20)) * time.Second)
	case 5:
		b.pass(time.Duration(dice.IntN(600)) * time.Second)
	case 6:
		if dice.IntN(4) == 0 {
			b.restart(dice.IntN(2) == 0)
		}
	case 7:
		steps, err := steps(ctx, b.db.Read(), "1 = 1 ORDER BY number DESC LIMIT 40")
		if err != nil {
			b.t.Fatal(err)
		}
		if len(steps) > 0 {
			_, _, err := b.Undo(ctx, b.now, steps[dice.IntN(len(steps))].Number, "ann")
			b.allowed(err)
		}
	default:
		b.randomHand(dice)
	}
}

func (b *bench) allowed(err error) {
	b.t.Helper()
	if err != nil && !isRefusal(err) {
		b.t.Fatal(err)
	}
}

func (b *bench) randomHand(dice *rand.Rand) {
	b.t.Helper()
	ctx := b.t.Context()
	list, _, err := List(ctx, b.db.Read(), Filter{Limit: 20})
	if err != nil {
		b.t.Fatal(err)
	}
	if len(list) == 0 {
		return
	}
	one, two := list[dice.IntN(len(list))], list[dice.IntN(len(list))]
	rows, err := alert.List(ctx, b.db.Read(), alert.Filter{Incident: one.Number, Limit: 10})
	if err != nil {
		b.t.Fatal(err)
	}
	var ids []string
	for _, r := range rows {
		if dice.IntN(2) == 0 {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	hand := dice.IntN(7)
	err = b.Do(ctx, b.now, []uint64{one.Number, two.Number}, ids, func(e *Engine) (err error) {
		switch hand {
		case 0:
			_, err = e.Acknowledge(one.Number, "ann", "")
		case 1:
			_, err = e.Resolve(one.Number, "ann", "done")
		case 2:
			_, err = e.Reopen(one.Number, "ann", "")
		case 3:
			_, err = e.Merge(one.Number, []uint64{two.Number}, "ann")
		case 4:
			_, err = e.Split(one.Number, ids, "ann")
		case 5:
			_, err = e.Assign(two.Number, ids, "ann")
		default:
			_, err = e.Comment(one.Number, "ann", "hm")
		}
		return err
	})
	b.allowed(err)
}

func isRefusal(err error) bool {
	for _, kind := range []error{ErrConflict, ErrInvalid, ErrNotFound} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
