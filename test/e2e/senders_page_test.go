package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// sent is one request of a sender, as its documentation shows it.
type sent struct {
	method, path, body string
	headers            []string
	want               int    // the sender's success code
	answer             string // part of the answer
}

// curl sends a request with curl, as a person would, and checks the answer.
func curl(t *testing.T, fairlead string, s sent) {
	t.Helper()
	args := []string{"-sS", "-X", s.method, "http://" + fairlead + s.path, "-w", "\n%{http_code}"}
	for _, h := range s.headers {
		args = append(args, "-H", h)
	}
	if s.body != "" {
		args = append(args, "--data-binary", s.body)
	}
	out, err := run(t, need.Tool(t, "curl"), args...)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out, fmt.Sprintf("\n%d", s.want)) || !strings.Contains(out, s.answer) {
		t.Fatalf("%s %s: got %s, want %d and %q", s.method, s.path, out, s.want, s.answer)
	}
}

// TestPagingSendersByTheirDocumentedExamples sends, for each paging service, cloud and format, what its documentation shows
// to the built binary: the alert becomes an incident, is acknowledged where the sender can, and ends. Every request is sent
// twice: a repeat changes nothing.
func TestPagingSendersByTheirDocumentedExamples(t *testing.T) {
	genie := []string{"Content-Type: application/json", "Authorization: GenieKey eb243592-faa2-4ba2-a551q-1afdf565c889"}
	asJSON := []string{"Content-Type: application/json"}
	alias := "/v2/alerts/Life%20is%20too%20short%20for%20no%20alias"
	event := func(kind, id string) []string {
		return []string{"Content-Type: application/json", "ce-specversion: 1.0", "ce-id: " + id, "ce-source: /monitoring/prod1", "ce-type: com.example.alert." + kind, "ce-subject: db-1"}
	}
	const oncallKey = "/WqkXb3Pn8Ld2sTz7Rm5YcVh4J/"
	const accepted = "Request will be processed"
	for name, test := range map[string]struct {
		trigger, acknowledge, resolve sent
		alert                         string
	}{
		"Opsgenie": {
			trigger: sent{"POST", "/v2/alerts", `{"message":"An example alert message","alias":"Life is too short for no alias","description":"Every alert needs a description",
				"responders":[{"name":"NOC","type":"team"}],"tags":["OverwriteQuietHours","Critical"],"details":{"key1":"value1"},"entity":"An example entity","priority":"P1"}`, genie, 202, accepted},
			acknowledge: sent{"POST", alias + "/acknowledge?identifierType=alias", `{"user":"Monitoring Script","source":"AWS Lambda","note":"Action executed via Alert API"}`, genie, 202, accepted},
			resolve:     sent{"POST", alias + "/close?identifierType=alias", `{"user":"Monitoring Script"}`, genie, 202, accepted},
			alert:       "opsgenie An example alert message",
		},
		"PagerDuty": {
			trigger: sent{"POST", "/v2/enqueue", `{"routing_key":"samplekeyhere","event_action":"trigger","dedup_key":"disk","payload":{"summary":"DISK at 99% on machine prod-datapipe03.example.com",
				"severity":"critical","source":"prod-datapipe03.example.com","class":"disk"}}`, asJSON, 202, `"dedup_key":"disk"`},
			acknowledge: sent{"POST", "/v2/enqueue", `{"routing_key":"samplekeyhere","event_action":"acknowledge","dedup_key":"disk"}`, asJSON, 202, "Event processed"},
			resolve:     sent{"POST", "/v2/enqueue", `{"routing_key":"samplekeyhere","event_action":"resolve","dedup_key":"disk"}`, asJSON, 202, "Event processed"},
			alert:       "pagerduty disk",
		},
		"OnCall, formatted webhook": {
			trigger: sent{"POST", "/integrations/v1/formatted_webhook" + oncallKey, `{"alert_uid":"08d6891a-835c-e661-39fa-96b6a9e26552","title":"The whole system is down","image_url":"https://http.cat/500",
				"state":"alerting","link_to_upstream_details":"https://en.wikipedia.org/wiki/Downtime","message":"Smth happened. Oh no!"}`, asJSON, 200, "Ok."},
			resolve: sent{"POST", "/integrations/v1/formatted_webhook" + oncallKey, `{"alert_uid":"08d6891a-835c-e661-39fa-96b6a9e26552","title":"The whole system is down","state":"ok"}`, asJSON, 200, "Ok."},
			alert:   "oncall The whole system is down",
		},
		"OnCall, Alertmanager": {
			trigger: sent{"POST", "/integrations/v1/alertmanager" + oncallKey, `{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Down","severity":"critical","service":"cart"},"startsAt":"2026-03-04T11:58:00Z"}]}`, asJSON, 200, "Ok."},
			resolve: sent{"POST", "/integrations/v1/alertmanager" + oncallKey, `{"version":"4","status":"resolved","alerts":[{"status":"resolved","labels":{"alertname":"Down","severity":"critical","service":"cart"},"startsAt":"2026-03-04T11:58:00Z"}]}`, asJSON, 200, "Ok."},
			alert:   "oncall Down",
		},
		"OnCall, webhook": {
			trigger:     sent{"POST", "/integrations/v1/webhook" + oncallKey, `{"id":"b-1","title":"Backup failed","severity":"critical","state":"alerting"}`, asJSON, 200, "Ok."},
			acknowledge: sent{"POST", "/integrations/v1/webhook" + oncallKey, `{"id":"b-1","title":"Backup failed","severity":"critical","state":"acknowledged"}`, asJSON, 200, "Ok."},
			resolve:     sent{"POST", "/integrations/v1/webhook" + oncallKey, `{"id":"b-1","title":"Backup failed","severity":"critical","state":"resolved"}`, asJSON, 200, "Ok."},
			alert:       "oncall Backup failed",
		},
		"CloudEvents, binary": {
			trigger:     sent{"POST", "/in/cloudevents/ci", `{"title":"Disk full","severity":"critical"}`, event("triggered", "1"), 202, ""},
			acknowledge: sent{"POST", "/in/cloudevents/ci", `{"title":"Disk full"}`, event("acknowledged", "2"), 202, ""},
			resolve:     sent{"POST", "/in/cloudevents/ci", `{"title":"Disk full"}`, event("resolved", "3"), 202, ""},
			alert:       "ci Disk full",
		},
		"CloudEvents, batch": {
			trigger: sent{"POST", "/in/cloudevents", `[{"specversion":"1.0","id":"4","source":"/s","type":"com.example.alert.triggered","data":{"title":"Disk full","severity":"critical"}}]`, []string{"Content-Type: application/cloudevents-batch+json"}, 202, ""},
			resolve: sent{"POST", "/in/cloudevents", `[{"specversion":"1.0","id":"5","source":"/s","type":"com.example.alert.resolved","data":{"title":"Disk full","severity":"critical"}}]`, []string{"Content-Type: application/cloudevents-batch+json"}, 202, ""},
			alert:   "cloudevents Disk full",
		},
		"heartbeat": {
			trigger: sent{"GET", "/in/heartbeat/backup?interval=1s", "", nil, 200, `"interval":"1s"`},
			resolve: sent{"POST", "/in/heartbeat/backup?interval=1h", "", nil, 200, `"interval":"1h0m0s"`},
			alert:   "heartbeat HeartbeatMissing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fairlead := serve(t, "--config", hurry(t))
			api := "http://" + fairlead + "/api/fairlead/v1"
			state := func(alertState, incidentState string) bool {
				alerts, incidents := list[alert](t, api+"/alerts"), list[incident](t, api+"/incidents")
				return len(alerts) == 1 && alerts[0].Source+" "+alerts[0].Name == test.alert && alerts[0].State == alertState &&
					len(incidents) == 1 && incidents[0].State == incidentState
			}
			wait := func(alertState, incidentState string) {
				t.Helper()
				need.Eventually(t, 60*time.Second, "the alert to be "+alertState+" and its incident "+incidentState, func() bool { return state(alertState, incidentState) })
			}
			curl(t, fairlead, test.trigger)
			curl(t, fairlead, test.trigger)
			wait("firing", "open")
			if test.acknowledge.method != "" {
				curl(t, fairlead, test.acknowledge)
				curl(t, fairlead, test.acknowledge)
				wait("firing", "acknowledged")
			}
			curl(t, fairlead, test.resolve)
			curl(t, fairlead, test.resolve)
			wait("resolved", "resolved")
		})
	}
}

