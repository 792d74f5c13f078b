package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/incident"
)

// driven reports whether the server lives by the event clock.
func (a *App) driven() bool {
	_, driven := a.clock.(*clock.Event)
	return driven
}

// timeline shows the Desk to what lives on the same event clock.
type timeline struct{ desk *incident.Desk }

// Due implements notify.Timeline.
func (t timeline) Due() time.Time { return t.desk.Stats().Due }

// Advance implements notify.Timeline.
func (t timeline) Advance(ctx context.Context, at time.Time) error { return t.desk.Advance(ctx, at) }

// drive applies messages one by one at their own times, with all that is to be told before in between.
func (a *App) drive(ctx context.Context, messages []bus.Message, logger *slog.Logger) error {
	if a.teller.Plan() == nil {
		return apply(ctx, a.desk, messages, logger) // nobody is told, so nothing has to be seen in between
	}
	for i := range messages {
		at := a.desk.Stats().Now
		if batch, err := signal.DecodeAlerts(messages[i].Data); err == nil {
			at = batch.At
		}
		err := a.teller.Drive(ctx, at, timeline{a.desk}, func() error { return apply(ctx, a.desk, messages[i:i+1], logger) })
		if err != nil {
			return err
		}
	}
	return nil
}
