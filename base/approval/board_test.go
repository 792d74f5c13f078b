package approval_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a board on a real database, whose clock the test moves.
type world struct {
	*approval.Board
	t        *testing.T
	db       *store.DB
	clock    *clock.Event
	deciders []string
	effects  *counter
}

// counter is an executor whose effects are counted in the database.
type counter struct {
	db     *store.DB
	slices int
	// stop fails before a slice; "" never.
	stop   map[int]error
	panics bool
	mu     sync.Mutex
	calls  int // guarded by mu
}

func (c *counter) Execute(ctx context.Context, r approval.Request, note approval.Note) error {
	c.mu.Lock()
	c.calls++
	c.mu.Unlock()
	if c.panics {
		panic("boom")
	}
	for done := int(r.Done); done < c.slices; done++ {
		c.mu.Lock()
		err := c.stop[done]
		delete(c.stop, done)
		c.mu.Unlock()
		if err != nil {
			return err
		}
		err = c.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			if err := store.SaveState(ctx, tx, fmt.Sprintf("effect %s %d", r.ID, done), []byte{1}); err != nil {
				return err
			}
			if _, err := tx.NewRaw("INSERT INTO positions (consumer, sequence, epoch) VALUES (?, 0, 0)", fmt.Sprint(r.ID, done)).Exec(ctx); err != nil {
				return err // a second time breaks the key
			}
			return note(ctx, tx, approval.Progress{Done: int64(done + 1), Result: "done", Finished: done+1 == c.slices})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func open(t *testing.T, cfg approval.Config, deciders ...string) *world {
	t.Helper()
	db, err := store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, db: db, clock: &clock.Event{}, deciders: deciders, effects: &counter{db: db, slices: 3, stop: map[int]error{}}}
	w.clock.Advance(start)
	w.board(cfg)
	return w
}

// board makes the board anew, as a restart does.
func (w *world) board(cfg approval.Config) {
	w.Board = approval.New(w.db, w.clock, cfg, func(context.Context) ([]string, error) { return w.deciders, nil }, slog.New(slog.DiscardHandler))
	w.Register("test", w.effects)
}

// until runs the board until a request is in a state.
func (w *world) until(id string, state approval.State) approval.Request {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), 20*time.Second)
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer func() {
		stop()
		<-done
	}()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		r, err := w.Find(w.t.Context(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		if r.State == state {
			return r
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			w.t.Fatalf("it is %s (%s), want %s", r.State, r.Result, state)
		}
	}
}

func (w *world) ask(object string) approval.Request {
	w.t.Helper()
	r, err := w.Ask(w.t.Context(), approval.Question{Kind: "test", Object: object, Summary: "Do it.", Reason: "because", By: "ann"})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) decide(id, by string, approve bool) (approval.Request, error) {
	return w.Decide(w.t.Context(), id, approval.Verdict{By: by, Approve: approve, Reason: "agreed"})
}

// verify checks the audit log, requests included, and returns the actions.
func (w *world) verify() []string {
	w.t.Helper()
	report, err := audit.Verify(w.t.Context(), w.db.Read(), approval.Check())
	if err != nil || len(report.Problems) > 0 {
		w.t.Fatalf("verify: %v %+v", err, report.Problems)
	}
	var actions []string
	if err := w.db.Read().NewRaw("SELECT action FROM audit_leaves ORDER BY n").Scan(w.t.Context(), &actions); err != nil {
		w.t.Fatal(err)
	}
	return actions
}

