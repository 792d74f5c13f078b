// Command fleet lets the shipped sample detector watch a simulated system of thousands of normal series, injects an outage
// into one service, and counts what people would be told: how many anomalies in each week, and how soon of the outage.
//
//	go run ./test/fleet -series 10000 -step 60s -weeks 4
//
// The series are of eight kinds of normal, dealt to services of twenty. The detector, the grouping and the budget are those
// of the server, with its defaults; only the way over the network is left out.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/anomaly"
)

// perService is how many series a service has.
const perService = 20

// begin is a Monday.
var begin = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func main() {
	f := fleet{board: anomaly.NewBoard(anomaly.DefaultBudget)}
	flag.IntVar(&f.series, "series", 10_000, "how many series")
	flag.DurationVar(&f.step, "step", time.Minute, "how far apart their values are")
	flag.IntVar(&f.weeks, "weeks", 4, "how many weeks")
	flag.Uint64Var(&f.seed, "seed", 1, "seed of all that is drawn")
	flag.Parse()
	if err := f.run(); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// fleet is one simulation.
type fleet struct {
	series, weeks int
	step          time.Duration
	seed          uint64
	board         *anomaly.Board

	parts    []*part
	told     []time.Time
	findings int
	outage   time.Time
	noticed  time.Time
	victim   string
	evidence float64 // of the outage
}

// part is what one processor simulates and watches.
type part struct {
	watch      *anomaly.Watch
	generators []*generator
	views      []signal.SeriesView
	victims    []int // places of the series that the outage hits
	found      []anomaly.Finding
}

func (f *fleet) run() error {
	workers := runtime.GOMAXPROCS(0)
	f.victim = "service-" + strconv.Itoa(f.series/perService/2)
	for w := range workers {
		p, err := f.newPart(w, workers)
		if err != nil {
			return err
		}
		f.parts = append(f.parts, p)
	}
	steps := int(time.Duration(f.weeks) * 7 * 24 * time.Hour / f.step)
	outage := steps * 4 / 5
	f.outage = begin.Add(time.Duration(outage) * f.step)
	started := time.Now()
	for i := range steps {
		at := begin.Add(time.Duration(i) * f.step)
		hit := i >= outage && i < outage+int(time.Hour/f.step)
		var wait sync.WaitGroup
		for _, p := range f.parts {
			wait.Go(func() { p.step(uint64(i+1), at, hit) })
		}
		wait.Wait()
		f.tell(at)
	}
	f.print(steps, time.Since(started))
	return nil
}

func (f *fleet) newPart(number, of int) (*part, error) {
	p := &part{watch: anomaly.NewWatch(anomaly.WatchConfig{MaxSeries: f.series})}
	batch := signal.SampleBatch{}
	for i := range f.series {
		service := i / perService
		if service%of != number {
			continue
		}
		name := "service-" + strconv.Itoa(service)
		if name == f.victim {
			p.victims = append(p.victims, len(p.generators))
		}
		p.generators = append(p.generators, newGenerator(f.seed, uint64(i))) //nolint:gosec // not negative
		batch.Series = append(batch.Series, signal.Series{
			Labels: signal.NewLabels(map[string]string{"__name__": "metric_" + strconv.Itoa(i%perService), "service": name}), Type: signal.Gauge,
			Samples: []signal.Sample{{}},
		})
	}
	r, err := signal.ReadSamples(signal.AppendSamples(nil, batch))
	if err != nil {
		return nil, err
	}
	for {
		var v signal.SeriesView
		if !r.Next(&v) {
			return p, r.Err()
		}
		p.views = append(p.views, v)
	}
}

// step lets a moment pass.
func (p *part) step(position uint64, at time.Time, outage bool) {
	seconds := at.Sub(begin).Seconds()
	for _, i := range p.victims {
		p.generators[i].fault = 0
		if outage {
			p.generators[i].fault = 6
		}
	}
	for i, g := range p.generators {
		p.views[i].Samples[0] = signal.Sample{At: at.UnixMilli(), Value: g.next(seconds)}
		p.watch.Observe(&p.views[i], position, func(found anomaly.Finding) { p.found = append(p.found, found) })
	}
}

// tell lets the board see what was found.
func (f *fleet) tell(at time.Time) {
	for _, p := range f.parts {
		for _, found := range p.found {
			if !found.Ended && !found.Faint {
				f.findings++
			}
			g := f.board.Take(found).Group
			if g == nil || found.Ended {
				continue
			}
			if g.ToldAt.Equal(found.At) && (len(f.told) == 0 || !slices.Contains(f.told, g.ToldAt)) {
				f.told = append(f.told, g.ToldAt)
			}
			if g.Entity == "service:"+f.victim && !at.Before(f.outage) {
				f.evidence = max(f.evidence, g.Evidence)
			}
			if g.Entity == "service:"+f.victim && !at.Before(f.outage) && f.noticed.IsZero() && (!g.ToldAt.IsZero() || g.Joined != "") {
				f.noticed = at
			}
		}
		p.found = p.found[:0]
	}
	f.board.Advance(at)
}

func (f *fleet) print(steps int, took time.Duration) {
	counts := make([]int, f.weeks)
	for _, at := range f.told {
		counts[int(at.Sub(begin)/(7*24*time.Hour))]++
	}
	worst := 0
	for i := range f.told {
		n := 0
		for _, other := range f.told[i:] {
			if other.Sub(f.told[i]) < 7*24*time.Hour {
				n++
			}
		}
		worst = max(worst, n)
	}
	fmt.Printf("%d series, a value each %s, %d weeks, seed %d: %.1f M values a second with generating them\n", f.series, f.step, f.weeks, f.seed,
		float64(f.series)*float64(steps)/took.Seconds()/1e6)
	fmt.Printf("anomalies of single series: %d (%.3f a series and week)\n", f.findings, float64(f.findings)/float64(f.series)/float64(f.weeks))
	fmt.Printf("told in each week: %v, at most %d in any seven days; budget %d\n", counts, worst, anomaly.DefaultBudget)
	if f.noticed.IsZero() {
		fmt.Println("the outage was not told")
	} else {
		fmt.Printf("the outage was told after %s\n", f.noticed.Sub(f.outage))
	}
	for _, b := range f.board.Budgets() {
		fmt.Printf("evidence of the outage %.1f, the most that was not told %.1f\n", f.evidence, b.Budget.Highest)
		fmt.Printf("budget: told %d, by chance expected %.1f, held back %d, groups a week %.0f, p-values in tenths %v\n", b.Budget.Tells, b.Budget.Expected, b.Budget.Held, b.Budget.Groups, b.Budget.Curve)
	}
}
