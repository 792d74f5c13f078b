package alert

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
)

// memorySilences is a SilenceStore without a disk. It can be told to fail.
type memorySilences struct {
	mu       sync.Mutex
	silences map[string]Silence
	changes  []SilenceChange
	fail     error
}

func newMemorySilences() *memorySilences { return &memorySilences{silences: map[string]Silence{}} }

func (m *memorySilences) SaveSilence(_ context.Context, change SilenceChange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.silences[change.Silence.ID] = change.Silence
	if change.Replaced != nil {
		m.silences[change.Replaced.ID] = *change.Replaced
	}
	m.changes = append(m.changes, change)
	return nil
}

func (m *memorySilences) DeleteSilences(_ context.Context, endedBefore time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, silence := range m.silences {
		if silence.EndsAt.Before(endedBefore) {
			delete(m.silences, id)
		}
	}
	return m.fail
}

func (m *memorySilences) LoadSilences(context.Context) ([]Silence, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Silence
	for _, silence := range m.silences {
		all = append(all, silence)
	}
	return all, m.fail
}

var silenceNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func mustMatchers(t testing.TB, text string) Matchers {
	t.Helper()
	matchers, err := ParseMatchers(text)
	if err != nil {
		t.Fatalf("ParseMatchers(%s): %v", text, err)
	}
	return matchers
}

func mustSilences(t testing.TB, store SilenceStore) *Silences {
	t.Helper()
	silences, err := NewSilences(t.Context(), store)
	if err != nil {
		t.Fatalf("NewSilences: %v", err)
	}
	return silences
}

func mustSet(t testing.TB, s *Silences, now time.Time, silence Silence) string {
	t.Helper()
	id, err := s.Set(t.Context(), "ann", now, silence)
	if err != nil {
		t.Fatalf("Set: %v", err)
	}
	return id
}

// hour returns a silence with these matchers, from the given minute on for an hour.
func hour(t testing.TB, matchers string, minute int) Silence {
	t.Helper()
	start := silenceNow.Add(time.Duration(minute) * time.Minute)
	return Silence{Matchers: mustMatchers(t, matchers), StartsAt: start, EndsAt: start.Add(time.Hour), CreatedBy: "ann", Comment: "work"}
}

func TestASilenceMutesWhileItIsActive(t *testing.T) {
	s := mustSilences(t, newMemorySilences())
	byJob := mustSet(t, s, silenceNow, hour(t, `job="node"`, 0))
	later := mustSet(t, s, silenceNow, hour(t, `job="node",instance=~"db.*"`, 30))
	negative := mustSet(t, s, silenceNow, hour(t, `job!="api"`, 90))
	tests := []struct {
		name   string
		set    signal.Labels
		minute int
		want   []string
	}{
		{"at its first moment", labelSet("job", "node"), 0, []string{byJob}},
		{"another job", labelSet("job", "api"), 0, nil},
		{"not yet the pending one", labelSet("job", "node", "instance", "db1"), 29, []string{byJob}},
		{"both once both are active", labelSet("job", "node", "instance", "db1"), 30, []string{byJob, later}},
		{"its last moment is excluded", labelSet("job", "node"), 60, nil},
		{"a silence without equality matcher", labelSet("job", "node"), 95, []string{negative}},
		{"after all", labelSet("job", "node"), 200, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			slices.Sort(test.want)
			got := s.Match(test.set, silenceNow.Add(time.Duration(test.minute)*time.Minute))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Match (-want +got):\n%s", diff)
			}
		})
	}
	edges := []int{30, 60, 90, 150}
	now := silenceNow
	for _, minute := range edges {
		next := s.NextChange(now)
		if want := silenceNow.Add(time.Duration(minute) * time.Minute); !next.Equal(want) {
			t.Fatalf("NextChange(%s) = %s, want %s", now, next, want)
		}
		now = next
	}
	if next := s.NextChange(now); !next.IsZero() {
		t.Errorf("NextChange after all = %s, want none", next)
	}
}

