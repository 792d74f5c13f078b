package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// post sends a body and returns the status of the answer.
func post(t *testing.T, url, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}

// startAlertmanager runs an Alertmanager with a configuration and returns its address.
func startAlertmanager(t *testing.T, path, config string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	start(t, "alertmanager", path, append([]string{
		"--config.file=" + file, "--storage.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address, "--cluster.listen-address=",
	}, args...)...)
	ready(t, "http://"+address+"/-/ready")
	return address
}

// TestAlertmanagersWebhook runs Debian's Alertmanager with a webhook receiver that points at the built binary: what it groups
// and notifies is stored here with its labels and fingerprints, and ends here when it ends there.
func TestAlertmanagersWebhook(t *testing.T) {
	tool := need.Tool(t, "prometheus-alertmanager")
	fairlead := serve(t, "--config", hurry(t))
	alertmanager := startAlertmanager(t, tool, fmt.Sprintf(`route: {receiver: fairlead, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
- name: fairlead
  webhook_configs: [{url: "http://%s/in/alertmanager/prod", send_resolved: true}]
`, fairlead))

	send := func(service, more string) {
		t.Helper()
		body := fmt.Sprintf(`[{"labels":{"alertname":"HighLatency","service":%q,"severity":"critical"},"annotations":{"summary":"slow"},"generatorURL":"http://prometheus/graph"%s}]`, service, more)
		if status := post(t, "http://"+alertmanager+"/api/v2/alerts", body); status != http.StatusOK {
			t.Fatalf("Alertmanager answered %d", status)
		}
	}
	alerts := func() map[string]alert {
		found := map[string]alert{}
		for _, a := range list[alert](t, "http://"+fairlead+"/api/fairlead/v1/alerts") {
			found[a.Labels["service"]] = a
		}
		return found
	}
	send("checkout", "")
	send("cart", "")
	need.Eventually(t, 60*time.Second, "both alerts", func() bool { return len(alerts()) == 2 })
	first := alerts()["checkout"]
	if first.Name != "HighLatency" || first.Source != "prod" || first.State == "resolved" || first.Annotations["summary"] != "slow" ||
		first.Annotations["alertmanager_receiver"] != "fairlead" || !strings.Contains(first.GeneratorURL, "prometheus/graph") {
		t.Errorf("the alert is %+v", first)
	}
	send("cart", `,"endsAt":"`+time.Now().UTC().Format(time.RFC3339Nano)+`"`)
	need.Eventually(t, 60*time.Second, "the end of one", func() bool {
		found := alerts()
		return len(found) == 2 && found["cart"].State == "resolved" && found["checkout"].State != "resolved"
	})
}

// door is what our API tells of an integration.
type door struct {
	Requests, Refused, Alerts uint64
	LastError                 string
	Captures                  []struct{ Body string }
}

func lookAt(t *testing.T, fairlead, name string) (d door) {
	t.Helper()
	status, body := get(t.Context(), "http://"+fairlead+"/api/fairlead/v1/integrations/"+name)
	if err := json.Unmarshal(body, &d); status == http.StatusOK && err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return d
}

// TestAlertmanagersEventRecorder runs Alertmanager 0.34 with its event recorder pointed at the built binary: each batch is
// taken, and makes no alerts.
func TestAlertmanagersEventRecorder(t *testing.T) {
	tool := need.Tool(t, "alertmanager")
	fairlead := serve(t)
	alertmanager := startAlertmanager(t, tool, fmt.Sprintf(`route: {receiver: fairlead, group_wait: 1s, group_interval: 1s}
receivers:
- name: fairlead
  webhook_configs: [{url: "http://%[1]s/in/alertmanager/prod"}]
event_recorder:
  webhook_outputs: [{url: "http://%[1]s/in/am-events/recorder", batch: true}]
`, fairlead), "--enable-feature=event-recorder")
	if status := post(t, "http://"+alertmanager+"/api/v2/alerts", `[{"labels":{"alertname":"HighLatency","service":"checkout"}}]`); status != http.StatusOK {
		t.Fatalf("Alertmanager answered %d", status)
	}
	need.Eventually(t, 60*time.Second, "the notification to be told", func() bool {
		recorder := lookAt(t, fairlead, "recorder")
		return len(recorder.Captures) > 0 && strings.Contains(recorder.Captures[0].Body, `"notification"`)
	})
	if recorder := lookAt(t, fairlead, "recorder"); recorder.Refused != 0 || recorder.Alerts != 0 || recorder.LastError != "" {
		t.Errorf("the recorder's integration is %+v", recorder)
	}
	if prod := lookAt(t, fairlead, "prod"); prod.Alerts != 1 || prod.Refused != 0 {
		t.Errorf("the webhook's integration is %+v", prod)
	}
}

// TestTheGuidesCommandsWork runs the commands of docs/guide/senders.md as they stand there, against the built binary.
func TestTheGuidesCommandsWork(t *testing.T) {
	need.Tool(t, "curl")
	fairlead := serve(t)
	text, err := os.ReadFile(filepath.Join(need.Root(t), "docs", "guide", "senders.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```sh\n")[1:]
	if len(blocks) < 9 {
		t.Fatalf("the guide has %d blocks of commands", len(blocks))
	}
	for _, block := range blocks {
		commands, _, _ := strings.Cut(block, "```")
		script := "set -e\nPATH=" + filepath.Dir(need.Binary(t)) + ":$PATH\n" + strings.ReplaceAll(commands, "127.0.0.1:8460", fairlead)
		if out, err := run(t, "bash", "-c", script); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	found := func() map[string]string {
		states := map[string]string{}
		for _, a := range list[alert](t, "http://"+fairlead+"/api/fairlead/v1/alerts") {
			states[a.Source+" "+a.Name] = a.State
		}
		return states
	}
	var last map[string]string
	want := map[string]string{
		"alertmanager-prod HighLatency": "firing", "backup Backup failed": "firing", "grafana-prod High memory usage": "firing", "datadog-prod CPU is high": "resolved",
		"zabbix-prod High CPU utilization": "resolved", "nagios-prod HTTP": "resolved", "cluster-eu-1 BackOff": "firing",
		"pagerduty disk": "resolved", "pagerduty FAILURE for production/HTTP on machine srv01.acme.com": "resolved", "opsgenie An example alert message": "resolved",
		"oncall The whole system is down": "resolved", "ci Disk full": "resolved", "backup Restore failed": "resolved",
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("got %v, want %v", last, want)
		}
	})
	need.Eventually(t, 20*time.Second, "all alerts of the guide in their last state", func() bool {
		last = found()
		return maps.Equal(last, want)
	})
}
