package app

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/web/api"
)

// teamed is a server with an incident of each of two teams and one of none.
type teamed struct {
	*closed
	root, payments            []string
	paymentsID, searchID, own string // incidents
	searchAlert               string
}

func startTeamed(t *testing.T) *teamed {
	t.Helper()
	c := &teamed{closed: startClosed(t, testConfig(t))}
	c.root = c.browser(c.admin())
	for _, team := range []string{"payments", "search", `we"ird`} {
		if team != `we"ird` {
			c.as(c.root, http.MethodPost, "/teams", `{"name":"`+team+`"}`, 200, nil)
		}
	}
	c.payments = c.browser(c.user("pat", access.Grant{Role: access.Responder, Teams: []string{"payments"}}))
	if status, body := c.request(http.MethodPost, "/api/v2/alerts", `[
		{"labels":{"alertname":"Pay","service":"pay","severity":"critical","team":"payments"}},
		{"labels":{"alertname":"Find","service":"find","severity":"critical","team":"search","note":"\"team\":\"payments\""}},
		{"labels":{"alertname":"Loose","service":"loose","severity":"critical","xteam":"search"}}]`); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	var alerts struct {
		Items []struct{ ID, Name, Incident string }
	}
	c.until("three alerts are in an incident", func() bool {
		c.as(c.root, http.MethodGet, "/alerts", "", 200, &alerts)
		return len(alerts.Items) == 3 && alerts.Items[0].Incident != ""
	})
	for _, item := range alerts.Items { // they came together: take them apart
		id := item.Incident
		var acted api.ActionResult
		switch item.Name {
		case "Find":
			c.as(c.root, http.MethodPost, "/incidents/"+id+"/split", `{"alerts":["`+item.ID+`"]}`, 200, &acted)
			c.searchID, c.searchAlert = acted.Incident.ID, item.ID
		case "Loose":
			c.as(c.root, http.MethodPost, "/incidents/"+id+"/split", `{"alerts":["`+item.ID+`"]}`, 200, &acted)
			c.own = acted.Incident.ID
		case "Pay":
			c.paymentsID = id
		}
	}
	for id, name := range map[string]string{c.searchID: "Find", c.own: "Loose", c.paymentsID: "Pay"} {
		if text := c.as(c.root, http.MethodGet, "/incidents/"+id+"/alerts", "", 200, nil); strings.Count(text, `"fingerprint"`) != 1 || !strings.Contains(text, name) {
			t.Fatalf("%s, which should hold %s: %s", id, name, text)
		}
	}
	return c
}