func TestChangingASilenceKeepsHistory(t *testing.T) {
	minutes := func(n int) time.Time { return silenceNow.Add(time.Duration(n) * time.Minute) }
	tests := []struct {
		name       string
		startsAt   int // minute at which the old one begins; it ends an hour later
		at         int // minute of the change
		change     func(*Silence)
		wantSame   bool
		wantOldEnd int // minute at which the old one ends afterwards
	}{
		{"the end of an active one is moved in place", 0, 10, func(s *Silence) { s.EndsAt = minutes(300) }, true, 300},
		{"the comment of an active one is changed in place", 0, 10, func(s *Silence) { s.Comment = "more" }, true, 60},
		{"the start of an active one cannot move", 0, 10, func(s *Silence) { s.StartsAt = minutes(11) }, false, 10},
		{"other matchers make a new one", 0, 10, func(s *Silence) { s.Matchers = mustMatchers(t, `job="api"`) }, false, 10},
		{"a pending one moves in place", 20, 10, func(s *Silence) { s.StartsAt = minutes(15) }, true, 80},
		{"a pending one does not begin in the past", 20, 10, func(s *Silence) { s.StartsAt = minutes(5) }, false, 10},
		{"an expired one stays as it is", 0, 70, func(s *Silence) { s.EndsAt = minutes(300) }, false, 60},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store := newMemorySilences()
			s := mustSilences(t, store)
			old := mustSet(t, s, silenceNow, hour(t, `job="node"`, test.startsAt))
			version := s.Version()
			changed, err := s.Get(old)
			if err != nil {
				t.Fatal(err)
			}
			test.change(&changed)
			id := mustSet(t, s, minutes(test.at), changed)
			if (id == old) != test.wantSame {
				t.Errorf("got id %s for old %s, want the same: %t", id, old, test.wantSame)
			}
			after, err := s.Get(old)
			if err != nil {
				t.Fatal(err)
			}
			if want := minutes(test.wantOldEnd); !after.EndsAt.Equal(want) {
				t.Errorf("the old silence ends at %s, want %s", after.EndsAt, want)
			}
			if s.Version() == version {
				t.Error("Version did not grow")
			}
			if diff := cmp.Diff(s.List(minutes(test.at)), mustSilences(t, store).List(minutes(test.at)), cmp.Comparer(Matchers.Equal)); diff != "" {
				t.Errorf("after a restart (-before +after):\n%s", diff)
			}
		})
	}
}

func TestExpiring(t *testing.T) {
	s := mustSilences(t, newMemorySilences())
	active := mustSet(t, s, silenceNow, hour(t, `job="node"`, 0))
	pending := mustSet(t, s, silenceNow, hour(t, `job="node"`, 30))
	<-s.Changed()
	now := silenceNow.Add(time.Minute)
	for _, id := range []string{active, pending, active} {
		if err := s.Expire(t.Context(), "ann", now, id); err != nil {
			t.Fatalf("Expire: %v", err)
		}
		silence, err := s.Get(id)
		if err != nil || silence.State(now) != SilenceExpired {
			t.Errorf("got %v, %v, want it expired", silence.State(now), err)
		}
	}
	if got := s.Match(labelSet("job", "node"), now); got != nil {
		t.Errorf("Match = %v after expiry, want none", got)
	}
	select {
	case <-s.Changed():
	default:
		t.Error("Changed was not signalled")
	}
	if got := s.Version(); got != 5 {
		t.Errorf("Version = %d after 4 changes and one that changed nothing, want 5", got)
	}
	if err := s.Expire(t.Context(), "ann", now, "nonsense"); !errors.Is(err, ErrNoSilence) {
		t.Errorf("Expire of an unknown silence: %v, want ErrNoSilence", err)
	}
}

func TestSilencesThatCannotBeAccepted(t *testing.T) {
	s := mustSilences(t, newMemorySilences())
	tests := []struct {
		name    string
		silence Silence
		want    string
	}{
		{"no matcher", Silence{EndsAt: silenceNow.Add(time.Hour)}, "at least one matcher"},
		{"a matcher that matches everything", hour(t, `job=~".*"`, 0), "must not match the empty string"},
		{"an end before the start", Silence{Matchers: mustMatchers(t, `a="b"`), StartsAt: silenceNow.Add(2 * time.Hour), EndsAt: silenceNow.Add(time.Hour)}, "start time must be before end time"},
		{"no end", Silence{Matchers: mustMatchers(t, `a="b"`)}, "zero end"},
		{"an end in the past", hour(t, `a="b"`, -90), "in the past"},
		{"65 matchers", hour(t, strings.Repeat(`a="b",`, 65), 0), "65 matchers"},
		{"a comment over 16 KiB", Silence{Matchers: mustMatchers(t, `a="b"`), EndsAt: silenceNow.Add(time.Hour), Comment: strings.Repeat("x", 20_000)}, "20000 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.Set(t.Context(), "ann", silenceNow, test.silence)
			if !errors.Is(err, ErrInvalidSilence) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want ErrInvalidSilence with %q", err, test.want)
			}
		})
	}
	unknown := hour(t, `a="b"`, 0)
	unknown.ID = "00000000-0000-4000-8000-000000000000"
	if _, err := s.Set(t.Context(), "ann", silenceNow, unknown); !errors.Is(err, ErrNoSilence) {
		t.Errorf("Set with an unknown id: %v, want ErrNoSilence", err)
	}
}

