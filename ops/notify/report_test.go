package notify

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/test/postgres"
)

// TestAReportSaysWhatWasMissedAndDoesNotCountItAsSpared tells of one incident three times, and of an alert that never came here
// once: two notifications were spared, and one incident was missed.
func TestAReportSaysWhatWasMissedAndDoesNotCountItAsSpared(t *testing.T) {
	ctx, logger := t.Context(), slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, postgres.Config(t), "ops", store.Schema(), logger)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	desk, err := incident.OpenDesk(ctx, db, incident.DeskConfig{Engine: incident.DefaultConfig(), Consumer: "test"}, logger)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	labels := signal.NewLabels(map[string]string{"alertname": "Down", "service": "cart", "severity": "critical"})
	report := []signal.AlertBatch{{At: at, Alerts: []signal.Alert{{Source: "prometheus", Labels: labels, StartsAt: at}}}}
	if err := desk.Apply(ctx, report, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := desk.Advance(ctx, at.Add(10*time.Minute)); err != nil {
		t.Fatal(err)
	}
	told := func(id string, after time.Duration, name, fingerprint string, resolved bool) Witnessed {
		return Witnessed{ID: id, At: at.Add(after), Integration: "today", Receiver: "team", Alerts: []WitnessedAlert{{Fingerprint: fingerprint, Name: name, Resolved: resolved}}}
	}
	here, gone := labels.Fingerprint().String(), "00000000000000aa"
	list := []Witnessed{
		told("1", 30*time.Second, "Down", here, false), told("2", 2*time.Minute, "Down", here, false), told("3", 4*time.Minute, "Down", here, false),
		told("4", time.Minute, "Elsewhere", gone, false), told("5", 8*time.Minute, "Down", here, true),
	}
	for range 2 { // what is told twice counts once
		if err := db.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return SaveWitnessed(ctx, tx, at, list) }); err != nil {
			t.Fatal(err)
		}
	}
	question := Question{From: at.Add(-time.Hour), To: at.Add(time.Hour), Late: time.Minute, Receivers: func(signal.Labels) []string { return []string{"pages"} }}
	r, err := Compare(ctx, db.Read(), question)
	if err != nil {
		t.Fatal(err)
	}
	if r.Notifications != 4 || r.Resolved != 1 || r.ByReceiver["team"] != 4 || r.Pages != 1 || r.Avoided != 2 {
		t.Errorf("got %+v, want 4 notifications and 1 end, 1 page, 2 spared", r)
	}
	if len(r.Incidents) != 2 || r.Incidents[0].Verdict != Missed || r.Incidents[0].Title != "Elsewhere" || r.Incidents[0].Why == "" ||
		r.Incidents[1].Verdict != Same || r.Incidents[1].Incident != "INC-1" || r.Incidents[1].Notifications != 3 || r.Incidents[1].Receivers[0] != "pages" {
		t.Errorf("the incidents are %+v and %+v", r.Incidents[0], r.Incidents[1])
	}
}
