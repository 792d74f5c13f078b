package alert

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
)

var start = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// story drives a Tracker with times in seconds and writes down what happened.
type story struct {
	*Tracker
	events []string
}

func newStory() *story { return &story{Tracker: NewTracker(DefaultConfig(), 1)} }

var eventNames = map[EventKind]string{Nothing: "nothing", Fired: "fired", Returned: "returned", Ended: "ended", Calmed: "calmed", Forgotten: "forgotten"}

func (s *story) until(second int) {
	for {
		event, any := s.Advance(start.Add(time.Duration(second) * time.Second))
		if !any {
			return
		}
		s.note(event)
	}
}

func (s *story) note(event Event) {
	s.events = append(s.events, event.At.Sub(start).String()+" "+eventNames[event.Kind])
}

func (s *story) report(second int, a signal.Alert) *Episode {
	s.until(second)
	event := s.Report(start.Add(time.Duration(second)*time.Second), &a)
	s.note(event)
	return event.Episode
}

func firing(timeout time.Duration) signal.Alert {
	return signal.Alert{Source: "prometheus", Labels: signal.NewLabels(map[string]string{"alertname": "Down", "service": "cart"}), StartsAt: start, ResolveTimeout: timeout}
}

func resolved(second int) signal.Alert {
	a := firing(0)
	a.EndsAt = start.Add(time.Duration(second) * time.Second)
	return a
}