// TestOpsgenieFromAlertmanager runs Debian's Alertmanager with an Opsgenie receiver that points at the built binary.
func TestOpsgenieFromAlertmanager(t *testing.T) {
	tool := need.Tool(t, "prometheus-alertmanager")
	fairlead := serve(t, "--config", hurry(t))
	alertmanager := startAlertmanager(t, tool, fmt.Sprintf(`route: {receiver: fairlead, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
- name: fairlead
  opsgenie_configs: [{api_key: "eb243592-faa2-4ba2-a551q-1afdf565c889", api_url: "http://%s/", update_alerts: true, priority: P1, tags: "ops, eu", responders: [{type: team, name: NOC}]}]
`, fairlead))
	send := func(more string) {
		t.Helper()
		body := `[{"labels":{"alertname":"HighLatency","service":"checkout"},"annotations":{"summary":"slow"}` + more + `}]`
		if status := post(t, "http://"+alertmanager+"/api/v2/alerts", body); status != http.StatusOK {
			t.Fatalf("Alertmanager answered %d", status)
		}
	}
	one := func(state string) {
		t.Helper()
		need.Eventually(t, 60*time.Second, "the alert to be "+state, func() bool {
			alerts := list[alert](t, "http://"+fairlead+"/api/fairlead/v1/alerts")
			return len(alerts) == 1 && alerts[0].State == state
		})
	}
	send("")
	one("firing")
	a := list[alert](t, "http://"+fairlead+"/api/fairlead/v1/alerts")[0]
	if a.Name != "HighLatency" || a.Source != "opsgenie" || a.Labels["service"] != "checkout" || a.Labels["severity"] != "critical" || a.Annotations["responders"] != "team NOC" {
		t.Errorf("the alert is %+v", a)
	}
	send(`,"endsAt":"` + time.Now().UTC().Format(time.RFC3339) + `"`)
	one("resolved")
	if door := lookAt(t, fairlead, "opsgenie"); door.Refused != 0 {
		t.Errorf("the integration is %+v", door)
	}
}

