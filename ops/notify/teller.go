package notify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/store"
)

const (
	// lookEvery is how often it is asked what is due.
	lookEvery = 100 * time.Millisecond
	// retryAfter is how long is waited after an error of the database.
	retryAfter = time.Second
	// easeFactor is how many times as long as reading an incident took it is not read again: a large one changes often.
	easeFactor = 10
	// easeDriven is how long that is on an event clock, for incidents of at least easeSize alerts.
	easeDriven = time.Second
	easeSize   = 200
	// keepFor is how long deliveries that have ended are kept.
	keepFor = 90 * 24 * time.Hour
	// pruneEvery is how often older ones are removed.
	pruneEvery = time.Hour
)

// installationKey is where the name of this data folder is stored: two Fairleads must not speak of the same INC-1.
const installationKey = "notify.installation"

// Teller decides what is due and has it sent. Committed and SetPlan may be called at any time, by anybody.
type Teller struct {
	deps    Deps
	metrics *metrics
	crew    *crew

	mu      sync.Mutex
	plan    *Plan           // guarded by mu; nil tells nobody
	cfg     Config          // guarded by mu
	changed bool            // guarded by mu: plan or cfg are new
	dirty   map[uint64]bool // guarded by mu: incidents that changed
	ended   map[string]bool // guarded by mu: groups of which a delivery ended
	wake    chan struct{}

	turn sync.Mutex // held by whoever works with what follows

	at           time.Time // of the newest step
	installation string
	running      *Plan
	config       Config
	groups       map[string]*group          // by id
	ofIncident   map[uint64]map[string]bool // ids of the groups with members of an incident
	easeUntil    map[uint64]time.Time       // by the wall clock; by Clock when Driven
	pruned       time.Time
}

// Deps are what a Teller works on.
type Deps struct {
	DB       *store.DB
	Clock    clock.Clock
	Registry prometheus.Registerer
	Logger   *slog.Logger
	// Driven says that Clock is an event clock: its time passes by Drive alone, and nobody is really told unless
	// Config.SendOnEventClock says so.
	Driven bool
	// Observed reports whether what comes through an integration is only watched: nobody is told of it. nil means of none.
	Observed func(source string) bool
}

// New returns a Teller. A nil plan tells nobody until SetPlan gives one.
func New(deps Deps, cfg Config, plan *Plan) *Teller {
	t := &Teller{deps: deps, dirty: map[uint64]bool{}, ended: map[string]bool{}, wake: make(chan struct{}, 1)}
	t.metrics = newMetrics(deps.Registry, deps.DB)
	t.crew = newCrew(t)
	t.SetPlan(cfg, plan)
	return t
}

// SetPlan replaces what is told to whom. What waits for a receiver that is gone has failed then.
func (t *Teller) SetPlan(cfg Config, plan *Plan) {
	t.mu.Lock()
	t.plan, t.cfg, t.changed = plan, cfg, true
	t.mu.Unlock()
	t.poke()
}

// Plan returns the plan in force; nil when nobody is told.
func (t *Teller) Plan() *Plan {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.plan
}

// Committed says that incidents changed and are stored. It does not block.
func (t *Teller) Committed(numbers []uint64) {
	if len(numbers) == 0 {
		return
	}
	t.mu.Lock()
	if t.plan != nil {
		for _, n := range numbers {
			t.dirty[n] = true
		}
	}
	t.mu.Unlock()
	t.poke()
}

func (t *Teller) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// finished says that a delivery of a group has ended.
func (t *Teller) finished(d *Delivery) {
	t.mu.Lock()
	t.ended[(&group{key: d.Group, receiver: d.Receiver}).id()] = true
	t.mu.Unlock()
	t.poke()
}

// Run decides and sends until ctx ends. What is on its way then is stopped, and sent again at the next start.
func (t *Teller) Run(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	defer t.crew.stop()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		if err := t.stepNow(ctx); err != nil && ctx.Err() == nil {
			t.deps.Logger.Warn("what is to be told cannot be decided, trying again", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(retryAfter):
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		case <-ticker.C:
		}
	}
}

// begin readies the Teller for its first step.
func (t *Teller) begin(ctx context.Context) error {
	t.turn.Lock()
	defer t.turn.Unlock()
	if t.at.IsZero() {
		t.at = t.deps.Clock.Now()
	}
	return t.name(ctx)
}

