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

// TestAnAlertWithAKeyOfItsSenderIsFoundByItsLabels has an alert that a mapper made under its sender's own key; the tool, which
// knows labels alone, told of it. A second one the tool muted each time it looked.
func TestAnAlertWithAKeyOfItsSenderIsFoundByItsLabels(t *testing.T) {
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
	one := signal.NewLabels(map[string]string{"alertname": "Down", "service": "cart", "severity": "critical"})
	two := signal.NewLabels(map[string]string{"alertname": "Full", "service": "disk", "severity": "critical"})
	err = desk.Apply(ctx, []signal.AlertBatch{
		{At: at, Alerts: []signal.Alert{{Source: "json", Identity: "ticket-7", Keyed: true, Labels: one, StartsAt: at}}},
		{At: at.Add(time.Hour), Alerts: []signal.Alert{{Source: "prometheus", Labels: two, StartsAt: at.Add(time.Hour)}}},
	}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.Advance(ctx, at.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	list := []Witnessed{{ID: "1", At: at.Add(time.Minute), Integration: "today", Receiver: "team", Alerts: []WitnessedAlert{{Fingerprint: one.Fingerprint().String(), Name: "Down"}}}}
	for i, id := range []string{"2", "3", "4"} {
		list = append(list, Witnessed{
			ID: id, At: at.Add(time.Hour + time.Duration(i)*5*time.Minute), Integration: "today", Reason: "silence 7 by ann", Muted: true,
			Alerts: []WitnessedAlert{{Fingerprint: two.Fingerprint().String(), Name: "Full"}},
		})
	}
	if err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return SaveWitnessed(ctx, tx, at, list) }); err != nil {
		t.Fatal(err)
	}
	r, err := Compare(ctx, db.Read(), Question{From: at.Add(-time.Hour), To: at.Add(3 * time.Hour), Late: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if r.Notifications != 1 || r.Resolved != 0 || r.Muted != 1 || r.Counts[Missed] != 0 || r.Counts[Same] != 1 || r.Counts[Extra] != 1 {
		t.Errorf("got %+v, want one notification, one muted alert, the same told of one incident, and one that only Fairlead told of", r)
	}
	for _, c := range r.Incidents {
		switch {
		case c.Verdict == Same && (c.Incident == "" || c.Alerts != 1):
			t.Errorf("the incident of the alert with a key is %+v", c)
		case c.Verdict == Extra && c.Why != "The tool muted it: silence 7 by ann.":
			t.Errorf("the muted one is %+v, want what muted it", c)
		}
	}
}
