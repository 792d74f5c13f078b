package opsgenie

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/heartbeat"
	"github.com/fairlead/fairlead/test/door"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// documented is the example of Opsgenie's documentation.
const documented = `{
	"message": "An example alert message", "alias": "Life is too short for no alias", "description":"Every alert needs a description",
	"responders":[{"id":"4513b7ea-3b91-438f-b7e4-e3e54af9147c","type":"team"},{"name":"NOC","type":"team"},
		{"id":"bb4d9938-c3c2-455d-aaab-727aa701c0d8","type":"user"},{"username":"trinity@opsgenie.com","type":"user"},
		{"id":"aee8a0de-c80f-4515-a232-501c0bc9d715","type":"escalation"},{"name":"Nightwatch Escalation","type":"escalation"},
		{"id":"80564037-1984-4f38-b98e-8a1f662df552","type":"schedule"},{"name":"First Responders Schedule","type":"schedule"}],
	"visibleTo":[{"name":"rocket_team","type":"team"}],
	"actions": ["Restart", "AnExampleAction"], "tags": ["OverwriteQuietHours","Critical"],
	"details":{"key1":"value1","host":"web-1"}, "entity":"An example entity", "priority":"P1"}`

// fromAlertmanager is what Alertmanager 0.34 sends for a group with details.
const fromAlertmanager = `{"alias":"a8b7e66e3d9e2ebb8d4a3b4ff1a1ff01","message":"[FIRING:1] DiskFull db","description":"Alerts Firing:\n","details":{"alertname":"DiskFull","instance":"db-1:9100","severity":"critical"},"source":"http://am:9093/#/alerts?receiver=ops"}`

