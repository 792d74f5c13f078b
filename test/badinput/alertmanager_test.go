package badinput_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// telling is an alertmanager.yml that works; TARGET stands for the address of its webhooks.
const telling = `route:
  receiver: hook
  group_by: [alertname]
  group_wait: 0s
  routes:
  - matchers: ['team="stuck"']
    receiver: stuck
  - matchers: ['team="asleep"']
    receiver: hook
    mute_time_intervals: [nights]
receivers:
- name: hook
  webhook_configs:
  - url: TARGET/hook
- name: stuck
  webhook_configs:
  - url: TARGET/hang
time_intervals:
- name: nights
  time_intervals:
  - times: [{start_time: '22:00', end_time: '24:00'}]
templates:
- own.tmpl
`

// tellingFiles writes a configuration that tells by an alertmanager.yml, and returns its name.
func tellingFiles(t *testing.T, folder, file, template string) string {
	t.Helper()
	for name, text := range map[string]string{
		"fairlead.yml":     "incident: {hold_critical: 0s, settle: 1s}\nnotify: {alertmanager: alertmanager.yml, per: group}\n",
		"alertmanager.yml": file, "own.tmpl": template,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatalf("write: %v", err)
		}
	}
	return filepath.Join(folder, "fairlead.yml")
}

const goodTemplate = `{{ define "own" }}{{ .Status }}{{ end }}`

func TestAWrongAlertmanagerFileIsNamedByLineAtCheckLoadAndReload(t *testing.T) {
	binary := need.Binary(t)
	running := t.TempDir()
	targets := newTarget(t)
	good := strings.ReplaceAll(telling, "TARGET", targets.URL)
	s := serve(t, t.TempDir(), nil, "--config", tellingFiles(t, running, good, goodTemplate))
	tests := []struct {
		name, old, new, template string
		line                     string // with what the line begins that must be named; "" for one of the template
		want                     []string
	}{
		{"an unknown receiver", "    receiver: stuck\n", "    receiver: stukc\n", goodTemplate, "    receiver: stukc", []string{`"stukc"`}},
		{"a receiver that cannot be reached: no URL", "  - url: TARGET/hook\n", "  - url: nowhere\n", goodTemplate, "  - url: nowhere", []string{"URL"}},
		{"a receiver of an unknown kind", "  webhook_configs:\n  - url: TARGET/hang\n", "  pigeon_configs:\n  - to: ann\n", goodTemplate, "  pigeon_configs", []string{"pigeon_configs"}},
		{"two receivers of one name", "- name: stuck\n", "- name: hook\n", goodTemplate, "- name: hook", []string{"hook"}},
		{"a bad matcher", `'team="stuck"'`, `'team=~"("'`, goodTemplate, `  - matchers: ['team=~"("']`, []string{"missing closing )", "regular expression"}},
		{"a matcher that is none", `'team="stuck"'`, `'team'`, goodTemplate, `  - matchers: ['team']`, []string{"matcher"}},
		{"a bad time interval", "'22:00'", "'26:00'", goodTemplate, "- name: nights", []string{"26:00"}},
		{"an unknown time interval", "[nights]", "[days]", goodTemplate, "    mute_time_intervals: [days]", []string{"days"}},
		{"a bad duration", "group_wait: 0s", "group_wait: soon", goodTemplate, "  group_wait: soon", []string{"soon"}},
		{"an unknown key", "  group_wait: 0s\n", "  group_weight: 0s\n", goodTemplate, "  group_weight", []string{"group_weight"}},
		{"no YAML", "receivers:\n", "receivers: [\n", goodTemplate, "", []string{"alertmanager.yml"}},
		{"a broken template", "", "", "{{ define \"own\" }}\n{{ .Status }\n{{ end }}", "", []string{"own.tmpl: line 2", "names in line 23"}},
		{"a template with an unknown function", "", "", `{{ define "own" }}{{ shout .Status }}{{ end }}`, "", []string{"own.tmpl: line 1", "shout", "names in line 23"}},
		{"a template of a receiver that is broken", "  - url: TARGET/hook\n", "  - url: TARGET/hook\n  slack_configs:\n  - {api_url: TARGET/s, channel: x, title: '{{ .Nothing '}\n", goodTemplate, "  - {api_url: TARGET/s", []string{"{{ .Nothing", "unclosed action"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.old != "" && !strings.Contains(telling, test.old) {
				t.Fatalf("%q is not in the file", test.old)
			}
			file := strings.Replace(telling, test.old, test.new, 1)
			want := test.want
			if test.line != "" {
				before, _, found := strings.Cut("\n"+file, "\n"+test.line)
				if !found {
					t.Fatalf("%q begins no line", test.line)
				}
				if test.name == "two receivers of one name" { // the second is meant
					before = before + "\n" + test.line + strings.SplitN("\n"+file, "\n"+test.line, 3)[1]
				}
				want = append(want, fmt.Sprintf("alertmanager.yml: line %d", 1+strings.Count(before, "\n")))
			}
			file = strings.ReplaceAll(file, "TARGET", targets.URL)
			named := func(command, output string) {
				t.Helper()
				for _, part := range want {
					if !strings.Contains(output, part) {
						t.Errorf("%s: got %q, want %q in it", command, output, part)
					}
				}
			}
			config := tellingFiles(t, t.TempDir(), file, test.template)
			for command, code := range map[string]int{"check-config": 1, "serve": 2} {
				args := []string{command, config}
				if command == "serve" {
					args = []string{command, "--config", config, "--data.dir", t.TempDir(), "--http.listen", "127.0.0.1:0"}
				}
				process := exec.Command(binary, args...)
				process.Env = environment()
				output, _ := process.CombinedOutput() // the exit code says it
				if got := process.ProcessState.ExitCode(); got != code {
					t.Errorf("%s: got exit code %d, want %d: %s", command, got, code, output)
				}
				named(command, string(output))
			}
			tellingFiles(t, running, file, test.template)
			got := s.send(t, http.DefaultClient, http.MethodPost, "/-/reload", http.NoBody)
			if got.status/100 == 2 {
				t.Errorf("reload: got %d, want it refused", got.status)
			}
			named("reload", strings.ReplaceAll(got.body, `\"`, `"`))
		})
	}
	// After all of them, the first file still tells.
	s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", strings.NewReader(`[{"labels":{"alertname":"StillTold","severity":"critical"}}]`))
	need.Eventually(t, 20*time.Second, "a notification by the running configuration", func() bool { return targets.got("/hook") > 0 })
}

