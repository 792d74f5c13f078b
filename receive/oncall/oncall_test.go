package oncall

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/cloudwatch"
	"github.com/fairlead/fairlead/receive/heartbeat"
	"github.com/fairlead/fairlead/test/door"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// documented is the example of OnCall's documentation.
const documented = `{"alert_uid":"08d6891a-835c-e661-39fa-96b6a9e26552","title":"The whole system is down","image_url":"https://http.cat/500",
	"state":"alerting","link_to_upstream_details":"https://en.wikipedia.org/wiki/Downtime","message":"Smth happened. Oh no!"}`

// group is what Alertmanager sends to OnCall.
const group = `{"version":"4","groupKey":"{}:{alertname=\"Disk\"}","status":"firing","receiver":"oncall","externalURL":"http://am:9093",
	"alerts":[{"status":"firing","labels":{"alertname":"Disk","instance":"db-1"},"annotations":{"summary":"full"},"startsAt":"2026-03-04T11:58:00Z","endsAt":"0001-01-01T00:00:00Z","fingerprint":"f1"},
	{"status":"resolved","labels":{"alertname":"Disk","instance":"db-2"},"startsAt":"2026-03-04T11:00:00Z","endsAt":"2026-03-04T11:59:00Z","fingerprint":"f2"}]}`

func TestFormattedAlerts(t *testing.T) {
	fires := func(identity, name, summary string) signal.Alert {
		return signal.Alert{
			Identity: identity, Keyed: true, StartsAt: noon, Labels: signal.NewLabels(map[string]string{"alertname": name, "severity": "critical"}),
			Annotations: signal.NewLabels(map[string]string{"summary": summary}),
		}
	}
	ends := func(identity, text string) signal.Alert {
		return signal.Alert{Act: signal.End, Identity: identity, Keyed: true, StartsAt: noon, EndsAt: noon, Text: text}
	}
	for name, test := range map[string]struct {
		body   string
		zabbix bool
		want   signal.Alert
	}{
		"the example": {documented, false, signal.Alert{
			Identity: "08d6891a-835c-e661-39fa-96b6a9e26552", Keyed: true, StartsAt: noon, GeneratorURL: "https://en.wikipedia.org/wiki/Downtime",
			Labels:      signal.NewLabels(map[string]string{"alertname": "The whole system is down", "severity": "critical"}),
			Annotations: signal.NewLabels(map[string]string{"summary": "The whole system is down", "description": "Smth happened. Oh no!", "image": "https://http.cat/500"}),
		}},
		"its end":                  {`{"alert_uid":"08d6891a-835c-e661-39fa-96b6a9e26552","state":"ok","title":"fine","message":"again"}`, false, ends("08d6891a-835c-e661-39fa-96b6a9e26552", "again")},
		"without key":              {`{"title":"disk"}`, false, fires("disk", "disk", "disk")},
		"its end without key":      {`{"title":"disk","state":"OK"}`, false, ends("disk", "")},
		"a number as key":          {`{"alert_uid":17,"title":"disk","state":"paused"}`, false, fires("17", "disk", "disk")},
		"only a message":           {`{"message":"disk\nis full"}`, false, signal.Alert{Identity: "disk", Keyed: true, StartsAt: noon, Labels: signal.NewLabels(map[string]string{"alertname": "disk", "severity": "critical"}), Annotations: signal.NewLabels(map[string]string{"summary": "disk", "description": "disk\nis full"})}},
		"Zabbix":                   {`{"title":"Problem: disk full on db","state":"alerting"}`, true, fires("disk full on db", "disk full on db", "Problem: disk full on db")},
		"Zabbix's end":             {`{"title":"Resolved in 5m 3s: disk full on db","state":"ok"}`, true, ends("disk full on db", "")},
		"fields of the user's own": {`{"title":"disk","host":"db-1","severity":"Warning","runbook":"http://x"}`, false, signal.Alert{Identity: "disk", Keyed: true, StartsAt: noon, Labels: signal.NewLabels(map[string]string{"alertname": "disk", "severity": "warning", "host": "db-1"}), Annotations: signal.NewLabels(map[string]string{"summary": "disk", "runbook": "http://x"})}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ParseFormatted([]byte(test.body), noon, test.zabbix)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]signal.Alert{test.want}, d.Alerts); diff != "" {
				t.Error(diff)
			}
		})
	}
	for body, field := range map[string]string{`{`: "body", `[]`: "body", `null`: "title", `{}`: "title", `{"title":" "}`: "title", `{"title":5}`: "title"} {
		_, err := ParseFormatted([]byte(body), noon, false)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != field {
			t.Errorf("%s: got %v, want a problem with field %s", body, err, field)
		}
	}
}

type nothing struct{}

func (nothing) Load(context.Context) ([]heartbeat.Beat, time.Time, error) {
	return nil, time.Time{}, nil
}
func (nothing) Save(context.Context, heartbeat.Beat) error   { return nil }
func (nothing) Delete(context.Context, heartbeat.Beat) error { return nil }
func (nothing) Alive(context.Context, time.Time) error       { return nil }