// stepNow takes a step at the present time. On an event clock that is the time up to which it was driven.
func (t *Teller) stepNow(ctx context.Context) error {
	t.turn.Lock()
	defer t.turn.Unlock()
	if t.deps.Driven {
		return t.step(ctx, t.at)
	}
	return t.step(ctx, t.deps.Clock.Now())
}

// name gives the data folder a name, once.
func (t *Teller) name(ctx context.Context) error {
	if t.installation != "" {
		return nil
	}
	kept, err := store.LoadState(ctx, t.deps.DB.Read(), installationKey)
	if err == nil {
		t.installation = string(kept)
		return nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("load the name of the installation: %w", err)
	}
	t.installation = strings.ToLower(rand.Text()[:10])
	err = t.deps.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return store.SaveState(ctx, tx, installationKey, []byte(t.installation))
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("store the name of the installation: %w", err)
	}
	return nil
}

// step takes what changed, and orders what is due at a time. The turn is held.
func (t *Teller) step(ctx context.Context, now time.Time) error {
	t.at = now
	ended, err := t.take(ctx)
	if err != nil || t.running == nil {
		return err
	}
	wall := time.Now()
	dirty := t.takeDirty(t.pace(wall))
	look, err := t.read(ctx, dirty, ended, wall)
	if err != nil {
		t.putBack(dirty, ended)
		return err
	}
	for id, g := range t.groups {
		if !g.next.IsZero() && !g.next.After(now) {
			look[id] = true
		}
	}
	if err := t.order(ctx, now, slices.Sorted(maps.Keys(look))); err != nil {
		return err
	}
	return t.tidy(ctx, now, wall)
}

// read brings incidents that changed, and groups of which a delivery ended, up to date, and returns the ids of all groups that
// this touches.
func (t *Teller) read(ctx context.Context, dirty []uint64, ended map[string]bool, wall time.Time) (map[string]bool, error) {
	look := map[string]bool{}
	for _, n := range dirty {
		began := time.Now()
		ids, err := t.readIncident(ctx, n)
		if err != nil {
			return nil, err
		}
		t.easeUntil[n] = t.ease(n, wall, time.Since(began))
		for _, id := range ids {
			look[id] = true
		}
	}
	for id := range ended {
		g := t.groups[id]
		if g == nil {
			continue
		}
		entries, err := loadEntries(ctx, t.deps.DB.Read(), g.key, g.receiver)
		if err != nil {
			return nil, err
		}
		g.entries = entries
		look[id] = true
	}
	return look, nil
}

// take takes over a new plan, and returns the groups of which a delivery ended.
func (t *Teller) take(ctx context.Context) (map[string]bool, error) {
	t.mu.Lock()
	changed, plan, cfg, ended := t.changed, t.plan, t.cfg, t.ended
	t.changed, t.ended = false, map[string]bool{}
	if changed {
		clear(t.dirty) // loadRoots reads what they are; what is committed from here on counts as changed
	}
	t.mu.Unlock()
	if !changed {
		return ended, nil
	}
	t.running, t.config = plan, cfg
	t.groups, t.ofIncident, t.easeUntil = map[string]*group{}, map[uint64]map[string]bool{}, map[uint64]time.Time{}
	roots, err := loadRoots(ctx, t.deps.DB.Read(), cfg.Per == PerGroup)
	if err == nil {
		err = t.crew.hire(ctx, plan)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.changed = true
		return nil, err
	}
	for _, n := range roots {
		t.dirty[n] = true
	}
	return nil, nil
}

// pace returns the time by which reading a large incident is put off.
func (t *Teller) pace(wall time.Time) time.Time {
	if t.deps.Driven {
		return t.at
	}
	return wall
}

// ease returns until when an incident is not read again.
func (t *Teller) ease(number uint64, wall time.Time, took time.Duration) time.Time {
	switch {
	case !t.deps.Driven:
		return wall.Add(easeFactor * took)
	case len(t.ofIncident[number]) > 0 && t.sizeOf(number) >= easeSize:
		return t.at.Add(easeDriven) // by event time, so that each run of a recording tells the same
	}
	return t.at
}

