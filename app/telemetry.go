package app

import (
	"context"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/promwrite"
	"github.com/fairlead/fairlead/web/promql"
)

const (
	// unreadEvery is how often log records and spans that nothing here reads are looked at, unreadKept how long they stay in the
	// stream for readers of NATS.
	unreadEvery, unreadKept = 5 * time.Second, time.Minute
	// unreadShare is the part of the stream that may be filled before they have to go at once: samples must find room.
	unreadShare = 4
)

// outgoing are messages that wait to be stored in the stream.
type outgoing struct {
	s       *samples
	pending []*bus.Pending
	of      []int // the partition of samples that each is for, -1 for none
}

// send hands a record to the stream.
func (o *outgoing) send(ctx context.Context, subject string, partition int, record []byte) error {
	pending, err := o.s.bus.PublishAsync(ctx, subject, record)
	if err != nil {
		return asPublisher(err)
	}
	o.pending, o.of = append(o.pending, pending), append(o.of, partition)
	return nil
}

// stored waits until all are stored, and returns the last sequence of each partition of samples.
func (o *outgoing) stored(ctx context.Context) (last [samplePartitions]uint64, err error) {
	for i, message := range o.pending {
		sequence, err := message.Wait(ctx)
		if err != nil {
			return last, asPublisher(err)
		}
		if p := o.of[i]; p >= 0 {
			last[p] = max(last[p], sequence)
		}
	}
	return last, nil
}

// moment returns the time of receipt, and whether it drives the clock.
func (s *samples) moment(at time.Time) (time.Time, bool) {
	event, driven := s.app.clock.(*clock.Event)
	if driven {
		at = event.Advance(at)
	}
	return at, driven
}

// publish sends what fill gives it, and returns once it is stored.
func (s *samples) publish(ctx context.Context, at time.Time, fill func(at time.Time, out *outgoing) error) error {
	at, driven := s.moment(at)
	out := outgoing{s: s}
	if err := fill(at, &out); err != nil {
		return err
	}
	return s.passed(ctx, at, driven, &out)
}

// PublishSamples is receive.TelemetryPublisher's.
func (s *samples) PublishSamples(ctx context.Context, at time.Time, source string, series []signal.Series) error {
	return s.publish(ctx, at, func(at time.Time, out *outgoing) error {
		for _, portion := range signal.DealSeries(series, samplePartitions) {
			record := signal.AppendSamples(nil, signal.SampleBatch{At: at, Source: source, Series: portion.Series})
			if err := out.send(ctx, bus.SampleSubject(tenant, portion.Partition), portion.Partition, record); err != nil {
				return err
			}
		}
		return nil
	})
}

// PublishLogs is receive.TelemetryPublisher's.
func (s *samples) PublishLogs(ctx context.Context, at time.Time, batches []signal.LogBatch) error {
	return s.publish(ctx, at, func(at time.Time, out *outgoing) error {
		for _, b := range batches {
			b.At = at
			for _, part := range signal.DealLogs(b, samplePartitions) {
				b.Records = part.Items
				if err := out.send(ctx, bus.LogSubject(tenant, part.Partition), -1, signal.AppendLogs(nil, b)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// PublishSpans is receive.TelemetryPublisher's.
func (s *samples) PublishSpans(ctx context.Context, at time.Time, batches []signal.SpanBatch) error {
	return s.publish(ctx, at, func(at time.Time, out *outgoing) error {
		for _, b := range batches {
			b.At = at
			for _, part := range signal.DealSpans(b, samplePartitions) {
				b.Spans = part.Items
				if err := out.send(ctx, bus.SpanSubject(tenant, part.Partition), -1, signal.AppendSpans(nil, b)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// passed waits until what was sent is stored. Whoever drives the clock waits also until it has been judged; then the time
// passes for the anomalies and the alerts.
func (s *samples) passed(ctx context.Context, at time.Time, driven bool, out *outgoing) error {
	last, err := out.stored(ctx)
	if err != nil || !driven {
		return err
	}
	if err := s.settled(ctx, last); err != nil {
		return err
	}
	if err := s.desk.Advance(ctx, at); err != nil {
		return err
	}
	return s.app.ingest.PublishAlerts(ctx, at, nil)
}

// settled returns when everything up to a position of each partition has been judged.
func (s *samples) settled(ctx context.Context, last [samplePartitions]uint64) error {
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for i, p := range s.parts {
		for p.position.Load() < last[i] {
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for the samples: %w", context.Cause(ctx))
			case <-poll.C:
			}
		}
	}
	return nil
}

// dropUnread takes log records and spans out of the stream after a while: nothing here reads them yet.
func (s *samples) dropUnread(ctx context.Context) error {
	ticker := time.NewTicker(unreadEvery)
	defer ticker.Stop()
	var marks []uint64 // the end of the stream at each of the last ticks
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		stats, err := s.bus.Stats(ctx, bus.TelemetryStream)
		if err != nil {
			continue // the bus says so itself
		}
		marks = append(marks, stats.Last)
		through := uint64(0)
		if len(marks) > int(unreadKept/unreadEvery) {
			through, marks = marks[0], marks[1:]
		}
		if stats.Bytes > uint64(s.app.cfg.Bus.MaxBytes/unreadShare) {
			through = stats.Last
		}
		for p := range samplePartitions {
			for _, subject := range []string{bus.LogSubject(tenant, p), bus.SpanSubject(tenant, p)} {
				if err := s.bus.Purge(ctx, bus.TelemetryStream, subject, through); err != nil && ctx.Err() == nil {
					s.logger.Warn("the stream of telemetry cannot be tidied", "error", err)
				}
			}
		}
	}
}

// openIntake makes what the receivers of telemetry share.
func (a *App) openIntake() {
	a.intake = receive.NewIntake(receive.IntakeConfig{
		Publisher: a.samples, Clock: a.clock, Gate: a.gate, Registry: a.registry, Logger: a.part("receive"),
		Bodies: receive.NewBodies(receive.DefaultLimits(), receive.NewBudget(0)),
		Caps:   receive.NewCaps(receive.CapsConfig{PerSender: a.cfg.Receive.MaxSeriesPerSender}),
	})
}

// telemetryRoutes puts the receivers of telemetry and what answers queries on mux.
func (a *App) telemetryRoutes(mux *routes) {
	a.openIntake()
	write := promwrite.New(a.intake)
	mux.Handle("POST /api/v1/write", write)
	mux.Handle("POST /in/remote-write/{integration}", write)
	queries := a.queries()
	for _, pattern := range promql.Patterns() {
		mux.Handle(pattern, queries)
	}
	a.openOTLP(a.intake)
	mux.Handle("POST /v1/metrics", a.otlp.receiver.Metrics())
	mux.Handle("POST /v1/logs", a.otlp.receiver.Logs())
	mux.Handle("POST /v1/traces", a.orExperiment(a.otlp.receiver.Traces()))
	mux.Handle("POST /in/otlp/{integration}/v1/metrics", a.otlp.receiver.Metrics())
	mux.Handle("POST /in/otlp/{integration}/v1/logs", a.otlp.receiver.Logs())
	mux.Handle("POST /in/otlp/{integration}/v1/traces", a.otlp.receiver.Traces())
}
