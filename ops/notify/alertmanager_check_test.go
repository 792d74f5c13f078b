package notify

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// load writes files and loads alertmanager.yml among them.
func load(t *testing.T, files map[string]string) (*Plan, string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := Load(Config{Alertmanager: filepath.Join(dir, "alertmanager.yml"), Per: PerIncident}, "http://127.0.0.1:8460", slog.New(slog.DiscardHandler))
	return plan, dir, err
}

func TestBrokenFilesAreNamedByLine(t *testing.T) {
	const rest = "receivers:\n- name: ops\n"
	tests := []struct {
		name  string
		file  string
		tmpl  string
		wants []string // parts of the error; DIR is the folder
	}{
		{"no YAML", "route: [", "", []string{"DIR/alertmanager.yml: line 1: "}},
		{"nothing", "", "", []string{"no route", "write a route with a receiver"}},
		{"an unknown key", "route:\n  receiver: ops\n  group_bye: [x]\n" + rest, "", []string{`alertmanager.yml: line 3: unknown key "group_bye"; remove it or correct its spelling`}},
		{
			"an undefined receiver, deep in the tree",
			"route:\n  receiver: ops\n  routes:\n  - matchers: [a=b]\n    receiver: ops\n    routes:\n    - matchers: [c=d]\n      receiver: opps\n" + rest, "",
			[]string{`line 8: undefined receiver "opps" used in route; define it under receivers or write one of "ops"`},
		},
		{
			"an undefined time interval",
			"route:\n  receiver: ops\n  routes:\n  - receiver: ops\n    mute_time_intervals:\n    - weekend\n" + rest + "time_intervals:\n- name: nights\n", "",
			[]string{`line 6: undefined time interval "weekend"`, `"nights"`},
		},
		{
			"a broken matcher of a route",
			"route:\n  receiver: ops\n  routes:\n  - receiver: ops\n    matchers: [a=b]\n  - receiver: ops\n    matchers:\n    - 'c=~\"(\"'\n" + rest, "",
			[]string{"line 8: "},
		},
		{
			"a broken matcher of an inhibition rule",
			"route:\n  receiver: ops\n" + rest + "inhibit_rules:\n- source_matchers: [a=b]\n  target_matchers: ['c=~\"(\"']\n", "",
			[]string{"line 7: "},
		},
		{
			"an address without scheme",
			"route:\n  receiver: ops\nreceivers:\n- name: ops\n  webhook_configs:\n  - url: http://127.0.0.1:1\n  - url: somewhere\n", "",
			[]string{"line 7: "},
		},
		{
			"an e-mail receiver without smarthost",
			"route:\n  receiver: ops\nreceivers:\n- name: a\n- name: ops\n  email_configs:\n  - to: ann@example.org\n", "",
			[]string{"line 7: no global SMTP smarthost set; set it there or under global"},
		},
		{"two receivers of one name", "route:\n  receiver: ops\nreceivers:\n- name: ops\n- name: ops\n", "", []string{`line 5: notification config name "ops" is not unique`}},
		{"a matcher at the root", "route:\n  receiver: ops\n  matchers: [a=b]\n" + rest, "", []string{"line 2: root route must not have any matchers"}},
		{"a wrong time", "route:\n  receiver: ops\n" + rest + "time_intervals:\n- name: nights\n  time_intervals:\n  - times: [{start_time: '25:00', end_time: '26:00'}]\n", "", []string{"line 6: "}},
		{
			"a broken template file",
			"route:\n  receiver: ops\n" + rest + "templates: ['*.tmpl']\n", "{{ define \"x\" }}\n{{ .Alerts | nothing }}\n{{ end }}",
			[]string{`own.tmpl: line 2: function "nothing" not defined; correct the template, which DIR/alertmanager.yml names in line 5`},
		},
		{
			"a template in a receiver that is not defined",
			"route:\n  receiver: ops\nreceivers:\n- name: ops\n  slack_configs:\n  - api_url: http://127.0.0.1:1\n    title: '{{ template \"own.title\" . }}'\n", "",
			[]string{"line 7: template", `"own.title"`, "define what it uses"},
		},
		{
			"a template in a receiver that does not parse",
			"route:\n  receiver: ops\nreceivers:\n- name: ops\n  slack_configs:\n  - api_url: http://127.0.0.1:1\n    text: '{{ if }}'\n", "",
			[]string{"line 7: template", "missing value for if"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files := map[string]string{"alertmanager.yml": test.file}
			if test.tmpl != "" {
				files["own.tmpl"] = test.tmpl
			}
			_, dir, err := load(t, files)
			if err == nil {
				t.Fatal("it loads")
			}
			for _, want := range test.wants {
				if !strings.Contains(err.Error(), strings.ReplaceAll(want, "DIR", dir)) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestWhatIsProbablyNotMeantIsWarnedOf(t *testing.T) {
	plan, _, err := load(t, map[string]string{"alertmanager.yml": "route:\n  receiver: ops\nreceivers:\n- name: ops\n- name: lonely\ntemplates: ['none/*.tmpl']\n"})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(plan.Warnings, "\n")
	for _, want := range []string{`line 5: no route leads to receiver "lonely"`, "line 6: templates: no file matches"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
}

func TestEscalationNamesAReceiver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte("route: {receiver: ops}\nreceivers: [{name: ops}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := Config{Alertmanager: file, Per: PerIncident, Escalation: []Escalation{{After: 1e9, Receiver: "boss"}}}
	_, err := Load(cfg, "http://127.0.0.1:8460", slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), `has no receiver "boss"; define it there or write one of "ops"`) {
		t.Errorf("got %v", err)
	}
}
