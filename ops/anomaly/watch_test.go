package anomaly

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/signal"
)

// memory keeps checkpoints.
type memory map[string][]byte

func (m memory) Put(_ context.Context, key string, data []byte) error {
	m[key] = slices.Clone(data)
	return nil
}
func (m memory) Get(_ context.Context, key string) ([]byte, error) { return m[key], nil }
func (m memory) List(_ context.Context, prefix string) ([]string, error) {
	var keys []string
	for key := range m {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// message returns the record of minute i: a value for each series, one of which has a fault now and then.
func message(t *testing.T, i, count int) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(i), 3))
	batch := signal.SampleBatch{At: time.UnixMilli(start + int64(i)*minuteStep), Source: "test"}
	for n := range count {
		value := 100 + 5*r.NormFloat64()
		if i > 1000 && i%300 < 3 && n == i/300%count {
			value += 90
		}
		batch.Series = append(batch.Series, signal.Series{
			Labels: signal.NewLabels(map[string]string{"__name__": "load", "instance": fmt.Sprintf("host-%03d", n)}), Type: signal.Gauge,
			Samples: []signal.Sample{{At: start + int64(i)*minuteStep, Value: value}},
		})
	}
	return signal.AppendSamples(nil, batch)
}

// feed lets a Watch see messages first up to last, at positions from 1, and returns what was found as texts.
func feed(t *testing.T, w *Watch, messages [][]byte, first, last int, after func(position uint64)) []string {
	t.Helper()
	var found []string
	for i := first; i < last; i++ {
		r, err := signal.ReadSamples(messages[i])
		if err != nil {
			t.Fatal(err)
		}
		var v signal.SeriesView
		for r.Next(&v) {
			w.Observe(&v, uint64(i+1), func(f Finding) {
				found = append(found, fmt.Sprintf("%d %s %s %v %s", i, f.Labels.Get("instance"), f.Verdict.Test, f.Ended, f.Alert().Identity))
			})
		}
		if after != nil {
			after(uint64(i + 1))
		}
	}
	return found
}