// TestWhatPagingSendersAreRefused sends what must not get in: wrong keys, a made-up signature, addresses elsewhere.
func TestWhatPagingSendersAreRefused(t *testing.T) {
	fairlead := serve(t)
	good := sent{"POST", "/v2/alerts", `{"message":"m"}`, []string{"Authorization: GenieKey good"}, 202, ""}
	curl(t, fairlead, good)
	for _, s := range []sent{
		{"POST", "/v2/alerts", `{"message":"m"}`, []string{"Authorization: GenieKey wrong"}, 401, "Could not authenticate"},
		{"POST", "/v2/alerts", `{"message":""}`, []string{"Authorization: GenieKey good"}, 422, `"errors":{"message":`},
		{"POST", "/v2/alerts", `{`, []string{"Authorization: GenieKey good"}, 400, `"requestId"`},
		{"GET", "/v2/alerts/unknown?identifierType=alias", "", []string{"Authorization: GenieKey good"}, 404, "Alert does not exist"},
		{"POST", "/in/cloudevents/ci", "a=b", nil, 415, "Content-Type"},
		{"GET", "/in/heartbeat/x?interval=soon", "", nil, 400, "query.interval"},
		{"POST", "/in/sns/aws", `{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:eu-central-1:1:x","Message":"x","Timestamp":"` + time.Now().UTC().Format(time.RFC3339) + `",
			"SignatureVersion":"1","Signature":"eA==","SigningCertURL":"https://sns.evil.example/x.pem"}`, nil, 403, "SigningCertURL"},
		{"POST", "/in/sns/aws", `{"Type":"SubscriptionConfirmation","MessageId":"1","TopicArn":"arn:aws:sns:eu-central-1:1:x","Message":"x","Token":"t","SubscribeURL":"http://127.0.0.1:1/",
			"SigningCertURL":"https://sns.eu-central-1.amazonaws.com/x.pem"}`, nil, 403, "SubscribeURL"},
	} {
		curl(t, fairlead, s)
	}
	curl(t, fairlead, sent{"POST", "/integrations/v1/formatted_webhook/first-key/", `{"title":"t"}`, nil, 200, ""})
	curl(t, fairlead, sent{"POST", "/integrations/v1/formatted_webhook/" + url.PathEscape("another key") + "/", `{"title":"t"}`, nil, 403, "Permission denied"})
}
