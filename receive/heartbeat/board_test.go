package heartbeat

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// memory keeps heartbeats, and outlives a Board.
type memory struct {
	beats map[string]Beat
	alive time.Time
	err   error // of the next Save
}

func (m *memory) Load(context.Context) ([]Beat, time.Time, error) {
	var list []Beat
	for _, beat := range m.beats {
		list = append(list, beat)
	}
	return list, m.alive, nil
}

func (m *memory) Save(_ context.Context, b Beat) error {
	if m.err != nil {
		return m.err
	}
	m.beats[b.key()] = b
	return nil
}

func (m *memory) Delete(_ context.Context, b Beat) error { delete(m.beats, b.key()); return nil }

func (m *memory) Alive(_ context.Context, at time.Time) error { m.alive = at; return nil }

// bench is a Board whose clock and publisher the test holds.
type bench struct {
	*Board
	rows  *memory
	clock *clock.Event
	told  []signal.Alert
	fail  error // of the next Publish
	gone  map[string]bool
	eyes  map[string]bool // integrations that are observed
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{rows: &memory{beats: map[string]Beat{}}, clock: &clock.Event{}, gone: map[string]bool{}, eyes: map[string]bool{}}
	b.clock.Advance(noon)
	b.restart(t)
	return b
}

func (b *bench) restart(t *testing.T) {
	t.Helper()
	board, err := NewBoard(t.Context(), Config{
		Rows: b.rows, Clock: b.clock, Logger: slog.New(slog.DiscardHandler),
		Publish: func(_ context.Context, at time.Time, alerts []signal.Alert) error {
			if b.fail != nil {
				return b.fail
			}
			b.clock.Advance(at)
			b.told = append(b.told, alerts...)
			return nil
		},
		Door: func(name string) (known, observed bool) { return !b.gone[name], b.eyes[name] },
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Board = board
}

// at lets time pass and returns what was published.
func (b *bench) at(t *testing.T, after time.Duration) []signal.Alert {
	t.Helper()
	b.told = nil
	b.clock.Advance(noon.Add(after))
	if err := b.Advance(t.Context(), noon.Add(after)); err != nil {
		t.Fatal(err)
	}
	return b.told
}

func (b *bench) ping(t *testing.T, after time.Duration, name string, interval time.Duration) []signal.Alert {
	t.Helper()
	b.told = nil
	if _, err := b.Ping(t.Context(), noon.Add(after), name, name, interval, 0); err != nil {
		t.Fatal(err)
	}
	return b.told
}

func TestSilenceFiresAndAReturnEnds(t *testing.T) {
	b := newBench(t)
	b.ping(t, 0, "backup", 5*time.Minute)
	if got := b.at(t, 5*time.Minute-1); len(got) != 0 {
		t.Errorf("too early: %+v", got)
	}
	want := signal.Alert{
		Source: "heartbeat", Identity: "backup", Keyed: true, StartsAt: noon.Add(5 * time.Minute),
		Labels:      signal.NewLabels(map[string]string{"alertname": "HeartbeatMissing", "heartbeat": "backup", "integration": "backup", "severity": "critical"}),
		Annotations: signal.NewLabels(map[string]string{"summary": "Nothing was heard of backup for 5m0s.", "last_heard_at": "2026-03-04T12:00:00Z"}),
	}
	if diff := cmp.Diff([]signal.Alert{want}, b.at(t, 5*time.Minute)); diff != "" {
		t.Error(diff)
	}
	if got := b.at(t, time.Hour); len(got) != 0 {
		t.Errorf("it was said twice: %+v", got)
	}
	end := signal.Alert{Act: signal.End, Source: "heartbeat", Identity: "backup", Keyed: true, StartsAt: noon.Add(61 * time.Minute), EndsAt: noon.Add(61 * time.Minute)}
	if diff := cmp.Diff([]signal.Alert{end}, b.ping(t, 61*time.Minute, "backup", 0)); diff != "" {
		t.Error(diff)
	}
	if got := b.at(t, 66*time.Minute); len(got) != 1 {
		t.Errorf("the interval was not remembered: %+v", got)
	}
}

func TestSilenceCountsOnlyWhileTheServerRuns(t *testing.T) {
	b := newBench(t)
	b.ping(t, 0, "backup", 5*time.Minute)
	b.store(t.Context(), true)
	b.clock.Advance(noon.Add(time.Hour))
	b.restart(t)
	if got := b.at(t, time.Hour+5*time.Minute-1); len(got) != 0 {
		t.Errorf("the stop was counted: %+v", got)
	}
	if got := b.at(t, time.Hour+5*time.Minute); len(got) != 1 {
		t.Errorf("got %+v, want the alert", got)
	}
	b.restart(t)
	if got := b.at(t, 3*time.Hour); len(got) != 0 {
		t.Errorf("it was said again after a restart: %+v", got)
	}
	if got := b.ping(t, 3*time.Hour, "backup", 0); len(got) != 1 || got[0].Act != signal.End {
		t.Errorf("got %+v, want the end", got)
	}
}

func TestWhatCannotBePublishedIsTriedAgain(t *testing.T) {
	b := newBench(t)
	b.ping(t, 0, "backup", time.Minute)
	b.fail = errors.New("full")
	if err := b.Advance(t.Context(), noon.Add(time.Hour)); err == nil {
		t.Error("the failure is hidden")
	}
	b.fail = nil
	if got := b.at(t, time.Hour); len(got) != 1 {
		t.Errorf("got %+v, want the alert", got)
	}
	b.rows.err = errors.New("disk full")
	if _, err := b.Ping(t.Context(), noon.Add(2*time.Hour), "backup", "backup", 0, 0); err == nil {
		t.Error("a ping that cannot be stored was taken")
	}
}

func TestHeartbeatsAreDisabledAndForgotten(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	if _, err := b.Enable(ctx, noon, "opsgenie", "cron", true); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown one was enabled: %v", err)
	}
	if err := b.Delete(ctx, noon, "opsgenie", "cron"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown one was deleted: %v", err)
	}
	define := func(name string) {
		t.Helper()
		_, err := b.Define(ctx, noon, "opsgenie", name, func(beat *Beat) {
			beat.Interval, beat.Severity, beat.Message, beat.Tags = time.Minute, "critical", "Cron is dead", []string{"team:ops", "night"}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	define("cron")
	got := b.at(t, time.Minute)
	if len(got) != 1 || got[0].Identity != "opsgenie/cron" || got[0].Labels.Get("team") != "ops" || got[0].Annotations.Get("night") != "true" ||
		got[0].Annotations.Get("summary") != "Cron is dead" || got[0].Severity() != signal.Critical {
		t.Errorf("got %+v", got)
	}
	b.told = nil
	if _, err := b.Enable(ctx, noon.Add(2*time.Minute), "opsgenie", "cron", false); err != nil || len(b.told) != 1 || b.told[0].Act != signal.End {
		t.Errorf("disabled: got %+v, error %v", b.told, err)
	}
	if got := b.at(t, time.Hour); len(got) != 0 {
		t.Errorf("disabled: got %+v", got)
	}
	if _, err := b.Enable(ctx, noon.Add(time.Hour), "opsgenie", "cron", true); err != nil {
		t.Fatal(err)
	}
	if got := b.at(t, time.Hour+time.Minute); len(got) != 1 {
		t.Errorf("enabled again: got %+v", got)
	}
	b.told = nil
	if err := b.Delete(ctx, noon.Add(2*time.Hour), "opsgenie", "cron"); err != nil || len(b.told) != 1 || b.told[0].Act != signal.End {
		t.Errorf("deleted: got %+v, error %v", b.told, err)
	}
	define("other")
	b.gone["opsgenie"] = true
	if got := b.at(t, 3*time.Hour); len(got) != 0 || len(b.List("")) != 0 || len(b.rows.beats) != 0 {
		t.Errorf("after the integration is gone: got %+v, %d left", got, len(b.List("")))
	}
}

func TestWhatIsOnlyObservedTellsNobody(t *testing.T) {
	b := newBench(t)
	b.eyes["old"] = true
	b.ping(t, 0, "old", time.Minute)
	if got := b.at(t, time.Hour); len(got) != 1 || got[0].Source != "old" {
		t.Errorf("got %+v, want the integration as source", got)
	}
	b.eyes["old"] = false
	if got := b.ping(t, time.Hour, "old", 0); len(got) != 1 || got[0].Source != "old" {
		t.Errorf("got %+v, want the end from where the alert came", got)
	}
}

func TestAWatchdogIsAHeartbeatOfItsSource(t *testing.T) {
	b := newBench(t)
	watchdog := signal.Alert{Source: "prometheus", Labels: signal.NewLabels(map[string]string{"alertname": "Watchdog", "cluster": "eu-1", "severity": "none"})}
	ended := watchdog
	ended.EndsAt = noon
	other := signal.Alert{Source: "prometheus", Labels: signal.NewLabels(map[string]string{"alertname": "DiskFull"})}
	b.Watch(noon, []signal.Alert{other, watchdog})
	if got := b.at(t, 48*time.Hour); len(got) != 0 {
		t.Errorf("one sighting tells nothing of how often it comes: %+v", got)
	}
	b = newBench(t)
	for minute := range 4 {
		b.Watch(noon.Add(time.Duration(minute)*time.Minute), []signal.Alert{watchdog})
	}
	b.Watch(noon.Add(4*time.Minute), []signal.Alert{ended})
	b.store(t.Context(), true)
	b.restart(t)
	if got := b.at(t, 13*time.Minute-1); len(got) != 0 {
		t.Errorf("too early: %+v", got)
	}
	got := b.at(t, 13*time.Minute)
	if len(got) != 1 || got[0].Labels.Get("cluster") != "eu-1" || got[0].Severity() != signal.Critical || got[0].Source != "heartbeat" || got[0].Labels.Get("integration") != "prometheus" {
		t.Fatalf("got %+v", got)
	}
	b.Watch(noon.Add(20*time.Minute), []signal.Alert{watchdog, got[0]})
	if got := b.at(t, 20*time.Minute); len(got) != 1 || got[0].Act != signal.End {
		t.Errorf("got %+v, want the end", got)
	}
	if got := b.at(t, 30*time.Minute); len(got) != 1 {
		t.Errorf("the outage was learned as an interval: %+v", got)
	}
	if got := b.at(t, 30*time.Minute+forgetAfter); len(got) != 1 || got[0].Act != signal.End || len(b.List("")) != 0 {
		t.Errorf("got %+v, want it forgotten", got)
	}
}

func TestASlowWatchdogMayBeSilentForTwiceItsGap(t *testing.T) {
	b := newBench(t)
	watchdog := []signal.Alert{{Source: "am", Labels: signal.NewLabels(map[string]string{"alertname": "Watchdog"})}}
	b.Watch(noon, watchdog)
	b.Watch(noon.Add(4*time.Hour), watchdog)
	if got := b.at(t, 12*time.Hour-1); len(got) != 0 {
		t.Errorf("too early: %+v", got)
	}
	if got := b.at(t, 12*time.Hour); len(got) != 1 {
		t.Errorf("got %+v, want the alert", got)
	}
}

func TestThereIsAnEndToHeartbeats(t *testing.T) {
	b := newBench(t)
	for n := range Most {
		beat := Beat{Integration: "x", Name: time.Duration(n).String(), Interval: time.Hour}
		b.beats[beat.key()] = &beat
	}
	if _, err := b.Ping(t.Context(), noon, "x", "one more", 0, 0); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	b.Watch(noon, []signal.Alert{{Source: "y", Labels: signal.NewLabels(map[string]string{"alertname": "Watchdog"})}})
	if list := b.List("y"); len(list) != 0 {
		t.Errorf("got %+v, want none", list)
	}
}

func FuzzInterval(f *testing.F) {
	for _, text := range []string{"", "5m", "-1s", "1e9h", "x", "0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		interval, err := Interval(text)
		if err == nil && text != "" && (interval < MinInterval || interval > MaxInterval) {
			t.Errorf("%q: got %s", text, interval)
		}
	})
}

func TestListIsInOrder(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"c", "a", "b"} {
		b.ping(t, 0, name, 0)
	}
	var names []string
	for _, beat := range b.List("") {
		names = append(names, beat.Name)
	}
	if !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("got %v", names)
	}
}
