package grafana

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/door"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// documented follows the example in Grafana's documentation of the webhook notifier.
const documented = `{
	"receiver":"My Super Webhook","status":"firing","orgId":1,
	"alerts":[
		{"status":"firing","labels":{"alertname":"High memory usage","team":"blue","zone":"us-1"},
		 "annotations":{"description":"The system has high memory usage","runbook_url":"https://myrunbook.com/runbook/1234","summary":"This alert was triggered for zone us-1"},
		 "startsAt":"2021-10-12T09:51:03.157076+02:00","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://play.grafana.org/alerting/1afz29v7z/edit",
		 "fingerprint":"c6eadffa33fcdf37","silenceURL":"https://play.grafana.org/alerting/silence/new?alertmanager=grafana&matchers=alertname%3DT2",
		 "dashboardURL":"","panelURL":"","values":{"B":44.23943737541908,"C":1}},
		{"status":"resolved","labels":{"alertname":"High CPU usage","team":"blue","zone":"eu-1"},
		 "annotations":{"summary":"This alert was triggered for zone eu-1"},
		 "startsAt":"2021-10-12T09:56:03.157076+02:00","endsAt":"2021-10-12T10:01:03+02:00","generatorURL":"","fingerprint":"bc97ff14869b13e3",
		 "dashboardURL":"https://play.grafana.org/d/abc","panelURL":"https://play.grafana.org/d/abc?viewPanel=2","imageURL":"https://play/img.png","orgId":3,
		 "values":null,"valueString":"[ var='B' labels={} value=44.2 ]"}],
	"groupLabels":{},"commonLabels":{"team":"blue"},"commonAnnotations":{},"externalURL":"https://play.grafana.org/","version":"1","groupKey":"{}:{}",
	"truncatedAlerts":0,"title":"[FIRING:2]  (blue)","state":"alerting","message":"**Firing**"}`

