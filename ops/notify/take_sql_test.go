package notify

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/signal"
)

// after calls what is given once, when the incidents to tell of have been listed.
type after struct{ do func() }

// BeforeQuery implements bun.QueryHook.
func (*after) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery implements bun.QueryHook.
func (a *after) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if do := a.do; do != nil && strings.Contains(event.Query, "FROM incidents WHERE merged_into = 0 AND (state IN") {
		a.do = nil
		do()
	}
}

// TestWhatHappensWhileAPlanIsTakenOverIsTold lets an incident come between the list of incidents and its end: at a start, and
// whenever the configuration is loaded again.
func TestWhatHappensWhileAPlanIsTakenOverIsTold(t *testing.T) {
	p := newPlay(t, func(*Config) {})
	p.fire("First pay web") // the first step has been taken
	p.pass(time.Minute)
	p.told("before", "all firing, first notification: First")
	hook := &after{do: func() {
		labels := signal.NewLabels(map[string]string{"alertname": "Between", "team": "pay", "service": "cart", "severity": "critical"})
		p.sequence++
		batch := signal.AlertBatch{At: p.clock.Now(), Alerts: []signal.Alert{{Source: "test", Identity: "between", Labels: labels, StartsAt: p.clock.Now()}}}
		if err := p.desk.Apply(t.Context(), []signal.AlertBatch{batch}, p.sequence, nil); err != nil {
			t.Error(err)
		}
	}}
	p.db.Read().AddQueryHook(hook) //nolint:staticcheck // it must hang on the handle the teller reads with, a copy would not do
	p.teller.mu.Lock()
	cfg, plan := p.teller.cfg, p.teller.plan
	p.teller.mu.Unlock()
	p.teller.SetPlan(cfg, plan)
	p.settle()
	if hook.do != nil {
		t.Fatal("no incident came in between: the query is another now")
	}
	p.pass(time.Minute)
	p.told("after the plan was taken over", "all firing, first notification: Between")
}
