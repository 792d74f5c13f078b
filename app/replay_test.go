package app

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/receive"
)

// lettered is a request, or a dead letter, of one protocol.
type lettered struct {
	method, path, body string
	headers            []string
	// letter puts body away as a dead letter of its own: the protocol takes only what somebody else has signed.
	letter bool
	// integration is where it arrives.
	integration string
	// why is part of the reason, both times.
	why string
	// mapper, given to the integration between the two, makes it good.
	mapper *integration.Mapper
}

// own is a payload of nobody's format, and reads the mapper for it.
const own = `{"what":"Disk full","key":"k-1"}`

var (
	reads = &integration.Mapper{Name: "body.what", Identity: "body.key"}
	deep  = &integration.Mapper{Name: "body.deep.what", Identity: `"k"`}
)

// lettersOf has an entry for each protocol, by its name.
var lettersOf = map[string]lettered{
	"prometheus":             {path: "/in/prometheus/eu-1/api/v2/alerts", integration: "eu-1", body: `[{"labels":{}}]`, why: "an alert needs at least one label"},
	"pagerduty":              {path: "/v2/enqueue", integration: "pagerduty", body: `{"routing_key":"R-123456789012","event_action":"explode"}`, why: "event_action: send trigger"},
	"pagerduty-create-event": {path: "/generic/2010-04-15/create_event.json", integration: "pagerduty", body: `{"service_key":"R-123456789012","event_type":"trigger"}`, why: "description: it is missing"},
	"alertmanager":           {path: "/in/alertmanager/am", integration: "am", body: own, why: "alerts: it is missing", mapper: reads},
	"am-events":              {path: "/in/am-events/am-e", integration: "am-e", body: `[{"data":5}]`, why: "data"},
	"am-told":                {path: "/in/am-told/am-t", integration: "am-t", body: own, why: "alerts: it is missing"},
	"grafana":                {method: http.MethodPut, path: "/in/grafana/graf", integration: "graf", body: own, why: "alerts: it is missing", mapper: reads},
	"datadog":                {path: "/in/datadog/dog?token=secret-key-1234", integration: "dog", body: own, why: "missing", mapper: reads},
	"zabbix":                 {path: "/in/zabbix/zab", integration: "zab", body: own, why: "event_id: it is missing", mapper: reads},
	"nagios":                 {path: "/in/nagios/nag", integration: "nag", body: "HOSTNAME=web-1&HOSTSTATE=ODD", headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, why: "HOSTSTATE: send"},
	"k8s-events":             {path: "/in/k8s-events/k8s?cluster=eu-1", integration: "k8s", body: own, why: "", mapper: reads},
	"json":                   {path: "/in/json/any", integration: "any", body: `{"deep":{"what":"Disk full"}}`, headers: []string{"X-Event", "down"}, why: "name", mapper: &integration.Mapper{Name: "body.deep.what", Identity: `header("X-Event")`}},
	"opsgenie":               {path: "/v2/alerts", integration: "opsgenie", headers: genie, body: `{"message":""}`, why: "message: it is missing"},
	"opsgenie-act":           {method: http.MethodPut, path: "/v2/alerts/disk%2F7/priority?identifierType=alias&apiKey=secret-key-1234", integration: "opsgenie", headers: genie, body: `{"priority":"P9"}`, why: "priority: send P1"},
	"opsgenie-heartbeat":     {method: http.MethodPatch, path: "/v2/heartbeats/night", integration: "opsgenie", headers: genie, body: `{"interval":-1}`, why: "interval: send"},
	"oncall-alertmanager":    {path: "/integrations/v1/alertmanager/oncall-key-1234/", integration: "oncall", body: own, why: "alerts: it is missing", mapper: reads},
	"oncall-grafana":         {path: "/integrations/v1/grafana_alerting/oncall-key-1234/", integration: "oncall", body: own, why: "alerts: it is missing", mapper: reads},
	"oncall-formatted":       {path: "/integrations/v1/formatted_webhook/oncall-key-1234/", integration: "oncall", body: own, why: "title: title and message are missing", mapper: reads},
	"oncall-zabbix":          {path: "/integrations/v1/zabbix/oncall-key-1234/", integration: "oncall", body: own, why: "title: title and message are missing", mapper: reads},
	"oncall-webhook":         {path: "/integrations/v1/elastalert/oncall-key-1234/", integration: "oncall", body: `[]`, why: ""},
	"oncall-heartbeat":       {path: "/integrations/v1/webhook/oncall-key-1234/heartbeat/?interval=soon", integration: "oncall", why: "query.interval: send a duration"},
	"oncall-sns":             {letter: true, integration: "oncall", body: delivery, why: "Message", mapper: deep},
	"sns":                    {letter: true, integration: "aws", body: delivery, why: "Message", mapper: deep},
	"cloudevents":            {path: "/in/cloudevents/ce", integration: "ce", body: own, headers: []string{"Content-Type", "application/json", "Ce-Id", "1", "Ce-Source", "/x", "Ce-Type", "down", "Ce-Specversion", ""}, why: ""},
	"heartbeat":              {method: http.MethodGet, path: "/in/heartbeat/backup?interval=soon", integration: "backup", why: "query.interval: send a duration"},
}