func TestAContactPointsNotification(t *testing.T) {
	d, err := Parse([]byte(documented), noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []signal.Alert{
		{
			Identity: "c6eadffa33fcdf37", StartsAt: time.Date(2021, 10, 12, 7, 51, 3, 157076e3, time.UTC), GeneratorURL: "https://play.grafana.org/alerting/1afz29v7z/edit",
			Labels: signal.NewLabels(map[string]string{"alertname": "High memory usage", "team": "blue", "zone": "us-1"}),
			Annotations: signal.NewLabels(map[string]string{
				"description": "The system has high memory usage", "runbook_url": "https://myrunbook.com/runbook/1234", "summary": "This alert was triggered for zone us-1",
				"alertmanager_receiver": "My Super Webhook", "alertmanager_group_key": "{}:{}", "alertmanager_url": "https://play.grafana.org/",
				"silence_url": "https://play.grafana.org/alerting/silence/new?alertmanager=grafana&matchers=alertname%3DT2", "value_B": "44.23943737541908", "value_C": "1",
			}),
		},
		{
			Identity: "bc97ff14869b13e3", StartsAt: time.Date(2021, 10, 12, 7, 56, 3, 157076e3, time.UTC), EndsAt: time.Date(2021, 10, 12, 8, 1, 3, 0, time.UTC),
			GeneratorURL: "https://play.grafana.org/",
			Labels:       signal.NewLabels(map[string]string{"alertname": "High CPU usage", "team": "blue", "zone": "eu-1"}),
			Annotations: signal.NewLabels(map[string]string{
				"summary": "This alert was triggered for zone eu-1", "alertmanager_receiver": "My Super Webhook", "alertmanager_group_key": "{}:{}",
				"alertmanager_url": "https://play.grafana.org/", "dashboard_url": "https://play.grafana.org/d/abc", "panel_url": "https://play.grafana.org/d/abc?viewPanel=2",
				"image_url": "https://play/img.png", "value_string": "[ var='B' labels={} value=44.2 ]", "grafana_org": "3",
			}),
		},
	}
	if diff := cmp.Diff(want, d.Alerts); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

func TestBadNotificationsNameTheField(t *testing.T) {
	for body, field := range map[string]string{
		`{"title":"x","message":"y"}`:                       "alerts",
		`{"alerts":[{"labels":{"a":"b"},"values":"x"}]}`:    "alerts[0].values",
		`{"alerts":[{"labels":{"a":"b"},"panelURL":true}]}`: "alerts[0].panelURL",
	} {
		_, err := Parse([]byte(body), noon)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %v, want a problem with field %s", body, err, field)
		}
	}
}

func TestWhatGrafanaSigns(t *testing.T) {
	mac := func(message string) string {
		sum := hmac.New(sha256.New, []byte("key"))
		sum.Write([]byte(message))
		return hex.EncodeToString(sum.Sum(nil))
	}
	r := &receive.Request{Request: httptest.NewRequestWithContext(t.Context(), "POST", "/in/grafana/x", strings.NewReader("")), Body: []byte("{}")}
	if s := signature(r); s != nil {
		t.Errorf("no header: got %+v", s)
	}
	r.Header.Set(signatureHeader, mac("{}"))
	if s := signature(r); s == nil || mac(string(s.Message)) != s.MAC || s.SignedAt != "" {
		t.Errorf("the body alone: got %+v", s)
	}
	r.Header.Set(timestampHeader, "1772625600")
	r.Header.Set(signatureHeader, mac("1772625600:{}"))
	if s := signature(r); s == nil || mac(string(s.Message)) != s.MAC || s.SignedAt != "1772625600" {
		t.Errorf("with a time: got %+v", s)
	}
}

func TestASignedNotificationIsChecked(t *testing.T) {
	s := door.New(t, map[string]receive.Protocol{"POST /in/grafana/{integration}": Webhook()})
	if _, err := s.Doors.Create(t.Context(), &integration.Integration{Name: "prod", Kind: Kind}, "ann", ""); err != nil {
		t.Fatal(err)
	}
	secret, _, err := s.Doors.Rotate(t.Context(), "prod", 0, "ann")
	if err != nil {
		t.Fatal(err)
	}
	mac := func(message string) string {
		sum := hmac.New(sha256.New, []byte(receive.SigningKey(secret)))
		sum.Write([]byte(message))
		return hex.EncodeToString(sum.Sum(nil))
	}
	seconds, old := strconv.FormatInt(time.Now().Unix(), 10), strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)
	for name, test := range map[string]struct {
		headers []string
		want    int
	}{
		"nothing":              {nil, 401},
		"the key":              {[]string{"Authorization", "Bearer " + secret}, 200},
		"basic authorization":  {[]string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("fairlead:"+secret))}, 200},
		"the body signed":      {[]string{signatureHeader, mac(documented)}, 200},
		"another body signed":  {[]string{signatureHeader, mac("{}")}, 401},
		"time and body signed": {[]string{signatureHeader, mac(seconds + ":" + documented), timestampHeader, seconds}, 200},
		"another time":         {[]string{signatureHeader, mac(seconds + ":" + documented), timestampHeader, "1"}, 401},
		"an old time":          {[]string{signatureHeader, mac(old + ":" + documented), timestampHeader, old}, 401},
		"no time":              {[]string{signatureHeader, mac("noon:" + documented), timestampHeader, "noon"}, 401},
	} {
		if status, text := s.Post("/in/grafana/prod", documented, test.headers...); status != test.want {
			t.Errorf("%s: got %d %s, want %d", name, status, text, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(documented))
	f.Add([]byte(`{"alerts":[{"labels":{"a":"b"},"values":{"B":null,"C":[1]},"orgId":"x"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body, noon)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		for i := range d.Alerts {
			if d.Alerts[i].Identity == "" || len(d.Alerts[i].Labels) == 0 {
				t.Errorf("%s: alert %d is %+v", body, i, d.Alerts[i])
			}
		}
	})
}
