package app

import (
	"cmp"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/ops/notify"
	"github.com/fairlead/fairlead/web/api"
)

const (
	// pulseEvery is how often the trends get a value, pulses how many are kept: an hour.
	pulseEvery = 15 * time.Second
	pulses     = 240
	// lagEvery is how often it is looked whether alerts wait; a lag is known to that much.
	lagEvery = time.Second
	// checkTime bounds the readiness checks.
	checkTime = 3 * time.Second
)

// pulse watches what waits, and keeps the trends of the last hour. It is safe for concurrent use.
type pulse struct {
	mu sync.Mutex
	// behind is the newest sequence of the stream at since, when it was not yet applied; 0 when nothing waited.
	behind uint64    // guarded by mu
	since  time.Time // guarded by mu
	last   beat      // guarded by mu
	beats  []beat    // guarded by mu; oldest first
}

// beat is one value of each trend; counters as they are.
type beat struct {
	at                                           time.Time
	reports, commits                             uint64
	cpu, lag, deliveries, memory                 float64
	reportsPerSecond, commitsPerSecond, cpuShare float64
}

// watch keeps the pulse until ctx ends.
func (a *App) watch(ctx context.Context) error {
	look, keep := time.NewTicker(lagEvery), time.NewTicker(pulseEvery)
	defer look.Stop()
	defer keep.Stop()
	a.beat(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			a.lookBehind(ctx)
		case <-keep.C:
			a.beat(ctx)
		}
	}
}

// lookBehind notes since when what was accepted waits to be applied, and returns how much does.
func (a *App) lookBehind(ctx context.Context) (waiting uint64) {
	last, err := a.bus.Last(ctx, bus.SignalStream)
	if err != nil {
		return 0 // the check "bus" says so
	}
	applied := a.desk.Position()
	p := &a.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case applied >= last:
		p.behind = 0
		return 0
	case p.behind == 0 || applied >= p.behind:
		p.behind, p.since = last, time.Now()
	}
	return last - applied
}

// lag returns how long the oldest alert has waited to be applied.
func (p *pulse) lag(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.behind == 0 {
		return 0
	}
	return now.Sub(p.since)
}

// beat adds a value to each trend.
func (a *App) beat(ctx context.Context) {
	now := time.Now()
	process := a.process()
	b := beat{at: now, reports: a.desk.Stats().Received, commits: a.db.Stats().Groups, cpu: process.CPUSeconds, lag: a.pulse.lag(now).Seconds(), memory: float64(process.MemoryBytes)}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if n, _, err := notify.Waiting(ctx, a.db.Read()); err == nil {
		b.deliveries = float64(n)
	}
	p := &a.pulse
	p.mu.Lock()
	defer p.mu.Unlock()
	if before := p.last; !before.at.IsZero() {
		seconds := now.Sub(before.at).Seconds()
		b.reportsPerSecond = float64(b.reports-min(b.reports, before.reports)) / seconds
		b.commitsPerSecond = float64(b.commits-min(b.commits, before.commits)) / seconds
		b.cpuShare = max(0, b.cpu-before.cpu) / seconds
		p.beats = append(p.beats, b)
		p.beats = p.beats[max(0, len(p.beats)-pulses):]
	}
	p.last = b
}

// trends returns the last hour.
func (p *pulse) trends() []api.Trend {
	p.mu.Lock()
	defer p.mu.Unlock()
	trend := func(name, unit string, value func(b *beat) float64) api.Trend {
		t := api.Trend{Name: name, Unit: unit, Every: pulseEvery.Seconds(), Values: make([]float64, len(p.beats))}
		for i := range p.beats {
			t.Values[i] = value(&p.beats[i])
		}
		return t
	}
	return []api.Trend{
		trend("alerts", "reports/s", func(b *beat) float64 { return b.reportsPerSecond }),
		trend("lag", "s", func(b *beat) float64 { return b.lag }),
		trend("deliveries", "waiting", func(b *beat) float64 { return b.deliveries }),
		trend("commits", "commits/s", func(b *beat) float64 { return b.commitsPerSecond }),
		trend("cpu", "cores", func(b *beat) float64 { return b.cpuShare }),
		trend("memory", "bytes", func(b *beat) float64 { return b.memory }),
	}
}