func (s *story) expect(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestARepeatIsCountedAndChangesNothing(t *testing.T) {
	s := newStory()
	e := s.report(0, firing(0))
	if again := s.report(60, firing(0)); again != e {
		t.Fatal("a repeat made a second episode")
	}
	s.expect(t, "0s fired", "1m0s nothing")
	if e.Reports != 2 || e.State != Firing || !e.LastReceivedAt.Equal(start.Add(time.Minute)) {
		t.Errorf("got %d reports, %s, last at %s", e.Reports, e.State, e.LastReceivedAt)
	}
}

func TestAnAlertWithoutReportsEndsByItsTimeOut(t *testing.T) {
	s := newStory()
	e := s.report(0, firing(5*time.Minute))
	s.report(60, firing(5*time.Minute))
	s.until(359)
	if e.State != Firing {
		t.Fatal("it ended before five minutes had passed since the last report")
	}
	s.until(360)
	s.expect(t, "0s fired", "1m0s nothing", "6m0s ended")
	if e.State != Resolved || !e.EndsAt.Equal(start.Add(6*time.Minute)) {
		t.Errorf("got %s until %s", e.State, e.EndsAt)
	}
}

func TestATimeOutOfZeroNeverEnds(t *testing.T) {
	s := newStory()
	s.report(0, firing(0))
	s.until(1_000_000)
	s.expect(t, "0s fired")
}

func TestAnEndInTheFutureCountsWhenItComes(t *testing.T) {
	s := newStory()
	s.report(0, resolved(240))
	s.until(300)
	s.expect(t, "0s fired", "4m0s ended")
}

func TestAResolvedReportOfAnUnknownAlertIsKeptAndTellsNobody(t *testing.T) {
	s := newStory()
	e := s.report(100, resolved(50))
	if again := s.report(160, resolved(50)); again != e {
		t.Error("the repeated end made a second episode")
	}
	s.expect(t, "1m40s nothing", "2m40s nothing")
	if e.State != Resolved || e.Reports != 2 {
		t.Errorf("got %s with %d reports", e.State, e.Reports)
	}
}

func TestAQuickReturnIsTheSameEpisodeALateOneIsNot(t *testing.T) {
	s := newStory()
	e := s.report(0, firing(0))
	s.report(60, resolved(60))
	if back := s.report(100, firing(0)); back != e || back.Flaps != 1 {
		t.Errorf("after 40 s: got episode %s with %d flaps, want %s with 1", back.ID, back.Flaps, e.ID)
	}
	s.report(200, resolved(200))
	if late := s.report(200+int(DefaultConfig().Return.Seconds())+1, firing(0)); late == e {
		t.Error("a late return continued the old episode")
	}
}

func TestAFlappingAlertIsHeldUntilItIsCalm(t *testing.T) {
	s := newStory()
	e := s.report(0, firing(0))
	for i := range 4 {
		s.report(30+60*i, resolved(30+60*i))
		s.report(60+60*i, firing(0))
	}
	if !e.Flapping || e.Flaps != 4 {
		t.Fatalf("got flapping %t after %d returns", e.Flapping, e.Flaps)
	}
	s.report(270, resolved(270))
	s.until(300)
	if last := s.events[len(s.events)-1]; last != "4m30s nothing" {
		t.Errorf("the end was passed on at once: %s", last)
	}
	s.until(600)
	if last := s.events[len(s.events)-1]; last != "9m30s ended" || e.Flapping {
		t.Errorf("got %s, flapping %t; want the end after five quiet minutes", last, e.Flapping)
	}
}

func TestAFlappingAlertThatFiresOnBecomesCalm(t *testing.T) {
	s := newStory()
	e := s.report(0, firing(0))
	for i := range 3 {
		s.report(30+60*i, resolved(30+60*i))
		s.report(60+60*i, firing(0))
	}
	s.until(1000)
	if e.Flapping || e.State != Firing || s.events[len(s.events)-1] != "8m0s calmed" {
		t.Errorf("got flapping %t, %s, %s", e.Flapping, e.State, s.events[len(s.events)-1])
	}
}

func TestAnEndedEpisodeIsForgottenAfterAWhile(t *testing.T) {
	s := newStory()
	s.report(0, firing(0))
	s.report(60, resolved(60))
	s.until(60 + int(DefaultConfig().Remember.Seconds()))
	if s.Len() != 0 {
		t.Errorf("got %d episodes in memory, want none", s.Len())
	}
}

func TestTemplateKeysLeaveOutPlacesAndNumbers(t *testing.T) {
	key := func(labels map[string]string) string {
		return TemplateKey(&signal.Alert{Labels: signal.NewLabels(labels)})
	}
	a := key(map[string]string{"alertname": "DiskFull", "device": "sda1", "instance": "10.0.0.1:9100", "pod": "db-7f9c4-x2v", "team": "store"})
	b := key(map[string]string{"alertname": "DiskFull", "device": "sdb2", "instance": "10.0.0.9:9100", "pod": "db-1a2b3-k9z", "team": "store"})
	if a != b {
		t.Errorf("got %q and %q, want them equal", a, b)
	}
	if want := "DiskFull device=# team=store"; a != want {
		t.Errorf("got %q, want %q", a, want)
	}
	if c := key(map[string]string{"alertname": "DiskSlow", "device": "sda1", "team": "store"}); c == a {
		t.Error("another alert has the same key")
	}
}

func TestTheChainTellsEachRecordFromEveryOther(t *testing.T) {
	var e Episode
	e.Note(start, StageDedupe, "a", "b")
	one := e.Chain
	e.Note(start, StageDedupe, "a", "b")
	if e.Chain == one {
		t.Error("a second line left the hash as it was")
	}
	var other Episode
	other.Note(start, StageDedupe, "ab", "")
	if other.Chain == one {
		t.Error("the same letters in other fields gave the same hash")
	}
}

func TestARecordStopsGrowing(t *testing.T) {
	var e Episode
	for range 3 * maxLines {
		e.Note(start, StageFlap, "x", "y")
	}
	if len(e.Lines) != maxLines+1 || e.Lines[maxLines].Outcome != "record full" {
		t.Errorf("got %d lines, the last %q", len(e.Lines), e.Lines[len(e.Lines)-1].Outcome)
	}
}

func TestASenderThatKnowsItsAlertByAKeyMayMakeItWorse(t *testing.T) {
	s := newStory()
	at := func(severity, team string) signal.Alert {
		return signal.Alert{
			Source: "datadog", Identity: "monitor/7", Keyed: true, StartsAt: start,
			Labels: signal.NewLabels(map[string]string{"alertname": "Disk", "host": "db-1", "severity": severity, "team": team}),
		}
	}
	e := s.report(0, at("warning", "a"))
	e.Lines = nil
	for second, report := range []signal.Alert{at("warning", "a"), at("critical", "a"), at("critical", "b"), at("warning", "b")} {
		if again := s.report(second, report); again != e {
			t.Fatal("it became another alert")
		}
	}
	over := at("info", "c")
	over.EndsAt = start.Add(4 * time.Second)
	s.report(5, over)
	if e.Severity != signal.Warning || e.Labels.Get("team") != "b" || e.State != Resolved {
		t.Errorf("got %s, team %s, %s; an end must not grade it", e.Severity, e.Labels.Get("team"), e.State)
	}
	var outcomes []string
	for _, line := range e.Lines {
		outcomes = append(outcomes, line.Outcome+": "+line.Reason)
	}
	want := []string{
		"worse: Its sender made it critical; it was warning.", "changed: Its sender changed team.",
		"milder: Its sender made it warning; it was critical.", "resolved: The sender reported its end.",
	}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}