func TestAlertsAsDocumented(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want []signal.Alert
	}{
		"the example": {documented, []signal.Alert{{
			Identity: "Life is too short for no alias", Keyed: true,
			Labels: signal.NewLabels(map[string]string{"alertname": "An example alert message", "entity": "An example entity", "host": "web-1", "severity": "critical", "priority": "P1"}),
			Annotations: signal.NewLabels(map[string]string{
				"summary": "An example alert message", "description": "Every alert needs a description", "key1": "value1", "actions": "Restart, AnExampleAction",
				"tags": "OverwriteQuietHours, Critical", "OverwriteQuietHours": "true", "Critical": "true", "visible_to": "team rocket_team",
				"responders": "team 4513b7ea-3b91-438f-b7e4-e3e54af9147c, team NOC, user bb4d9938-c3c2-455d-aaab-727aa701c0d8, user trinity@opsgenie.com, escalation aee8a0de-c80f-4515-a232-501c0bc9d715, escalation Nightwatch Escalation, schedule 80564037-1984-4f38-b98e-8a1f662df552, schedule First Responders Schedule",
			}),
		}}},
		"Alertmanager": {fromAlertmanager, []signal.Alert{{
			Identity: "a8b7e66e3d9e2ebb8d4a3b4ff1a1ff01", Keyed: true, GeneratorURL: "http://am:9093/#/alerts?receiver=ops",
			Labels: signal.NewLabels(map[string]string{"alertname": "DiskFull", "instance": "db-1:9100", "severity": "critical"}),
			Annotations: signal.NewLabels(map[string]string{
				"summary": "[FIRING:1] DiskFull db", "description": "Alerts Firing:\n", "source": "http://am:9093/#/alerts?receiver=ops",
			}),
		}}},
		"with a note": {`{"message":"m","alias":"a","user":"ann","note":"see wiki"}`, []signal.Alert{{
			Identity: "a", Keyed: true, Labels: signal.NewLabels(map[string]string{"alertname": "m", "severity": "warning"}),
			Annotations: signal.NewLabels(map[string]string{"summary": "m"}),
		}, {Act: signal.Comment, Identity: "a", Keyed: true, Actor: "ann", Text: "see wiki"}}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := ParseAlert([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(test.want, d.Alerts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALongMessageIsCutAndNothingLost(t *testing.T) {
	long := strings.Repeat("ä", 131)
	d, err := ParseAlert([]byte(`{"message":"` + long + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	a := d.Alerts[0]
	if got := a.Annotations.Get("summary"); got != strings.Repeat("ä", 130) || a.Annotations.Get("message") != long || len(a.Notes) != 1 {
		t.Errorf("got %+v", a)
	}
	again, err := ParseAlert([]byte(`{"message":"` + long + `"}`))
	if err != nil || again.Alerts[0].Identity != a.Identity || a.Identity == "" {
		t.Errorf("without alias a repeat is another alert: %q and %q, error %v", a.Identity, again.Alerts[0].Identity, err)
	}
	endless, err := ParseAlert([]byte(`{"message":"m","alias":"` + strings.Repeat("x", 5000) + `"}`))
	if err != nil || len(endless.Alerts[0].Identity) > maxAlias {
		t.Errorf("a long alias: %d bytes, error %v", len(endless.Alerts[0].Identity), err)
	}
}

func TestBadAlertsNameTheField(t *testing.T) {
	for body, field := range map[string]string{
		``: "body", `{`: "body", `[]`: "body", `{}`: "message", `{"message":"  "}`: "message", `{"message":5}`: "message",
		`{"message":"m","priority":"P6"}`: "priority", `{"message":"m","tags":"a,b"}`: "tags", `{"message":"m","details":[]}`: "details",
	} {
		_, err := ParseAlert([]byte(body))
		problem, ok := errors.AsType[*receive.Problem](err)
		if !ok || len(problem.Errors) != 1 || problem.Errors[0].Field != field || problem.Errors[0].Remedy == "" {
			t.Errorf("%s: got %v, want a problem with field %s", body, err, field)
		}
	}
}

func TestIdentifiersHoldWhatTheySay(t *testing.T) {
	f := fingerprintOf("Life is too short for no alias")
	id := alertID("opsgenie", f)
	if got, ok := readAlertID("opsgenie", strings.ToUpper(id)); !ok || got != f {
		t.Errorf("%s: got %s, %t", id, got, ok)
	}
	for _, foreign := range []string{"", "x", alertID("other", f), requestID(f, 1, noon), "4513b7ea-3b91-438f-b7e4-e3e54af9147c", id[:35] + "g"} {
		if _, ok := readAlertID("opsgenie", foreign); ok {
			t.Errorf("%s was taken for an alert's id", foreign)
		}
	}
	at := noon.Add(123 * time.Millisecond)
	got, act, when, ok := readRequestID(requestID(f, 3, at))
	if !ok || got != f || act.name != "Acknowledge" || !when.Equal(at) {
		t.Errorf("got %s %v %s %t", got, act, when, ok)
	}
	for _, foreign := range []string{id, "", requestID(f, 200, noon)} {
		if _, _, _, ok := readRequestID(foreign); ok {
			t.Errorf("%s was taken for a request's id", foreign)
		}
	}
	for i, a := range actions {
		if int(a.number) != i {
			t.Errorf("%s has number %d at place %d", a.name, a.number, i)
		}
	}
}

// desk is a Lookup over what a Door has taken.
type desk struct {
	alerts []*Alert // oldest first
	// published, if set, returns what was published meanwhile: the desk takes it before it answers.
	published func() []signal.Alert
	mu        sync.Mutex // held over that
}

// take does with published alerts what the incident engine would.
func (d *desk) take(alerts []signal.Alert) {
	for i := range alerts {
		a := &alerts[i]
		known := d.newest(a.Identity)
		switch {
		case a.Act == signal.Report && (known == nil || !known.Firing):
			n := uint64(len(d.alerts) + 1)
			at := noon.Add(time.Duration(n) * time.Minute)
			d.alerts = append(d.alerts, &Alert{Number: n, Identity: a.Identity, Labels: a.Labels, Annotations: a.Annotations, Severity: a.Severity(), Firing: true, Reports: 1, CreatedAt: at, UpdatedAt: at})
		case known == nil:
		case a.Act == signal.Report:
			known.Reports++
			known.Labels, known.Annotations, known.GeneratorURL, known.Severity = a.Labels, a.Annotations, a.GeneratorURL, a.Severity()
		case a.Act == signal.End:
			known.Firing, known.EndedAt = false, known.UpdatedAt.Add(time.Second)
		case a.Act == signal.Acknowledge, a.Act == signal.Unacknowledge:
			known.Acknowledged = a.Act == signal.Acknowledge
		case a.Act == signal.Comment:
			known.Lines = append(known.Lines, Line{At: noon, Comment: true, Text: a.Actor + ": " + a.Text})
		}
	}
}

func (d *desk) newest(identity string) *Alert {
	for _, a := range slices.Backward(d.alerts) {
		if a.Identity == identity {
			return a
		}
	}
	return nil
}

func (d *desk) ByKey(_ context.Context, _ string, f signal.Fingerprint) (*Alert, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.published != nil {
		d.take(d.published())
	}
	for _, a := range slices.Backward(d.alerts) {
		if fingerprintOf(a.Identity) == f {
			seen := *a
			return &seen, nil
		}
	}
	return nil, fmt.Errorf("key: %w", ErrNotFound)
}

func (d *desk) ByNumber(_ context.Context, _ string, n uint64) (*Alert, error) {
	if n == 0 || n > uint64(len(d.alerts)) {
		return nil, fmt.Errorf("number: %w", ErrNotFound)
	}
	return d.alerts[n-1], nil
}

func (d *desk) Newest(_ context.Context, _ string, visit func(a *Alert) bool) error {
	for _, a := range slices.Backward(d.alerts) {
		if !visit(a) {
			return nil
		}
	}
	return nil
}

// served is Opsgenie's API over a desk.
type served struct {
	*door.Door
	desk desk
	t    *testing.T
}

type nothing struct{}

func (nothing) Load(context.Context) ([]heartbeat.Beat, time.Time, error) {
	return nil, time.Time{}, nil
}
func (nothing) Save(context.Context, heartbeat.Beat) error   { return nil }
func (nothing) Delete(context.Context, heartbeat.Beat) error { return nil }
func (nothing) Alive(context.Context, time.Time) error       { return nil }

const key = "eb243592-faa2-4ba2-a551q-1afdf565c889"

func serve(t *testing.T) *served {
	t.Helper()
	s := &served{t: t}
	board, err := heartbeat.NewBoard(t.Context(), heartbeat.Config{
		Rows: nothing{}, Clock: clock.Wall{}, Logger: slog.New(slog.DiscardHandler),
		Publish: func(context.Context, time.Time, []signal.Alert) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	act, read, beat := Act(&s.desk), Read(&s.desk), Heartbeats(board)
	s.Door = door.New(t, map[string]receive.Protocol{
		"POST /v2/alerts": Create(), "POST /v2/alerts/{identifier}/{what}": act, "POST /v2/alerts/{identifier}/{what}/{name}": act,
		"PUT /v2/alerts/{identifier}/{what}": act, "DELETE /v2/alerts/{identifier}": act, "DELETE /v2/alerts/{identifier}/{what}": act,
		"GET /v2/alerts": read, "GET /v2/alerts/{identifier}": read, "GET /v2/alerts/{identifier}/{what}": read,
		"GET /v2/heartbeats/{name}/{what}": beat, "POST /v2/heartbeats/{name}/{what}": beat, "PUT /v2/heartbeats/{name}/{what}": beat,
		"PATCH /v2/heartbeats/{name}/{what}": beat, "POST /v2/heartbeats": beat, "GET /v2/heartbeats": beat, "GET /v2/heartbeats/{name}": beat,
		"PATCH /v2/heartbeats/{name}": beat, "DELETE /v2/heartbeats/{name}": beat,
	})
	return s
}

// answer is what the tests look at in an answer.
type answer struct {
	Result, Message, RequestID string
	Took                       float64
	Errors                     map[string]string
	Data                       json.RawMessage
	Paging                     map[string]string
}

// send sends a request, lets the desk take what was published, and checks the status.
func (s *served) send(want int, method, path, body string) answer {
	s.t.Helper()
	got := s.Send(method, path, body, "Authorization", "GenieKey "+key, "Content-Type", "application/json")
	s.desk.take(s.Taken())
	var a answer
	if err := json.Unmarshal([]byte(got.Body), &a); err != nil || got.Status != want || a.RequestID == "" || a.Took <= 0 || got.Header.Get("X-Request-Id") != a.RequestID {
		s.t.Fatalf("%s %s: got %d %s, want %d in Opsgenie's form (%v)", method, path, got.Status, got.Body, want, err)
	}
	return a
}

// into reads data of an answer.
func (a answer) into(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal(a.Data, into); err != nil {
		t.Fatalf("%s: %v", a.Data, err)
	}
}

type shownAlert struct {
	ID, TinyID, Alias, Message, Status, Priority, Entity, Description string
	Acknowledged                                                      bool
	Count                                                             int
	Tags, Actions                                                     []string
	Details                                                           map[string]string
}

func TestOneAlertFromItsCreationToItsEnd(t *testing.T) {
	s := serve(t)
	created := s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts", documented)
	if created.Result != "Request will be processed" {
		t.Errorf("got %+v", created)
	}
	var status struct {
		IsSuccess, Success                            bool
		Action, Status, AlertID, Alias, IntegrationID string
	}
	s.send(http.StatusOK, http.MethodGet, "/v2/alerts/requests/"+created.RequestID, "").into(t, &status)
	if !status.IsSuccess || !status.Success || status.Action != "Create" || status.Alias != "Life is too short for no alias" || status.AlertID == "" {
		t.Fatalf("got %+v", status)
	}
	var byID shownAlert
	s.send(http.StatusOK, http.MethodGet, "/v2/alerts/"+status.AlertID, "").into(t, &byID)
	want := shownAlert{
		ID: status.AlertID, TinyID: "1", Alias: "Life is too short for no alias", Message: "An example alert message", Status: "open", Priority: "P1",
		Entity: "An example entity", Description: "Every alert needs a description", Count: 1, Tags: []string{"OverwriteQuietHours", "Critical"},
		Actions: []string{"Restart", "AnExampleAction"}, Details: map[string]string{"key1": "value1", "host": "web-1"},
	}
	if diff := gocmp.Diff(want, byID); diff != "" {
		t.Error(diff)
	}
	for _, other := range []string{"/v2/alerts/Life%20is%20too%20short%20for%20no%20alias?identifierType=alias", "/v2/alerts/1?identifierType=tiny"} {
		var same shownAlert
		s.send(http.StatusOK, http.MethodGet, other, "").into(t, &same)
		if diff := gocmp.Diff(want, same); diff != "" {
			t.Errorf("%s: %s", other, diff)
		}
	}
	for n, act := range []struct {
		method, path, body string
		want               signal.Alert
	}{
		{"POST", "/acknowledge", `{"user":"ann","note":"on it"}`, signal.Alert{Act: signal.Acknowledge, Actor: "ann", Text: "on it"}},
		{"POST", "/unacknowledge", `{"source":"AWS Lambda"}`, signal.Alert{Act: signal.Unacknowledge, Actor: "AWS Lambda"}},
		{"POST", "/notes", `{"user":"ann","note":"hm"}`, signal.Alert{Act: signal.Comment, Actor: "ann", Text: "hm"}},
		{"POST", "/snooze", `{"endTime":"2026-03-04T13:00:00+01:00","note":"lunch"}`, signal.Alert{Act: signal.Comment, Text: "Snoozed until 2026-03-04T12:00:00Z. lunch"}},
		{"POST", "/escalate", `{"escalation":{"name":"night"}}`, signal.Alert{Act: signal.Comment, Text: "Escalated to the next rule of night."}},
		{"POST", "/assign", `{"owner":{"username":"bob"},"user":"ann"}`, signal.Alert{Act: signal.Comment, Actor: "ann", Text: "Assigned to bob."}},
		{"POST", "/actions/Restart", `{}`, signal.Alert{Act: signal.Comment, Text: "Executed the action Restart."}},
		{"POST", "/close", `{"user":"bob"}`, signal.Alert{Act: signal.End, Actor: "bob"}},
		{"POST", "/close", ``, signal.Alert{Act: signal.End}},
		{"DELETE", "?source=cron", ``, signal.Alert{Act: signal.End, Actor: "cron"}},
	} {
		identifier, query, _ := strings.Cut(act.path, "?")
		identifiers := []string{status.AlertID + identifier + "?", "1" + identifier + "?identifierType=tiny&", "Life%20is%20too%20short%20for%20no%20alias" + identifier + "?identifierType=alias&"}
		got := s.Send(act.method, "/v2/alerts/"+identifiers[n%3]+query, act.body, "Authorization", "GenieKey "+key)
		alerts := s.Taken()
		act.want.Identity, act.want.Keyed = "Life is too short for no alias", true
		if len(alerts) == 1 {
			alerts[0].Source, alerts[0].StartsAt = "", time.Time{}
		}
		if diff := gocmp.Diff([]signal.Alert{act.want}, alerts); got.Status != http.StatusAccepted || diff != "" {
			t.Errorf("%s %s: got %d %s: %s", act.method, act.path, got.Status, got.Body, diff)
		}
		s.desk.take(alerts)
		var a answer
		if err := json.Unmarshal([]byte(got.Body), &a); err != nil {
			t.Fatal(err)
		}
		s.send(http.StatusOK, http.MethodGet, "/v2/alerts/requests/"+a.RequestID, "").into(t, &status)
		if !status.IsSuccess || status.Action == "Create" || status.Action == "" || status.AlertID != want.ID {
			t.Errorf("%s %s: its status is %+v", act.method, act.path, status)
		}
	}
	var notes []struct{ Note, Owner string }
	s.send(http.StatusOK, http.MethodGet, "/v2/alerts/"+want.ID+"/notes", "").into(t, &notes)
	if len(notes) == 0 || notes[0].Note != "hm" || notes[0].Owner != "ann" {
		t.Errorf("got %+v", notes)
	}
	for _, what := range []string{"logs", "recipients", "attachments"} {
		s.send(http.StatusOK, http.MethodGet, "/v2/alerts/"+want.ID+"/"+what, "")
	}
	s.send(http.StatusOK, http.MethodGet, "/v2/alerts/"+want.ID, "").into(t, &byID)
	if byID.Status != "closed" {
		t.Errorf("got %+v, want it closed", byID)
	}
}

func TestWhatNobodyKnowsIsAnsweredAsThere(t *testing.T) {
	s := serve(t)
	s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts", `{"message":"first"}`)
	for _, path := range []string{"4513b7ea-3b91-438f-b7e4-e3e54af9147c/close", "nothing/close?identifierType=alias", "77/close?identifierType=tiny"} {
		accepted := s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts/"+path, `{}`)
		var status struct {
			IsSuccess bool
			Status    string
		}
		s.send(http.StatusOK, http.MethodGet, "/v2/alerts/requests/"+accepted.RequestID, "").into(t, &status)
		if status.IsSuccess || status.Status != "Alert does not exist" {
			t.Errorf("%s: got %+v", path, status)
		}
	}
	s.send(http.StatusNotFound, http.MethodGet, "/v2/alerts/4513b7ea-3b91-438f-b7e4-e3e54af9147c", "")
	s.send(http.StatusNotFound, http.MethodGet, "/v2/alerts/1/secrets?identifierType=tiny", "")
	s.send(http.StatusNotFound, http.MethodPost, "/v2/alerts/x/explode?identifierType=alias", `{}`)
	s.send(http.StatusNotFound, http.MethodGet, "/v2/alerts/requests/7", "")
	unprocessed := s.Send(http.MethodGet, "/v2/alerts/requests/"+requestID(fingerprintOf("not yet"), 1, noon), "", "Authorization", "GenieKey "+key)
	if unprocessed.Status != http.StatusNotFound || unprocessed.Header.Get("X-Opsgenie-Errortype") != "RequestNotProcessed" {
		t.Errorf("got %+v", unprocessed)
	}
	for path, body := range map[string]string{
		"/v2/alerts/x/notes?identifierType=alias": `{"user":"a"}`, "/v2/alerts/x/snooze?identifierType=alias": `{"endTime":"soon"}`, "/v2/alerts/x/close?identifierType=nick": `{}`,
		"/v2/alerts/x/close?identifierType=tiny": `{}`, "/v2/alerts/x/assign?identifierType=alias": `{}`, "/v2/alerts": `{"message":""}`,
	} {
		if got := s.send(http.StatusUnprocessableEntity, http.MethodPost, path, body); len(got.Errors) != 1 {
			t.Errorf("%s: got %+v, want the field", path, got)
		}
	}
	if got := s.send(http.StatusBadRequest, http.MethodPost, "/v2/alerts", `{"message":`); got.Message == "" {
		t.Errorf("got %+v", got)
	}
	if got := s.Send(http.MethodPost, "/v2/alerts", `{"message":"m"}`, "Authorization", "GenieKey wrong"); got.Status != http.StatusUnauthorized || !strings.Contains(got.Body, `"Could not authenticate`) {
		t.Errorf("a wrong key: got %+v", got)
	}
	s.Fail(receive.ErrFull)
	full := s.Send(http.MethodPost, "/v2/alerts", `{"message":"m"}`, "Authorization", "GenieKey "+key)
	if full.Status != http.StatusServiceUnavailable || full.Header.Get("Retry-After") == "" {
		t.Errorf("nothing can be stored: got %+v", full)
	}
}

func TestKeysComeInSeveralWays(t *testing.T) {
	for name, set := range map[string][2]string{
		"GenieKey": {"Authorization", "GenieKey k-1"}, "basic": {"Authorization", "Basic ay0x"}, "basic with a colon": {"Authorization", "basic Oms="}, "query": {"X-None", ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/?apiKey=k-1", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(set[0], set[1])
		if got := secretOf(&receive.Request{Request: r}); got != "k-1" && (name != "basic with a colon" || got != "k") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestAlertsAreListedAndCounted(t *testing.T) {
	s := serve(t)
	for n := range 25 {
		s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts", fmt.Sprintf(`{"message":"disk %d is full","alias":"d-%d","priority":"P%d","tags":["n%d","disk"],"entity":"db:%d"}`, n, n, n%5+1, n%2, n))
	}
	s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts/d-3/close?identifierType=alias", `{}`)
	s.send(http.StatusAccepted, http.MethodPost, "/v2/alerts/d-4/acknowledge?identifierType=alias", `{}`)
	for query, want := range map[string]int{
		"": 25, "status:open": 24, "status: closed": 1, "status=open AND priority:P1": 5, "priority: P1 OR priority: P2": 10, "NOT priority: P1": 20,
		"(priority:P1 OR priority:P2) AND tag:n0": 5, "message: \"disk 7\"": 1, "disk 7": 2, "alias: d-1*": 11, "acknowledged: true": 1, "tinyId: 3": 1, "entity:db:7": 1,
		"createdAt > 1772625600000": 25, "createdAt < 1772625600000": 0, "createdAt>=01-01-2026": 25, "count=1": 25, "status != open": 1, "priority: p2 tag: DISK": 5,
	} {
		var count struct{ Count int }
		path := "/v2/alerts/count?query=" + strings.NewReplacer(" ", "%20", `"`, "%22", "<", "%3C", ">", "%3E", "!", "%21").Replace(query)
		if s.send(http.StatusOK, http.MethodGet, path, "").into(t, &count); count.Count != want {
			t.Errorf("%q: got %d, want %d", query, count.Count, want)
		}
	}
	for _, query := range []string{"colour:red", "(status:open", "status:", "createdAt:soon", "status>open", ")", "count:x"} {
		path := "/v2/alerts?query=" + strings.NewReplacer(" ", "%20", ">", "%3E").Replace(query)
		s.send(http.StatusUnprocessableEntity, http.MethodGet, path, "")
	}
	var page []shownAlert
	first := s.send(http.StatusOK, http.MethodGet, "/v2/alerts", "")
	if first.into(t, &page); len(page) != 20 || page[0].Alias != "d-24" || first.Paging["next"] == "" {
		t.Errorf("got %d alerts, paging %v", len(page), first.Paging)
	}
	if s.send(http.StatusOK, http.MethodGet, "/v2/alerts?limit=100&offset=20&order=asc&sort=alias", "").into(t, &page); len(page) != 5 || !slices.IsSortedFunc(page, func(a, b shownAlert) int { return cmp.Compare(a.Alias, b.Alias) }) {
		t.Errorf("got %+v", page)
	}
	for _, bad := range []string{"limit=0", "limit=x", "limit=101", "offset=-1", "order=up", "sort=colour"} {
		s.send(http.StatusUnprocessableEntity, http.MethodGet, "/v2/alerts?"+bad, "")
	}
}

func TestHeartbeatsAsDocumented(t *testing.T) {
	s := serve(t)
	var beat struct {
		Name, IntervalUnit, Description, AlertPriority string
		Interval                                       int
		Enabled, Expired                               bool
	}
	s.send(http.StatusCreated, http.MethodPost, "/v2/heartbeats", `{"name":"HeartbeatName","description":"d","interval":10,"intervalUnit":"hours","enabled":true,"alertPriority":"P3"}`).into(t, &beat)
	if beat.Name != "HeartbeatName" || !beat.Enabled || beat.Expired || beat.Interval != 10 || beat.IntervalUnit != "hours" || beat.AlertPriority != "P3" {
		t.Errorf("got %+v", beat)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch} {
		if got := s.send(http.StatusAccepted, method, "/v2/heartbeats/HeartbeatName/ping", ""); got.Result != "PONG - Heartbeat received" {
			t.Errorf("%s: got %+v", method, got)
		}
	}
	if s.send(http.StatusOK, http.MethodPost, "/v2/heartbeats/HeartbeatName/disable", "").into(t, &beat); beat.Enabled {
		t.Errorf("got %+v, want it disabled", beat)
	}
	if s.send(http.StatusOK, http.MethodPost, "/v2/heartbeats/HeartbeatName/enable", "").into(t, &beat); !beat.Enabled {
		t.Errorf("got %+v, want it enabled", beat)
	}
	if s.send(http.StatusOK, http.MethodPatch, "/v2/heartbeats/HeartbeatName", `{"interval":2,"intervalUnit":"days"}`).into(t, &beat); beat.Interval != 2 || beat.IntervalUnit != "days" || beat.Description != "d" {
		t.Errorf("got %+v", beat)
	}
	s.send(http.StatusAccepted, http.MethodGet, "/v2/heartbeats/undefined/ping", "")
	var list struct{ Heartbeats []struct{ Name string } }
	if s.send(http.StatusOK, http.MethodGet, "/v2/heartbeats", "").into(t, &list); len(list.Heartbeats) != 2 {
		t.Errorf("got %+v", list)
	}
	s.send(http.StatusOK, http.MethodDelete, "/v2/heartbeats/HeartbeatName", "")
	s.send(http.StatusNotFound, http.MethodGet, "/v2/heartbeats/HeartbeatName", "")
	s.send(http.StatusNotFound, http.MethodPost, "/v2/heartbeats/HeartbeatName/enable", "")
	s.send(http.StatusNotFound, http.MethodPost, "/v2/heartbeats/HeartbeatName/explode", "")
	for _, body := range []string{`{}`, `{"name":"x"}`, `{"name":"x","interval":1}`, `{"name":"x","interval":-1,"intervalUnit":"days"}`, `{"name":"x","interval":400,"intervalUnit":"days"}`, `{"name":"x","interval":1,"intervalUnit":"days","alertPriority":"P0"}`} {
		s.send(http.StatusUnprocessableEntity, http.MethodPost, "/v2/heartbeats", body)
	}
}

func FuzzParseAlert(f *testing.F) {
	f.Add([]byte(documented))
	f.Add([]byte(fromAlertmanager))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := ParseAlert(body)
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%s: %v is no problem", body, err)
			}
			return
		}
		for i := range d.Alerts {
			if d.Alerts[i].Identity == "" || d.Alerts[i].Act == signal.Report && d.Alerts[i].Name() == "" {
				t.Errorf("%s: got %+v", body, d.Alerts[i])
			}
		}
	})
}

func FuzzParseQuery(f *testing.F) {
	for _, query := range []string{"status:open AND (priority: P1 OR tag:\"x y\")", "createdAt>=01-01-2026", "NOT NOT a", "((", "!", "a:"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		match, err := parseQuery(query, "opsgenie")
		if err != nil {
			if _, ok := errors.AsType[*receive.Problem](err); !ok {
				t.Errorf("%q: %v is no problem", query, err)
			}
			return
		}
		match(&Alert{Identity: "a", Firing: true, CreatedAt: noon})
	})
}