const key = "WqkXb3Pn8Ld2sTz7Rm5YcVh4J"

func serve(t *testing.T) (*door.Door, *heartbeat.Board) {
	t.Helper()
	board, err := heartbeat.NewBoard(t.Context(), heartbeat.Config{
		Rows: nothing{}, Clock: clock.Wall{}, Logger: slog.New(slog.DiscardHandler),
		Publish: func(context.Context, time.Time, []signal.Alert) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	verifier := cloudwatch.NewVerifier(cloudwatch.Config{Fetch: func(context.Context, string) ([]byte, error) {
		t.Error("something was fetched")
		return nil, errors.New("none")
	}})
	return door.New(t, map[string]receive.Protocol{
		"POST /integrations/v1/alertmanager/{key}/{$}": Alertmanager(), "POST /integrations/v1/grafana_alerting/{key}/{$}": Grafana(),
		"POST /integrations/v1/formatted_webhook/{key}/{$}": Formatted(), "POST /integrations/v1/zabbix/{key}/{$}": Zabbix(),
		"POST /integrations/v1/amazon_sns/{key}/{$}": SNS(verifier), "POST /integrations/v1/{type}/{key}/{$}": Webhook(),
		"POST /integrations/v1/{type}/{key}/heartbeat/{$}": Heartbeat(board), "GET /integrations/v1/{type}/{key}/heartbeat/{$}": Heartbeat(board),
	}), board
}

func TestEachTypeAtItsAddress(t *testing.T) {
	d, board := serve(t)
	for _, test := range []struct {
		kind, body string
		identities string
	}{
		{"formatted_webhook", documented, "08d6891a-835c-e661-39fa-96b6a9e26552"},
		{"zabbix", `{"title":"Problem: disk"}`, "disk"},
		{"alertmanager", group, "f1 f2"},
		{"grafana_alerting", strings.Replace(group, `"version":"4"`, `"version":"1","orgId":1,"title":"t","state":"alerting"`, 1), "f1 f2"},
		{"webhook", `{"dedup_key":"w-1","title":"Backup failed","status":"firing"}`, "w-1"},
		{"elastalert", `{"alert_id":"e-1","rule_name":"Spike"}`, "e-1"},
	} {
		got := d.Send(http.MethodPost, "/integrations/v1/"+test.kind+"/"+key+"/", test.body, "Content-Type", "application/json")
		var identities []string
		for _, a := range d.Taken() {
			identities = append(identities, a.Identity)
		}
		if got.Status != http.StatusOK || strings.TrimSpace(got.Body) != `"Ok."` || strings.Join(identities, " ") != test.identities {
			t.Errorf("%s: got %d %s with alerts %v, want %s", test.kind, got.Status, got.Body, identities, test.identities)
		}
	}
	if got := d.Send(http.MethodGet, "/integrations/v1/alertmanager/"+key+"/heartbeat/?interval=30m", ""); got.Status != http.StatusOK || strings.TrimSpace(got.Body) != `":)"` {
		t.Errorf("GET heartbeat: got %+v", got)
	}
	if got := d.Send(http.MethodPost, "/integrations/v1/webhook/"+key+"/heartbeat/", ""); got.Status != http.StatusOK || got.Body != "" {
		t.Errorf("POST heartbeat: got %+v", got)
	}
	if list := board.List(""); len(list) != 1 || list[0].Interval != 30*time.Minute || list[0].Name != "oncall" {
		t.Errorf("got %+v", list)
	}
	if _, _, captures, err := d.Doors.Find("oncall"); err != nil || len(captures) == 0 {
		t.Errorf("got %d captures, error %v", len(captures), err)
	} else {
		for _, c := range captures {
			if strings.Contains(c.Body+c.Outcome, key) || strings.Contains(c.Headers["X-Forwarded-Uri"], key) {
				t.Errorf("the key stands in %+v", c)
			}
		}
	}
}

func TestWhatBeginsAtATypesAddressEndsThere(t *testing.T) {
	sns := SNS(cloudwatch.NewVerifier(cloudwatch.Config{}))
	proved := 0
	sns.Prove = func(context.Context, *receive.Request) error { // receive/cloudwatch tests the proof
		proved++
		return nil
	}
	d := door.New(t, map[string]receive.Protocol{
		"POST /integrations/v1/grafana_alerting/{key}/{$}": Grafana(), "POST /integrations/v1/zabbix/{key}/{$}": Zabbix(), "POST /integrations/v1/amazon_sns/{key}/{$}": sns,
	})
	delivered := func(id, state string) string {
		return fmt.Sprintf(`{"Type":"Notification","MessageId":%q,"TopicArn":"arn:aws:sns:eu-central-1:1:alarms","Timestamp":"2026-03-04T12:00:00Z",
			"Message":"{\"AlarmName\":\"CPU\",\"AlarmArn\":\"arn:aws:cloudwatch:eu-central-1:1:alarm:CPU\",\"NewStateValue\":\"%s\",\"StateChangeTime\":\"2026-03-04T12:00:00.000+0000\"}"}`, id, state)
	}
	told := func(status, ends string) string {
		return `{"version":"1","orgId":1,"status":"` + status + `","alerts":[{"status":"` + status + `","labels":{"alertname":"CPU"},"startsAt":"2026-03-04T12:00:00Z","endsAt":"` + ends + `","fingerprint":"f1"}]}`
	}
	for kind, bodies := range map[string][2]string{
		"grafana_alerting": {told("firing", "0001-01-01T00:00:00Z"), told("resolved", "2026-03-04T12:10:00Z")},
		"zabbix":           {`{"alert_uid":"7","title":"Problem: CPU","state":"alerting"}`, `{"alert_uid":"7","title":"Resolved in 5m 0s: CPU","state":"OK"}`},
		"amazon_sns":       {delivered("m-1", "ALARM"), delivered("m-2", "OK")},
	} {
		for _, body := range bodies {
			if got := d.Send(http.MethodPost, "/integrations/v1/"+kind+"/"+key+"/", body); got.Status != http.StatusOK {
				t.Fatalf("%s: got %d %s", kind, got.Status, got.Body)
			}
		}
		alerts := d.Taken()
		if len(alerts) != 2 || alerts[0].Act != signal.Report || !alerts[0].EndsAt.IsZero() || alerts[1].EndsAt.IsZero() || alerts[0].Fingerprint() != alerts[1].Fingerprint() {
			t.Errorf("%s: got %+v", kind, alerts)
		}
	}
	if proved != 2 {
		t.Errorf("%d deliveries of SNS were proved, want 2", proved)
	}
}

func TestWhatIsRefused(t *testing.T) {
	d, _ := serve(t)
	post := func(path, body string) door.Answer {
		t.Helper()
		return d.Send(http.MethodPost, "/integrations/v1/"+path+"/", body)
	}
	post("formatted_webhook/"+key, documented) // the first key is taken over
	if got := post("formatted_webhook/wrong-key-wrong-key", documented); got.Status != http.StatusForbidden || !strings.Contains(got.Body, "Permission denied") || strings.Contains(got.Body, "wrong-key") {
		t.Errorf("a wrong key: got %+v", got)
	}
	if got := post("amazon_sns/wrong-key-wrong-key", `{}`); got.Status != http.StatusForbidden {
		t.Errorf("a wrong key of SNS: got %+v", got)
	}
	unsigned := `{"Type":"Notification","MessageId":"m","TopicArn":"arn:aws:sns:eu-central-1:1:x","Message":"x","SigningCertURL":"https://evil.example/x.pem","Timestamp":"2026-03-04T12:00:00Z","SignatureVersion":"1","Signature":"eA=="}`
	if got := post("amazon_sns/"+key, unsigned); got.Status != http.StatusForbidden {
		t.Errorf("a foreign certificate: got %+v", got)
	}
	if letters := d.Letters(); slices.ContainsFunc(letters, func(l receive.DeadLetter) bool { return strings.Contains(string(l.Payload), "evil.example") }) {
		t.Errorf("what nobody has signed is kept to be offered again: %+v", letters)
	}
	d.Taken()
	for _, kind := range []string{"formatted_webhook", "webhook", "alertmanager", "zabbix", "grafana_alerting", "amazon_sns"} {
		if got := post(kind+"/"+key, `{"nothing":"known"}`); got.Status != http.StatusBadRequest {
			t.Errorf("%s: got %d, want 400", kind, got.Status)
		}
	}
	if letters := d.Letters(); len(letters) == 0 || strings.Contains(letters[0].Receiver+string(letters[0].Payload), key) {
		t.Errorf("got %+v", letters)
	}
	if alerts := d.Taken(); len(alerts) != 0 {
		t.Errorf("got %+v", alerts)
	}
}

func TestAPayloadOfOnesOwnGoesThroughTheMapper(t *testing.T) {
	d, _ := serve(t)
	d.Send(http.MethodPost, "/integrations/v1/webhook/"+key+"/", `{"title":"first"}`)
	_, err := d.Doors.Update(t.Context(), "oncall", 0, "ann", "integration.update", func(i *integration.Integration) error {
		i.Mapper = integration.Mapper{Name: `"own " + item.what`, Identity: "item.what"}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Taken()
	for _, kind := range []string{"formatted_webhook", "webhook", "alertmanager"} {
		d.Send(http.MethodPost, "/integrations/v1/"+kind+"/"+key+"/", `{"what":"thing"}`)
		if alerts := d.Taken(); len(alerts) != 1 || alerts[0].Identity != "thing" || alerts[0].Name() != "own thing" {
			t.Errorf("%s: got %+v", kind, alerts)
		}
	}
}

func FuzzParseFormatted(f *testing.F) {
	f.Add([]byte(documented), true)
	f.Add([]byte(`{"title":"Resolved in 1m: x","state":"ok"}`), true)
	f.Fuzz(func(t *testing.T, body []byte, zabbix bool) {
		d, err := ParseFormatted(body, noon, zabbix)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		if a := &d.Alerts[0]; a.Identity == "" || a.Act == signal.Report && len(a.Labels) == 0 {
			t.Errorf("%s: got %+v", body, a)
		}
	})
}
