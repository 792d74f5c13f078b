package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

type incident struct {
	ID, State, Severity, Title string
	AlertCount, FiringCount    int
	Reports                    int
	LastSeenAt                 time.Time
	EndedAt                    *time.Time
}

type alert struct {
	ID, Name, State, Source, Incident, GeneratorURL string
	Reports                                         int
	Labels, Annotations                             map[string]string
}

// prometheusRules fire at once while a target is away.
const prometheusRules = `groups:
- name: shop
  rules:
  - alert: TargetDown
    expr: up == 0
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.instance }} of {{ $labels.service }} is down", description: "a\nb & <c>"}
`

// hurry returns a configuration under which people wait seconds, not minutes, for an incident to be shown and to close.
func hurry(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fairlead.yml")
	if err := os.WriteFile(file, []byte("incident:\n  hold_critical: 2s\n  settle: 5s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPrometheusOpensUpdatesAndResolvesAnIncident runs Debian's Prometheus against the built binary as if it were an
// Alertmanager: two services go away one after the other and come back.
func TestPrometheusOpensUpdatesAndResolvesAnIncident(t *testing.T) {
	prometheus := need.Tool(t, "prometheus")
	fairlead := serve(t, "--config", hurry(t))
	api := "http://" + fairlead + "/api/fairlead/v1"

	var broken [2]atomic.Bool
	var targets [2]string
	for i := range targets {
		target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if broken[i].Load() {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			_, _ = fmt.Fprintln(w, "shop_up 1")
		}))
		t.Cleanup(target.Close)
		targets[i] = target.Listener.Addr().String()
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("rules.yml", prometheusRules)
	config := write("prometheus.yml", fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s, external_labels: {cluster: eu-1}}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
- job_name: shop
  static_configs:
  - {targets: [%q], labels: {service: checkout}}
  - {targets: [%q], labels: {service: cart}}
`, fairlead, targets[0], targets[1]))
	address := freeAddress(t)
	start(t, "prometheus", prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--rules.alert.resend-delay=5s")
	ready(t, "http://"+address+"/-/ready")

	incidents := func() []incident { return list[incident](t, api+"/incidents") }
	begun := time.Now()
	broken[0].Store(true)
	need.Eventually(t, 60*time.Second, "Prometheus's alert to be an open incident", func() bool {
		found := incidents()
		return len(found) == 1 && found[0].State == "open" && found[0].Severity == "critical" && found[0].FiringCount == 1
	})
	t.Logf("open after %s", time.Since(begun).Round(time.Second))
	first := incidents()[0]
	stored := list[alert](t, api+"/alerts")
	if len(stored) != 1 || stored[0].Name != "TargetDown" || stored[0].Source != "prometheus" || stored[0].Incident != first.ID ||
		stored[0].Labels["service"] != "checkout" || stored[0].Labels["cluster"] != "eu-1" ||
		stored[0].Annotations["description"] != "a\nb & <c>" || stored[0].GeneratorURL == "" {
		t.Errorf("got alerts %+v, want TargetDown of checkout as Prometheus sent it", stored)
	}

	need.Eventually(t, 60*time.Second, "a repeat to be counted in the same incident", func() bool {
		found := incidents()
		return len(found) == 1 && found[0].ID == first.ID && found[0].Reports > first.Reports && found[0].AlertCount == 1 && found[0].LastSeenAt.After(first.LastSeenAt)
	})

	t.Logf("repeated after %s", time.Since(begun).Round(time.Second))
	broken[1].Store(true)
	need.Eventually(t, 60*time.Second, "the second service's alert to be stored and in an incident", func() bool {
		all := list[alert](t, api+"/alerts")
		return len(all) == 2 && all[0].Incident != "" && all[1].Incident != ""
	})

	t.Logf("both in incidents after %s", time.Since(begun).Round(time.Second))
	broken[0].Store(false)
	broken[1].Store(false)
	need.Eventually(t, 2*time.Minute, "all alerts and incidents to be resolved", func() bool {
		for _, a := range list[alert](t, api+"/alerts") {
			if a.State != "resolved" {
				return false
			}
		}
		for _, i := range incidents() {
			if i.State != "resolved" && i.State != "suppressed" || i.FiringCount != 0 {
				return false
			}
		}
		return true
	})
	t.Logf("resolved after %s", time.Since(begun).Round(time.Second))
	for _, i := range incidents() {
		if i.ID == first.ID && (i.State != "resolved" || i.EndedAt == nil) {
			t.Errorf("got %+v, want it resolved with an end", i)
		}
	}
}