// target takes webhooks; those to /hang get no answer until the test ends.
type target struct {
	*httptest.Server
	calls chan string
	seen  map[string]int
}

func newTarget(t *testing.T) *target {
	t.Helper()
	over := make(chan struct{})
	g := &target{calls: make(chan string, 1000), seen: map[string]int{}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.calls <- r.URL.Path
		if r.URL.Path == "/hang" {
			<-over
		}
	}))
	t.Cleanup(func() {
		close(over)
		g.Close()
	})
	return g
}

// got returns how many calls came to a path so far.
func (g *target) got(path string) int {
	for {
		select {
		case p := <-g.calls:
			g.seen[p]++
			continue
		default:
		}
		return g.seen[path]
	}
}

func TestAHangingWebhookDelaysNoOther(t *testing.T) {
	targets := newTarget(t)
	config := tellingFiles(t, t.TempDir(), strings.ReplaceAll(telling, "TARGET", targets.URL), goodTemplate)
	s := serve(t, t.TempDir(), nil, "--config", config)
	fire := func(name, team string) {
		t.Helper()
		body := fmt.Sprintf(`[{"labels":{"alertname":%q,"severity":"critical","team":%q,"service":%q}}]`, name, team, name)
		if got := s.send(t, http.DefaultClient, http.MethodPost, "/api/v2/alerts", strings.NewReader(body)); got.status != http.StatusOK {
			t.Fatalf("got %d %s", got.status, got.body)
		}
	}
	for n := range 5 {
		fire(fmt.Sprintf("Stuck%d", n), "stuck")
	}
	need.Eventually(t, 20*time.Second, "the webhook to hang", func() bool { return targets.got("/hang") > 0 })
	// By order, not by time: whatever hangs is answered only when the test ends, and the others have come before.
	for n := range 5 {
		fire(fmt.Sprintf("Other%d", n), "any")
		need.Eventually(t, 20*time.Second, "the other webhook to be told while the first hangs", func() bool { return targets.got("/hook") > n })
	}
	var pending struct {
		Items []struct{ Receiver, State string }
	}
	s.get(t, "/deliveries?receiver=stuck&state=pending", &pending)
	if len(pending.Items) == 0 {
		t.Error("what hangs is not pending any more: it delayed nobody because it did not hang")
	}
}
