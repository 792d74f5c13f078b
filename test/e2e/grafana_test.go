package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// TestGrafanasAlertmanagerDataSource sends what Grafana's data source of the implementation "Prometheus" sends: the health
// check of its settings page (which expects of a Prometheus that it knows no Mimir path), the lists of its alert page, and
// a silence from its editor to its end.
func TestGrafanasAlertmanagerDataSource(t *testing.T) {
	address := serve(t)
	ask := func(method, path, body string, want int, into any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "application/json, text/plain, */*")
		r.Header.Set("User-Agent", "Grafana/12.3.0")
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != want {
			t.Fatalf("%s %s: got %d %s, want %d", method, path, response.StatusCode, text, want)
		}
		if into == nil {
			return
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}

	ask("GET", "/alertmanager/api/v1/status/buildinfo", "", 404, nil)
	ask("GET", "/alertmanager/api/v2/status", "", 404, nil)
	var status struct {
		Config      struct{ Original string }
		VersionInfo struct{ Version string }
	}
	ask("GET", "/api/v2/status", "", 200, &status)
	if !strings.Contains(status.Config.Original, "receiver: default") || status.VersionInfo.Version == "" {
		t.Errorf("the status is %+v", status)
	}

	ask("POST", "/api/v2/alerts", `[{"labels":{"alertname":"High","service":"cart"}},{"labels":{"alertname":"High","service":"checkout"}}]`, 200, nil)
	type alertView struct {
		Fingerprint string
		Labels      map[string]string
		Status      struct {
			State      string
			SilencedBy []string
		}
		Receivers []struct{ Name string }
	}
	states := func() string {
		var groups []struct {
			Receiver struct{ Name string }
			Alerts   []alertView
		}
		ask("GET", "/api/v2/alerts/groups", "", 200, &groups)
		found := map[string]string{}
		for _, g := range groups {
			for i := range g.Alerts {
				found[g.Alerts[i].Labels["service"]] = g.Alerts[i].Status.State
			}
			if g.Receiver.Name != "default" {
				t.Errorf("a group is for receiver %q, want default", g.Receiver.Name)
			}
		}
		return fmt.Sprint(found)
	}
	need.Eventually(t, 20*time.Second, "both alerts in the groups", func() bool { return states() == "map[cart:active checkout:active]" })

	now := time.Now().UTC()
	var made struct{ SilenceID string }
	ask("POST", "/api/v2/silences", fmt.Sprintf(`{"id":"","comment":"created 2026","createdBy":"admin","startsAt":%q,"endsAt":%q,"matchers":[{"name":"service","value":"cart","isRegex":false,"isEqual":true}]}`,
		now.Format("2006-01-02T15:04:05.000Z"), now.Add(2*time.Hour).Format("2006-01-02T15:04:05.000Z")), 200, &made)
	if made.SilenceID == "" {
		t.Fatal("the silence has no id")
	}
	need.Eventually(t, 20*time.Second, "the silenced alert in the groups", func() bool { return states() == "map[cart:suppressed checkout:active]" })
	var alerts []alertView
	ask("GET", "/api/v2/alerts?silenced=true&active=true&inhibited=true&filter=service%3D%22cart%22", "", 200, &alerts)
	if len(alerts) != 1 || len(alerts[0].Status.SilencedBy) != 1 || alerts[0].Status.SilencedBy[0] != made.SilenceID || len(alerts[0].Receivers) != 1 {
		t.Errorf("the silenced alert is %+v", alerts)
	}
	ask("GET", "/api/v2/alerts?silenced=false&active=true&inhibited=true", "", 200, &alerts)
	if len(alerts) != 1 || alerts[0].Labels["service"] != "checkout" {
		t.Errorf("without silenced ones: %+v", alerts)
	}
	var silence struct {
		ID     string
		Status struct{ State string }
	}
	ask("GET", "/api/v2/silence/"+made.SilenceID, "", 200, &silence)
	if silence.ID != made.SilenceID || silence.Status.State != "active" {
		t.Errorf("the silence is %+v", silence)
	}
	ask("DELETE", "/api/v2/silence/"+made.SilenceID, "", 200, nil)
	var silences []struct{ Status struct{ State string } }
	ask("GET", "/api/v2/silences", "", 200, &silences)
	if len(silences) != 1 || silences[0].Status.State != "expired" {
		t.Errorf("the silences are %+v", silences)
	}
}
