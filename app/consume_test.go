package app

import (
	"log/slog"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/test/postgres"
)

// trap holds silences that panic when they are asked about the service "poison".
type trap struct{}

func (trap) Match(labels signal.Labels, _ time.Time) []string {
	if labels.Get("service") == "poison" {
		panic("poison")
	}
	return nil
}

func (trap) NextChange(time.Time) time.Time { return time.Time{} }

func (trap) Version() uint64 { return 1 }

func TestPoisonIsSetAsideAndHoldsNothingUp(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), logger)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	desk, err := incident.OpenDesk(t.Context(), db, incident.DeskConfig{Engine: incident.DefaultConfig(), Consumer: "test", Silences: trap{}}, logger)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	message := func(sequence uint64, services ...string) bus.Message {
		var batch signal.AlertBatch
		batch.At = at.Add(time.Duration(sequence) * time.Second)
		for _, service := range services {
			batch.Alerts = append(batch.Alerts, signal.Alert{
				Source: "prometheus", StartsAt: at,
				Labels: signal.NewLabels(map[string]string{"alertname": "A" + service, "service": service, "instance": service, "severity": "critical"}),
			})
		}
		return bus.Message{Sequence: sequence, Data: signal.AppendAlerts(nil, batch), Stored: at}
	}
	messages := []bus.Message{message(1, "a", "b"), message(2, "poison"), {Sequence: 3, Data: []byte("nonsense"), Stored: at}, message(4, "c", "d")}
	if err := apply(t.Context(), desk, messages, logger); err != nil {
		t.Fatal(err)
	}
	if got := desk.Stats().Alerts; got != 4 || desk.Position() != 4 {
		t.Errorf("got %d alerts up to message %d, want 4 up to 4", got, desk.Position())
	}
	letters, _, err := store.DeadLetters(t.Context(), db.Read(), "", 10)
	if err != nil || len(letters) != 2 {
		t.Fatalf("got %d dead letters (%v), want the poison and the nonsense", len(letters), err)
	}
}