// sizeOf returns how many members of groups an incident has.
func (t *Teller) sizeOf(number uint64) int {
	n := 0
	for id := range t.ofIncident[number] {
		if g := t.groups[id]; g != nil {
			n += len(g.members)
		}
	}
	return n
}

// takeDirty returns the incidents that changed and may be read again.
func (t *Teller) takeDirty(wall time.Time) []uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	var numbers []uint64
	for n := range t.dirty {
		if wall.Before(t.easeUntil[n]) {
			continue
		}
		delete(t.dirty, n)
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers
}

// putBack takes back what could not be read, so that the next step reads it.
func (t *Teller) putBack(dirty []uint64, ended map[string]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range dirty {
		t.dirty[n] = true
		delete(t.easeUntil, n)
	}
	maps.Copy(t.ended, ended)
}

// order decides for the named groups and stores what is due, then wakes those who send it.
func (t *Teller) order(ctx context.Context, now time.Time, ids []string) error {
	var orders []*order
	for _, id := range ids {
		if g := t.groups[id]; g != nil {
			orders = append(orders, t.look(g, now)...)
		}
	}
	if len(orders) == 0 {
		return nil
	}
	err := t.deps.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error { return saveOrders(ctx, tx, orders) })
	if err != nil {
		for _, id := range ids {
			if g := t.groups[id]; g != nil {
				g.next = now
			}
		}
		return err
	}
	for _, o := range orders {
		d := &o.delivery
		if g := t.groups[(&group{key: d.Group, receiver: d.Receiver}).id()]; g != nil {
			g.entries[d.Integration] = o.entry
		}
		if o.silent {
			continue
		}
		t.metrics.deliveries.WithLabelValues(string(d.State)).Inc()
		if d.State == Pending {
			t.crew.wake(d.Receiver, d.Integration)
		}
	}
	return nil
}

// look decides for each integration of a group, and sets when to look again.
func (t *Teller) look(g *group, now time.Time) []*order {
	audible, intervals := g.mutedBy(t.running, now)
	var next, sure time.Time
	if len(intervals) > 0 {
		next = now.Truncate(time.Minute).Add(time.Minute) // intervals begin and end with a minute
	}
	var orders []*order
	for _, integration := range t.running.Integrations(g.receiver) {
		e := g.entries[integration.Name]
		if e == nil {
			e = &entry{integration: integration.Name}
			g.entries[integration.Name] = e
		}
		c := g.contentFor(e, audible)
		why, due := g.decide(e, integration.SendResolved, &c)
		switch {
		case why != "" && len(audible) > 0 && !due.After(now):
			orders = append(orders, t.tell(g, e, integration, why, &c, now))
			continue
		case why != "" && len(audible) > 0:
			next = sooner(next, due)
			if why != WhyRepeat {
				sure = sooner(sure, due)
			}
			continue
		case len(intervals) == 0 || len(audible) > 0:
			continue
		}
		names := strings.Join(intervals, ", ")
		c = g.contentFor(e, g.all())
		switch why, due = g.decide(e, integration.SendResolved, &c); {
		case why == "" || e.muted == names:
		case due.After(now):
			next = sooner(next, due)
		default:
			orders = append(orders, t.mute(g, e, why, &c, now, names))
		}
	}
	if t.deps.Driven && len(orders) > 0 {
		next, sure = sooner(next, now), sooner(sure, now) // no delivery ends that would have it looked at again
	}
	g.next, g.sure = next, sure
	t.forget(g)
	return orders
}

