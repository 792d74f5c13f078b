package alert

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
)

// sparse stores n alerts whose numbers are far apart, so that a search has to go on several times.
func sparse(t *testing.T, n int) (*store.DB, []*Episode) {
	t.Helper()
	db, err := store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	t.Cleanup(func() { _ = db.Close() }) // only read at the end
	random := rand.New(rand.NewPCG(7, uint64(n)))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var all []*Episode
	for i := range n {
		labels := map[string]string{"alertname": pick("HighLatency", "DiskFull"), "region": pick("eu-west", "eu-north", "us-east"), "say": pick(`"quoted" \ text`, "plain", `region":"eu-west`)}
		switch random.IntN(3) {
		case 0:
			labels["service"] = pick("cart", "pay")
		case 1:
			labels["job"] = pick("cart", "node")
		}
		seq := uint64(i)*1_700 + 1
		e := &Episode{
			Seq: seq, ID: fmt.Sprintf("A%d", seq), Source: pick("prometheus", "grafana"), Identity: fmt.Sprint(i), Labels: signal.NewLabels(labels), Severity: signal.Severity(random.IntN(5)), //nolint:gosec // small
			Annotations: signal.NewLabels(map[string]string{"summary": pick("it is slow", "it is full")}), State: State(pick("firing", "resolved")),
			StartsAt: at.Add(time.Duration(i) * time.Minute), ReceivedAt: at, LastReceivedAt: at, ExpiresAt: at, Flapping: random.IntN(4) == 0,
		}
		if random.IntN(5) == 0 {
			e.SilencedBy = []string{"s1"}
		}
		all = append(all, e)
	}
	if err := db.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := Save(ctx, tx, Changes{Fresh: all})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return db, all
}

func TestASearchFindsWhatATermByTermReadingFinds(t *testing.T) {
	db, all := sparse(t, 400)
	at := all[0].StartsAt
	for name, q := range map[string]Query{
		"everything":                 {},
		"firing":                     {Filter: Filter{State: Firing}},
		"two severities":             {Severities: []signal.Severity{signal.Critical, signal.Info}},
		"two dispositions":           {Dispositions: []Disposition{Silenced, Flapping}},
		"one disposition, firing":    {Filter: Filter{State: Firing}, Dispositions: []Disposition{Suppressed}},
		"equal":                      {Matchers: mustMatchers(t, `region="eu-west"`)},
		"equal to a quoted text":     {Matchers: mustMatchers(t, `{say="\"quoted\" \\ text"}`)},
		"a value like another label": {Matchers: mustMatchers(t, `{say="region\":\"eu-west"}`)},
		"equal to nothing":           {Matchers: mustMatchers(t, `service=""`)},
		"not, and an expression":     {Matchers: mustMatchers(t, `{region=~"eu-.*",alertname!="DiskFull"}`)},
		"services of two kinds":      {Services: []string{"cart", "other"}},
		"text of a label":            {Filter: Filter{Text: "us-east"}},
		"text of an annotation":      {Filter: Filter{Text: "IS FULL"}, Severities: []signal.Severity{signal.Error}},
		"text with a wildcard":       {Filter: Filter{Text: "%"}},
		"a source":                   {Filter: Filter{Source: "grafana"}, Matchers: mustMatchers(t, `region!~"us.*"`)},
		"began between":              {Since: at.Add(100 * time.Minute), Until: at.Add(120 * time.Minute)},
		"nothing at all":             {Matchers: mustMatchers(t, `region="mars"`)},
	} {
		var want, got []string
		for _, e := range slices.Backward(all) {
			if readsAs(&q, e) {
				want = append(want, e.ID)
			}
		}
		pages := 0
		for q.Limit = 7; ; pages++ {
			rows, next, err := Search(t.Context(), db.Read(), q)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, r := range rows {
				got = append(got, r.ID)
			}
			if len(rows) > q.Limit || next != 0 && q.Before != 0 && next >= q.Before {
				t.Fatalf("%s: %d rows, then on from %d after %d", name, len(rows), next, q.Before)
			}
			if q.Before = next; next == 0 {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if name == "nothing at all" && pages < 3 {
			t.Errorf("%s: a search without a match looked at everything in %d pages", name, pages+1)
		}
		s, err := Summarise(t.Context(), db.Read(), q)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s.Alerts != len(want) || !s.Complete || sum(s.Severities) != len(want) || sum(s.Names) != len(want) || sum(s.Services) != len(want) {
			t.Errorf("%s: %d alerts, want %d: %+v", name, s.Alerts, len(want), s)
		}
		began := 0
		for _, n := range s.Buckets {
			began += n
		}
		if began != len(want) || len(s.Buckets) > summaryBuckets+1 {
			t.Errorf("%s: %d alerts in %d buckets, want %d", name, began, len(s.Buckets), len(want))
		}
	}
}

func sum(counts []Count) (n int) {
	for _, c := range counts {
		n += c.Count
	}
	return n
}

// readsAs judges an alert that no incident holds, one term after the other.
func readsAs(q *Query, e *Episode) bool {
	r := Row{Episode: *e}
	one := func(n int, is func(int) bool) bool {
		for i := range n {
			if is(i) {
				return true
			}
		}
		return n == 0
	}
	said := e.Name() + "\n" + encodeLabels(e.Labels) + "\n" + encodeLabels(e.Annotations)
	return (q.State == "" || q.State == e.State) && (q.Source == "" || q.Source == e.Source) && q.Matchers.Matches(e.Labels) &&
		one(len(q.Severities), func(i int) bool { return q.Severities[i] == e.Severity }) &&
		one(len(q.Dispositions), func(i int) bool { return q.Dispositions[i] == r.Disposition() }) &&
		one(len(q.Services), func(i int) bool { return q.Services[i] == r.Service() }) &&
		strings.Contains(strings.ToLower(said), strings.ToLower(q.Text)) &&
		!e.StartsAt.Before(q.Since) && (q.Until.IsZero() || e.StartsAt.Before(q.Until))
}

func TestBucketsHaveRoundEdgesAndBoundedNumber(t *testing.T) {
	at := time.Date(2026, 11, 25, 10, 7, 31, 0, time.UTC)
	for _, span := range []time.Duration{0, time.Millisecond, 59 * time.Second, time.Hour, 26 * time.Hour, 90 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		s := Summary{}
		s.spread([]time.Time{at, at.Add(span / 2), at.Add(span)}, time.Time{}, time.Time{})
		total := 0
		for _, n := range s.Buckets {
			total += n
		}
		if total != 3 || len(s.Buckets) > 10*summaryBuckets || s.From.After(at) || at.Sub(s.From) >= s.Width {
			t.Errorf("over %s: %d buckets of %s from %s hold %d", span, len(s.Buckets), s.Width, s.From, total)
		}
	}
}
