package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// firing is a Source in memory.
type firing []*Alert

func (f firing) Firing(_ context.Context, visit func(*Alert) error) error {
	for _, a := range f {
		if err := visit(a); err != nil {
			return err
		}
	}
	return nil
}

func (f firing) Some(_ context.Context, numbers []uint64, visit func(*Alert) error) error {
	for _, a := range f {
		if slices.Contains(numbers, a.Number) {
			if err := visit(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// memorySilences is a store of silences in memory. It can be told to fail.
type memorySilences struct {
	mu       sync.Mutex
	silences map[string]alert.Silence
	actors   []string
	fail     error
}

func (m *memorySilences) SaveSilence(_ context.Context, change alert.SilenceChange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	if change.Replaced != nil {
		m.silences[change.Replaced.ID] = *change.Replaced
	}
	m.silences[change.Silence.ID] = change.Silence
	m.actors = append(m.actors, change.Actor+" "+change.Action)
	return nil
}

func (m *memorySilences) DeleteSilences(context.Context, time.Time) error { return nil }

func (m *memorySilences) LoadSilences(context.Context) ([]alert.Silence, error) { return nil, nil }

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func set(pairs ...string) signal.Labels {
	m := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return signal.NewLabels(m)
}

type server struct {
	*httptest.Server
	clock *clock.Event
	store *memorySilences
}

func newServer(t *testing.T, source Source) *server {
	t.Helper()
	s := &server{clock: &clock.Event{}, store: &memorySilences{silences: map[string]alert.Silence{}}}
	s.clock.Advance(start)
	silences, err := alert.NewSilences(t.Context(), s.store)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	New(Config{
		Source: source, Silences: silences, Clock: s.clock, Version: "test", Started: start, Logger: slog.New(slog.DiscardHandler),
		InhibitRules: func() []alert.InhibitRule {
			return []alert.InhibitRule{{SourceMatchers: []string{`severity="critical"`}, TargetMatchers: []string{`severity="warning"`}, Equal: []string{"cluster"}}}
		},
	}).Routes(mux)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *server) do(t *testing.T, method, path, body string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(into); err != nil {
			t.Fatalf("%s %s answered %d %q: %v", method, path, answer.StatusCode, text, err)
		}
	} else if len(text) != 0 {
		t.Errorf("%s %s answered %q, want nothing", method, path, text)
	}
	return answer.StatusCode
}

func someAlerts() firing {
	firingAlert := func(incident string, inhibitedBy []string, pairs ...string) *Alert {
		labels := set(pairs...)
		return &Alert{ID: "A1", Fingerprint: labels.Fingerprint(), Labels: labels, Annotations: set("summary", "s"), GeneratorURL: "http://p/g", StartsAt: start.Add(-time.Hour), UpdatedAt: start, InhibitedBy: inhibitedBy, Incident: incident}
	}
	ended := firingAlert("INC-2", nil, "n", "4", "job", "api", "severity", "info")
	ended.EndsAt = start.Add(3 * time.Minute)
	all := firing{
		firingAlert("INC-1", nil, "n", "1", "job", "node", "severity", "critical"),
		firingAlert("INC-1", nil, "n", "2", "job", "node", "severity", "warning"),
		firingAlert("", []string{"00000000000000aa"}, "n", "3", "job", "api", "severity", "warning"),
		ended,
	}
	for i, a := range all {
		a.Number = uint64(i + 1)
	}
	return all
}

// alertGroup is one group in answers.
type alertGroup struct {
	Alerts      []gettableAlert
	Labels      map[string]string
	Receiver    receiverRef
	RouteLabels map[string]string
}

const silencePay = `{"matchers":[{"name":"n","value":"2","isRegex":false}],"startsAt":"2026-03-01T12:00:00.000Z","endsAt":"2026-03-01T14:00:00.000Z","createdBy":"ann","comment":"work"}`

func numbers(alerts []gettableAlert) []string {
	var found []string
	for _, a := range alerts {
		found = append(found, a.Labels["n"])
	}
	return found
}

func TestAlertsAreFiltered(t *testing.T) {
	s := newServer(t, someAlerts())
	var made struct{ SilenceID string }
	if status := s.do(t, http.MethodPost, "/api/v2/silences", silencePay, &made); status != http.StatusOK {
		t.Fatalf("post silence: %d", status)
	}
	tests := []struct {
		name  string
		query url.Values
		want  []string
	}{
		{"everything", nil, []string{"1", "2", "3", "4"}},
		{"by a matcher", url.Values{"filter": {`job="node"`}}, []string{"1", "2"}},
		{"by two matchers", url.Values{"filter": {`job="node"`, `severity!="critical"`}}, []string{"2"}},
		{"by a regular expression without quotes", url.Values{"filter": {`n=~1|4`}}, []string{"1", "4"}},
		{"without silenced", url.Values{"silenced": {"false"}}, []string{"1", "3", "4"}},
		{"without inhibited", url.Values{"inhibited": {"false"}}, []string{"1", "2", "4"}},
		{"only suppressed", url.Values{"active": {"false"}}, []string{"2", "3"}},
		{"unprocessed there are none", url.Values{"unprocessed": {"false"}}, []string{"1", "2", "3", "4"}},
		{"of the receiver", url.Values{"receiver": {"def.*"}}, []string{"1", "2", "3", "4"}},
		{"of another receiver", url.Values{"receiver": {"pager"}}, nil},
		{"by labels that the receiver lacks", url.Values{"receiver_matchers": {`team="x"`}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []gettableAlert
			if status := s.do(t, http.MethodGet, "/api/v2/alerts?"+test.query.Encode(), "", &got); status != http.StatusOK {
				t.Fatalf("got status %d", status)
			}
			if diff := cmp.Diff(test.want, numbers(got), cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
			var groups []alertGroup
			s.do(t, http.MethodGet, "/api/v2/alerts/groups?"+test.query.Encode(), "", &groups)
			got = nil
			for _, group := range groups {
				got = append(got, group.Alerts...)
			}
			if diff := cmp.Diff(test.want, numbers(got), cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("alerts of the groups (-want +got):\n%s", diff)
			}
		})
	}
	for _, bad := range []string{"filter=job", "filter=" + url.QueryEscape(`{job="a"}`), "receiver=(", "receiver_matchers=x"} {
		for _, path := range []string{"/api/v2/alerts?", "/api/v2/alerts/groups?"} {
			var text string
			if status := s.do(t, http.MethodGet, path+bad, "", &text); status != http.StatusBadRequest || text == "" {
				t.Errorf("%s%s: got %d %q, want a 400 with a text", path, bad, status, text)
			}
		}
	}
}

func TestAnAlertIsShownAsAlertmanagerDoes(t *testing.T) {
	s := newServer(t, someAlerts()[2:3])
	var got any
	s.do(t, http.MethodGet, "/api/v2/alerts", "", &got)
	want := fmt.Sprintf(`[{"annotations":{"summary":"s"},"endsAt":"2026-03-01T12:05:00.000Z","fingerprint":%q,"receivers":[{"name":"default"}],
		"startsAt":"2026-03-01T11:00:00.000Z","status":{"inhibitedBy":["00000000000000aa"],"mutedBy":[],"silencedBy":[],"state":"suppressed"},
		"updatedAt":"2026-03-01T12:00:00.000Z","generatorURL":"http://p/g","labels":{"n":"3","job":"api","severity":"warning"}}]`,
		set("n", "3", "job", "api", "severity", "warning").Fingerprint().String())
	var wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

func TestGroupsAreIncidents(t *testing.T) {
	s := newServer(t, someAlerts())
	var groups []alertGroup
	s.do(t, http.MethodGet, "/api/v2/alerts/groups", "", &groups)
	got := map[string][]string{}
	for _, group := range groups {
		got[group.Labels["incident"]] = numbers(group.Alerts)
	}
	want := map[string][]string{"": {"3"}, "INC-1": {"1", "2"}, "INC-2": {"4"}}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

func TestTheLifeOfASilence(t *testing.T) {
	s := newServer(t, someAlerts())
	var made struct{ SilenceID string }
	s.do(t, http.MethodPost, "/api/v2/silences", silencePay, &made)
	var got gettableSilence
	if status := s.do(t, http.MethodGet, "/api/v2/silence/"+made.SilenceID, "", &got); status != http.StatusOK {
		t.Fatalf("get: %d", status)
	}
	want := gettableSilence{
		ID: made.SilenceID, Status: silenceStatus{"active"}, UpdatedAt: "2026-03-01T12:00:00.000Z", Annotations: map[string]string{}, Comment: "work", CreatedBy: "ann",
		StartsAt: "2026-03-01T12:00:00.000Z", EndsAt: "2026-03-01T14:00:00.000Z", Matchers: []matcher{{IsEqual: true, Name: "n", Value: "2"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("silence (-want +got):\n%s", diff)
	}
	// An update in place, and one that makes a new silence.
	var again struct{ SilenceID string }
	s.do(t, http.MethodPost, "/api/v2/silences", strings.Replace(silencePay, `{"matchers"`, `{"id":"`+made.SilenceID+`","matchers"`, 1), &again)
	if again.SilenceID != made.SilenceID {
		t.Errorf("an update in place has id %s, want %s", again.SilenceID, made.SilenceID)
	}
	s.do(t, http.MethodPost, "/api/v2/silences", strings.NewReplacer(`{"matchers"`, `{"id":"`+made.SilenceID+`","matchers"`, `"value":"2","isRegex":false`, `"value":"2|3","isRegex":true,"isEqual":false`).Replace(silencePay), &again)
	if again.SilenceID == made.SilenceID {
		t.Error("other matchers kept the id")
	}
	count := func(query string, want int) {
		t.Helper()
		var list []gettableSilence
		s.do(t, http.MethodGet, "/api/v2/silences?"+query, "", &list)
		if len(list) != want {
			t.Errorf("?%s lists %d silences, want %d", query, len(list), want)
		}
	}
	count("", 2)
	count("expired=false", 1)
	count("active=false&pending=false", 1)
	count("filter="+url.QueryEscape(`n="2"`), 1)
	count("filter="+url.QueryEscape(`n!~"2|3"`), 1)
	count("filter="+url.QueryEscape(`n="9"`), 0)
	for range 2 {
		if status := s.do(t, http.MethodDelete, "/api/v2/silence/"+again.SilenceID, "", nil); status != http.StatusOK {
			t.Errorf("delete: %d", status)
		}
	}
	count("expired=false", 0)
	if diff := cmp.Diff([]string{"loopback silence.create", "loopback silence.update", "loopback silence.create", "loopback silence.expire"}, s.store.actors); diff != "" {
		t.Errorf("what was audited (-want +got):\n%s", diff)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if status := s.do(t, method, "/api/v2/silence/nonsense", "", nil); status != http.StatusNotFound {
			t.Errorf("%s of an unknown silence: %d, want 404", method, status)
		}
	}
}

func TestSilencesThatAreRefused(t *testing.T) {
	s := newServer(t, someAlerts())
	replace := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(silencePay) }
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"no JSON", `{`, 400, "parsing silence body failed"},
		{"a wrong type", replace(`"work"`, `5`), 400, "comment"},
		{"no matchers", replace(`{"name":"n","value":"2","isRegex":false}`, ``), 400, "matchers in body is required"},
		{"no comment", replace(`,"comment":"work"`, ``), 400, "comment in body is required"},
		{"no end", replace(`"endsAt"`, `"end"`), 400, "endsAt in body is required"},
		{"an end before the start", replace("T14:", "T11:"), 400, "start time must be before end time"},
		{"an end in the past", replace("2026-03-01T14", "2025-03-01T14", "2026-03-01T12", "2025-03-01T12"), 400, "can't be in the past"},
		{"a matcher that matches everything", replace(`"value":"2","isRegex":false`, `"value":".*","isRegex":true`), 400, "must not match the empty string"},
		{"a bad expression", replace(`"value":"2","isRegex":false`, `"value":"(","isRegex":true`), 400, "invalid regular expression"},
		{"an empty name", replace(`"name":"n"`, `"name":""`), 400, "invalid label name"},
		{"an unknown id", replace(`{"matchers"`, `{"id":"00000000-0000-4000-8000-000000000000","matchers"`), 404, "not found"},
		{"2 MB", replace("work", strings.Repeat("x", 2<<20)), 413, "at most 1 MiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var text string
			if status := s.do(t, http.MethodPost, "/api/v2/silences", test.body, &text); status != test.status || !strings.Contains(text, test.want) {
				t.Errorf("got %d %q, want %d with %q", status, text, test.status, test.want)
			}
		})
	}
	s.store.fail = fmt.Errorf("write: %w", store.ErrUnavailable)
	var text string
	if status := s.do(t, http.MethodPost, "/api/v2/silences", silencePay, &text); status != http.StatusServiceUnavailable {
		t.Errorf("a full disk: got %d %q, want 503", status, text)
	}
}

func TestStatusAndReceivers(t *testing.T) {
	s := newServer(t, firing{})
	var status struct {
		Cluster struct {
			Status string
			Peers  []any
		}
		VersionInfo map[string]string
		Config      struct{ Original string }
		Uptime      time.Time
	}
	s.do(t, http.MethodGet, "/api/v2/status", "", &status)
	if status.Cluster.Status != "disabled" || !status.Uptime.Equal(start) || status.VersionInfo["version"] != "0.34.0" {
		t.Errorf("got %+v", status)
	}
	for _, part := range []string{"receiver: default", "- name: default", "inhibit_rules:", `severity="critical"`} {
		if !strings.Contains(status.Config.Original, part) {
			t.Errorf("the configuration lacks %q:\n%s", part, status.Config.Original)
		}
	}
	var receivers []struct {
		Name   string
		Labels map[string]string
	}
	s.do(t, http.MethodGet, "/api/v2/receivers", "", &receivers)
	if len(receivers) != 1 || receivers[0].Name != "default" {
		t.Errorf("got receivers %+v", receivers)
	}
	s.do(t, http.MethodGet, "/api/v2/receivers?receiver_matchers="+url.QueryEscape(`a="b"`), "", &receivers)
	if len(receivers) != 0 {
		t.Errorf("got receivers %+v, want none", receivers)
	}
	var alerts []gettableAlert
	s.do(t, http.MethodGet, "/api/v2/alerts", "", &alerts)
	if alerts == nil {
		t.Error("no alerts are null; clients want an empty array")
	}
}

func TestRowsReadPageByPageAndNameWhatMutes(t *testing.T) {
	var rows []*alert.Row
	for i := 2500; i > 0; i-- {
		row := &alert.Row{Root: uint64(i % 3)}
		row.Seq, row.ID, row.Labels, row.State = uint64(i), fmt.Sprintf("A%d", i), set("n", fmt.Sprint(i)), alert.Firing
		row.Fingerprint = row.Labels.Fingerprint()
		rows = append(rows, row)
	}
	rows[0].InhibitedBy = []string{"A1", "A99999"}
	pages := 0
	source := NewRows(func(_ context.Context, filter alert.Filter) ([]*alert.Row, error) {
		pages++
		if filter.State != alert.Firing {
			t.Errorf("asked for state %q", filter.State)
		}
		var page []*alert.Row
		for _, row := range rows {
			if (filter.Before == 0 || row.Seq < filter.Before) && len(page) < filter.Limit && (filter.Numbers == nil || slices.Contains(filter.Numbers, row.Seq)) {
				page = append(page, row)
			}
		}
		return page, nil
	})
	seen := map[string]*Alert{}
	err := source.Firing(t.Context(), func(a *Alert) error { seen[a.ID] = a; return nil })
	if err != nil || len(seen) != 2500 || pages != 4 {
		t.Fatalf("saw %d alerts on %d pages, %v, want 2500 on 3, and one for what mutes", len(seen), pages, err)
	}
	if diff := cmp.Diff([]string{rows[2499].Fingerprint.String(), "A99999"}, seen["A2500"].InhibitedBy); diff != "" {
		t.Errorf("InhibitedBy (-want +got):\n%s", diff)
	}
	var some []string
	if err := source.Some(t.Context(), []uint64{3, 7, 99999}, func(a *Alert) error { some = append(some, a.ID); return nil }); err != nil || !slices.Equal(some, []string{"A7", "A3"}) {
		t.Errorf("some are %v, %v, want A7 and A3", some, err)
	}
	if seen["A1"].Incident != "INC-1" || seen["A3"].Incident != "" {
		t.Errorf("got incidents %q and %q, want INC-1 and none", seen["A1"].Incident, seen["A3"].Incident)
	}
}