var genie = []string{"Authorization", "GenieKey genie-key-1234"}

// delivery is one of SNS whose signature was good and whose message nobody understands.
const delivery = `{"Type":"Notification","MessageId":"m-1","TopicArn":"arn:aws:sns:eu-central-1:1:x","Message":"{\"deep\":{\"what\":\"Disk full\"}}"}`

// noLetters are the protocols that keep none, with the reason.
var noLetters = map[string]string{"opsgenie-read": "a question changes nothing, so its refusal loses nothing"}

func TestEveryDeadLetterIsOfferedAgain(t *testing.T) {
	names := []string{"prometheus"}
	kinds := map[string]string{"prometheus": "prometheus"}
	for _, h := range hooks(nil, pagers{}) {
		name := cmp.Or(h.protocol.Name, h.protocol.Kind)
		if kinds[name] == "" {
			names = append(names, name)
		}
		kinds[name] = h.protocol.Kind
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			l, known := lettersOf[name]
			if !known {
				if noLetters[name] == "" {
					t.Fatal("this protocol has no entry in lettersOf: how is its dead letter offered again?")
				}
				return
			}
			r := start(t, testConfig(t), Options{})
			defer r.stop()
			if l.letter {
				if status, body := r.request(http.MethodPost, "/api/fairlead/v1/integrations", `{"name":"`+l.integration+`","kind":"`+kinds[name]+`"}`); status != http.StatusOK {
					t.Fatalf("make the integration: %d %s", status, body)
				}
				letter := receive.DeadLetter{Receiver: name + "/" + l.integration, Reason: "Message: it is not understood.", Payload: []byte(l.body)}
				if err := r.keepDeadLetter(t.Context(), time.Now(), letter); err != nil {
					t.Fatal(err)
				}
			} else if status, body := r.request(cmp.Or(l.method, http.MethodPost), l.path, l.body, l.headers...); status/100 != 4 {
				t.Fatalf("got %d %s, want it refused", status, body)
			}
			var page struct {
				Items []struct{ ID, Receiver, Reason, Payload string }
			}
			r.get("/api/fairlead/v1/dead-letters", &page)
			if len(page.Items) != 1 || page.Items[0].Receiver != name+"/"+l.integration || !strings.Contains(page.Items[0].Reason, l.why) {
				t.Fatalf("the letters are %+v, want one with %q", page.Items, l.why)
			}
			if strings.Contains(page.Items[0].Payload, "key-1234") {
				t.Errorf("the letter holds the key: %s", page.Items[0].Payload)
			}
			again := func() (result, reason string) {
				t.Helper()
				var outcome struct{ Result, Reason string }
				status, body := r.request(http.MethodPost, "/api/fairlead/v1/dead-letters/"+page.Items[0].ID+"/replay", "{}")
				if err := json.Unmarshal([]byte(body), &outcome); status != http.StatusOK || err != nil {
					t.Fatalf("offered again: %d %s", status, body)
				}
				return outcome.Result, outcome.Reason
			}
			if result, reason := again(); result != "refused" || !strings.Contains(reason, l.why) || strings.Contains(reason, "offered again") {
				t.Errorf("offered again it is %s: %s; want it refused by its own protocol with %q", result, reason, l.why)
			}
			if r.get("/api/fairlead/v1/dead-letters", &page); len(page.Items) != 1 {
				t.Errorf("offering it again made %d letters of one", len(page.Items))
			}
			if l.mapper != nil {
				edit, err := json.Marshal(map[string]any{"mapper": l.mapper})
				if err != nil {
					t.Fatal(err)
				}
				if status, body := r.request(http.MethodPut, "/api/fairlead/v1/integrations/"+l.integration, string(edit)); status != http.StatusOK {
					t.Fatalf("write a mapper: %d %s", status, body)
				}
				if result, reason := again(); result != "accepted" {
					t.Errorf("with a mapper it is %s: %s", result, reason)
				}
				r.until("the alert is there", func() bool { return strings.Contains(strings.Join(r.alerts(), ","), "Disk full") })
			}
			r.deleteIntegration(l.integration)
			if result, reason := again(); result != "refused" || !strings.Contains(reason, "There is no integration "+l.integration+" any more") {
				t.Errorf("without its integration it is %s: %s", result, reason)
			}
		})
	}
}