func TestAnotherPersonApprovesAndItIsDoneOnce(t *testing.T) {
	w := open(t, approval.DefaultConfig(), "ann", "bob")
	r := w.ask("x")
	if _, err := w.decide(r.ID, "ann", true); !errors.Is(err, approval.ErrOwn) {
		t.Errorf("one's own: %v", err)
	}
	if _, err := w.decide(r.ID, "ann", false); !errors.Is(err, approval.ErrOwn) {
		t.Errorf("to reject one's own: %v", err)
	}
	if w.effects.calls != 0 {
		t.Fatal("it was done before it was approved")
	}
	approved, err := w.decide(r.ID, "bob", true)
	if err != nil || approved.State != approval.Approved {
		t.Fatalf("%+v, %v", approved, err)
	}
	if got := w.until(r.ID, approval.Executed); got.Done != 3 || got.Result != "done" || got.EndedAt.IsZero() {
		t.Errorf("got %+v", got)
	}
	if _, err := w.decide(r.ID, "cid", false); !errors.Is(err, approval.ErrConflict) {
		t.Errorf("after the end: %v", err)
	}
	if got := strings.Join(w.verify(), " "); got != "approval.request approval.approve approval.execute" {
		t.Errorf("leaves: %s", got)
	}
}

func TestAnExecutionThatIsInterruptedGoesOnWhereItWas(t *testing.T) {
	w := open(t, approval.DefaultConfig(), "ann", "bob")
	r := w.ask("x")
	w.effects.stop[2] = fmt.Errorf("full disk: %w", store.ErrUnavailable)
	ctx, stop := context.WithCancel(t.Context())
	w.effects.stop[1] = context.Canceled // as at a stop of the server
	if _, err := w.decide(r.ID, "bob", true); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Find(t.Context(), r.ID); err != nil || got.State != approval.Approved {
		t.Fatalf("after the stop: %+v, %v", got, err)
	}
	w.effects.stop = map[int]error{2: fmt.Errorf("full disk: %w", store.ErrUnavailable)}
	w.board(approval.DefaultConfig())
	if got := w.until(r.ID, approval.Executed); got.Done != 3 {
		t.Errorf("got %+v", got)
	}
	if w.effects.calls < 2 {
		t.Errorf("%d calls", w.effects.calls)
	}
	w.verify()
}

func TestAnExecutorThatFailsOrPanicsEndsTheRequest(t *testing.T) {
	w := open(t, approval.DefaultConfig(), "ann", "bob")
	for name, spoil := range map[string]func(){
		"an error": func() { w.effects.stop[1] = errors.New("password=hunter2 is wrong") },
		"a panic":  func() { w.effects.panics = true },
	} {
		spoil()
		r := w.ask(name)
		if _, err := w.decide(r.ID, "bob", true); err != nil {
			t.Fatal(err)
		}
		if got := w.until(r.ID, approval.Failed); strings.Contains(got.Result, "hunter2") || got.EndedAt.IsZero() {
			t.Errorf("%s: %+v", name, got)
		}
	}
	w.verify()
}

