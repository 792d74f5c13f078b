package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

const (
	// attemptTimeout ends an attempt whose target does not answer.
	attemptTimeout = 15 * time.Second
	// maxHanging is how many attempts of an integration may be left behind: the mail notifier waits for its server for ever.
	maxHanging = 8
	// parallel is how many attempts one integration makes at once, each for another group.
	parallel = 4
	// firstPause is the pause before the second attempt; each further one is twice as long, up to longestPause.
	firstPause   = time.Second
	longestPause = 2 * time.Minute
	// refreshAfter is how long one delivery is tried; then the group is decided again, so that what is told is fresh.
	refreshAfter = time.Hour
	// endAfter is how long the end of a group is tried.
	endAfter = 24 * time.Hour
)

// crew sends: each integration has a worker of its own, so that one that hangs delays no other.
type crew struct {
	teller *Teller

	mu      sync.Mutex
	workers map[string]*worker // guarded by mu, by receiver and integration
}

func newCrew(t *Teller) *crew { return &crew{teller: t, workers: map[string]*worker{}} }

func workerID(receiver, integration string) string { return receiver + "\x00" + integration }

// hire makes the workers fit a plan: new ones begin, those of what is gone stop and their deliveries fail.
func (c *crew) hire(ctx context.Context, plan *Plan) error {
	wanted := map[string]*worker{}
	if plan != nil {
		for _, receiver := range plan.Receivers() {
			for _, integration := range plan.Integrations(receiver) {
				wanted[workerID(receiver, integration.Name)] = newWorker(c.teller, receiver, integration)
			}
		}
	}
	c.mu.Lock()
	var gone []*worker
	for id, w := range c.workers {
		if wanted[id] == nil {
			gone = append(gone, w)
			delete(c.workers, id)
		}
	}
	c.mu.Unlock()
	for _, w := range gone {
		w.stop()
	}
	c.mu.Lock()
	for id, w := range wanted {
		if c.workers[id] == nil {
			c.workers[id] = w
			w.start(ctx)
		}
	}
	c.mu.Unlock()
	if plan == nil {
		return nil // it may come back with the next configuration
	}
	return c.abandon(ctx, wanted)
}

// abandon fails what waits for an integration that is gone.
func (c *crew) abandon(ctx context.Context, wanted map[string]*worker) error {
	db := c.teller.deps.DB
	waiting, err := loadDeliveries(ctx, db.Read(), "state = 'pending'")
	if err != nil {
		return err
	}
	for _, d := range waiting {
		if wanted[workerID(d.Receiver, d.Integration)] != nil {
			continue
		}
		err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return abandon(ctx, tx, d, time.Now()) })
		if err != nil {
			return err
		}
		c.teller.metrics.deliveries.WithLabelValues(string(Failed)).Inc()
	}
	return nil
}

func (c *crew) wake(receiver, integration string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.workers[workerID(receiver, integration)]; w != nil {
		w.poke()
	}
}

// stop ends all workers; what is on its way stays pending.
func (c *crew) stop() {
	c.mu.Lock()
	workers := c.workers
	c.workers = map[string]*worker{}
	c.mu.Unlock()
	for _, w := range workers {
		w.cancel()
	}
	for _, w := range workers {
		w.stop()
	}
}

// worker sends the deliveries of one integration.
type worker struct {
	teller      *Teller
	receiver    string
	integration Integration
	wake        chan struct{}
	cancel      context.CancelFunc
	running     sync.WaitGroup

	mu     sync.Mutex
	inHand []uint64 // guarded by mu: numbers of the deliveries that are being sent

	hanging atomic.Int32 // attempts that were given up and still wait for the target
}

func newWorker(t *Teller, receiver string, integration Integration) *worker {
	return &worker{teller: t, receiver: receiver, integration: integration, wake: make(chan struct{}, 1), cancel: func() {}}
}

func (w *worker) start(ctx context.Context) {
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	w.running.Go(func() { w.run(ctx) })
}

func (w *worker) stop() {
	w.cancel()
	w.running.Wait()
}

func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		next := w.begin(ctx)
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
	}
}

// begin begins to send what is due, and returns after which time to ask again.
func (w *worker) begin(ctx context.Context) time.Duration {
	w.mu.Lock()
	inHand := slices.Clone(w.inHand)
	w.mu.Unlock()
	if len(inHand) >= parallel {
		return time.Minute // whoever ends wakes
	}
	due, next, err := loadDue(ctx, w.teller.deps.DB.Read(), w.receiver, w.integration.Name, time.Now(), parallel-len(inHand), inHand)
	if err != nil {
		if ctx.Err() == nil {
			w.teller.deps.Logger.Warn("deliveries cannot be read, trying again", "receiver", w.receiver, "error", err)
		}
		return time.Second
	}
	for _, d := range due {
		w.mu.Lock()
		w.inHand = append(w.inHand, d.Number)
		w.mu.Unlock()
		w.running.Go(func() {
			w.send(ctx, d)
			w.mu.Lock()
			w.inHand = slices.DeleteFunc(w.inHand, func(n uint64) bool { return n == d.Number })
			w.mu.Unlock()
			w.poke()
		})
	}
	if next.IsZero() {
		return time.Minute
	}
	return max(time.Until(next), time.Millisecond)
}