func TestADeadLetterAsksForNothingElse(t *testing.T) {
	r := start(t, testConfig(t), Options{})
	defer r.stop()
	if status, body := r.request(http.MethodPost, "/api/fairlead/v1/integrations", `{"name":"any","kind":"json"}`); status != http.StatusOK {
		t.Fatalf("make the integration: %d %s", status, body)
	}
	for payload, why := range map[string]string{
		"DELETE /api/fairlead/v1/integrations/any HTTP/1.1\n\n":         "not one of json",
		"POST /-/reload HTTP/1.1\n\n":                                   "not one of json",
		"POST /v2/alerts HTTP/1.1\n\n{\"message\":\"m\"}":               "not one of json",
		"POST /in/json/../../-/reload HTTP/1.1\n\n":                     "not one of json",
		"POST http://evil.example/in/json/any HTTP/1.1\n\n":             "",
		"POST /in/json/any HTTP/1.1\nno header\n\n":                     "head cannot be read",
		"POST //evil.example/in/json/any HTTP/1.1\n\n{\"title\":\"x\"}": "not one of json",
	} {
		letter := receive.DeadLetter{Receiver: "json/any", Reason: "x", Payload: []byte(payload)}
		if err := r.keepDeadLetter(t.Context(), time.Now(), letter); err != nil {
			t.Fatal(err)
		}
		var page struct{ Items []struct{ ID string } }
		r.get("/api/fairlead/v1/dead-letters?limit=1", &page)
		status, body := r.request(http.MethodPost, "/api/fairlead/v1/dead-letters/"+page.Items[0].ID+"/replay", "{}")
		if status != http.StatusOK || !strings.Contains(body, `"refused"`) || !strings.Contains(body, why) {
			t.Errorf("%q: got %d %s, want it refused with %q", payload, status, body, why)
		}
	}
	// A sender that writes such a head itself gets it back as what it is: a body.
	if status, _ := r.request(http.MethodPost, "/in/json/other", "DELETE /in/json/any HTTP/1.1\n\n"); status != http.StatusBadRequest {
		t.Errorf("got %d", status)
	}
	var page struct{ Items []struct{ Payload string } }
	r.get("/api/fairlead/v1/dead-letters?limit=1", &page)
	if want := "POST /in/json/other HTTP/1.1\nContent-Type: application/json\n\nDELETE /in/json/any HTTP/1.1\n\n"; page.Items[0].Payload != want {
		t.Errorf("the letter is %q, want %q", page.Items[0].Payload, want)
	}
	for receiver, why := range map[string]string{
		"fax/any": "Nothing is received through fax/any any more", "zabbix/any": "now of kind json", "opsgenie-act/any": "now of kind json",
	} {
		letter := receive.DeadLetter{Receiver: receiver, Reason: "x", Payload: []byte(`{}`)}
		if err := r.keepDeadLetter(t.Context(), time.Now(), letter); err != nil {
			t.Fatal(err)
		}
		var page struct{ Items []struct{ ID string } }
		r.get("/api/fairlead/v1/dead-letters?limit=1", &page)
		if _, body := r.request(http.MethodPost, "/api/fairlead/v1/dead-letters/"+page.Items[0].ID+"/replay", "{}"); !strings.Contains(body, why) {
			t.Errorf("%s: got %s, want %q", receiver, body, why)
		}
	}
}
