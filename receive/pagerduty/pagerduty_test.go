package pagerduty

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// documented is the example of PagerDuty's documentation, with a key.
const documented = `{"payload":{"summary":"DISK at 99% on machine prod-datapipe03.example.com","timestamp":"2015-07-17T08:42:58.315+0000",
	"severity":"critical","source":"prod-datapipe03.example.com","component":"mysql","group":"prod-datapipe","class":"disk",
	"custom_details":{"free space":"1%","ping time":"1500ms","load avg":0.75}},
	"routing_key":"samplekeyhere","dedup_key":"samplekeyhere","images":[{"src":"https://x/y.png"}],
	"links":[{"href":"https://example.com/","text":"Link text"}],"event_action":"trigger","client":"Sample Monitoring Service","client_url":"https://monitoring.example.com"}`

func TestEventsBecomeAlerts(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want signal.Alert
	}{
		"trigger": {documented, signal.Alert{
			Identity: "samplekeyhere", Keyed: true, StartsAt: time.Date(2015, 7, 17, 8, 42, 58, 315e6, time.UTC), GeneratorURL: "https://monitoring.example.com",
			Labels: signal.NewLabels(map[string]string{
				"alertname": "disk", "class": "disk", "component": "mysql", "service": "mysql", "group": "prod-datapipe",
				"host": "prod-datapipe03.example.com", "severity": "critical",
			}),
			Annotations: signal.NewLabels(map[string]string{
				"summary": "DISK at 99% on machine prod-datapipe03.example.com", "client": "Sample Monitoring Service", "free space": "1%",
				"ping time": "1500ms", "load avg": "0.75", "link_Link text": "https://example.com/",
			}),
		}},
		"acknowledge": {`{"routing_key":"k","event_action":"acknowledge","dedup_key":"a/b"}`, signal.Alert{Act: signal.Acknowledge, Identity: "a/b", Keyed: true}},
		"resolve":     {`{"routing_key":"k","event_action":"resolve","dedup_key":"a/b"}`, signal.Alert{Act: signal.End, Identity: "a/b", Keyed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(test.body), noon)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]signal.Alert{test.want}, d.Alerts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestATriggerWithoutKeyRepeatsAsItself(t *testing.T) {
	body := []byte(`{"event_action":"trigger","payload":{"summary":"x","source":"y","severity":"info"}}`)
	first, err1 := Parse(body, noon)
	second, err2 := Parse(body, noon.Add(time.Minute))
	if err1 != nil || err2 != nil || first.Alerts[0].Identity == "" || first.Alerts[0].Identity != second.Alerts[0].Identity {
		t.Errorf("got %v and %v, errors %v and %v", first, second, err1, err2)
	}
}

func TestBadEventsNameTheField(t *testing.T) {
	for body, field := range map[string]string{
		`{`:                          "body",
		`[]`:                         "body",
		`{"event_action":"explode"}`: "event_action",
		`{"event_action":5}`:         "event_action",
		`{"event_action":"resolve"}`: "dedup_key",
		`{"event_action":"resolve","dedup_key":"` + strings.Repeat("x", 256) + `"}`: "dedup_key",
		`{"event_action":"trigger"}`: "payload",
		`{"event_action":"trigger","payload":{"source":"y","severity":"info"}}`:          "payload.summary",
		`{"event_action":"trigger","payload":{"summary":"x","severity":"info"}}`:         "payload.source",
		`{"event_action":"trigger","payload":{"summary":"x","source":"y"}}`:              "payload.severity",
		`{"event_action":"trigger","payload":{"summary":7,"source":"y","severity":"x"}}`: "payload.summary",
	} {
		_, err := Parse([]byte(body), noon)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %v, want a problem with field %s", body, err, field)
		}
	}
}

func TestTheOlderAPI(t *testing.T) {
	d, err := ParseLegacy([]byte(`{"service_key":"e93","event_type":"trigger","incident_key":"srv01/HTTP","description":"FAILURE for production/HTTP on machine srv01.acme.com","client":"Sample","client_url":"https://m","details":{"host":"srv01","load avg":0.75}}`), noon)
	if err != nil {
		t.Fatal(err)
	}
	if a := &d.Alerts[0]; a.Identity != "srv01/HTTP" || a.Labels.Get("host") != "srv01" || a.Severity() != signal.Critical {
		t.Errorf("got %+v", a)
	}
	if d, err := ParseLegacy([]byte(`{"event_type":"resolve","incident_key":"srv01/HTTP"}`), noon); err != nil || d.Alerts[0].Act != signal.End {
		t.Errorf("got %+v, error %v", d, err)
	}
	if _, err := ParseLegacy([]byte(`{"event_type":"trigger"}`), noon); err == nil {
		t.Error("a trigger without description was accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(documented))
	f.Add([]byte(`{"event_action":"resolve","dedup_key":"a"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, parse := range []func([]byte, time.Time) (*receive.Delivery, error){Parse, ParseLegacy} {
			d, err := parse(body, noon)
			if err != nil {
				if _, ok := errors.AsType[*receive.Problem](err); !ok {
					t.Errorf("%s: %v is no problem", body, err)
				}
				continue
			}
			for i := range d.Alerts {
				if d.Alerts[i].Identity == "" {
					t.Errorf("%s: alert without identity", body)
				}
			}
		}
	})
}