// send makes one attempt and stores how it ended.
func (w *worker) send(ctx context.Context, d *Delivery) {
	t := w.teller
	plan := t.Plan()
	if plan == nil {
		return
	}
	began := time.Now()
	outcome := w.attempt(ctx, plan, d)
	if ctx.Err() != nil && outcome.Err != nil {
		return // it was stopped, not refused: it is sent again
	}
	result := "taken"
	if outcome.Err != nil {
		result = "refused"
	}
	t.metrics.seconds.WithLabelValues(w.integration.Kind).Observe(time.Since(began).Seconds())
	t.metrics.attempts.WithLabelValues(w.integration.Kind, result).Inc()
	restore := w.judge(d, &outcome, time.Now())
	write := func(ctx context.Context, tx store.Tx) error { return saveAttempt(ctx, tx, d, outcome.Memory, restore) }
	for {
		err := t.deps.DB.Write(context.WithoutCancel(ctx), write)
		if err == nil {
			break
		}
		t.deps.Logger.Warn("the end of a delivery cannot be stored, trying again", "delivery", d.ID(), "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
	if d.State == Pending {
		return
	}
	t.metrics.deliveries.WithLabelValues(string(d.State)).Inc()
	if d.State == Failed {
		t.deps.Logger.Error("somebody was not told", "receiver", d.Receiver, "integration", d.Integration, "delivery", d.ID(), "attempts", d.Attempts, "reason", d.Reason)
	}
	t.finished(d)
}

// judge sets the delivery's state after an attempt; restore says that the group is to be decided as if it had not been tried.
func (w *worker) judge(d *Delivery, outcome *Outcome, now time.Time) (restore bool) {
	d.Attempts++
	d.TriedAt, d.NextAt = now, time.Time{}
	if outcome.Err == nil {
		d.State, d.Reason = Sent, ""
		return false
	}
	d.Reason = sentence(outcome.Err.Error())
	limit := refreshAfter
	if d.Why == WhyAllEnded {
		limit = endAfter
	}
	if outcome.Retry && now.Sub(d.created(now)) < limit {
		d.NextAt = now.Add(pause(d.Attempts))
		return false
	}
	d.State = Failed
	if outcome.Retry {
		d.Reason = fmt.Sprintf("Given up after %d attempts. %s", d.Attempts, d.Reason)
	}
	return d.Why != WhyAllEnded
}

// created returns since when a delivery is tried. At may be event time, which says nothing about it.
func (d *Delivery) created(now time.Time) time.Time {
	if d.At.After(now) || d.body.Since == 0 {
		return now
	}
	return time.UnixMilli(d.body.Since)
}

// pause is how long to wait after so many attempts: twice as long each time, give or take a quarter.
func pause(attempts int) time.Duration {
	p := firstPause << min(attempts-1, 10)
	p = min(p, longestPause)
	return p*3/4 + rand.N(p/2)
}

// attempt reads the alerts and sends.
func (w *worker) attempt(ctx context.Context, plan *Plan, d *Delivery) Outcome {
	m := &Message{
		Key: d.Key, Receiver: d.Receiver, Integration: d.Integration, GroupKey: d.Group, Route: d.body.Route, GroupBy: d.body.GroupBy,
		GroupByAll: d.body.GroupByAll, Extra: d.body.Extra, Why: d.Why, At: d.At,
	}
	entries, err := loadEntries(ctx, w.teller.deps.DB.Read(), d.Group, d.Receiver)
	if err != nil {
		return Outcome{Err: err, Retry: true}
	}
	if e := entries[d.Integration]; e != nil {
		m.Memory = e.memory
	}
	if m.Alerts, err = loadTold(ctx, w.teller.deps.DB.Read(), d.body.Alerts); err != nil {
		return Outcome{Err: err, Retry: true}
	}
	if n := w.hanging.Load(); n >= maxHanging {
		return Outcome{Err: fmt.Errorf("%d attempts before still wait for an answer", n), Retry: true}
	}
	m.Hanging = &w.hanging
	if len(m.Alerts) == 0 {
		return Outcome{Err: errors.New("its alerts are no longer stored")}
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return plan.Send(ctx, m)
}

// loadTold reads the alerts of a delivery, in its order.
func loadTold(ctx context.Context, db store.Querier, alerts [][2]int64) ([]Told, error) {
	ids := make([]string, len(alerts))
	for i, a := range alerts {
		ids[i] = fmt.Sprintf("A%d", a[0])
	}
	episodes, err := alert.Load(ctx, db, time.Time{}, nil, ids)
	if err != nil {
		return nil, err
	}
	bySeq := make(map[int64]*alert.Episode, len(episodes))
	for _, e := range episodes {
		bySeq[int64(e.Seq)] = e //nolint:gosec // numbers far below 2^63
	}
	var told []Told
	for _, a := range alerts {
		e := bySeq[a[0]]
		if e == nil {
			continue
		}
		told = append(told, Told{
			Seq: e.Seq, Labels: e.Labels, Annotations: clone(e.Annotations), GeneratorURL: e.GeneratorURL, StartsAt: e.StartsAt, EndsAt: store.Time(a[1]),
		})
	}
	return told, nil
}

func clone(labels signal.Labels) signal.Labels { return slices.Clone(labels) }

func sentence(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