func TestPeopleOfATeamSeeItsIncidentsAndThoseOfNone(t *testing.T) {
	c := startTeamed(t)
	ids := func(headers []string, query string) string {
		t.Helper()
		return c.as(headers, http.MethodGet, query, "", 200, nil)
	}
	for _, query := range []string{"/incidents", "/incidents?q=Find", "/alerts", "/alerts?q=Find", "/alerts?incident=" + c.searchID, "/stats"} {
		if got := ids(c.payments, query); strings.Contains(got, c.searchID+`"`) || strings.Contains(got, "Find") {
			t.Errorf("%s shows the other team's: %s", query, got)
		}
	}
	if got := ids(c.payments, "/incidents"); !strings.Contains(got, c.paymentsID) || !strings.Contains(got, c.own) {
		t.Errorf("not one's own: %s", got)
	}
	var own, all api.Stats
	c.as(c.payments, http.MethodGet, "/stats", "", 200, &own)
	c.as(c.root, http.MethodGet, "/stats", "", 200, &all)
	sum := func(s api.IncidentStats) int { return s.Forming + s.Open + s.Acknowledged + s.Resolved + s.Suppressed }
	if sum(own.Incidents) != 2 || sum(all.Incidents) != 3 {
		t.Errorf("counted %d of %d, want 2 of 3", sum(own.Incidents), sum(all.Incidents))
	}
	for _, path := range []string{
		"/incidents/" + c.searchID, "/incidents/" + c.searchID + "/timeline", "/incidents/" + c.searchID + "/alerts",
		"/alerts/" + c.searchAlert, "/alerts/" + c.searchAlert + "/decisions", "/deliveries?incident=" + c.searchID,
	} {
		c.as(c.payments, http.MethodGet, path, "", 404, nil)
		c.as(c.root, http.MethodGet, path, "", 200, nil)
	}
	c.as(c.payments, http.MethodGet, "/deliveries", "", 422, nil)
	c.as(c.payments, http.MethodGet, "/tee/report", "", 403, nil)
	c.as(c.payments, http.MethodGet, "/approvals", "", 403, nil)
	c.as(c.payments, http.MethodGet, "/audit", "", 403, nil)
	for path, body := range map[string]string{
		"/incidents/" + c.searchID + "/acknowledge": "{}", "/incidents/" + c.searchID + "/resolve": "{}", "/incidents/" + c.searchID + "/notes": `{"text":"x"}`,
		"/incidents/" + c.paymentsID + "/merge":  `{"from":["` + c.searchID + `"]}`,
		"/incidents/" + c.searchID + "/merge":    `{"from":["` + c.paymentsID + `"]}`,
		"/incidents/" + c.paymentsID + "/assign": `{"alerts":["` + c.searchAlert + `"]}`,
		"/incidents/" + c.searchID + "/split":    `{"alerts":["` + c.searchAlert + `"]}`,
		"/incidents/" + c.searchID + "/own":      `{"owner":"pat"}`,
	} {
		c.as(c.payments, http.MethodPost, path, body, 404, nil)
	}
	var acted api.ActionResult
	c.as(c.root, http.MethodPost, "/incidents/"+c.searchID+"/acknowledge", "{}", 200, &acted)
	c.as(c.payments, http.MethodPost, "/steps/"+acted.Step.ID+"/undo", "", 404, nil)
	c.as(c.payments, http.MethodPost, "/incidents/"+c.paymentsID+"/acknowledge", "{}", 200, &acted)
	if acted.Step.Actor != "pat" {
		t.Errorf("the step is by %q", acted.Step.Actor)
	}
	// Once it holds an alert of the team, the whole incident is seen.
	c.as(c.root, http.MethodPost, "/incidents/"+c.searchID+"/merge", `{"from":["`+c.paymentsID+`"]}`, 200, nil)
	c.as(c.payments, http.MethodGet, "/incidents/"+c.searchID, "", 200, nil)
	c.as(c.payments, http.MethodGet, "/alerts/"+c.searchAlert, "", 200, nil)
}

