package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/web/api"
)

// deleteIntegration asks for a deletion, confirms it as the only person, and waits until it is gone.
func (r *running) deleteIntegration(name string) {
	r.t.Helper()
	status, body := r.request(http.MethodDelete, "/api/fairlead/v1/integrations/"+name, "")
	var asked api.Approval
	if err := json.Unmarshal([]byte(body), &asked); status != http.StatusAccepted || err != nil {
		r.t.Fatalf("ask to delete %s: %d %s", name, status, body)
	}
	if status, body := r.request(http.MethodPost, "/api/fairlead/v1/approvals/"+asked.ID+"/approve", `{"reason":"a test"}`); status != http.StatusOK {
		r.t.Fatalf("confirm: %d %s", status, body)
	}
	r.until("it is deleted", func() bool {
		status, _ := r.request(http.MethodGet, "/api/fairlead/v1/integrations/"+name, "")
		return status == http.StatusNotFound
	})
}

// as sends a request as somebody and decodes the answer.
func (c *closed) as(headers []string, method, path, body string, want int, into any) string {
	c.t.Helper()
	status, text := c.request(method, api.Prefix+path, body, headers...)
	if status != want {
		c.t.Fatalf("%s %s: %d %s, want %d", method, path, status, text, want)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			c.t.Fatalf("%s %s: %s: %v", method, path, text, err)
		}
	}
	return text
}

func TestTwoPeopleDeleteAnIntegration(t *testing.T) {
	c := startClosed(t, testConfig(t))
	root := c.browser(c.admin())
	second := c.browser(c.user("bob", access.Grant{Role: access.Approver}))
	viewer := c.browser(c.user("vic", access.Grant{Role: access.Viewer}))
	c.as(root, http.MethodPost, "/integrations", `{"name":"old","kind":"datadog"}`, 200, nil)
	c.as(second, http.MethodDelete, "/integrations/old", "", 403, nil)
	var asked, decided api.Approval
	c.as(root, http.MethodDelete, "/integrations/old?reason=unused", "", 202, &asked)
	if asked.MayDecide || asked.Solo || !strings.Contains(asked.WhyNot, "another person") || !asked.MayCancel {
		t.Errorf("asked: %+v", asked)
	}
	c.as(root, http.MethodPost, "/approvals/"+asked.ID+"/approve", `{"reason":"me too"}`, 403, nil)
	c.as(viewer, http.MethodPost, "/approvals/"+asked.ID+"/approve", `{"reason":"me too"}`, 403, nil)
	c.as(second, http.MethodPost, "/approvals/"+asked.ID+"/approve", `{"reason":""}`, 422, nil)
	// The same person with a token is the same person.
	_, token := c.token("root", access.NewToken{})
	c.as(token, http.MethodPost, "/approvals/"+asked.ID+"/approve", `{"reason":"by a token"}`, 403, nil)
	c.as(second, http.MethodPost, "/approvals/"+asked.ID+"/approve", `{"reason":"nobody sends any more"}`, 200, &decided)
	c.until("it is deleted", func() bool {
		var now api.Approval
		c.as(viewer, http.MethodGet, "/approvals/"+asked.ID, "", 200, &now)
		return now.State == "executed"
	})
	c.as(root, http.MethodGet, "/integrations/old", "", 404, nil)
	// Asked for, and made anew before it was approved: another one, which stays.
	c.as(root, http.MethodPost, "/integrations", `{"name":"again","kind":"datadog"}`, 200, nil)
	c.as(root, http.MethodDelete, "/integrations/again?reason=unused", "", 202, &asked)
	var page api.ApprovalPage
	c.as(viewer, http.MethodGet, "/approvals?state=pending", "", 200, &page)
	if len(page.Items) != 1 || page.Items[0].ID != asked.ID || page.Items[0].MayDecide {
		t.Errorf("waiting: %+v", page)
	}
	c.as(viewer, http.MethodPost, "/approvals/"+asked.ID+"/cancel", "{}", 403, nil)
	c.as(root, http.MethodPost, "/approvals/"+asked.ID+"/cancel", "{}", 200, nil)
	c.as(second, http.MethodPost, "/approvals/"+asked.ID+"/approve", `{"reason":"late"}`, 409, nil)
	c.as(viewer, http.MethodGet, "/approvals/nothing'%20OR%201=1", "", 404, nil)
}

