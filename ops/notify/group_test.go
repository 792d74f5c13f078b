package notify

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

// perGroup is a play in group mode with alerts whose incidents are held for an hour.
func perGroup(t *testing.T) *play {
	p := newPlay(t, func(c *Config) { c.Per = PerGroup })
	p.severity = "warning"
	return p
}

func (p *play) state(want incident.State) {
	p.Helper()
	var state string
	if err := p.db.Read().QueryRowContext(p.Context(), "SELECT state FROM incidents WHERE number = 1").Scan(&state); err != nil || state != string(want) {
		p.Fatalf("the incident is %s (%v), want %s", state, err, want)
	}
}

func TestGroupsDoNotWaitForTheHoldOfIncidents(t *testing.T) {
	p := perGroup(t)
	p.fire("Down day cart")
	p.pass(29 * time.Second)
	p.told("before group_wait")
	p.pass(time.Second)
	p.told("after group_wait", "all firing, first notification: Down")
	p.state(incident.Forming)
	p.pass(time.Minute)
	p.fire("Slow day cart")
	p.pass(4*time.Minute - time.Second)
	p.told("before group_interval")
	p.pass(time.Second)
	p.told("after group_interval, which counts from what was told", "all firing, new alerts added: Down Slow")
	p.state(incident.Forming)
	p.pass(9 * time.Minute)
	p.fire("Full day cart")
	p.pass(time.Minute)
	p.told("at the second multiple of group_interval", "all firing, new alerts added: Down Full Slow")
}

func TestWhatClearsWithinGroupWaitIsNeverToldOfAGroup(t *testing.T) {
	p := perGroup(t)
	p.fire("Down day cart")
	p.pass(20 * time.Second)
	p.end("Down day cart")
	p.pass(2 * time.Hour)
	p.told("after it cleared in time")
	p.state(incident.Suppressed)
	if got := p.deliveries(Filter{}); len(got) != 0 {
		t.Errorf("got deliveries %+v, want none", got)
	}
}

func TestTheEndOfAGroupIsToldThoughItsIncidentWasNeverShown(t *testing.T) {
	p := perGroup(t)
	p.fire("Down day cart")
	p.pass(30 * time.Second)
	p.told("after group_wait", "all firing, first notification: Down")
	p.end("Down day cart")
	p.pass(5 * time.Minute)
	p.told("after group_interval", "all resolved, all alerts resolved: Down-")
	p.state(incident.Suppressed)
	p.pass(10 * time.Minute)
	p.fire("Down day cart")
	p.pass(30 * time.Second)
	p.told("a new group", "all firing, first notification: Down")
}

func TestAnAlertThatFiresAgainInAGroupWaitsAgain(t *testing.T) {
	p := perGroup(t)
	p.fire("Down day cart")
	p.pass(30 * time.Second)
	p.pass(260 * time.Second)
	p.end("Down day cart")
	p.pass(40 * time.Second)
	p.told("begin and end", "all firing, first notification: Down", "all resolved, all alerts resolved: Down-")
	p.fire("Down day cart") // within a minute: the same episode
	p.pass(29 * time.Second)
	p.told("before group_wait")
	p.pass(time.Second)
	p.told("after group_wait", "all firing, first notification: Down")
}

func TestAFlappingAlertOfAGroupIsToldAsItIs(t *testing.T) {
	p := perGroup(t)
	for range 8 {
		p.fire("Down day cart")
		p.pass(5 * time.Second)
		p.end("Down day cart")
		p.pass(5 * time.Second)
	}
	p.fire("Down day cart")
	p.pass(6 * time.Minute)
	if got := p.target.take(); len(got) == 0 || got[0] != "all firing, first notification: Down" {
		t.Errorf("got %v, want it told although it flaps", got)
	}
}

func TestASilencedAlertIsNotToldOfAGroup(t *testing.T) {
	p := perGroup(t)
	m, err := alert.NewMatcher(alert.MatchEqual, "service", "cart")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.silences.Set(t.Context(), "ann", p.clock.Now(), alert.Silence{Matchers: alert.Matchers{m}, EndsAt: friday.Add(10 * time.Minute), CreatedBy: "ann", Comment: "planned"}); err != nil {
		t.Fatal(err)
	}
	p.fire("Down day cart", "Down day pay")
	p.pass(9 * time.Minute)
	p.told("while it is silenced", "all firing, first notification: Down")
	p.pass(2 * time.Minute)
	p.told("when the silence is over", "all firing, first notification: Down")
}

func TestAnEscalationWaitsForItsIncidentAlsoPerGroup(t *testing.T) {
	p := newPlay(t, func(c *Config) {
		c.Per = PerGroup
		c.Escalation = []Escalation{{After: time.Minute, Receiver: "boss"}}
	})
	p.severity = "warning"
	p.fire("Down day cart")
	p.pass(30 * time.Minute)
	p.told("while the incident forms", "all firing, first notification: Down")
	p.pass(32 * time.Minute)
	p.told("after it was shown", "all firing, repeat interval elapsed: Down", "boss firing, first notification: Down")
}
