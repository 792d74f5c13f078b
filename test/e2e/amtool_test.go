package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// TestAmtool does with Alertmanager's own client, against the built binary, what people do with it: it lists alerts, and
// adds, queries, updates, imports and expires silences.
func TestAmtool(t *testing.T) {
	tool := need.Tool(t, "amtool")
	address := serve(t)
	amtool := func(t *testing.T, args ...string) string {
		t.Helper()
		out, err := run(t, tool, append([]string{"--alertmanager.url=http://" + address}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	alerts := func(t *testing.T, args ...string) []string {
		t.Helper()
		var found []struct{ Labels map[string]string }
		if err := json.Unmarshal([]byte(amtool(t, append([]string{"alert", "query", "-o", "json"}, args...)...)), &found); err != nil {
			t.Fatal(err)
		}
		var services []string
		for _, a := range found {
			services = append(services, a.Labels["service"])
		}
		slices.Sort(services)
		return services
	}
	silences := func(t *testing.T, args ...string) []string {
		t.Helper()
		return strings.Fields(amtool(t, append([]string{"silence", "query", "-q"}, args...)...))
	}
	equal := func(t *testing.T, what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}

	amtool(t, "alert", "add", "alertname=High", "severity=critical", "service=checkout", "--annotation=summary=it is high")
	amtool(t, "alert", "add", "alertname=High", "severity=warning", "service=cart")
	need.Eventually(t, 20*time.Second, "amtool to list both alerts", func() bool { return len(alerts(t)) == 2 })
	equal(t, "all alerts", alerts(t), []string{"cart", "checkout"})
	equal(t, "alerts by a matcher", alerts(t, `severity=~"crit.*"`), []string{"checkout"})
	equal(t, "alerts by name alone", alerts(t, "High"), []string{"cart", "checkout"})
	if text := amtool(t, "alert", "query", "-o", "extended"); !strings.Contains(text, `summary="it is high"`) || strings.Contains(text, "Warning") {
		t.Errorf("the extended list is\n%s", text)
	}

	id := amtool(t, "silence", "add", "alertname=High", `service=~"cart|basket"`, "--comment=planned work", "--author=ann", "--duration=1h")
	equal(t, "silences", silences(t), []string{id})
	equal(t, "silences by a matcher", silences(t, "alertname=High"), []string{id})
	equal(t, "silences by another matcher", silences(t, "alertname=Low"), nil)
	equal(t, "alerts that are active", alerts(t, "--active"), []string{"checkout"})
	equal(t, "alerts that are silenced", alerts(t, "--silenced"), []string{"cart"})

	amtool(t, "silence", "update", "--duration=3h", "--comment=it takes longer", id)
	equal(t, "silences after an update", silences(t), []string{id})
	if text := amtool(t, "silence", "query", "-o", "extended"); !strings.Contains(text, "it takes longer") || !strings.Contains(text, "ann") {
		t.Errorf("after the update amtool shows\n%s", text)
	}

	amtool(t, "silence", "expire", id)
	equal(t, "silences after it expired", silences(t), nil)
	equal(t, "expired silences", silences(t, "--expired"), []string{id})
	equal(t, "alerts that are silenced after it expired", alerts(t, "--silenced"), nil)

	if out, err := run(t, tool, "--alertmanager.url=http://"+address, "silence", "expire", "00000000-0000-4000-8000-000000000000"); err == nil {
		t.Errorf("expiring an unknown silence succeeded: %s", out)
	}
	if out, err := run(t, tool, "--alertmanager.url=http://"+address, "silence", "add", `a=~".*"`, "--comment=x"); err == nil || !strings.Contains(out, "must not match the empty string") {
		t.Errorf("a silence of everything: %v %s, want a refusal that says why", err, out)
	}
	if text := amtool(t, "config", "show"); !strings.Contains(text, "receiver: default") {
		t.Errorf("amtool config show prints\n%s", text)
	}
	if text := amtool(t, "cluster", "show"); !strings.Contains(text, "disabled") {
		t.Errorf("amtool cluster show prints\n%s", text)
	}
}
