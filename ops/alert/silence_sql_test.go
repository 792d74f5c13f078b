package alert

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
)

func openRows(t *testing.T, config store.Config) (*store.DB, *Silences) {
	t.Helper()
	db, err := store.Open(t.Context(), config, "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	return db, mustSilences(t, NewSilenceRows(db))
}

func TestSilencesSurviveARestartWithTheirAuditLeaves(t *testing.T) {
	config := postgres.Config(t)
	db, s := openRows(t, config)
	kept := hour(t, `{job="it's \"quoted\" ?",instance=~"db.*",team!="a",env!~"x|y"}`, 0)
	kept.StartsAt, kept.EndsAt = kept.StartsAt.Add(1234*time.Microsecond), kept.EndsAt.Add(1999*time.Microsecond)
	kept.Annotations = map[string]string{"ticket": "OPS-1?", "ü": "'"}
	id := mustSet(t, s, silenceNow, kept)
	replaced := mustSet(t, s, silenceNow, hour(t, `job="b"`, 0))
	change, err := s.Get(replaced)
	if err != nil {
		t.Fatal(err)
	}
	change.Matchers = mustMatchers(t, `job="c"`)
	mustSet(t, s, silenceNow.Add(time.Minute), change)
	if err := s.Expire(t.Context(), "bob", silenceNow.Add(2*time.Minute), id); err != nil {
		t.Fatalf("Expire: %v", err)
	}
	before := s.List(silenceNow)
	if err := db.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}

	db, s = openRows(t, config)
	defer func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	after := s.List(silenceNow)
	if diff := cmp.Diff(before, after, cmp.Comparer(Matchers.Equal)); diff != "" {
		t.Errorf("silences (-before +after the restart):\n%s", diff)
	}
	if len(after) != 3 {
		t.Errorf("got %d silences, want 3", len(after))
	}
	report, err := audit.Verify(t.Context(), db.Read(), SilenceCheck())
	if err != nil || report.Size != 5 || len(report.Problems) != 0 { // one more for what was replaced
		t.Errorf("audit: %+v, %v, want 5 leaves without problems", report, err)
	}
	if err := s.Prune(t.Context(), silenceNow.Add(SilenceRetention+30*time.Minute)); err != nil {
		t.Fatalf("Prune: %v", err)
	}
	loaded, err := NewSilenceRows(db).LoadSilences(t.Context())
	if err != nil || len(loaded) != 1 || loaded[0].Matchers.String() != `{job="c"}` {
		t.Errorf("got %v, %v after pruning, want only that which ended last", loaded, err)
	}
}

func TestMutedNowCountsFiringAlerts(t *testing.T) {
	db, all := sparse(t, 60)
	want := map[string]int{}
	for _, e := range all {
		if e.State == Firing {
			for _, id := range e.SilencedBy {
				want[id]++
			}
		}
	}
	got, err := MutedNow(t.Context(), db.Read())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("muted now (-want +got):\n%s", diff)
	}
}