func TestARestartFindsWhatWouldHaveBeenFoundAndNothingTwice(t *testing.T) {
	const series, minutes, cut = 300, 2400, 2003
	messages := make([][]byte, minutes)
	for i := range messages {
		messages[i] = message(t, i, series)
	}
	whole := NewWatch(WatchConfig{})
	defer whole.Close()
	want := feed(t, whole, messages, 0, minutes, nil)
	if len(want) == 0 {
		t.Fatal("nothing was found at all")
	}
	blobs := memory{}
	before := NewWatch(WatchConfig{})
	defer before.Close()
	got := feed(t, before, messages, 0, cut, func(position uint64) {
		if position%20 == 0 {
			if _, err := before.Checkpoint(t.Context(), blobs, "p0", position, 3); err != nil {
				t.Fatal(err)
			}
		}
	})
	after := NewWatch(WatchConfig{})
	defer after.Close()
	position, unread, err := after.Restore(t.Context(), blobs, "p0")
	if err != nil || unread > 0 {
		t.Fatalf("restore: %v, %d checkpoints unread", err, unread)
	}
	if position == 0 || position > cut || position < cut-100 {
		t.Errorf("the stream has to be read from %d, want a little before %d", position, cut)
	}
	for _, line := range feed(t, after, messages, int(position), minutes, nil) {
		if !slices.Contains(got, line) {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with a restart (+) is found what without (-):\n%s", diff)
	}
	if got, want := after.Stats().Series, series; got != want {
		t.Errorf("%d series are watched after the restart, want %d", got, want)
	}
}

func TestADamagedCheckpointMakesItsSeriesWarmUpAgain(t *testing.T) {
	messages := [][]byte{message(t, 0, 600), message(t, 1, 600)}
	w := NewWatch(WatchConfig{})
	defer w.Close()
	feed(t, w, messages, 0, 1, nil)
	blobs := memory{}
	if _, err := w.Checkpoint(t.Context(), blobs, "p0", 1, 1); err != nil {
		t.Fatal(err)
	}
	blobs["p0/000001"] = blobs["p0/000001"][:1000]
	blobs["p0/other"] = []byte("not ours")
	again := NewWatch(WatchConfig{})
	defer again.Close()
	position, unread, err := again.Restore(t.Context(), blobs, "p0")
	if err != nil || unread != 1 || position != 1 {
		t.Fatalf("restore: position %d, %d unread, %v; want 1, 1 and no error", position, unread, err)
	}
	feed(t, again, messages, 1, 2, nil)
	if got := again.Stats().Series; got != 600 {
		t.Errorf("%d series are watched, want 600", got)
	}
}

func TestMoreSeriesThanMayBeAreOnlyStored(t *testing.T) {
	w := NewWatch(WatchConfig{MaxSeries: 10})
	defer w.Close()
	feed(t, w, [][]byte{message(t, 0, 25), message(t, 1, 25)}, 0, 2, nil)
	if got := w.Stats(); got.Series != 10 || got.Unwatched != 15 || got.Judged != 20 {
		t.Errorf("stats %+v, want 10 series watched, 15 not, 20 values judged", got)
	}
}

func TestSeriesThatEndedAreForgotten(t *testing.T) {
	w := NewWatch(WatchConfig{Forget: time.Hour})
	defer w.Close()
	feed(t, w, [][]byte{message(t, 0, 25), message(t, 120, 5)}, 0, 2, nil)
	if _, err := w.Checkpoint(t.Context(), memory{}, "p0", 2, 1); err != nil {
		t.Fatal(err)
	}
	if got := w.Stats().Series; got != 5 {
		t.Errorf("%d series are watched, want the 5 that go on", got)
	}
	feed(t, w, [][]byte{nil, nil, message(t, 121, 25)}, 2, 3, nil)
	if got := w.Stats().Series; got != 25 {
		t.Errorf("%d series are watched after they came back, want 25", got)
	}
}

func TestAnAlertSaysWhatWhereAndHowRare(t *testing.T) {
	f := Finding{
		ID: 0xabc, Labels: signal.NewLabels(map[string]string{"__name__": "http_requests", "job": "shop"}), At: time.Unix(100, 0), Since: time.Unix(40, 0),
		Verdict: Verdict{Test: SpikeUp, Value: 123456, Low: 10, High: 20.5, Weekly: 1e-4},
	}
	a := f.Alert()
	if a.Identity != "anomaly-0000000000000abc-40" || !a.Keyed || a.Source != Source || !a.EndsAt.IsZero() {
		t.Errorf("the alert is %+v", a)
	}
	for name, want := range map[string]string{"alertname": "http_requests unusually high", "job": "shop", "severity": "warning", "metric": "http_requests"} {
		if got := a.Labels.Get(name); got != want {
			t.Errorf("label %s is %q, want %q", name, got, want)
		}
	}
	if got, want := a.Annotations.Get("summary"), "http_requests is 123.5k; usual at this time is 10 to 20.5."; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if got := a.Annotations.Get("description"); !strings.Contains(got, "once in 192 years") {
		t.Errorf("description %q, want how rare", got)
	}
	f.Ended = true
	if a := f.Alert(); !a.EndsAt.Equal(f.At) {
		t.Errorf("the end is %s, want %s", a.EndsAt, f.At)
	}
}

// A series that began an hour ago is judged when others of its metric are older, and not called odd for being young.
func TestAnInfantIsJudgedByItsSiblings(t *testing.T) {
	const elder, minutes = 60, 80
	w := NewWatch(WatchConfig{})
	defer w.Close()
	r := rand.New(rand.NewPCG(5, 5))
	found := map[string]int{}
	for i := range minutes {
		batch := signal.SampleBatch{}
		for n := range elder + 1 {
			value := 100 + 5*r.NormFloat64()
			if n == elder && i >= 70 {
				value += 100
			}
			batch.Series = append(batch.Series, signal.Series{
				Labels: signal.NewLabels(map[string]string{"__name__": "load", "instance": fmt.Sprint(n)}), Type: signal.Gauge,
				Samples: []signal.Sample{{At: start + int64(i)*minuteStep, Value: value}},
			})
		}
		feedRecord(t, w, signal.AppendSamples(nil, batch), uint64(i+1), func(f Finding) {
			if !f.Faint && !f.Ended {
				found[f.Labels.Get("instance")]++
			}
		})
	}
	if found[fmt.Sprint(elder)] == 0 {
		t.Error("a level of twenty deviations is not found in a series of 70 minutes")
	}
	delete(found, fmt.Sprint(elder))
	if len(found) > 2 {
		t.Errorf("of %d normal series of 80 minutes %d are odd", elder, len(found))
	}
}

func feedRecord(t *testing.T, w *Watch, record []byte, position uint64, found func(Finding)) {
	t.Helper()
	r, err := signal.ReadSamples(record)
	if err != nil {
		t.Fatal(err)
	}
	var v signal.SeriesView
	for r.Next(&v) {
		w.Observe(&v, position, found)
	}
}

func TestWhatSeriesHaveInCommonSurvivesARestart(t *testing.T) {
	blobs := memory{}
	before := NewWatch(WatchConfig{})
	defer before.Close()
	for i := range 60 {
		r, err := signal.ReadSamples(message(t, i, 40))
		if err != nil {
			t.Fatal(err)
		}
		var v signal.SeriesView
		for r.Next(&v) {
			before.Observe(&v, uint64(i+1), func(Finding) {})
		}
	}
	before.stops = stops{Count: 2, Weeks: 30}
	if _, err := before.Checkpoint(t.Context(), blobs, "p0", 60, 1); err != nil {
		t.Fatal(err)
	}
	after := NewWatch(WatchConfig{})
	defer after.Close()
	if _, _, err := after.Restore(t.Context(), blobs, "p0"); err != nil {
		t.Fatal(err)
	}
	if len(after.siblings) != 1 || *after.siblings[after.kin["load"]-1] != *before.siblings[0] || after.stops.Count != 2 || after.stops.Weeks != 30 {
		t.Errorf("after a restart %d kinds of siblings are known, and %+v", len(after.siblings), after.stops)
	}
}