// TestAPurgeRemovesWhatIsOverAndTheLogStaysWhole purges on event time, months after an outage.
func TestAPurgeRemovesWhatIsOverAndTheLogStaysWhole(t *testing.T) {
	cfg := testConfig(t)
	cfg.Clock = "event"
	r := start(t, cfg, Options{})
	defer r.stop()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	post := func(day int, service string, ends bool, count int) {
		t.Helper()
		var alerts []map[string]any
		now := at.AddDate(0, 0, day)
		for i := range count {
			a := map[string]any{"labels": map[string]string{"alertname": fmt.Sprint("A", i), "service": service, "severity": "critical"}, "startsAt": now}
			if ends {
				a["startsAt"], a["endsAt"] = now.Add(-time.Hour), now
			}
			alerts = append(alerts, a)
		}
		body, err := json.Marshal(alerts)
		if err != nil {
			t.Fatal(err)
		}
		if status, text := r.request(http.MethodPost, "/api/v2/alerts", string(body), "Fairlead-Event-Time", now.Format(time.RFC3339Nano), "Fairlead-Resolve-Timeout", "0"); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	post(0, "cart", false, 1500)
	post(1, "cart", true, 1500)
	post(2, "mail", false, 5)
	post(3, "mail", true, 5)
	post(59, "fresh", false, 5)
	post(60, "late", false, 1)
	var settled api.Clock
	r.get(api.Prefix+"/clock", &settled) // waits until everything is applied
	status, body := r.request(http.MethodPost, api.Prefix+"/purges/preview", `{"olderThanDays":30}`)
	var preview api.PurgePreview
	if err := json.Unmarshal([]byte(body), &preview); status != http.StatusOK || err != nil || preview.Incidents < 2 || preview.Alerts != 1505 {
		t.Fatalf("preview: %d %s", status, body)
	}
	purge := func(question string) api.Approval {
		t.Helper()
		status, body := r.request(http.MethodPost, api.Prefix+"/purges", question)
		var asked api.Approval
		if err := json.Unmarshal([]byte(body), &asked); status != http.StatusAccepted || err != nil {
			t.Fatalf("ask: %d %s", status, body)
		}
		if status, body := r.request(http.MethodPost, api.Prefix+"/approvals/"+asked.ID+"/approve", `{"reason":"told to"}`); status != http.StatusOK {
			t.Fatalf("approve: %d %s", status, body)
		}
		r.until("it is purged", func() bool {
			r.get(api.Prefix+"/approvals/"+asked.ID, &asked)
			return asked.State == "executed"
		})
		return asked
	}
	if got := purge(`{"olderThanDays":30,"matchers":["service=mail"],"reason":"a request"}`); got.Done != 5 {
		t.Errorf("by a matcher: %+v", got)
	}
	if got := purge(`{"olderThanDays":30,"reason":"old"}`); got.Done != 1500 {
		t.Errorf("by age: %+v", got)
	}
	var left struct{ Alerts, Loose int }
	if err := r.db.Read().NewRaw("SELECT count(*) FROM alerts").Scan(t.Context(), &left.Alerts); err != nil || left.Alerts != 6 {
		t.Errorf("%d alerts are left, %v", left.Alerts, err)
	}
	report, err := audit.Verify(t.Context(), r.db.Read(), incident.NewCheck())
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("verify: %v %+v", err, report.Problems[:min(3, len(report.Problems))])
	}
	for body, field := range map[string]string{
		`{"olderThanDays":0,"reason":"x"}`: "olderThanDays", `{"olderThanDays":30}`: "reason", `{"olderThanDays":30,"reason":"x","matchers":["=~("]}`: "matchers",
	} {
		if status, text := r.request(http.MethodPost, api.Prefix+"/purges", body); status != http.StatusUnprocessableEntity || !strings.Contains(text, field) {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
}
