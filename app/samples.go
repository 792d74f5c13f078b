package app

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/series"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/anomaly"
)

const (
	// samplePartitions is how many partitions the series of a tenant are dealt to.
	samplePartitions = 2
	// checkpointEvery is how often a part of the series' states is written, checkpointRounds in how many parts.
	checkpointEvery, checkpointRounds = time.Second, 60
	// sampleMessages is how many messages are stored in one go.
	sampleMessages = 16
	// passEvery is how often the anomalies look whether something is over.
	passEvery = 5 * time.Second
)

// samples takes what receivers have understood to the stream, and from there into the database of samples and to the
// detector. It is safe for concurrent use.
type samples struct {
	app    *App
	bus    *bus.Bus
	store  *sampleStore
	blobs  *blob.Store
	parts  [samplePartitions]*samplePart
	desk   *anomaly.Desk
	logger *slog.Logger
}

// samplePart is one partition. But for position and stored it belongs to the goroutine that consumes it.
type samplePart struct {
	number   int
	watch    *anomaly.Watch
	begin    sync.Once // makes writer, once the database is open
	writer   *series.Writer
	position atomic.Uint64 // of the last message that was stored and judged
	sent     atomic.Uint64 // of the last message that a remote store has taken
	written  time.Time     // of the last checkpoint

	mu      sync.Mutex
	adjust  []adjustment  // guarded by mu; what people said and the watch does not know yet
	stats   anomaly.Stats // guarded by mu
	pending atomic.Bool   // adjust is not empty
}

// adjustment is what somebody said of series.
type adjustment struct {
	ids      []signal.SeriesID
	feedback string
}

// openSamples opens the stream, the database and the checkpoints of samples.
func (a *App) openSamples(ctx context.Context) (err error) {
	s := &samples{app: a, logger: a.part("samples")}
	a.samples = s
	cfg := a.cfg.bus(0)
	cfg.Stream, cfg.SyncAlways = bus.TelemetryStream, a.cfg.Bus.Sync == "always"
	cfg.Dir = filepath.Join(a.cfg.Data.Dir, "telemetry")
	if s.bus, err = bus.Open(ctx, cfg, a.part("bus")); err != nil {
		return fmt.Errorf("open the stream of telemetry in %s: %w", cfg.Dir, err)
	}
	if s.store, err = a.openStore(); err != nil {
		return err
	}
	s.blobs = a.blobs
	for i := range s.parts {
		s.parts[i] = &samplePart{
			number: i,
			watch:  anomaly.NewWatch(anomaly.WatchConfig{MaxSeries: a.cfg.Anomaly.MaxSeries / samplePartitions}),
		}
	}
	s.desk, err = anomaly.NewDesk(ctx, a.db, anomaly.DeskConfig{
		Budget: a.cfg.Anomaly.Budget, Publish: s.tell, Adjust: s.adjust, Logger: s.logger,
	})
	if err != nil {
		return err
	}
	a.registry.MustRegister(newAnomalyMetrics(s))
	return nil
}

// adjust lets the partitions know what somebody said of series.
func (s *samples) adjust(ids []signal.SeriesID, feedback string) {
	for _, p := range s.parts {
		p.mu.Lock()
		p.adjust = append(p.adjust, adjustment{ids, feedback})
		p.pending.Store(true)
		p.mu.Unlock()
	}
}

// heed passes on to the watch what people said.
func (p *samplePart) heed() {
	if !p.pending.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, said := range p.adjust {
		for _, id := range said.ids {
			p.watch.Adjust(id, said.feedback)
		}
	}
	p.adjust = nil
	p.pending.Store(false)
}

// stats returns what all partitions did.
func (s *samples) stats() anomaly.Stats {
	var sum anomaly.Stats
	for _, p := range s.parts {
		p.mu.Lock()
		sum.Series += p.stats.Series
		sum.Unwatched += p.stats.Unwatched
		sum.Judged += p.stats.Judged
		sum.Skipped += p.stats.Skipped
		p.mu.Unlock()
	}
	return sum
}

// pass lets the wall clock's time pass for the anomalies.
func (s *samples) pass(ctx context.Context) error {
	ticker := time.NewTicker(passEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if s.app.driven() {
			continue
		}
		if err := s.desk.Advance(ctx, s.app.clock.Now()); err != nil && ctx.Err() == nil {
			s.logger.Error("time does not pass for the anomalies", "error", err)
		}
	}
}

