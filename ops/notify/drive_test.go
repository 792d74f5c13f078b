package notify

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
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/signal"
)

// Due and Advance make a play's Desk a Timeline.
func (p *play) Due() time.Time { return p.desk.Stats().Due }

func (p *play) Advance(ctx context.Context, at time.Time) error { return p.desk.Advance(ctx, at) }

// driven makes a play whose Teller is driven.
func driven(t *testing.T, change func(*Config)) *play {
	p := newPlay(t, change)
	cfg, plan := p.teller.cfg, p.teller.plan
	p.teller = New(Deps{DB: p.db, Clock: p.clock, Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler), Driven: true}, cfg, plan)
	p.Cleanup(func() { p.teller.crew.stop() })
	return p
}

// at drives the clock to a time, at which alerts come.
func (p *play) at(at time.Time, alerts []signal.Alert) {
	p.Helper()
	p.sequence++
	err := p.teller.Drive(p.Context(), p.clock.Advance(at), p, func() error {
		return p.desk.Apply(p.Context(), []signal.AlertBatch{{At: at, Alerts: alerts}}, p.sequence, nil)
	})
	if err != nil {
		p.Fatal(err)
	}
}

// finish drives the clock on until nothing waits, as a replay does.
func (p *play) finish() {
	p.Helper()
	for range 1000 {
		next, err := p.desk.NextTimer(p.Context())
		if err != nil {
			p.Fatal(err)
		}
		if next = sooner(next, p.teller.NextTimer()); next.IsZero() {
			return
		}
		p.at(later(next, p.clock.Now().Add(time.Millisecond)), nil)
	}
	p.Fatal("something waits for ever")
}

// story makes alerts of a few services that begin and end at random moments of an hour, some of them again and again.
func story(random *rand.Rand) map[time.Duration][]signal.Alert {
	what := map[time.Duration][]signal.Alert{}
	for i := range 40 {
		labels := signal.NewLabels(map[string]string{
			"alertname": fmt.Sprintf("A%d", random.IntN(12)), "service": fmt.Sprintf("s%d", random.IntN(3)), "severity": []string{"critical", "warning"}[i%2],
		})
		begin := time.Duration(random.IntN(3600)) * time.Second
		end := begin + time.Duration(1+random.IntN(900))*time.Second
		one := signal.Alert{Source: "test", Identity: labels.Fingerprint().String(), Labels: labels, StartsAt: friday.Add(begin)}
		what[begin] = append(what[begin], one)
		one.EndsAt = friday.Add(end)
		what[end] = append(what[end], one)
	}
	return what
}

// TestHoweverFarTheClockJumpsTheSameIsTold plays a story in one go, and again with the clock advanced each ten seconds.
func TestHoweverFarTheClockJumpsTheSameIsTold(t *testing.T) {
	for _, per := range []string{PerIncident, PerGroup} {
		t.Run(per, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("the seed is %d", seed)
			run := func(pause time.Duration) (told []string) {
				p := driven(t, func(c *Config) { c.Per = per })
				what := story(rand.New(rand.NewPCG(seed, 1)))
				for at := time.Duration(0); at <= 2*time.Hour; at += time.Second {
					if alerts := what[at]; alerts != nil || pause > 0 && at%pause == 0 {
						p.at(friday.Add(at), alerts)
					}
				}
				p.finish()
				for _, d := range p.deliveries(Filter{}) {
					if d.State != Muted || d.Reason != notSent {
						t.Errorf("got %+v, want it recorded and not sent", d)
					}
					told = append(told, fmt.Sprintf("%s %s %s %s %d", d.At.Format(time.TimeOnly), d.Receiver, d.Group[strings.LastIndex(d.Group, "/")+1:], d.Why, d.Alerts))
				}
				slices.Sort(told)
				if got := p.target.take(); len(got) != 0 {
					t.Errorf("%v was really sent", got)
				}
				return told
			}
			fast, slow := run(0), run(10*time.Second)
			if len(fast) < 5 {
				t.Fatalf("only %v was told", fast)
			}
			if diff := cmp.Diff(slow, fast); diff != "" {
				t.Errorf("the clock advanced each ten seconds (-), and at once (+):\n%s", diff)
			}
		})
	}
}

func TestOnTheEventClockNobodyIsToldUnlessAskedFor(t *testing.T) {
	p := driven(t, func(c *Config) { c.SendOnEventClock = true })
	labels := signal.NewLabels(map[string]string{"alertname": "Down", "service": "cart", "severity": "critical"})
	p.at(friday, []signal.Alert{{Source: "test", Identity: "x", Labels: labels, StartsAt: friday}})
	p.finish()
	p.settle()
	p.told("when it was asked for", "all firing, first notification: Down")
}
