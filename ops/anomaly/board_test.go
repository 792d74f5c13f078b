package anomaly

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fairlead/fairlead/base/signal"
)

var boardStart = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// odd returns a finding of a series of a service: as rare as once in ten to the power of the evidence weeks.
func odd(service string, number int, at time.Time, evidence float64) Finding {
	return Finding{
		ID: signal.SeriesID(number + 1), Labels: signal.NewLabels(map[string]string{"__name__": fmt.Sprintf("metric_%d", number), "service": service}),
		At: at, Since: at, Age: 100 * time.Hour, Verdict: Verdict{Test: SpikeUp, Weekly: math.Pow(10, -evidence), Value: 9, Low: 1, High: 2},
	}
}

// usualWeeks lets a Board see so many weeks of a system in which nothing is wrong: 300 groups a week of one series.
func usualWeeks(b *Board, weeks int, told func(at time.Time)) time.Time {
	r := rand.New(rand.NewPCG(7, 7))
	at := boardStart
	end := boardStart.Add(time.Duration(weeks) * week)
	for i := 0; at.Before(end); i++ {
		at = at.Add(time.Duration(r.ExpFloat64() * float64(week) / 300))
		b.Advance(at)
		f := odd(fmt.Sprintf("service-%d", i%97), i, at, least+r.ExpFloat64()*0.45)
		if c := b.Take(f); c.Alert != nil {
			told(at)
		}
		f.Ended, f.At = true, at.Add(time.Minute)
		b.Take(f)
	}
	return at
}

func TestPeopleAreToldNoMoreThanTheyAskedFor(t *testing.T) {
	b := NewBoard(5)
	var told []time.Time
	usualWeeks(b, 12, func(at time.Time) { told = append(told, at) })
	for i := range told {
		n := 0
		for _, other := range told[i:] {
			if other.Sub(told[i]) < week {
				n++
			}
		}
		if n > 7 {
			t.Fatalf("%d were told in the week from %s, want at most 7", n, told[i])
		}
	}
	if len(told) > 12*5 {
		t.Errorf("%d were told in twelve weeks, want at most 60", len(told))
	}
}

func TestAnOutageIsToldAtOnceAndAsOne(t *testing.T) {
	b := NewBoard(5)
	at := usualWeeks(b, 4, func(time.Time) {}).Add(time.Hour)
	b.Advance(at)
	var alerts []signal.Alert
	var first time.Time
	for i := range 40 {
		service := []string{"checkout", "payment"}[i%2]
		now := at.Add(time.Duration(i) * 5 * time.Second)
		if c := b.Take(odd(service, 1000+i, now, 4)); c.Alert != nil {
			if first.IsZero() {
				first = now
			}
			alerts = append(alerts, *c.Alert)
		}
	}
	if first.IsZero() || first.Sub(at) > 5*time.Minute {
		t.Fatalf("an outage of two services is first told at %s, it began at %s", first, at)
	}
	for _, a := range alerts {
		if a.Identity != alerts[0].Identity {
			t.Errorf("it is told as %s and %s, want one alert", alerts[0].Identity, a.Identity)
		}
	}
	changes := b.Advance(at.Add(25 * time.Hour))
	ends := 0
	for _, c := range changes {
		if c.Alert != nil && !c.Alert.EndsAt.IsZero() {
			ends++
		}
	}
	if ends != 1 {
		t.Errorf("%d alerts end, want 1", ends)
	}
}

func TestABoardGoesOnAfterARestart(t *testing.T) {
	b := NewBoard(5)
	at := usualWeeks(b, 2, func(time.Time) {}).Add(time.Hour)
	for i := range 10 {
		b.Take(odd("checkout", 1000+i, at, 5))
	}
	state, err := b.State()
	if err != nil {
		t.Fatal(err)
	}
	again := NewBoard(5)
	if err := again.Restore(state); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.Budgets(), again.Budgets(), cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-6, 1e-9)); diff != "" {
		t.Errorf("budgets, before -, after +:\n%s", diff)
	}
	now := at.Add(time.Minute)
	f := odd("checkout", 1001, now, 5)
	f.Ended = true
	for _, board := range []*Board{b, again} {
		if c := board.Take(f); c.Group == nil || c.Group.Active != 9 {
			t.Fatalf("after the end of one of ten the group is %+v", c.Group)
		}
	}
	if x, y := b.Open(), again.Open(); len(x) != len(y) || x[0].ID != y[0].ID || !x[0].ToldAt.Equal(y[0].ToldAt) {
		t.Errorf("open before the restart: %v, after it: %v", x[0], y[0])
	}
	if c := again.Take(odd("checkout", 1000, now, 5)); c.Alert != nil {
		t.Error("a series that was told before the restart is told again")
	}
}

func TestWhatPeopleSaidMovesTheBar(t *testing.T) {
	const minutes = 7 * 24 * 60
	count := func(feedback string) int {
		w := NewWatch(WatchConfig{})
		defer w.Close()
		r := rand.New(rand.NewPCG(3, 3))
		found, spikes := 0, 0
		for i := range 3 * minutes {
			value := 100 + 5*r.NormFloat64()
			if i > minutes && i%1700 == 0 {
				value += 32 + float64(spikes%5)*3
				spikes++
			}
			record := signal.AppendSamples(nil, signal.SampleBatch{Series: []signal.Series{{
				Labels: signal.NewLabels(map[string]string{"__name__": "x"}), Type: signal.Gauge, Samples: []signal.Sample{{At: start + int64(i)*minuteStep, Value: value}},
			}}})
			reader, err := signal.ReadSamples(record)
			if err != nil {
				t.Fatal(err)
			}
			var v signal.SeriesView
			reader.Next(&v)
			if i == minutes {
				w.Adjust(v.ID, feedback)
			}
			w.Observe(&v, uint64(i+1), func(f Finding) {
				if !f.Ended {
					found++
				}
			})
		}
		return found
	}
	normal, nothing, useful := count(Normal), count(""), count(Useful)
	if normal >= nothing || useful < nothing {
		t.Errorf("said to be normal %d are found, said nothing %d, said to be useful %d; want fewer after normal", normal, nothing, useful)
	}
}
