package incident

import (
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
)

func keyed(act signal.Act, key string) signal.Alert {
	a := signal.Alert{Act: act, Source: "pagerduty", Identity: key, Keyed: true}
	if act == signal.Report {
		a.Labels = signal.NewLabels(map[string]string{"alertname": "Disk full", "service": "db", "severity": "critical"})
		a.StartsAt = dawn
	}
	return a
}

func TestWhatPeopleDoAtTheSenderHappensHereToo(t *testing.T) {
	b := newBench(t)
	b.send(keyed(signal.Report, "db/1"))
	b.pass(time.Minute)
	acknowledge := keyed(signal.Acknowledge, "db/1")
	acknowledge.Actor, acknowledge.Text = "ann", "on it"
	b.send(acknowledge)
	b.send(acknowledge) // repeated by the sender
	if inc := b.incident(1); inc.State != Acknowledged || inc.AcknowledgedBy != "ann (pagerduty)" {
		t.Errorf("got %s by %q, want it acknowledged by ann", inc.State, inc.AcknowledgedBy)
	}
	comment := keyed(signal.Comment, "db/1")
	comment.Text = "a disk is ordered"
	b.send(comment)
	b.send(keyed(signal.Unacknowledge, "db/1"))
	if inc := b.incident(1); inc.State != Open {
		t.Errorf("got %s, want it open again", inc.State)
	}
	steps, err := Timeline(t.Context(), b.db.Read(), 1, Window{})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range steps {
		texts = append(texts, s.Text)
	}
	told := strings.Join(texts, "\n")
	for _, want := range []string{"Acknowledged by ann (pagerduty): on it", "a disk is ordered", "No longer acknowledged"} {
		if strings.Count(told, want) != 1 {
			t.Errorf("the timeline says %q not once:\n%s", want, told)
		}
	}
	b.send(keyed(signal.End, "db/1"))
	for range 30 {
		b.pass(time.Minute)
	}
	if inc := b.incident(1); inc.State != Resolved || inc.Total.Alerts != 1 {
		t.Errorf("got %s with %d alerts, want it resolved with 1", inc.State, inc.Total.Alerts)
	}
	b.check()
}

func TestAnActAboutAnUnknownAlertChangesNothing(t *testing.T) {
	b := newBench(t)
	for _, act := range []signal.Act{signal.End, signal.Acknowledge, signal.Unacknowledge, signal.Comment} {
		b.send(keyed(act, "nobody knows"))
	}
	b.pass(time.Minute)
	rows, err := alert.List(t.Context(), b.db.Read(), alert.Filter{Limit: 10})
	if err != nil || len(rows) != 0 {
		t.Errorf("got %d alerts and error %v, want none", len(rows), err)
	}
}

func TestADeliveryThatComesLateChangesNothing(t *testing.T) {
	b := newBench(t)
	at := func(a signal.Alert, start, end time.Duration) signal.Alert {
		a.StartsAt = dawn.Add(start)
		if end > 0 {
			a.EndsAt = dawn.Add(end)
		}
		return a
	}
	state := func() alert.State {
		rows, err := alert.List(t.Context(), b.db.Read(), alert.Filter{Limit: 10})
		if err != nil || len(rows) != 1 {
			t.Fatalf("got %d alerts and error %v, want one", len(rows), err)
		}
		return rows[0].State
	}
	report := keyed(signal.Report, "alarm")
	b.pass(10 * time.Minute)
	b.send(at(report, 0, 0))
	b.send(at(report, 0, 2*time.Minute)) // it ended
	b.send(at(report, 0, 0))             // its beginning is delivered once more
	if got := state(); got != alert.Resolved {
		t.Errorf("after a late beginning: %s, want resolved", got)
	}
	b.send(at(report, 5*time.Minute, 0)) // a new cycle
	if got := state(); got != alert.Firing {
		t.Errorf("after a new beginning: %s, want firing", got)
	}
	b.send(at(report, 0, 2*time.Minute)) // its old end is delivered once more
	if got := state(); got != alert.Firing {
		t.Errorf("after a late end: %s, want firing", got)
	}
	b.check()
}

