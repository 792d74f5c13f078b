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
)

const (
	tenant = "main"
	// messageAlerts and messageBytes bound one message: 64 KB make good use of an fsync.
	messageAlerts = 256
	messageBytes  = 64 << 10
	// ingestQueue is how many requests may wait to be published; further ones wait in their connection.
	ingestQueue = 1024
	// ingestFlights is how many groups may be on their way to the disk: with few, groups grow under load.
	ingestFlights = 2
)

// ingest publishes what receivers hand over. Requests that arrive while earlier ones are on their way to the disk share
// messages and so an fsync. It is safe for concurrent use.
type ingest struct {
	bus    *bus.Bus
	clock  clock.Clock
	keep   func(ctx context.Context, at time.Time, letter receive.DeadLetter) error
	logger *slog.Logger
	queue  chan *request
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
	flights := make(chan []flight, ingestFlights)
	landed := make(chan struct{})
	go func() {
		defer close(landed)
		for group := range flights {
			land(ctx, group)
		}
	}()
	defer func() {
		close(flights)
		<-landed
		for {
			select {
			case r := <-i.queue:
				r.done <- receive.ErrUnavailable
			default:
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-i.queue:
			flights <- i.send(ctx, i.gather(first))
		}
	}
}

// gather takes what else waits, up to a message's worth. On the event clock each request keeps its own time.
func (i *ingest) gather(first *request) []*request {
	group := []*request{first}
	if _, driven := i.clock.(*clock.Event); driven {
		return group
	}
	for count := len(first.alerts); count < messageAlerts*signal.Partitions; {
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

// flight is a request and the messages that carry its group.
type flight struct {
	request  *request
	messages []*bus.Pending
	err      error
}

// send hands the alerts of a group to the bus, partition by partition.
func (i *ingest) send(ctx context.Context, group []*request) []flight {
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
	flights := make([]flight, len(group))
	for n, r := range group {
		flights[n] = flight{request: r, messages: messages, err: err}
	}
	return flights
}

func (i *ingest) publish(ctx context.Context, at time.Time, alerts []signal.Alert) ([]*bus.Pending, error) {
	if len(alerts) == 0 {
		return i.publishPart(ctx, at, 0, nil, nil)
	}
	var messages []*bus.Pending
	for partition, part := range signal.SplitAlerts(alerts, signal.Partitions) {
		for len(part) > 0 {
			n := chunk(part)
			var err error
			if messages, err = i.publishPart(ctx, at, partition, part[:n], messages); err != nil {
				return messages, err
			}
			part = part[n:]
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

// chunk returns how many of the alerts fit into one message, at least one.
func chunk(alerts []signal.Alert) int {
	size := 0
	for n := range alerts {
		size += alertBytes(&alerts[n])
		if n > 0 && (size > messageBytes || n >= messageAlerts) {
			return n
		}
	}
	return len(alerts)
}

// alertBytes estimates from above the size of an alert in a record.
func alertBytes(a *signal.Alert) int {
	size := 64 + len(a.Source) + len(a.Identity) + len(a.GeneratorURL)
	for _, labels := range [][]signal.Label{a.Labels, a.Annotations} {
		for _, l := range labels {
			size += len(l.Name) + len(l.Value) + 8
		}
	}
	return size
}

// land waits until the messages of a group are on disk and answers its requests.
func land(ctx context.Context, group []flight) {
	if len(group) == 0 {
		return
	}
	err := group[0].err
	for _, message := range group[0].messages {
		if _, failed := message.Wait(ctx); failed != nil && err == nil {
			err = failed
		}
	}
	err = asPublisher(err)
	for _, f := range group {
		f.request.done <- err
	}
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