// checkpoints returns where the states of a partition are kept.
func (p *samplePart) checkpoints() string { return "anomaly/" + tenant + "/" + strconv.Itoa(p.number) }

// consume restores the states of a partition and follows the stream.
func (s *samples) consume(number int) func(ctx context.Context) error {
	p := s.parts[number]
	return func(ctx context.Context) error {
		store, err := s.store.wait(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		p.write(store)
		position, unread, err := p.watch.Restore(ctx, s.blobs, p.checkpoints())
		if err != nil {
			return err
		}
		if unread > 0 {
			s.logger.Warn("some series warm up again: their states are damaged or of another version", "checkpoints", unread)
		}
		p.position.Store(position)
		p.written = time.Now()
		err = s.follow(ctx, p, position, s.apply)
		if ctx.Err() == nil {
			return err
		}
		// What was applied is kept whole, so that a restart reads nothing again.
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout/2)
		defer cancel()
		return s.checkpoint(stop, p, 1)
	}
}

// write returns what writes the partition's samples.
func (p *samplePart) write(store *series.Store) *series.Writer {
	p.begin.Do(func() { p.writer = store.Writer() })
	return p.writer
}

// follow lets work have the messages of a partition behind a position.
func (s *samples) follow(ctx context.Context, p *samplePart, position uint64, work func(context.Context, *samplePart, []bus.Message) error) error {
	subjects := []string{bus.SampleSubject(tenant, p.number)}
	return s.bus.Consume(ctx, bus.TelemetryStream, subjects, position, sampleMessages, func(ctx context.Context, messages []bus.Message) error {
		return work(ctx, p, messages)
	})
}

// apply judges messages, and stores them unless that is done elsewhere.
func (s *samples) apply(ctx context.Context, p *samplePart, messages []bus.Message) error {
	p.heed()
	var findings []anomaly.Finding
	var batch *series.Batch
	if !s.app.cfg.Series.Remote.used() {
		batch = p.writer.Begin(ctx)
	}
	at, err := s.each(ctx, messages, s.app.clock.Now(), func(view *signal.SeriesView, sequence uint64) error {
		p.watch.Observe(view, sequence, func(f anomaly.Finding) { findings = append(findings, f) })
		if batch == nil {
			return nil
		}
		return batch.Add(view)
	})
	p.watch.Sweep(p.writer.Labels, func(f anomaly.Finding) { findings = append(findings, f) })
	if batch != nil && err != nil {
		batch.Rollback()
	} else if batch != nil {
		err = batch.Commit()
	}
	if err != nil {
		return err
	}
	if err := s.desk.Take(ctx, at, findings); err != nil {
		return err
	}
	p.position.Store(messages[len(messages)-1].Sequence)
	p.mu.Lock()
	p.stats = p.watch.Stats()
	p.mu.Unlock()
	if time.Since(p.written) >= checkpointEvery {
		return s.checkpoint(ctx, p, checkpointRounds)
	}
	return nil
}

// tell publishes alerts, and tries until it can.
func (s *samples) tell(ctx context.Context, at time.Time, alerts []signal.Alert) error {
	for {
		err := s.app.ingest.send(ctx, at, alerts)
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.logger.Warn("anomalies cannot be told; trying again", "error", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

// checkpoint writes a part of the states, and takes out of the stream what no partition needs any more.
func (s *samples) checkpoint(ctx context.Context, p *samplePart, rounds int) error {
	p.written = time.Now()
	kept, err := p.watch.Checkpoint(ctx, s.blobs, p.checkpoints(), p.position.Load(), rounds)
	if err != nil {
		return err
	}
	if s.app.cfg.Series.Remote.used() {
		kept = min(kept, p.sent.Load())
	}
	if err := s.bus.Purge(ctx, bus.TelemetryStream, bus.SampleSubject(tenant, p.number), kept); err != nil && ctx.Err() == nil {
		s.logger.Warn("the stream of telemetry cannot be tidied", "error", err)
	}
	return nil
}

// close ends what openSamples opened.
func (s *samples) close(ended func(what string, err error)) {
	if s.bus != nil {
		ended("stream of telemetry", s.bus.Close())
	}
	if s.store != nil {
		ended("samples", s.store.close())
	}
	for _, p := range s.parts {
		if p != nil {
			p.watch.Close()
		}
	}
}