// ownHealth says how the server itself is.
func (a *App) ownHealth(ctx context.Context) (api.Health, error) {
	now := time.Now()
	h := api.Health{
		StartedAt: a.started.UTC(), Now: now.UTC(), Ready: true, Checks: []api.HealthCheck{}, Process: a.process(), Disk: diskOf(a.cfg.Data.Dir), Trends: a.pulse.trends(),
		Store: api.StoreHealth{Engine: "sqlite"},
	}
	if a.cfg.Store.URL != "" {
		h.Store.Engine = "postgresql"
	}
	stats := a.db.Stats()
	h.Store.Writes, h.Store.Failures, h.Store.Commits = stats.Writes, stats.Failures, stats.Groups
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	for _, check := range a.health.Checks(ctx) {
		problem := ""
		if check.Err != nil {
			problem, h.Ready = check.Err.Error(), false
		}
		h.Checks = append(h.Checks, api.HealthCheck{Name: check.Name, Problem: problem})
	}
	seconds := func(d time.Duration) *float64 {
		value := max(0, d.Seconds())
		return &value
	}
	alerts := api.Queue{Name: "alerts", Waiting: int64(a.lookBehind(ctx)), LagSeconds: seconds(a.pulse.lag(now)), Capacity: a.cfg.Bus.MaxBytes} //nolint:gosec // far below 2^63
	if stream, err := a.bus.Stats(ctx, bus.SignalStream); err == nil {
		alerts.Bytes = int64(stream.Bytes) //nolint:gosec // as above
	}
	deliveries := api.Queue{Name: "deliveries"}
	if n, oldest, err := notify.Waiting(ctx, a.db.Read()); err == nil {
		deliveries.Waiting = int64(n)
		deliveries.LagSeconds = seconds(0)
		if n > 0 {
			deliveries.LagSeconds = seconds(a.clock.Now().Sub(oldest))
		}
	}
	h.Telemetry = []api.Telemetry{}
	for _, c := range a.intake.Came() {
		t := api.Telemetry{Protocol: c.Protocol, Kind: string(c.Kind), Accepted: c.Accepted, Refused: c.Refused, Reasons: c.Reasons, Last: c.Last, Sender: c.Sender}
		if !c.LastAt.IsZero() {
			t.LastAt = &c.LastAt
		}
		h.Telemetry = append(h.Telemetry, t)
	}
	h.Queues = []api.Queue{alerts, deliveries, {Name: "writes", Waiting: int64(stats.Waiting)}}
	return h, nil
}

// process reads what the process uses from its own metrics.
func (a *App) process() api.ProcessHealth {
	families, _ := a.registry.Gather() // what could be read is there
	values := map[string]float64{}
	for _, family := range families {
		if len(family.GetMetric()) == 1 {
			values[family.GetName()] = valueOf(family.GetMetric()[0])
		}
	}
	return api.ProcessHealth{
		MemoryBytes: int64(values["process_resident_memory_bytes"]), CPUSeconds: values["process_cpu_seconds_total"], Goroutines: int64(values["go_goroutines"]),
		OpenFiles: int64(values["process_open_fds"]), MaxFiles: int64(values["process_max_fds"]),
	}
}

func valueOf(m *dto.Metric) float64 {
	if m.GetCounter() != nil {
		return m.GetCounter().GetValue()
	}
	return m.GetGauge().GetValue()
}

// diskOf measures the data folder and the disk it is on. What vanishes meanwhile counts as nothing.
func diskOf(dir string) api.DiskHealth {
	d := api.DiskHealth{Parts: []api.DiskPart{}}
	d.Total, d.Free = diskSpace(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return d
	}
	for _, entry := range entries {
		part := api.DiskPart{Name: entry.Name()}
		_ = filepath.WalkDir(filepath.Join(dir, entry.Name()), func(_ string, file fs.DirEntry, err error) error { // never ends in an error
			if err == nil && !file.IsDir() {
				if info, err := file.Info(); err == nil {
					part.Bytes += info.Size()
				}
			}
			return nil
		})
		d.Used += part.Bytes
		d.Parts = append(d.Parts, part)
	}
	slices.SortFunc(d.Parts, func(a, b api.DiskPart) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name))
	})
	return d
}
