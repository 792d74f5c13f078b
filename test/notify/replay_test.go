package notify

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/test/need"
)

const eventRoutes = `
route:
  receiver: hook
  group_by: [service]
  group_wait: 5s
  group_interval: 20s
  repeat_interval: 40s
receivers:
- name: hook
  webhook_configs: [{url: TARGETS/hook/all}]
`

// recording writes a stream of a minute and a half: three services, of which one has an alert that clears in time.
func recording(t *testing.T) string {
	t.Helper()
	begin := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	var lines []string
	at := func(second int, ended bool, labels ...string) {
		var alerts []map[string]any
		for _, text := range labels {
			name, service, _ := strings.Cut(text, " ")
			one := map[string]any{
				"labels":   map[string]string{"alertname": name, "service": service, "severity": "critical"},
				"startsAt": begin.Add(time.Duration(second) * time.Second),
			}
			if ended {
				one["endsAt"] = one["startsAt"]
			}
			alerts = append(alerts, one)
		}
		line, err := json.Marshal(map[string]any{"at": begin.Add(time.Duration(second) * time.Second), "alerts": alerts})
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	at(0, false, "Down cart", "Slow cart")
	at(10, false, "Down pay")
	at(13, true, "Down pay")
	at(20, false, "Full cart")
	at(31, false, "Down search")
	at(50, true, "Slow cart")
	at(75, true, "Down cart", "Full cart")
	at(90, true, "Down search")
	file := filepath.Join(t.TempDir(), "stream.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestAReplayTellsNobodyAndTheSameAtAnySpeed replays a stream at ten times its speed and as fast as it goes: nobody is really
// told, and what would have been told, to whom and when, is the same.
func TestAReplayTellsNobodyAndTheSameAtAnySpeed(t *testing.T) {
	for _, per := range []string{"incident", "group"} {
		t.Run(per, func(t *testing.T) {
			t.Parallel()
			stream := recording(t)
			run := func(speed string) (told []string) {
				s := newServer(t, map[string]string{
					"alertmanager.yml": eventRoutes,
					"fairlead.yml":     "clock: event\nincident: {hold_critical: 0s, settle: 10s}\nnotify: {alertmanager: alertmanager.yml, per: " + per + "}\n",
				})
				command := exec.CommandContext(t.Context(), need.Binary(t), "replay", stream, "--to", s.url, "--speed", speed)
				if out, err := command.CombinedOutput(); err != nil {
					t.Fatalf("replay at %s: %v\n%s", speed, err, out)
				}
				var page struct {
					Items []struct {
						At                           time.Time
						Receiver, Why, State, Reason string
						AlertCount                   int
					}
				}
				status, body := s.ask(http.MethodGet, "/api/fairlead/v1/deliveries?limit=500", "")
				if err := json.Unmarshal(body, &page); status != http.StatusOK || err != nil {
					t.Fatalf("list deliveries: %d %s %v", status, body, err)
				}
				for _, d := range page.Items {
					if d.State != "muted" || !strings.HasPrefix(d.Reason, "Not sent: event clock.") {
						t.Errorf("speed %s: got %+v, want it not sent", speed, d)
					}
					told = append(told, fmt.Sprintf("%s %s %s %d", d.At.Format("15:04:05.000"), d.Receiver, d.Why, d.AlertCount))
				}
				s.targets.mu.Lock()
				defer s.targets.mu.Unlock()
				if len(s.targets.calls) != 0 {
					t.Errorf("speed %s: the target was told %+v", speed, s.targets.calls)
				}
				slices.Sort(told)
				return told
			}
			fast, slow := run("max"), run("10")
			t.Log(strings.Join(fast, "; "))
			if diff := cmp.Diff(slow, fast); diff != "" {
				t.Errorf("at ten times the speed (-), and as fast as it goes (+):\n%s", diff)
			}
			if per == "group" {
				want := []string{
					"12:00:05.000 hook first 2", "12:00:25.000 hook new alerts 3", "12:00:36.000 hook first 1", "12:01:05.000 hook some ended 3",
					"12:01:16.000 hook repeat 1", "12:01:25.000 hook resolved 2", "12:01:36.000 hook resolved 1",
				}
				if diff := cmp.Diff(want, fast); diff != "" {
					t.Errorf("as Alertmanager would tell (-), and was told (+):\n%s", diff)
				}
			} else if len(fast) < 4 {
				t.Errorf("only %v was told", fast)
			}
		})
	}
}
