package alertmanager

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/receive"
)

// line writes an event as one line: kind, receiver and notifier, alerts with a minus for those that have ended, muted ones, reason.
func line(e *Event) string {
	var alerts []string
	for i := range e.Alerts {
		text := e.Alerts[i].Labels.Get("service") + " " + e.Alerts[i].Fingerprint
		if e.Alerts[i].Resolved {
			text = "-" + text
		}
		alerts = append(alerts, text)
	}
	var muted []string
	for i := range e.Muted {
		muted = append(muted, fmt.Sprint(e.Muted[i].Hash))
	}
	return fmt.Sprintf("%s %s/%s %v %v %q %d %s%s", e.Kind, e.Receiver, e.Notifier, alerts, muted, e.Reason, e.FlushID, e.By, e.Comment)
}

// TestTheRecorderOfAlertmanager reads what Alertmanager 0.34 recorded of three alerts, one inhibited, one silenced, one ended.
func TestTheRecorderOfAlertmanager(t *testing.T) {
	body, err := os.ReadFile("testdata/events-0.34.json")
	if err != nil {
		t.Fatal(err)
	}
	events, err := ParseEvents(body, now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range events {
		if events[i].At.Equal(now) || events[i].Instance != "alertmanager-0" {
			t.Errorf("event %d is %+v", i, events[i])
		}
		got = append(got, line(&events[i]))
	}
	want := []string{
		`alertmanager_startup_event / [] [] "" 0 `,
		`alert_created / [checkout 89d6423029e0ba6f] [] "" 0 `,
		`alert_created / [cart f1a8bdfc5e4a5744] [] "" 0 `,
		`alert_created / [search be44aaa96b99c8a4] [] "" 0 `,
		`alert_grouped fairlead/ [checkout 89d6423029e0ba6f] [] "" 0 `,
		`inhibition_muted_alert / [cart f1a8bdfc5e4a5744] [] "crit" 0 `,
		`notification fairlead/webhook [checkout 89d6423029e0ba6f search be44aaa96b99c8a4] [12551474436285953345] "first_notification" 1 `,
		`silence_created / [] [] "604acf32-1f56-4b57-8cf4-9bf5d6757e97" 0 annplanned`,
		`silence_muted_alert / [search be44aaa96b99c8a4] [] "604acf32-1f56-4b57-8cf4-9bf5d6757e97" 0 annplanned`,
		`notification fairlead/webhook [cart f1a8bdfc5e4a5744 -checkout 89d6423029e0ba6f] [11403111389043263589] "new_alerts_in_group" 5 `,
		`alert_resolved fairlead/ [-checkout 89d6423029e0ba6f] [] "" 0 `,
		`alertmanager_shutdown_event / [] [] "" 0 `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestBothSpellingsOfAnEventAreRead(t *testing.T) {
	for name, body := range map[string]string{
		"camel case":  `{"@timestamp":"2026-11-24T23:55:00Z","data":{"notification":{"groupInfo":{"receiverName":"r","groupKey":"k"},"flushId":"7","reason":"NOTIFY_REASON_REPEAT_INTERVAL_ELAPSED","mutedAlerts":[{"hash":"9"}]}}}`,
		"underscores": `{"@timestamp":"2026-11-24T23:55:00Z","data":{"notification":{"group_info":{"receiver_name":"r","group_key":"k"},"flush_id":7,"reason":"NOTIFY_REASON_REPEAT_INTERVAL_ELAPSED","muted_alerts":[{"hash":9}]}},"cluster_position":1}`,
	} {
		events, err := ParseEvents([]byte(body), now)
		if err != nil || len(events) != 1 || line(&events[0]) != `notification r/ [] [9] "repeat_interval_elapsed" 7 ` || events[0].GroupKey != "k" {
			t.Errorf("%s: got %+v, error %v", name, events, err)
		}
	}
}

func TestAnUnknownKindOfEventIsKeptByName(t *testing.T) {
	events, err := ParseEvents([]byte(`{"data":{"alertTeleported":{"alert":{"fingerprint":"1"},"whither":{"a":1}}}}`), now)
	if err != nil || len(events) != 1 || events[0].Kind != "alert_teleported" || !events[0].At.Equal(now) {
		t.Errorf("got %+v, error %v", events, err)
	}
}

func TestBadEventsNameTheField(t *testing.T) {
	for body, field := range map[string]string{
		`{`:                           "body",
		`"x"`:                         "body",
		`{}`:                          "data",
		`{"alerts":[]}`:               "data",
		`{"data":{"a":{},"b":{}}}`:    "data",
		`{"data":{"notification":5}}`: "body",
		`[{"data":{"a":{}}},{}]`:      "[1].data",
		`{"data":{"alertCreated":{"alert":{"fingerprint":"x"}}}}`: "body",
	} {
		_, err := ParseEvents([]byte(body), now)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %+v, want a problem with field %s", body, err, field)
		}
	}
	if events, err := ParseEvents([]byte(`[]`), now); err != nil || len(events) != 0 {
		t.Errorf("an empty batch: got %v, error %v", events, err)
	}
}

func TestTheKeeperIsBounded(t *testing.T) {
	var k Keeper
	for n := range keptEvents/1000 + 2 {
		events := make([]Event, 1000)
		events[0].Reason = fmt.Sprint(n)
		if err := k.Record(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
	if kept := k.Events(); len(kept) != keptEvents || kept[0].Reason != "2" {
		t.Errorf("got %d events, the first of batch %q", len(kept), kept[0].Reason)
	}
}

func FuzzParseEvents(f *testing.F) {
	body, err := os.ReadFile("testdata/events-0.34.json")
	if err != nil {
		f.Fatal(err)
	}
	for part := range strings.SplitSeq(strings.Trim(string(body), "[]\n"), ",\n") {
		f.Add([]byte(part))
	}
	f.Add([]byte(`[{"data":{"a_b_":{"_":null}}}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := ParseEvents(body, now)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		for i := range events {
			if events[i].At.IsZero() {
				t.Errorf("%s: event %d has no time", body, i)
			}
		}
	})
}
