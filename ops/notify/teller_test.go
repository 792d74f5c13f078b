package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/test/need"
	"github.com/fairlead/fairlead/test/postgres"
)

// friday is a Friday; the day after begins the weekend of the tests' time interval.
var friday = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// target is a webhook that keeps what it was told, as "receiver status reason alerts".
type target struct {
	*httptest.Server
	mu     sync.Mutex
	told   []string // guarded by mu
	keys   []string // guarded by mu
	groups []string // guarded by mu
	status int      // guarded by mu: what it answers
}

func newTarget(t *testing.T) *target {
	a := &target{status: http.StatusOK}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct {
			Status, Receiver, GroupKey string
			Reason                     string `json:"notification_reason"`
			GroupLabels                map[string]string
			Alerts                     []struct {
				Status string
				Labels map[string]string
			}
		}
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var names []string
		for _, one := range m.Alerts {
			name := one.Labels["alertname"]
			if one.Status == "resolved" {
				name += "-"
			}
			names = append(names, name)
		}
		slices.Sort(names)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.told = append(a.told, fmt.Sprintf("%s %s, %s: %s", r.URL.Path[1:], m.Status, m.Reason, strings.Join(names, " ")))
		a.keys = append(a.keys, r.Header.Get(DeliveryHeader))
		a.groups = append(a.groups, m.GroupKey)
		w.WriteHeader(a.status)
	}))
	t.Cleanup(a.Close)
	return a
}

// take returns what was told since the last call, sorted.
func (a *target) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	told := a.told
	a.told = nil
	slices.Sort(told)
	return told
}

// play is a Teller on a real database with a real Desk, on event time.
type play struct {
	*testing.T
	db       *store.DB
	desk     *incident.Desk
	silences *alert.Silences
	clock    *clock.Event
	teller   *Teller
	target   *target
	sequence uint64
	severity string // of what is sent
}

const routesOfPlay = `
route:
  receiver: all
  group_by: [service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1h
  routes:
  - matchers: [team=night]
    receiver: night
    mute_time_intervals: [weekend]
receivers:
- name: all
  webhook_configs: [{url: URL/all}]
- name: night
  webhook_configs: [{url: URL/night}]
- name: boss
  webhook_configs: [{url: URL/boss, send_resolved: false}]
time_intervals:
- name: weekend
  time_intervals: [{weekdays: [saturday, sunday]}]
`

func newPlay(t *testing.T, change func(*Config)) *play {
	p := &play{T: t, clock: &clock.Event{}, target: newTarget(t), severity: "critical"}
	p.clock.Advance(friday)
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if p.db, err = store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), quiet); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.db.Close() })
	if p.silences, err = alert.NewSilences(t.Context(), alert.NewSilenceRows(p.db)); err != nil {
		t.Fatal(err)
	}
	engine := incident.DefaultConfig()
	engine.Grouping.HoldCritical = 0
	p.desk, err = incident.OpenDesk(t.Context(), p.db, incident.DeskConfig{
		Engine: engine, Consumer: "test", Silences: p.silences,
		Committed: func(numbers []uint64, _ []*incident.Step) { p.teller.Committed(numbers) },
	}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(routesOfPlay, "URL", p.target.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.Alertmanager = file
	change(&cfg)
	plan, err := Load(cfg, "http://127.0.0.1:8460", quiet)
	if err != nil {
		t.Fatal(err)
	}
	p.start(cfg, plan)
	return p
}

// start makes a Teller, as a process does that starts.
func (p *play) start(cfg Config, plan *Plan) {
	p.Helper()
	p.teller = New(Deps{DB: p.db, Clock: p.clock, Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler)}, cfg, plan)
	if err := p.teller.name(p.Context()); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { p.teller.crew.stop() })
}

// fire sends alerts, each "name team service".
func (p *play) fire(alerts ...string) { p.send(time.Time{}, alerts...) }

func (p *play) end(alerts ...string) { p.send(p.clock.Now(), alerts...) }

func (p *play) send(ends time.Time, alerts ...string) {
	p.Helper()
	batch := signal.AlertBatch{At: p.clock.Now()}
	for _, text := range alerts {
		words := strings.Fields(text)
		labels := signal.NewLabels(map[string]string{"alertname": words[0], "team": words[1], "service": words[2], "severity": p.severity})
		batch.Alerts = append(batch.Alerts, signal.Alert{
			Source: "test", Identity: labels.Fingerprint().String(), Labels: labels, StartsAt: p.clock.Now().Add(-time.Second), EndsAt: ends,
		})
	}
	p.sequence++
	if err := p.desk.Apply(p.Context(), []signal.AlertBatch{batch}, p.sequence, nil); err != nil {
		p.Fatal(err)
	}
	p.settle()
}

