package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/notify"
)

// breaking is a Source that fails after some alerts.
type breaking struct{ after int }

func (b breaking) Firing(_ context.Context, visit func(*Alert) error) error {
	for i := range b.after {
		if err := visit(&Alert{Number: uint64(i), Labels: set("n", fmt.Sprint(i))}); err != nil { //nolint:gosec // small
			return err
		}
	}
	return errors.New("the disk is gone")
}

func (b breaking) Some(context.Context, []uint64, func(*Alert) error) error { return nil }

func TestAListThatBreaksIsNeverTakenForWhole(t *testing.T) {
	for _, test := range []struct {
		name  string
		after int
	}{{"before anything was sent", 3}, {"in the middle", 2000}} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, breaking{test.after})
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v2/alerts", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			var alerts []gettableAlert
			switch early := test.after < 10; {
			case early && (answer.StatusCode != http.StatusInternalServerError || err != nil):
				t.Errorf("got %d %q (%v), want a 500", answer.StatusCode, text, err)
			case !early && err == nil:
				t.Errorf("the answer of %d bytes ended well", len(text))
			case json.Unmarshal(text, &alerts) == nil:
				t.Errorf("what came can be read: %d alerts", len(alerts))
			}
		})
	}
}

const tree = `
route:
  receiver: all
  group_by: [service]
  routes:
  - matchers: [team=a]
    receiver: a
    continue: true
    labels: {tier: "of {{ .GroupLabels.service }}"}
  - matchers: [team=~"a|b"]
    receiver: all
    group_by: ['...']
  - matchers: [team=night]
    receiver: night
    mute_time_intervals: [always]
receivers: [{name: all}, {name: a}, {name: night}]
time_intervals:
- name: always
  time_intervals: [{times: [{start_time: "00:00", end_time: "24:00"}]}]
`

func TestGroupsAreThoseOfTheRouteTree(t *testing.T) {
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	if err := os.WriteFile(file, []byte(tree), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := notify.Load(notify.Config{Alertmanager: file, Per: notify.PerGroup}, "http://127.0.0.1:8460", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var source firing
	for i, team := range []string{"a", "a", "b", "c", "night"} {
		labels := set("n", fmt.Sprint(i), "team", team, "service", []string{"cart", "pay"}[i%2])
		source = append(source, &Alert{Number: uint64(i + 1), Fingerprint: labels.Fingerprint(), Labels: labels, StartsAt: start}) //nolint:gosec // small
	}
	eventClock := &clock.Event{}
	eventClock.Advance(start)
	silences, err := alert.NewSilences(t.Context(), &memorySilences{})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	New(Config{Source: source, Silences: silences, Clock: eventClock, Logger: slog.New(slog.DiscardHandler), Routing: func() Routing { return plan }}).Routes(mux)
	s := &server{Server: httptest.NewServer(mux)}
	t.Cleanup(s.Close)

	list := func(query string) (lines []string) {
		t.Helper()
		var groups []alertGroup
		s.do(t, http.MethodGet, "/api/v2/alerts/groups?"+query, "", &groups)
		for _, g := range groups {
			labels, err := json.Marshal([]any{g.Labels, g.RouteLabels})
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%s %s %v %v", g.Receiver.Name, labels, numbers(g.Alerts), g.Alerts[0].Status.MutedBy))
		}
		slices.Sort(lines)
		return lines
	}
	want := []string{
		`a [{"service":"cart"},{"tier":"of cart"}] [0] []`,
		`a [{"service":"pay"},{"tier":"of pay"}] [1] []`,
		`all [{"n":"0","service":"cart","team":"a"},{}] [0] []`,
		`all [{"n":"1","service":"pay","team":"a"},{}] [1] []`,
		`all [{"n":"2","service":"cart","team":"b"},{}] [2] []`,
		`all [{"service":"pay"},{}] [3] []`,
		`night [{"service":"cart"},{}] [4] [always]`,
	}
	if diff := cmp.Diff(want, list("")); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:6], list("muted=false")); diff != "" {
		t.Errorf("groups that no interval mutes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:2], list("receiver=a")); diff != "" {
		t.Errorf("groups of one receiver (-want +got):\n%s", diff)
	}
}

func TestManyGroupsAndLargeOnesAreWrittenWhole(t *testing.T) {
	var source firing
	for i := range 3 * pageSize {
		a := &Alert{Number: uint64(i + 1), Labels: set("n", fmt.Sprint(i)), StartsAt: start.Add(time.Duration(i))} //nolint:gosec // small
		switch {
		case i < 2*pageSize:
			a.Incident = "INC-1"
		default:
			a.Incident = fmt.Sprintf("INC-%d", i)
		}
		a.Fingerprint = signal.Fingerprint(a.Number)
		source = append(source, a)
	}
	s := newServer(t, source)
	var groups []alertGroup
	s.do(t, http.MethodGet, "/api/v2/alerts/groups", "", &groups)
	total := 0
	for _, g := range groups {
		total += len(g.Alerts)
	}
	if len(groups) != pageSize+1 || total != len(source) {
		t.Errorf("got %d alerts in %d groups, want %d in %d", total, len(groups), len(source), pageSize+1)
	}
}
