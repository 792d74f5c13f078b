package app

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/notify"
	"github.com/fairlead/fairlead/receive/alertmanager"
	"github.com/fairlead/fairlead/test/postgres"
)

// TestAMutedAlertIsKeptOnceADay records what a real Alertmanager told of one silenced and one inhibited alert, and the same
// again for each of twelve later flushes, from two instances.
func TestAMutedAlertIsKeptOnceADay(t *testing.T) {
	db, err := store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	text, err := os.ReadFile("../receive/alertmanager/testdata/events-0.34.json")
	if err != nil {
		t.Fatal(err)
	}
	events, err := alertmanager.ParseEvents(text, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{db: db, now: func() time.Time { return events[0].At }}
	for flush := range 12 {
		for _, instance := range []string{"a", "b"} {
			var again []alertmanager.Event
			for _, e := range events {
				if e.Kind == "silence_muted_alert" || e.Kind == "inhibition_muted_alert" {
					e.At, e.Instance = e.At.Add(time.Duration(flush)*5*time.Minute), instance
					again = append(again, e)
				}
			}
			if len(again) != 2 {
				t.Fatalf("the recording has %d muted alerts, want 2", len(again))
			}
			if err := w.Record(context.WithoutCancel(t.Context()), again); err != nil {
				t.Fatal(err)
			}
		}
	}
	kept, err := notify.LoadWitnessed(t.Context(), db.Read(), "", events[0].At.Add(-time.Hour), events[0].At.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]int{}
	for i := range kept {
		if !kept[i].Muted || len(kept[i].Alerts) != 1 {
			t.Errorf("got %+v, want one muted alert", kept[i])
		}
		reasons[kept[i].Reason]++
	}
	if len(kept) != 2 || reasons["silence 604acf32-1f56-4b57-8cf4-9bf5d6757e97 by ann"] != 1 || reasons["inhibition crit"] != 1 {
		t.Errorf("kept %v, want each once", reasons)
	}
}
