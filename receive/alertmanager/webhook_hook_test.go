package alertmanager

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/door"
)

func TestAPayloadOfTheUsersOwnGoesToTheMapper(t *testing.T) {
	s := door.New(t, map[string]receive.Protocol{"POST /in/alertmanager/{integration}": Webhook()})
	mapper := integration.Mapper{Identity: "body.what", Name: "body.what", State: `body.bad ? "firing" : "resolved"`}
	if _, err := s.Doors.Create(t.Context(), &integration.Integration{Name: "own", Kind: WebhookKind, Mapper: mapper}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	if status, text := s.Post("/in/alertmanager/own", `{"what":"HighLatency","bad":true}`); status != 200 || text != "" {
		t.Errorf("a payload that the mapper reads: got %d %s", status, text)
	}
	if status, text := s.Post("/in/alertmanager/own", notified); status != 200 || text != "" {
		t.Errorf("Alertmanager's own: got %d %s", status, text)
	}
	alerts := s.Alerts()
	if len(alerts) != 3 || alerts[0].Identity != "HighLatency" || !alerts[0].Keyed || len(alerts[0].Notes) == 0 || alerts[1].Identity != "b64e6d1f5d7ee2a5" || alerts[1].Keyed {
		t.Errorf("got %+v", alerts)
	}
	const foreign = `{"routing_key":"R1","event_action":"trigger"}`
	status, text := s.Post("/in/alertmanager/own", foreign)
	letters := s.Letters()
	if status != 400 || !strings.Contains(text, `"field":"alerts"`) || !strings.Contains(text, "The mapper does not read it either") || len(letters) != 1 ||
		letters[0].Receiver != "alertmanager/own" || !strings.Contains(string(letters[0].Payload), "event_action") {
		t.Errorf("a payload of another product: got %d %s, letters %+v", status, text, letters)
	}
}

// flaky is a Recorder that fails at first.
type flaky struct {
	Keeper
	fail error
}

func (f *flaky) Record(ctx context.Context, events []Event) error {
	if f.fail != nil {
		return f.fail
	}
	return f.Keeper.Record(ctx, events)
}

func TestEventsAreTakenOnceAndMakeNoAlerts(t *testing.T) {
	recorder := &flaky{fail: errors.Join(receive.ErrUnavailable)}
	s := door.New(t, map[string]receive.Protocol{"POST /in/am-events/{integration}": EventRecorder(recorder)})
	const batch = `[{"@timestamp":"2026-11-24T23:55:00Z","data":{"alertCreated":{"alert":{"fingerprint":"1"}}}},{"data":{"alertmanagerShutdownEvent":{}}}]`
	if status, text := s.Post("/in/am-events/prod", batch); status != 503 {
		t.Errorf("while nothing can be kept: got %d %s, want 503, so that it is sent again", status, text)
	}
	recorder.fail = nil
	for range 2 {
		if status, text := s.Post("/in/am-events/prod", batch); status != 200 {
			t.Errorf("got %d %s", status, text)
		}
	}
	if events := recorder.Events(); len(events) != 2 || events[0].Integration != "prod" || events[0].Kind != "alert_created" {
		t.Errorf("got %+v", events)
	}
	if len(s.Alerts()) != 0 {
		t.Errorf("%d alerts were published", len(s.Alerts()))
	}
}