// tell orders a delivery.
func (t *Teller) tell(g *group, e *entry, integration Integration, why Why, c *content, now time.Time) *order {
	after := &entry{
		integration: e.integration, sequence: e.sequence + 1, toldAt: now, firing: c.firing, resolved: c.resolved, pending: true, memory: e.memory,
	}
	o := &order{entry: after, incident: g.incident, delivery: t.delivery(g, after, why, now)}
	d := &o.delivery
	d.State, d.NextAt = Pending, time.Now()
	d.body.Since = d.NextAt.UnixMilli()
	d.body.Firing, d.body.Resolved = e.firing.String(), e.resolved.String()
	if t.deps.Driven {
		after.pending = false // the next one does not wait for it: the event clock does not either
		if !t.config.SendOnEventClock {
			d.State, d.NextAt, d.Reason = Muted, time.Time{}, notSent
		}
	}
	if why == WhyAllEnded && !integration.SendResolved {
		o.silent, after.sequence, after.pending = true, e.sequence, false
		return o
	}
	for _, m := range c.firingAlerts {
		d.body.Alerts = append(d.body.Alerts, [2]int64{int64(m.seq), 0}) //nolint:gosec // numbers far below 2^63
		if !e.firing.has(m.fingerprint) {
			o.fresh = append(o.fresh, m.seq)
		}
	}
	for _, m := range c.endedOnes {
		if !integration.SendResolved {
			break
		}
		end := m.resolvedAt
		if end.IsZero() || end.After(now) {
			end = now
		}
		d.body.Alerts = append(d.body.Alerts, [2]int64{int64(m.seq), store.Millis(end)}) //nolint:gosec // as above
		if !e.resolved.has(m.fingerprint) {
			o.fresh = append(o.fresh, m.seq)
		}
	}
	d.Alerts = len(d.body.Alerts)
	d.Incident = incidentOf(g, append(slices.Clone(c.firingAlerts), c.endedOnes...))
	return o
}

// mute records that a delivery would have been due.
func (t *Teller) mute(g *group, e *entry, why Why, c *content, now time.Time, intervals string) *order {
	after := *e
	after.sequence++
	after.muted = intervals
	o := &order{entry: &after, incident: g.incident, delivery: t.delivery(g, &after, why, now)}
	o.delivery.State, o.delivery.Alerts = Muted, len(c.firingAlerts)+len(c.endedOnes)
	o.delivery.Reason = "It is muted by the time interval " + intervals + "."
	o.delivery.Incident = incidentOf(g, append(slices.Clone(c.firingAlerts), c.endedOnes...))
	for _, m := range c.firingAlerts {
		o.fresh = append(o.fresh, m.seq)
	}
	return o
}

func (t *Teller) delivery(g *group, e *entry, why Why, now time.Time) Delivery {
	d := Delivery{
		Key: key(t.installation+"/"+g.key, g.receiver, e.integration, e.sequence), At: now, Group: g.key, Sequence: e.sequence,
		Receiver: g.receiver, Integration: e.integration, Why: why,
	}
	if g.route != nil {
		d.body.Route, d.body.GroupBy, d.body.GroupByAll = g.route.ID, g.route.GroupBy, g.route.GroupByAll
	}
	if g.incident != 0 {
		d.body.Extra = map[string]string{"incident": incidentID(g.incident)}
	}
	return d
}

// incidentOf returns the group's incident, or the oldest of those that its alerts are in.
func incidentOf(g *group, members []*member) uint64 {
	oldest := g.incident
	for _, m := range members {
		if g.incident == 0 && (oldest == 0 || m.incident.number < oldest) {
			oldest = m.incident.number
		}
	}
	return oldest
}

// forget drops members of which nothing is left to tell, and a group without any.
func (t *Teller) forget(g *group) {
	for fingerprint, m := range g.members {
		if m.firing && !m.incident.ended || g.told(fingerprint) {
			continue
		}
		delete(g.members, fingerprint)
		delete(g.again, fingerprint)
	}
	if len(g.members) > 0 {
		return
	}
	for _, e := range g.entries {
		if e.pending {
			return
		}
	}
	delete(t.groups, g.id())
}

// toldSince reports whether anything was told of the group at a time or later.
func (g *group) toldSince(at time.Time) bool {
	for _, e := range g.entries {
		if !e.toldAt.IsZero() && !e.toldAt.Before(at) {
			return true
		}
	}
	return false
}

func (g *group) told(fingerprint uint64) bool {
	for _, e := range g.entries {
		if e.pending || e.firing.has(fingerprint) {
			return true
		}
	}
	return false
}

// tidy removes old deliveries now and then.
func (t *Teller) tidy(ctx context.Context, now, wall time.Time) error {
	if wall.Sub(t.pruned) < pruneEvery {
		return nil
	}
	t.pruned = wall
	maps.DeleteFunc(t.easeUntil, func(_ uint64, until time.Time) bool { return until.Before(wall) })
	return t.deps.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error { return prune(ctx, tx, now.Add(-keepFor)) })
}