func TestAnAlertThatItsSenderMakesWorseIsToldAsSuch(t *testing.T) {
	b := newBench(t)
	a := keyed(signal.Report, "db/1")
	grade := func(severity, name string) signal.Alert {
		a.Labels = signal.NewLabels(map[string]string{"alertname": name, "service": "db", "severity": severity})
		return a
	}
	b.send(grade("warning", "Disk fills"))
	b.pass(2 * time.Minute)
	if inc := b.incident(1); inc.State != Forming || inc.Severity != signal.Warning {
		t.Fatalf("got %s, %s: a lone warning is held", inc.State, inc.Severity)
	}
	b.send(grade("critical", "Disk full"))
	b.pass(29 * time.Second)
	if inc := b.incident(1); inc.State != Forming {
		t.Errorf("got %s, want it held half a minute from when it became critical", inc.State)
	}
	b.pass(2 * time.Second)
	inc := b.incident(1)
	if inc.State != Open || inc.Severity != signal.Critical || !strings.Contains(inc.Title, "Disk full") {
		t.Errorf("got %s, %s, %q; want it open, critical, under its new name", inc.State, inc.Severity, inc.Title)
	}
	if len(inc.Total.Names) != 1 || inc.Total.Alerts != 1 {
		t.Errorf("got %d alerts, named %v", inc.Total.Alerts, inc.Total.Names)
	}
	rows, err := alert.List(t.Context(), b.db.Read(), alert.Filter{Incident: 1, Limit: 10})
	if err != nil || len(rows) != 1 || rows[0].Severity != signal.Critical || rows[0].Name() != "Disk full" {
		t.Errorf("stored are %v, %v", rows, err)
	}
	b.check()
}

// mild silences warnings.
type mild struct{}

func (mild) Match(labels signal.Labels, _ time.Time) []string {
	if labels.Get("severity") == "warning" {
		return []string{"mild"}
	}
	return nil
}
func (mild) NextChange(time.Time) time.Time { return time.Time{} }
func (mild) Version() uint64                { return 1 }

func TestAnAlertThatIsMadeWorseLeavesTheSilenceOfTheMildOnes(t *testing.T) {
	inhibitor, err := alert.NewInhibitor([]alert.InhibitRule{{SourceMatchers: []string{"severity=critical"}, TargetMatchers: []string{"severity=info"}}})
	if err != nil {
		t.Fatal(err)
	}
	e := NewEngine(DefaultConfig(), nil, mild{}, inhibitor)
	grade := func(severity string) signal.Alert {
		a := keyed(signal.Report, "db/1")
		a.Labels = signal.NewLabels(map[string]string{"alertname": "Disk", "severity": severity})
		return a
	}
	info := keyed(signal.Report, "db/2")
	info.Labels = signal.NewLabels(map[string]string{"alertname": "Disk note", "severity": "info"})
	e.Apply(dawn, []signal.Alert{grade("warning"), info})
	tally := func() (t Tally) {
		for _, inc := range e.incidents {
			t.add(&inc.Own)
		}
		return t
	}
	if got := tally(); got.Silenced != 1 || got.Inhibited != 0 {
		t.Fatalf("got %d silenced, %d inhibited, want 1 and 0", got.Silenced, got.Inhibited)
	}
	e.Apply(dawn.Add(time.Second), []signal.Alert{grade("critical")})
	if got := tally(); got.Silenced != 0 || got.Inhibited != 1 {
		t.Errorf("got %d silenced, %d inhibited once it is critical, want 0 and 1", got.Silenced, got.Inhibited)
	}
	e.Apply(dawn.Add(2*time.Second), []signal.Alert{grade("warning")})
	if got := tally(); got.Silenced != 1 || got.Inhibited != 0 {
		t.Errorf("got %d silenced, %d inhibited once it is mild again, want 1 and 0", got.Silenced, got.Inhibited)
	}
}