func TestPeopleOfATeamMuteOnlyWhatIsTheirs(t *testing.T) {
	c := startTeamed(t)
	_, token := c.token("pat", access.NewToken{})
	silence := func(headers []string, matchers string) (int, string) {
		t.Helper()
		return c.request(http.MethodPost, "/api/v2/silences",
			`{"matchers":[`+matchers+`],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z","createdBy":"somebody else","comment":"x"}`, headers...)
	}
	const own, other = `{"name":"team","value":"payments","isRegex":false}`, `{"name":"team","value":"search","isRegex":false}`
	for matchers, want := range map[string]int{
		own: 200, other: 403, `{"name":"service","value":"find","isRegex":false}`: 403, `{"name":"team","value":"payments|search","isRegex":true}`: 403,
		`{"name":"team","value":"search","isRegex":false,"isEqual":false}`: 403,
	} {
		if status, body := silence(token, matchers); status != want {
			t.Errorf("silence %s: %d %s, want %d", matchers, status, body, want)
		}
	}
	_, root := c.token("root", access.NewToken{})
	status, body := silence(root, other)
	var made struct{ SilenceID string }
	if err := json.Unmarshal([]byte(body), &made); status != http.StatusOK || err != nil {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := c.request(http.MethodDelete, "/api/v2/silence/"+made.SilenceID, "", token...); status != http.StatusForbidden {
		t.Errorf("expire the other team's: %d %s", status, body)
	}
	c.as(c.payments, http.MethodPost, "/silences/"+made.SilenceID+"/expire", "", 403, nil)
	if _, body := c.request(http.MethodGet, "/api/v2/silences", "", token...); strings.Contains(body, "somebody else") || !strings.Contains(body, `"createdBy":"pat (token test)"`) {
		t.Errorf("silences are by whom the client named: %s", body)
	}
	// amtool's way: an API token as the password. And reading shows only one's own.
	status, body = c.request(http.MethodGet, "/api/v2/alerts", "", token...)
	if status != http.StatusOK || strings.Contains(body, "Find") || !strings.Contains(body, "Pay") {
		t.Errorf("alerts: %d %s", status, body)
	}
	status, body = c.request(http.MethodGet, "/api/v2/alerts/groups", "", token...)
	if status != http.StatusOK || strings.Contains(body, "Find") || !strings.Contains(body, "Loose") {
		t.Errorf("groups: %d %s", status, body)
	}
	now := time.Now().UTC()
	span := `"startsAt":"` + now.Format(time.RFC3339) + `","endsAt":"` + now.Add(time.Hour).Format(time.RFC3339) + `"`
	window := func(headers []string, matchers string, want int) {
		t.Helper()
		c.as(headers, http.MethodPost, "/maintenance", `{"title":"w","matchers":[`+matchers+`],`+span+`}`, want, nil)
	}
	window(c.payments, `"team=payments"`, 200)
	window(c.payments, `"team=search"`, 403)
	window(c.payments, `"team=~payments"`, 403)
	var w api.Window
	c.as(c.root, http.MethodPost, "/maintenance", `{"title":"theirs","matchers":["team=search"],`+span+`}`, 200, &w)
	c.as(c.payments, http.MethodDelete, "/maintenance/"+w.ID, "", 403, nil)
	status, _ = c.request(http.MethodPut, api.Prefix+"/maintenance/"+w.ID, `{"title":"mine","matchers":["team=payments"],`+span+`}`,
		append([]string{"If-Match", "1"}, c.payments...)...)
	if status != http.StatusForbidden {
		t.Errorf("take over the other team's window: %d", status)
	}
}

// TestEventsKeepToTheTeamAndEndWithTheSession reads live updates as somebody of a team.
func TestEventsKeepToTheTeamAndEndWithTheSession(t *testing.T) {
	c := startTeamed(t)
	read := func(headers []string) (<-chan string, context.CancelFunc) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.URL(), "/")+api.Prefix+"/events", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		answer, err := http.DefaultClient.Do(r) //nolint:bodyclose // closed by the goroutine that reads it
		if err != nil {
			t.Fatal(err)
		}
		lines := make(chan string, 1000)
		go func() {
			defer close(lines)
			defer answer.Body.Close()
			scanner := bufio.NewScanner(answer.Body)
			scanner.Buffer(nil, 1<<20)
			for scanner.Scan() {
				lines <- scanner.Text()
			}
		}()
		return lines, cancel
	}
	everything, stop := read(c.root)
	defer stop()
	own, stopOwn := read(c.payments)
	defer stopOwn()
	c.as(c.root, http.MethodPost, "/incidents/"+c.searchID+"/notes", `{"text":"secret of search"}`, 200, nil)
	c.as(c.root, http.MethodPost, "/incidents/"+c.paymentsID+"/notes", `{"text":"for payments"}`, 200, nil)
	until := func(lines <-chan string, want string) (before string) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for {
			select {
			case line, open := <-lines:
				if before += line + "\n"; !open || strings.Contains(line, want) {
					return before
				}
			case <-deadline:
				t.Fatalf("no %q in: %s", want, before)
			}
		}
	}
	if got := until(everything, "for payments"); !strings.Contains(got, "secret of search") {
		t.Errorf("an admin sees: %s", got)
	}
	if got := until(own, "for payments"); strings.Contains(got, "secret of search") || strings.Contains(got, c.searchID) || strings.Contains(got, "event: stats") {
		t.Errorf("payments sees: %s", got)
	}
	u, err := c.people.User(t.Context(), "pat")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.people.UpdateUser(t.Context(), "root", "pat", u.Version, access.Edit{Grants: u.Grants, Disabled: true}); err != nil {
		t.Fatal(err)
	}
	ended := time.After(20 * time.Second)
	for {
		select {
		case _, open := <-own:
			if !open {
				return
			}
		case <-ended:
			t.Fatal("the events go on after the user was disabled")
		}
	}
}
