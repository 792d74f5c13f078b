package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/heartbeat"
)

const (
	tenant = "main"
	// groupAlerts is how many alerts make a group full.
	groupAlerts = 512
	// ingestQueue is how many requests may wait to be published; further ones wait in their connection.
	ingestQueue = 1024
)

// ingest publishes what receivers hand over. One group of requests at a time is on its way to the disk; those that arrive
// meanwhile make the next group and share messages, and so an fsync. It is safe for concurrent use.
type ingest struct {
	bus    *bus.Bus
	clock  clock.Clock
	keep   func(ctx context.Context, at time.Time, letter receive.DeadLetter) error
	logger *slog.Logger
	queue  chan *request
	// heartbeats sees what comes, and on the event clock the passing of time; nil before the start.
	heartbeats *heartbeat.Board
	// stopped is closed when Run has returned.
	stopped chan struct{}
}

type request struct {
	at     time.Time
	alerts []signal.Alert
	done   chan error // buffered
}

func newIngest(b *bus.Bus, c clock.Clock, keep func(context.Context, time.Time, receive.DeadLetter) error, logger *slog.Logger) *ingest {
	return &ingest{bus: b, clock: c, keep: keep, logger: logger, queue: make(chan *request, ingestQueue), stopped: make(chan struct{})}
}

// PublishAlerts is receive.Publisher's. An empty request on the event clock only moves the time.
func (i *ingest) PublishAlerts(ctx context.Context, at time.Time, alerts []signal.Alert) error {
	if i.heartbeats == nil {
		return i.send(ctx, at, alerts)
	}
	if _, driven := i.clock.(*clock.Event); driven {
		// Who is silent by now was so before what is published here.
		if err := i.heartbeats.Advance(ctx, at); err != nil {
			return err
		}
	}
	err := i.send(ctx, at, alerts)
	if err == nil {
		i.heartbeats.Watch(at, alerts)
	}
	return err
}

// send returns when the alerts are durable.
func (i *ingest) send(ctx context.Context, at time.Time, alerts []signal.Alert) error {
	if event, driven := i.clock.(*clock.Event); driven {
		at = event.Advance(at)
	} else if len(alerts) == 0 {
		return nil
	}
	r := &request{at: at, alerts: alerts, done: make(chan error, 1)}
	select {
	case i.queue <- r:
	case <-ctx.Done():
		return fmt.Errorf("publish alerts: %w", context.Cause(ctx))
	}
	select { // not ctx: the alerts belong to the caller again once this returns
	case err := <-r.done:
		return err
	case <-i.stopped:
		return receive.ErrUnavailable
	}
}

// DeadLetter is receive.Publisher's.
func (i *ingest) DeadLetter(ctx context.Context, at time.Time, letter receive.DeadLetter) error {
	return i.keep(ctx, at, letter)
}

// Run publishes until ctx ends; it then answers what waits with ErrUnavailable.
func (i *ingest) Run(ctx context.Context) error {
	defer close(i.stopped)
	for {
		select {
		case <-ctx.Done():
			i.refuse()
			return nil
		case first := <-i.queue:
			group := i.gather(first)
			err := i.store(ctx, group)
			for _, r := range group {
				r.done <- err
			}
		}
	}
}

// refuse answers what waits.
func (i *ingest) refuse() {
	for {
		select {
		case r := <-i.queue:
			r.done <- receive.ErrUnavailable
		default:
			return
		}
	}
}

// gather takes what else waits, up to a message's worth. On the event clock each request keeps its own time.
func (i *ingest) gather(first *request) []*request {
	group := []*request{first}
	if _, driven := i.clock.(*clock.Event); driven {
		return group
	}
	for count := len(first.alerts); count < groupAlerts; {
		select {
		case r := <-i.queue:
			group = append(group, r)
			count += len(r.alerts)
		default:
			return group
		}
	}
	return group
}

// store returns when the alerts of a group are on disk.
func (i *ingest) store(ctx context.Context, group []*request) error {
	at := group[0].at
	alerts := group[0].alerts
	if len(group) > 1 {
		alerts = nil
		for _, r := range group {
			alerts = append(alerts, r.alerts...)
			if r.at.After(at) {
				at = r.at
			}
		}
	}
	messages, err := i.publish(ctx, at, alerts)
	for _, message := range messages {
		if _, failed := message.Wait(ctx); failed != nil && err == nil {
			err = failed
		}
	}
	return asPublisher(err)
}

// publish hands alerts to the bus and returns the messages that are on their way, also when one of them could not be sent.
func (i *ingest) publish(ctx context.Context, at time.Time, alerts []signal.Alert) ([]*bus.Pending, error) {
	if len(alerts) == 0 {
		return i.publishPart(ctx, at, signal.Mixed, nil, nil)
	}
	var messages []*bus.Pending
	for _, portion := range signal.DealAlerts(alerts) {
		var err error
		if messages, err = i.publishPart(ctx, at, portion.Partition, portion.Alerts, messages); err != nil {
			return messages, err
		}
	}
	return messages, nil
}

func (i *ingest) publishPart(ctx context.Context, at time.Time, partition int, alerts []signal.Alert, messages []*bus.Pending) ([]*bus.Pending, error) {
	record := signal.AppendAlerts(nil, signal.AlertBatch{At: at, Alerts: alerts})
	pending, err := i.bus.PublishAsync(ctx, bus.AlertSubject(tenant, partition), record)
	if err != nil {
		return messages, err
	}
	return append(messages, pending), nil
}

// asPublisher maps the errors of the bus to those of receive.Publisher.
func asPublisher(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bus.ErrFull):
		return fmt.Errorf("%w: %w", receive.ErrFull, err)
	case errors.Is(err, bus.ErrTooLarge):
		return err
	}
	return fmt.Errorf("%w: %w", receive.ErrUnavailable, err)
}
