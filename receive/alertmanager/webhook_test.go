package alertmanager

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// notified is what Alertmanager 0.34 sends for a group of two, one of which has ended.
const notified = `{"receiver":"fairlead","status":"firing","alerts":[
	{"status":"firing","labels":{"alertname":"HighLatency","service":"checkout","severity":"critical"},"annotations":{"summary":"p99 is 3 s"},
	 "startsAt":"2026-11-24T23:50:01.123Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prometheus:9090/graph?g0.expr=x","fingerprint":"b64e6d1f5d7ee2a5"},
	{"status":"resolved","labels":{"alertname":"HighLatency","service":"cart","severity":"critical"},"annotations":{},
	 "startsAt":"2026-11-24T23:40:00Z","endsAt":"2026-11-24T23:55:00Z","generatorURL":"","fingerprint":"0f2a"}],
	"groupLabels":{"alertname":"HighLatency"},"commonLabels":{"alertname":"HighLatency","severity":"critical"},"commonAnnotations":{"runbook_url":"https://runbooks/latency"},
	"externalURL":"http://alertmanager:9093","version":"4","groupKey":"{}:{alertname=\"HighLatency\"}","truncatedAlerts":3,
	"notification_reason":"new alerts in group","routeLabels":{"team":"shop"},"something_new":[1]}`

func TestANotificationBecomesAlerts(t *testing.T) {
	d, err := ParseWebhook([]byte(notified), now)
	if err != nil {
		t.Fatal(err)
	}
	shared := map[string]string{
		"alertmanager_receiver": "fairlead", "alertmanager_group_key": `{}:{alertname="HighLatency"}`, "alertmanager_url": "http://alertmanager:9093",
		"runbook_url": "https://runbooks/latency",
	}
	first := map[string]string{"summary": "p99 is 3 s"}
	maps.Copy(first, shared)
	notes := []string{"The sender left 3 more alerts of its group out (max_alerts)."}
	want := []signal.Alert{
		{
			Identity: "b64e6d1f5d7ee2a5", StartsAt: time.Date(2026, 11, 24, 23, 50, 1, 123e6, time.UTC), GeneratorURL: "http://prometheus:9090/graph?g0.expr=x",
			Labels:      signal.NewLabels(map[string]string{"alertname": "HighLatency", "service": "checkout", "severity": "critical"}),
			Annotations: signal.NewLabels(first), Notes: notes,
		},
		{
			Identity: "0f2a", StartsAt: time.Date(2026, 11, 24, 23, 40, 0, 0, time.UTC), EndsAt: time.Date(2026, 11, 24, 23, 55, 0, 0, time.UTC),
			GeneratorURL: "http://alertmanager:9093",
			Labels:       signal.NewLabels(map[string]string{"alertname": "HighLatency", "service": "cart", "severity": "critical"}),
			Annotations:  signal.NewLabels(shared), Notes: notes,
		},
	}
	if diff := cmp.Diff(want, d.Alerts); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	reply := Notification{
		Receiver: "fairlead", GroupKey: `{}:{alertname="HighLatency"}`, Status: "firing", Reason: "new alerts in group",
		ExternalURL: "http://alertmanager:9093", Truncated: 3,
	}
	if diff := cmp.Diff(reply, d.Reply); diff != "" {
		t.Errorf("notification (-want +got):\n%s", diff)
	}
}

func TestWhatANotificationLeavesOutIsFilledIn(t *testing.T) {
	labels := signal.NewLabels(map[string]string{"alertname": "A"})
	for name, test := range map[string]struct {
		alert string
		want  signal.Alert
	}{
		"nothing but labels":       {`{"labels":{"alertname":"A"}}`, signal.Alert{StartsAt: now}},
		"an empty label":           {`{"labels":{"alertname":"A","b":""}}`, signal.Alert{StartsAt: now}},
		"resolved without an end":  {`{"status":"resolved","labels":{"alertname":"A"}}`, signal.Alert{StartsAt: now, EndsAt: now}},
		"firing with an end ahead": {`{"status":"firing","labels":{"alertname":"A"},"endsAt":"2026-11-25T00:00:00Z"}`, signal.Alert{StartsAt: now}},
		"a beginning that is no time": {`{"labels":{"alertname":"A"},"startsAt":"yesterday"}`, signal.Alert{
			StartsAt: now, Notes: []string{"startsAt is no time; the time of receipt was taken."},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ParseWebhook([]byte(`{"alerts":[`+test.alert+`]}`), now)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Labels, test.want.Identity, test.want.Annotations = labels, labels.Fingerprint().String(), signal.Labels{}
			if diff := cmp.Diff([]signal.Alert{test.want}, d.Alerts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBadNotificationsNameTheField(t *testing.T) {
	for body, field := range map[string]string{
		`{`:                                      "body",
		`[]`:                                     "body",
		`{}`:                                     "alerts",
		`{"alerts":[]}`:                          "alerts",
		`{"alerts":"two"}`:                       "alerts",
		`{"alerts":[{}]}`:                        "alerts[0].labels",
		`{"alerts":[5]}`:                         "alerts[0]",
		`{"alerts":[{"labels":{"a":1}}]}`:        "alerts[0].labels",
		`{"alerts":[{"labels":[]}]}`:             "alerts[0].labels",
		`{"text":"firing: HighLatency, 2 more"}`: "alerts",
		`{"alerts":[{"labels":{"a":"b"},"status":"blue"}]}`: "alerts[0].status",
	} {
		_, err := ParseWebhook([]byte(body), now)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || problem.Status != http.StatusBadRequest || len(problem.Errors) != 1 || problem.Errors[0].Field != field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %v, want a problem with field %s", body, err, field)
		}
	}
}

func TestTheGoodAlertsOfANotificationAreKept(t *testing.T) {
	d, err := ParseWebhook([]byte(`{"receiver":"r","alerts":[{"labels":{"alertname":"A"}},{"labels":{}},{"labels":{"alertname":7}}]}`), now)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Alerts) != 1 || len(d.Rejected) != 2 || d.Rejected[1].Problem.Field != "alerts[2].labels" {
		t.Fatalf("got %+v", d)
	}
	// A rejected piece is a complete body: mended, it is accepted.
	mended := strings.Replace(string(d.Rejected[1].Raw), "7", `"B"`, 1)
	if again, err := ParseWebhook([]byte(mended), now); err != nil || again.Alerts[0].Name() != "B" || again.Alerts[0].Annotations.Get("alertmanager_receiver") != "r" {
		t.Errorf("%s: got %v, error %v", mended, again, err)
	}
}

func FuzzParseWebhook(f *testing.F) {
	f.Add([]byte(notified))
	f.Add([]byte(`{"alerts":[{"labels":{"alertname":"A"},"status":"resolved","endsAt":"0001-01-01T00:00:00Z"}]}`))
	f.Add([]byte(`{"alerts":[null,{"labels":null}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := ParseWebhook(body, now)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		for i := range d.Alerts {
			if a := &d.Alerts[i]; a.Identity == "" || len(a.Labels) == 0 || a.StartsAt.IsZero() {
				t.Errorf("%s: alert %d is %+v", body, i, a)
			}
		}
		for i := range d.Rejected {
			if d.Rejected[i].Problem.Remedy == "" {
				t.Errorf("%s: rejected without a remedy: %+v", body, d.Rejected[i])
			}
		}
	})
}