func TestAChangeThatIsNotStoredHasNoEffect(t *testing.T) {
	store := newMemorySilences()
	s := mustSilences(t, store)
	id := mustSet(t, s, silenceNow, hour(t, `job="node"`, 0))
	version := s.Version()
	full := errors.New("disk full")
	store.fail = full
	if _, err := s.Set(t.Context(), "ann", silenceNow, hour(t, `job="api"`, 0)); !errors.Is(err, full) {
		t.Errorf("Set: %v, want the store's error", err)
	}
	if err := s.Expire(t.Context(), "ann", silenceNow, id); !errors.Is(err, full) {
		t.Errorf("Expire: %v, want the store's error", err)
	}
	if s.Match(labelSet("job", "node"), silenceNow) == nil || s.Match(labelSet("job", "api"), silenceNow) != nil || s.Version() != version {
		t.Error("a change that was not stored took effect")
	}
}

func TestPruneForgetsWhatEndedLongAgo(t *testing.T) {
	store := newMemorySilences()
	s := mustSilences(t, store)
	mustSet(t, s, silenceNow, hour(t, `job="old"`, 0))
	kept := mustSet(t, s, silenceNow, hour(t, `job="new"`, 120))
	if err := s.Prune(t.Context(), silenceNow.Add(SilenceRetention+90*time.Minute)); err != nil {
		t.Fatalf("Prune: %v", err)
	}
	for name, list := range map[string][]Silence{"memory": s.List(silenceNow), "store": mustSilences(t, store).List(silenceNow)} {
		if len(list) != 1 || list[0].ID != kept {
			t.Errorf("%s holds %v, want only %s", name, list, kept)
		}
	}
}

func TestSilencesAreListedAsAlertmanagerDoes(t *testing.T) {
	s := mustSilences(t, newMemorySilences())
	var ids []string
	for _, minute := range []int{0, -30, 20, 10} {
		silence := hour(t, fmt.Sprintf(`n="%d"`, minute), minute)
		ids = append(ids, mustSet(t, s, silenceNow.Add(-time.Hour), silence))
	}
	gone := mustSet(t, s, silenceNow.Add(-2*time.Hour), hour(t, `n="gone"`, -100))
	want := []string{ids[1], ids[0], ids[3], ids[2], gone}
	var got []string
	for _, silence := range s.List(silenceNow) {
		got = append(got, silence.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	if uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); !uuid.MatchString(gone) {
		t.Errorf("id %q is no UUID", gone)
	}
}

func TestMatchIsSafeBesideChanges(t *testing.T) {
	s := mustSilences(t, newMemorySilences())
	id := mustSet(t, s, silenceNow, hour(t, `job="node"`, 0))
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 2000 {
				if got := s.Match(labelSet("job", "node"), silenceNow); !slices.Contains(got, id) {
					t.Errorf("Match = %v, want %s in it", got, id)
					return
				}
				s.NextChange(silenceNow)
			}
		})
	}
	for i := range 50 {
		mustSet(t, s, silenceNow, hour(t, fmt.Sprintf(`job=~"node|n%d"`, i), 0))
	}
	wait.Wait()
}

func BenchmarkSilencesMatch(b *testing.B) {
	set := labelSet("alertname", "High", "severity", "warning", "cluster", "c77", "service", "s", "instance", "i-1", "job", "node", "team", "a", "region", "eu")
	for _, n := range []int{0, 10, 5000} {
		b.Run(fmt.Sprintf("%d silences", n), func(b *testing.B) {
			s := mustSilences(b, newMemorySilences())
			for i := range n {
				mustSet(b, s, silenceNow, hour(b, fmt.Sprintf(`alertname="High",instance="i-%d"`, i+10), 0))
			}
			b.ReportAllocs()
			for b.Loop() {
				s.Match(set, silenceNow)
			}
		})
	}
}