func TestSeveralPeopleMustApproveWhenConfiguredSo(t *testing.T) {
	cfg := approval.DefaultConfig()
	cfg.Needed = 2
	w := open(t, cfg, "ann", "bob", "cid", "dan")
	r := w.ask("x")
	if got, err := w.decide(r.ID, "bob", true); err != nil || got.State != approval.Pending {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := w.decide(r.ID, "bob", true); !errors.Is(err, approval.ErrConflict) {
		t.Errorf("twice by the same: %v", err)
	}
	if got, err := w.decide(r.ID, "cid", true); err != nil || got.State != approval.Approved {
		t.Errorf("%+v, %v", got, err)
	}
	other := w.ask("y")
	if _, err := w.decide(other.ID, "bob", true); err != nil {
		t.Fatal(err)
	}
	if got, err := w.decide(other.ID, "cid", false); err != nil || got.State != approval.Rejected {
		t.Errorf("one rejection ends it: %+v, %v", got, err)
	}
}

func TestWhoIsAloneMayConfirmUnlessConfiguredOtherwise(t *testing.T) {
	w := open(t, approval.DefaultConfig(), "ann")
	r := w.ask("x")
	if got, err := w.decide(r.ID, "ann", true); err != nil || got.State != approval.Approved || !got.Decisions[0].Solo {
		t.Errorf("alone: %+v, %v", got, err)
	}
	w.until(r.ID, approval.Executed)
	// Somebody else has come meanwhile.
	r = w.ask("y")
	w.deciders = []string{"ann", "bob"}
	if _, err := w.decide(r.ID, "ann", true); !errors.Is(err, approval.ErrOwn) {
		t.Errorf("with a second person now: %v", err)
	}
	// A second person was there when it was asked for, and was disabled since: that must not help.
	r = w.ask("z")
	w.deciders = []string{"ann"}
	if _, err := w.decide(r.ID, "ann", true); !errors.Is(err, approval.ErrOwn) {
		t.Errorf("with a second person then: %v", err)
	}
	cfg := approval.DefaultConfig()
	cfg.Solo = false
	w.board(cfg)
	r = w.ask("solo")
	if _, err := w.decide(r.ID, "ann", true); !errors.Is(err, approval.ErrOwn) {
		t.Errorf("switched off: %v", err)
	}
	if may, _, why, err := w.May(t.Context(), &r, "ann"); err != nil || may || !strings.Contains(why, "access.approval.solo") {
		t.Errorf("%t %q %v", may, why, err)
	}
	if !strings.Contains(strings.Join(w.verify(), " "), "approval.solo") {
		t.Error("the log does not say that somebody was alone")
	}
}

func TestRequestsExpireAreCancelledAndNeverDoubled(t *testing.T) {
	w := open(t, approval.DefaultConfig(), "ann", "bob")
	r := w.ask("x")
	if again, err := w.Ask(t.Context(), approval.Question{Kind: "test", Object: "x", Reason: "too", By: "bob"}); !errors.Is(err, approval.ErrConflict) || again.ID != r.ID {
		t.Errorf("a second one: %+v, %v", again, err)
	}
	if _, err := w.Cancel(t.Context(), r.ID, "bob", "", "", false); !errors.Is(err, approval.ErrForbidden) {
		t.Errorf("cancelled by another: %v", err)
	}
	if got, err := w.Cancel(t.Context(), r.ID, "ann", "", "changed my mind", false); err != nil || got.State != approval.Cancelled {
		t.Errorf("%+v, %v", got, err)
	}
	r = w.ask("x")
	w.clock.Advance(start.Add(approval.DefaultConfig().Expiry))
	if _, err := w.decide(r.ID, "bob", true); !errors.Is(err, approval.ErrConflict) {
		t.Errorf("decided too late: %v", err)
	}
	w.until(r.ID, approval.Expired)
	if w.effects.calls != 0 {
		t.Error("it was done")
	}
	for _, bad := range []approval.Question{
		{Kind: "unknown", Reason: "x", By: "ann"},
		{Kind: "test", Reason: " ", By: "ann"},
		{Kind: "test", Reason: strings.Repeat("x", 2000), By: "ann"},
		{Kind: "test", Reason: "a\x00b", By: "ann"},
	} {
		var invalid *approval.InvalidError
		if _, err := w.Ask(t.Context(), bad); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := w.Find(t.Context(), "P' OR 1=1 --"); !errors.Is(err, approval.ErrNotFound) {
		t.Errorf("SQL as an id: %v", err)
	}
	w.verify()
}

func TestAChangedRequestIsNamedByTheAuditLog(t *testing.T) {
	w := open(t, approval.DefaultConfig(), "ann", "bob")
	r := w.ask("x")
	err := w.db.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewRaw("UPDATE approvals SET body = replace(body, 'ann', 'eve') WHERE id = ?", r.ID).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(t.Context(), w.db.Read(), approval.Check())
	if err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Name, r.ID) {
		t.Errorf("%v %+v", err, report.Problems)
	}
}

func TestOnlyOneOfManyDecidesAtOnce(t *testing.T) {
	w := open(t, approval.DefaultConfig(), "ann", "bob")
	r := w.ask("x")
	var group sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 20 {
		group.Go(func() {
			if _, err := w.decide(r.ID, fmt.Sprint("person", i), i%2 == 0); err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if won != 1 {
		t.Errorf("%d decided", won)
	}
}