// pass lets time pass, in steps of up to half a minute.
func (p *play) pass(d time.Duration) {
	p.Helper()
	for end := p.clock.Now().Add(d); p.clock.Now().Before(end); {
		p.clock.Advance(earlier(end, p.clock.Now().Add(30*time.Second)))
		if err := p.desk.Advance(p.Context(), p.clock.Now()); err != nil {
			p.Fatal(err)
		}
		p.settle()
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// settle decides and sends until nothing waits.
func (p *play) settle() {
	p.Helper()
	need.Eventually(p.T, 20*time.Second, "all to be told", func() bool {
		if err := p.teller.step(p.Context(), p.clock.Now()); err != nil {
			p.Fatal(err)
		}
		var n int
		if err := p.db.Read().QueryRowContext(p.Context(), "SELECT count(*) FROM deliveries WHERE state = 'pending' AND attempts = 0").Scan(&n); err != nil {
			p.Fatal(err)
		}
		p.teller.mu.Lock()
		defer p.teller.mu.Unlock()
		return n == 0 && len(p.teller.dirty) == 0 && len(p.teller.ended) == 0
	})
}

// told compares what was told since the last call.
func (p *play) told(when string, want ...string) {
	p.Helper()
	if diff := cmp.Diff(want, p.target.take()); diff != "" {
		p.Errorf("%s, was told (-want +got):\n%s", when, diff)
	}
}

func (p *play) act(work func(e *incident.Engine) error) {
	p.Helper()
	if err := p.desk.Do(p.Context(), p.clock.Now(), nil, nil, work); err != nil {
		p.Fatal(err)
	}
	p.settle()
}

func (p *play) deliveries(f Filter) []*Delivery {
	p.Helper()
	f.Limit = 1000
	found, err := List(p.Context(), p.db.Read(), f)
	if err != nil {
		p.Fatal(err)
	}
	return found
}

func TestAnIncidentIsToldOnceUntilItEnds(t *testing.T) {
	p := newPlay(t, func(*Config) {})
	p.fire("Down day cart")
	p.told("before group_wait")
	p.pass(30 * time.Second)
	p.told("after group_wait", "all firing, first notification: Down")
	p.fire("Slow day cart", "Full day cart")
	p.act(func(e *incident.Engine) error {
		_, err := e.Merge(1, []uint64{2}, "ann")
		return err
	})
	p.pass(4 * time.Minute)
	p.told("before group_interval")
	p.pass(time.Minute)
	p.told("after group_interval", "all firing, new alerts added: Down Full Slow")
	p.end("Slow day cart")
	p.pass(10 * time.Minute)
	p.told("when one of several has ended")
	p.pass(50 * time.Minute)
	p.told("after repeat_interval", "all firing, repeat interval elapsed: Down Full Slow-")
	p.act(func(e *incident.Engine) error {
		_, err := e.Acknowledge(1, "ann", "")
		return err
	})
	p.pass(3 * time.Hour)
	p.told("after it was acknowledged")
	p.end("Down day cart", "Full day cart")
	p.told("while it settles")
	p.pass(6 * time.Minute)
	p.told("when it has ended", "all resolved, all alerts resolved: Down- Full-")
	p.pass(5 * time.Hour)
	p.told("long after")

	found := p.deliveries(Filter{Incident: 1})
	keys := map[string]bool{}
	for _, d := range found {
		keys[d.Key] = true
		if d.State != Sent || d.Attempts != 1 || d.Integration != "webhook[0]" || d.Incident != 1 {
			t.Errorf("got %+v", d)
		}
	}
	if len(found) != 4 || len(keys) != 4 {
		t.Errorf("%d deliveries with %d keys are listed, want 4", len(found), len(keys))
	}
	first, err := OfAlert(t.Context(), p.db.Read(), 1)
	if err != nil || len(first) != 2 || first[0].Why != WhyFirst || first[1].Why != WhyAllEnded {
		t.Errorf("of the first alert told %+v %v, want its begin and end", first, err)
	}
}

func TestAMutedRouteTellsWhenTheIntervalIsOver(t *testing.T) {
	p := newPlay(t, func(*Config) {})
	p.pass(24 * time.Hour) // Saturday
	p.fire("Down night cart")
	p.pass(time.Hour)
	p.told("on Saturday")
	muted := p.deliveries(Filter{State: Muted})
	if len(muted) != 1 || !strings.Contains(muted[0].Reason, "weekend") || muted[0].Receiver != "night" || muted[0].Incident != 1 {
		t.Fatalf("got muted %+v, want one that names the interval", muted)
	}
	p.clock.Advance(time.Date(2026, 1, 4, 23, 59, 30, 0, time.UTC))
	p.settle()
	p.told("on Sunday evening")
	p.clock.Advance(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	p.settle()
	p.told("on Monday", "night firing, first notification: Down")
}

func TestSilencedAlertsAreNotTold(t *testing.T) {
	p := newPlay(t, func(*Config) {})
	matcher, err := alert.ParseMatcher("alertname=Slow")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.silences.Set(t.Context(), "ann", p.clock.Now(), alert.Silence{
		Matchers: alert.Matchers{matcher}, StartsAt: p.clock.Now(), EndsAt: p.clock.Now().Add(time.Hour), CreatedBy: "ann", Comment: "x",
	}); err != nil {
		t.Fatal(err)
	}
	p.fire("Slow day cart")
	p.pass(5 * time.Minute)
	p.told("while its only alert is silenced")
	p.fire("Down day cart")
	p.pass(10 * time.Minute)
	p.told("of the other alert", "all firing, first notification: Down")
}

func TestEscalationTellsAnotherReceiver(t *testing.T) {
	escalate := func(c *Config) { c.Escalation = []Escalation{{After: 15 * time.Minute, Receiver: "boss"}} }
	t.Run("when nobody acknowledges", func(t *testing.T) {
		p := newPlay(t, escalate)
		p.fire("Down day cart")
		p.pass(14 * time.Minute)
		p.told("before", "all firing, first notification: Down")
		p.pass(time.Minute)
		p.told("after 15 minutes", "boss firing, first notification: Down")
		p.end("Down day cart")
		p.pass(6 * time.Minute)
		p.told("at the end, which boss does not want to hear of", "all resolved, all alerts resolved: Down-")
	})
	t.Run("not when somebody does", func(t *testing.T) {
		p := newPlay(t, escalate)
		p.fire("Down day cart")
		p.pass(time.Minute)
		p.act(func(e *incident.Engine) error {
			_, err := e.Acknowledge(1, "ann", "")
			return err
		})
		p.pass(time.Hour)
		p.told("all the time", "all firing, first notification: Down")
	})
	t.Run("not at the weekend of those who were not told", func(t *testing.T) {
		p := newPlay(t, escalate)
		p.clock.Advance(friday.Add(24 * time.Hour))
		p.fire("Down night cart")
		p.pass(time.Hour)
		p.told("all the time")
	})
}

func TestGroupsAreAlertmanagers(t *testing.T) {
	p := newPlay(t, func(c *Config) { c.Per = PerGroup })
	p.fire("Down day cart", "Slow day cart", "Down day pay", "Late night cart")
	p.pass(30 * time.Second)
	p.told("after group_wait", "all firing, first notification: Down", "all firing, first notification: Down Slow", "night firing, first notification: Late")
	p.target.mu.Lock()
	groups := slices.Sorted(slices.Values(p.target.groups))
	p.target.mu.Unlock()
	if want := []string{`{}/{team="night"}:{service="cart"}`, `{}:{service="cart"}`, `{}:{service="pay"}`}; !slices.Equal(groups, want) {
		t.Errorf("got group keys %q, want %q", groups, want)
	}
	p.end("Slow day cart")
	p.pass(5 * time.Minute)
	p.told("after group_interval", "all firing, some alerts resolved: Down Slow-")
	p.end("Down day cart", "Late night cart")
	p.pass(10 * time.Minute)
	p.told("at the end of two groups", "all resolved, all alerts resolved: Down-", "night resolved, all alerts resolved: Late-")
	p.pass(time.Hour)
	p.told("after repeat_interval", "all firing, repeat interval elapsed: Down")
}

func TestWhatATargetRefusesForGoodIsToldAnew(t *testing.T) {
	p := newPlay(t, func(*Config) {})
	p.target.mu.Lock()
	p.target.status = http.StatusBadRequest
	p.target.mu.Unlock()
	p.fire("Down day cart")
	p.pass(30 * time.Second)
	p.told("at first", "all firing, first notification: Down")
	failed := p.deliveries(Filter{State: Failed})
	if len(failed) != 1 || !strings.Contains(failed[0].Reason, "400") || failed[0].Attempts != 1 {
		t.Fatalf("got failed %+v, want one with the status", failed)
	}
	p.target.mu.Lock()
	p.target.status = http.StatusOK
	p.target.mu.Unlock()
	p.pass(5 * time.Minute)
	p.told("after group_interval", "all firing, first notification: Down")
	if sent := p.deliveries(Filter{State: Sent}); len(sent) != 1 {
		t.Errorf("got sent %+v, want one", sent)
	}
}

func TestWhatWaitsIsSentAfterARestartUnderTheSameKey(t *testing.T) {
	p := newPlay(t, func(*Config) {})
	p.target.mu.Lock()
	p.target.status = http.StatusServiceUnavailable
	p.target.mu.Unlock()
	p.fire("Down day cart")
	p.pass(30 * time.Second)
	p.told("by a target that is down", "all firing, first notification: Down")
	waiting := p.deliveries(Filter{State: Pending})
	if len(waiting) != 1 || waiting[0].NextAt.IsZero() || !strings.Contains(waiting[0].Reason, "503") {
		t.Fatalf("got pending %+v, want one with reason and next attempt", waiting)
	}
	p.teller.crew.stop()
	p.target.mu.Lock()
	p.target.status = http.StatusOK
	p.target.mu.Unlock()
	p.start(p.teller.cfg, p.teller.plan)
	need.Eventually(t, 20*time.Second, "the second attempt", func() bool {
		if err := p.teller.step(context.Background(), p.clock.Now()); err != nil {
			t.Fatal(err)
		}
		return len(p.deliveries(Filter{State: Sent})) == 1
	})
	p.target.mu.Lock()
	defer p.target.mu.Unlock()
	if len(p.target.keys) != 2 || p.target.keys[0] != p.target.keys[1] || p.target.keys[0] != waiting[0].Key {
		t.Errorf("the keys were %q, want twice %s", p.target.keys, waiting[0].Key)
	}
}

func TestPausesGrowAndEnd(t *testing.T) {
	for attempts, about := range map[int]time.Duration{1: time.Second, 3: 4 * time.Second, 50: longestPause} {
		for range 100 {
			if got := pause(attempts); got < about*3/4 || got > about*5/4 {
				t.Fatalf("after %d attempts %s, want about %s", attempts, got, about)
			}
		}
	}
}

func TestWhatWaitsForAReceiverThatIsGoneFails(t *testing.T) {
	p := newPlay(t, func(*Config) {})
	p.target.mu.Lock()
	p.target.status = http.StatusServiceUnavailable
	p.target.mu.Unlock()
	p.fire("Down day cart")
	p.pass(30 * time.Second)
	if waiting := p.deliveries(Filter{State: Pending}); len(waiting) != 1 {
		t.Fatalf("got pending %+v, want one", waiting)
	}
	plan, dir, err := load(t, map[string]string{"alertmanager.yml": "route: {receiver: other}\nreceivers: [{name: other}]\n"})
	if err != nil {
		t.Fatal(err)
	}
	p.teller.SetPlan(Config{Alertmanager: filepath.Join(dir, "alertmanager.yml"), Per: PerIncident}, plan)
	p.settle()
	failed := p.deliveries(Filter{State: Failed})
	if len(failed) != 1 || !strings.Contains(failed[0].Reason, "no longer configured") {
		t.Errorf("got failed %+v, want one that says that its receiver is gone", failed)
	}
}

func TestAnAlertThatBecameWorseIsToldAgainAndAMilderOneIsNot(t *testing.T) {
	for per, hold := range map[string]time.Duration{PerGroup: 0, PerIncident: time.Hour} {
		t.Run(per, func(t *testing.T) {
			p := newPlay(t, func(c *Config) { c.Per = per })
			p.T = t
			grade := func(severity string) {
				p.sequence++
				batch := signal.AlertBatch{At: p.clock.Now(), Alerts: []signal.Alert{{
					Source: "datadog", Identity: "monitor/7", Keyed: true, StartsAt: friday,
					Labels: signal.NewLabels(map[string]string{"alertname": "Disk", "team": "day", "service": "db", "severity": severity}),
				}}}
				if err := p.desk.Apply(t.Context(), []signal.AlertBatch{batch}, p.sequence, nil); err != nil {
					t.Fatal(err)
				}
				p.settle()
			}
			grade("warning")
			p.pass(hold + time.Minute)
			p.told("at first", "all firing, first notification: Disk")
			grade("critical")
			p.pass(6 * time.Minute)
			p.told("when it became critical", "all firing, new alerts added: Disk")
			grade("warning")
			p.pass(6 * time.Minute)
			grade("critical")
			p.pass(6 * time.Minute)
			p.told("when it became milder, and critical once more")
			p.teller.crew.stop()
		})
	}
}
