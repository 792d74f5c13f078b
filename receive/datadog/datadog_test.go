package datadog

import (
	"errors"
	"maps"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

var (
	noon    = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	eleven  = time.Date(2026, 3, 4, 11, 0, 0, 0, time.UTC)
	example = map[string]string{
		"ALERT_ID": "1234", "ALERT_CYCLE_KEY": "6134482764123456789", "AGGREG_KEY": "9bd4ac313a4d1e8fae2482df7b77628", "ALERT_TRANSITION": "Triggered",
		"ALERT_TYPE": "error", "ALERT_PRIORITY": "P1", "ALERT_SCOPE": "availability-zone:us-east-1a, service:checkout",
		"EVENT_TITLE": "[P1] [Triggered on {availability-zone:us-east-1a,service:checkout}] Host CPU is high",
		"EVENT_MSG":   "@webhook-fairlead CPU is high", "TAGS": "monitor, env:prod, team:shop, owner:ann", "HOSTNAME": "i-0123", "LINK": "https://app.datadoghq.com/event/1",
		"DATE": "1772622000000", "ORG_ID": "11023",
	}
)

// shipped fills our payload as Datadog does; changes are pairs of variable and value.
func shipped(t testing.TB, changes ...string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../examples/datadog/payload.json")
	if err != nil {
		t.Fatal(err)
	}
	values := maps.Clone(example)
	for i := 0; i < len(changes); i += 2 {
		values[changes[i]] = changes[i+1]
	}
	return variables.ReplaceAllFunc(text, func(name []byte) []byte { return []byte(values[string(name[1:])]) })
}

var variables = regexp.MustCompile(`\$[A-Z_]+`)

func TestOurPayloadBecomesAnAlert(t *testing.T) {
	d, err := Parse(shipped(t), noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []signal.Alert{{
		Identity: "6134482764123456789", Keyed: true, StartsAt: eleven, GeneratorURL: "https://app.datadoghq.com/event/1",
		Labels: signal.NewLabels(map[string]string{
			"alertname": "Host CPU is high", "severity": "critical", "priority": "P1", "monitor_id": "1234", "service": "checkout", "environment": "prod",
			"team": "shop", "host": "i-0123", "zone": "us-east-1a",
		}),
		Annotations: signal.NewLabels(map[string]string{
			"summary":     "[P1] [Triggered on {availability-zone:us-east-1a,service:checkout}] Host CPU is high",
			"description": "@webhook-fairlead CPU is high", "monitor": "true", "owner": "ann",
			"datadog_scope": "availability-zone:us-east-1a, service:checkout", "datadog_aggreg_key": "9bd4ac313a4d1e8fae2482df7b77628",
			"datadog_org_id": "11023", "datadog_transition": "Triggered",
		}),
	}}
	if diff := cmp.Diff(want, d.Alerts); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

func TestTransitionsSayWhatHappened(t *testing.T) {
	for name, test := range map[string]struct {
		changes          []string
		identity         string
		severity, called string
		ended            bool
		timeout          time.Duration
	}{
		"triggered":      {nil, example["ALERT_CYCLE_KEY"], "critical", "Host CPU is high", false, 0},
		"triggered anew": {[]string{"ALERT_TRANSITION", "Re-Triggered", "ALERT_PRIORITY", "P2"}, example["ALERT_CYCLE_KEY"], "error", "Host CPU is high", false, 0},
		"renotified":     {[]string{"ALERT_TRANSITION", "Renotify", "EVENT_TITLE", "[Renotify] Disk"}, example["ALERT_CYCLE_KEY"], "critical", "Disk", false, 0},
		"recovered":      {[]string{"ALERT_TRANSITION", "Recovered", "ALERT_TYPE", "success", "EVENT_TITLE", "[P3] [Recovered on {host:a}] Disk [root]", "ALERT_PRIORITY", "P3"}, example["ALERT_CYCLE_KEY"], "warning", "Disk [root]", true, 0},
		"warned":         {[]string{"ALERT_TRANSITION", "Warn", "EVENT_TITLE", "[Re-Warn on {host:a}] Disk"}, example["ALERT_CYCLE_KEY"], "warning", "Disk", false, 0},
		"warned, P5":     {[]string{"ALERT_TRANSITION", "Re-Warn", "ALERT_PRIORITY", "P5"}, example["ALERT_CYCLE_KEY"], "info", "Host CPU is high", false, 0},
		"no data":        {[]string{"ALERT_TRANSITION", "No Data", "EVENT_TITLE", "[No data on {host:a}] Disk"}, example["ALERT_CYCLE_KEY"], "warning", "Disk", false, 0},
		"no data anew":   {[]string{"ALERT_TRANSITION", "Re-No Data"}, example["ALERT_CYCLE_KEY"], "warning", "Host CPU is high", false, 0},
		"no priority":    {[]string{"ALERT_PRIORITY", ""}, example["ALERT_CYCLE_KEY"], "critical", "Host CPU is high", false, 0},
		"no cycle key":   {[]string{"ALERT_CYCLE_KEY", ""}, "1234/availability-zone:us-east-1a, service:checkout", "critical", "Host CPU is high", false, 0},
		"no value for a variable": {
			[]string{"ALERT_CYCLE_KEY", "$ALERT_CYCLE_KEY", "ALERT_SCOPE", "$ALERT_SCOPE", "ALERT_PRIORITY", "null", "TAGS", ""},
			"1234/",
			"critical", "Host CPU is high", false, 0,
		},
		"an event":            {[]string{"ALERT_ID", "", "ALERT_CYCLE_KEY", "", "ALERT_TRANSITION", "null", "ALERT_TYPE", "warning"}, example["AGGREG_KEY"], "warning", "Host CPU is high", false, time.Hour},
		"an event of success": {[]string{"ALERT_ID", "", "ALERT_CYCLE_KEY", "", "ALERT_TRANSITION", "", "ALERT_TYPE", "success", "AGGREG_KEY", ""}, example["EVENT_TITLE"], "info", "Host CPU is high", true, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse(shipped(t, test.changes...), noon)
			if err != nil {
				t.Fatal(err)
			}
			a := &d.Alerts[0]
			if a.Identity != test.identity || a.Labels.Get("severity") != test.severity || a.Name() != test.called || a.EndsAt.IsZero() == test.ended || a.ResolveTimeout != test.timeout {
				t.Errorf("got %+v, want %+v", a, test)
			}
		})
	}
}

func TestABadPayloadNamesTheField(t *testing.T) {
	for name, test := range map[string]struct {
		body  []byte
		field string
	}{
		"no JSON":          {[]byte(`{`), "body"},
		"a list":           {[]byte(`[]`), "body"},
		"another product":  {[]byte(`{"routing_key":"x","event_action":"trigger"}`), "cycle_key"},
		"the bare payload": {shipped(t, "ALERT_ID", "$ALERT_ID", "ALERT_CYCLE_KEY", "$ALERT_CYCLE_KEY", "EVENT_TITLE", "$EVENT_TITLE"), "cycle_key"},
		"a transition":     {shipped(t, "ALERT_TRANSITION", "Exploded"), "transition"},
		"no transition":    {shipped(t, "ALERT_TRANSITION", ""), "transition"},
	} {
		_, err := Parse(test.body, noon)
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != test.field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %v, want a problem with field %s", name, err, test.field)
		}
	}
	d, err := Parse(shipped(t, "DATE", "yesterday"), noon)
	if err != nil || !d.Alerts[0].StartsAt.Equal(noon) || len(d.Alerts[0].Notes) != 1 {
		t.Errorf("a date that is no time: got %+v, error %v", d, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(shipped(f))
	f.Add([]byte(`{"alert_id":5,"transition":"Recovered","date":-1,"tags":",,:,a:"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := Parse(body, noon)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		if a := &d.Alerts[0]; a.Identity == "" || a.Labels.Get("alertname") == "" || a.StartsAt.IsZero() {
			t.Errorf("%s: got %+v", body, a)
		}
	})
}
