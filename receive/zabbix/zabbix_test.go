package zabbix

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/test/door"
	"github.com/fairlead/fairlead/test/need"
)

var (
	noon   = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	eleven = time.Date(2026, 3, 4, 11, 0, 0, 0, time.UTC)
)

// sent is what the media type sends of a problem; each test changes some of it.
func sent(t testing.TB, changes map[string]any) []byte {
	t.Helper()
	e := map[string]any{
		"event_id": "8131", "trigger_id": "13491", "event_value": "1", "event_status": "PROBLEM", "event_severity": "High", "event_nseverity": "4",
		"event_name": "High CPU utilization (over 90% for 5m)", "host": "web-1", "host_ip": "10.0.0.7", "host_name": "Web 1",
		"event_tags":          `[{"tag":"service","value":"checkout"},{"tag":"scope","value":"performance"},{"tag":"scope","value":"capacity"},{"tag":"bare","value":""}]`,
		"trigger_description": "The CPU is busy.", "event_opdata": "Current utilization: 97 %", "event_ack_status": "No", "event_update_status": "0",
		"event_update_action": "{EVENT.UPDATE.ACTION}", "event_update_message": "*UNKNOWN*", "event_recovery_id": "{EVENT.RECOVERY.ID}", "user": "{USER.FULLNAME}",
		"started_at": "1772622000", "recovered_at": "", "url": "https://zabbix/tr_events.php?triggerid=13491&eventid=8131",
	}
	maps.Copy(e, changes)
	body, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestAProblemBecomesAnAlert(t *testing.T) {
	d, err := Parse(sent(t, nil), noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []signal.Alert{{
		Identity: "13491/web-1", Keyed: true, StartsAt: eleven, GeneratorURL: "https://zabbix/tr_events.php?triggerid=13491&eventid=8131",
		Labels: signal.NewLabels(map[string]string{"alertname": "High CPU utilization (over 90% for 5m)", "severity": "error", "host": "web-1", "service": "checkout"}),
		Annotations: signal.NewLabels(map[string]string{
			"description": "The CPU is busy.", "zabbix_event_id": "8131", "zabbix_trigger_id": "13491", "zabbix_event_opdata": "Current utilization: 97 %",
			"zabbix_event_severity": "High", "zabbix_host_ip": "10.0.0.7", "zabbix_host_name": "Web 1", "zabbix_event_ack_status": "No",
			"scope": "performance, capacity", "bare": "true",
		}),
	}}
	if diff := cmp.Diff(want, d.Alerts); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// line writes what an alert says in one line.
func line(a *signal.Alert) string {
	act := map[signal.Act]string{signal.Report: "fires", signal.Acknowledge: "acknowledged", signal.Unacknowledge: "unacknowledged", signal.Comment: "comment"}[a.Act]
	if !a.EndsAt.IsZero() {
		act = "ended " + a.EndsAt.Format("15:04")
	}
	return strings.TrimRight(a.Identity+" "+act+" "+a.Labels.Get("severity")+" "+a.Actor+" "+a.Text, " ")
}

func TestWhatAnEventSays(t *testing.T) {
	for name, test := range map[string]struct {
		changes map[string]any
		want    []string
	}{
		"a recovery":                  {map[string]any{"event_value": "0", "event_status": "RESOLVED", "recovered_at": "1772624700", "event_recovery_id": "8140"}, []string{"13491/web-1 ended 11:45 error"}},
		"a recovery just now":         {map[string]any{"event_value": 0}, []string{"13491/web-1 ended 12:00 error"}},
		"a recovery by a clock ahead": {map[string]any{"event_value": "0", "recovered_at": "1772629200"}, []string{"13491/web-1 ended 12:00 error"}},
		"only a status":               {map[string]any{"event_value": "", "event_status": "RESOLVED"}, []string{"13491/web-1 ended 12:00 error"}},
		"acknowledged": {
			map[string]any{"event_update_status": "1", "event_update_action": "acknowledged, commented", "event_update_message": "I look", "user": "Ann (ann)"},
			[]string{"13491/web-1 fires error", "13491/web-1 acknowledged  Ann (ann) I look"},
		},
		"unacknowledged": {map[string]any{"event_update_status": "1", "event_update_action": "unacknowledged"}, []string{"13491/web-1 fires error", "13491/web-1 unacknowledged"}},
		"commented":      {map[string]any{"event_update_status": "1", "event_update_action": "commented", "event_update_message": "hm"}, []string{"13491/web-1 fires error", "13491/web-1 comment   hm"}},
		"severity changed and commented": {
			map[string]any{"event_update_status": "1", "event_update_action": "commented, changed severity from High to Disaster", "event_update_message": "hm", "event_nseverity": "5"},
			[]string{"13491/web-1 fires critical", "13491/web-1 comment   changed severity from High to Disaster: hm"},
		},
		"acknowledged and closed": {
			map[string]any{"event_update_status": "1", "event_update_action": "acknowledged, closed", "event_value": "0"},
			[]string{"13491/web-1 ended 12:00 error", "13491/web-1 acknowledged", "13491/web-1 comment   closed"},
		},
		"an internal event":     {map[string]any{"trigger_id": "{TRIGGER.ID}", "host": "*UNKNOWN*"}, []string{"8131 fires error"}},
		"a severity by name":    {map[string]any{"event_nseverity": nil, "event_severity": "Disaster"}, []string{"13491/web-1 fires critical"}},
		"a severity of no name": {map[string]any{"event_nseverity": "9", "event_severity": "Purple"}, []string{"13491/web-1 fires none"}},
		"bad tags":              {map[string]any{"event_tags": "{EVENT"}, []string{"13491/web-1 fires error"}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse(sent(t, test.changes), noon)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range d.Alerts {
				got = append(got, line(&d.Alerts[i]))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if update := test.changes["event_update_status"] == "1"; (d.ID != "") != update {
				t.Errorf("the delivery's id is %q", d.ID)
			}
		})
	}
}

func TestABadEventNamesTheField(t *testing.T) {
	for name, test := range map[string]struct {
		body  []byte
		field string
	}{
		"no JSON":         {[]byte(`x`), "body"},
		"another product": {[]byte(`{"alerts":[]}`), "event_id"},
		"no name":         {sent(t, map[string]any{"event_name": "{EVENT.NAME}"}), "event_name"},
		"no value":        {sent(t, map[string]any{"event_value": "7"}), "event_value"},
		"no status":       {sent(t, map[string]any{"event_value": "", "event_status": ""}), "event_value"},
	} {
		_, err := Parse(test.body, noon)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != test.field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %v, want a problem with field %s", name, err, test.field)
		}
	}
}

// machine stands for what Zabbix gives a webhook's script: parameters, an HttpRequest and a log. It prints what was posted.
const machine = `
let sent = {};
class HttpRequest {
  constructor() { this.headers = []; }
  addHeader(text) { this.headers.push(text); }
  post(url, body) { sent = { url, body, headers: this.headers }; return 'an answer'; }
  getStatus() { return Number(process.argv[3]); }
}
const Zabbix = { log() {} };
const run = new Function('value', 'HttpRequest', 'Zabbix', require('fs').readFileSync(process.argv[1 + 1], 'utf8'));
let result;
try { result = run(process.argv[4], HttpRequest, Zabbix); } catch (fault) { result = 'failed: ' + fault; }
console.log(JSON.stringify({ result, ...sent }));
`

// TestTheMediaTypeThatWeShip runs the script of the media type with the parameters of a recovery, and reads what it posts.
func TestTheMediaTypeThatWeShip(t *testing.T) {
	node := need.Tool(t, "node")
	text, err := os.ReadFile("../../examples/zabbix/media_fairlead.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var export struct {
		Zabbix struct {
			Media []struct {
				Type       string
				Script     string
				Parameters []struct{ Name, Value string }
			} `yaml:"media_types"`
		} `yaml:"zabbix_export"`
	}
	if err := yaml.Unmarshal(text, &export); err != nil {
		t.Fatal(err)
	}
	media := export.Zabbix.Media[0]
	resolved := map[string]string{
		"URL": "http://fairlead/in/zabbix/prod", "Key": "fl_secret", "event_id": "8131", "event_value": "0", "event_status": "RESOLVED", "trigger_id": "13491",
		"event_name": "Disk full", "host": "db-1", "event_nseverity": "5", "event_date": "2026.03.04", "event_time": "11:00:00", "event_recovery_date": "2026.03.04",
		"event_recovery_time": "11:45:00", "event_update_status": "0", "event_tags": `[{"tag":"service","value":"orders"}]`, "zabbix_url": "https://zabbix/",
	}
	values := map[string]string{}
	for _, p := range media.Parameters {
		values[p.Name] = p.Value
		if value, known := resolved[p.Name]; known {
			values[p.Name] = value
			delete(resolved, p.Name)
		}
	}
	if len(resolved) > 0 {
		t.Errorf("the media type has no parameters %v", resolved)
	}
	value, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script, host := filepath.Join(dir, "script.js"), filepath.Join(dir, "host.cjs")
	if err := errors.Join(os.WriteFile(script, []byte(media.Script), 0o600), os.WriteFile(host, []byte(machine), 0o600)); err != nil {
		t.Fatal(err)
	}
	run := func(status string) (got struct {
		Result, URL, Body string
		Headers           []string
	},
	) {
		t.Helper()
		command := exec.CommandContext(t.Context(), node, host, script, status, string(value))
		command.Env = append(os.Environ(), "TZ=UTC")
		out, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		return got
	}
	got := run("200")
	if got.Result != "OK" || got.URL != "http://fairlead/in/zabbix/prod" || !cmp.Equal(got.Headers, []string{"Content-Type: application/json", "Authorization: Bearer fl_secret"}) {
		t.Errorf("got %+v", got)
	}
	d, err := Parse([]byte(got.Body), noon)
	if err != nil {
		t.Fatal(err)
	}
	if a := &d.Alerts[0]; line(a) != "13491/db-1 ended 11:45 critical" || !a.StartsAt.Equal(eleven) || a.Labels.Get("service") != "orders" ||
		a.GeneratorURL != "https://zabbix/tr_events.php?triggerid=13491&eventid=8131" || strings.Contains(got.Body, "fl_secret") {
		t.Errorf("%s: got %+v", got.Body, a)
	}
	if failed := run("503"); failed.Result != "failed: Fairlead answered 503: an answer" {
		t.Errorf("after a refusal: got %+v", failed)
	}
}

func TestTheAnswerIsJSON(t *testing.T) {
	s := door.New(t, map[string]receive.Protocol{"POST /in/zabbix/{integration}": Webhook()})
	update := sent(t, map[string]any{"event_update_status": "1", "event_update_action": "acknowledged"})
	for range 2 { // the second changes nothing
		if status, text := s.Post("/in/zabbix/prod", string(update)); status != 200 || strings.TrimSpace(text) != `{"accepted":2,"status":"ok"}` {
			t.Errorf("got %d %s", status, text)
		}
	}
	if len(s.Alerts()) != 2 {
		t.Errorf("%d reports were published, want 2", len(s.Alerts()))
	}
	if status, text := s.Post("/in/zabbix/prod", `{}`); status != 400 || !strings.Contains(text, "event_id") || len(s.Letters()) != 1 {
		t.Errorf("got %d %s", status, text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sent(f, nil))
	f.Add(sent(f, map[string]any{"event_update_status": "1", "event_update_action": "acknowledged, closed", "event_tags": "[{}]"}))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body, noon)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		for i := range d.Alerts {
			if a := &d.Alerts[i]; a.Identity == "" || a.Act == signal.Report && (a.Name() == "" || a.StartsAt.IsZero()) {
				t.Errorf("%s: got %+v", body, a)
			}
		}
	})
}
