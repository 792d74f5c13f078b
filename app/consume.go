package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/incident"
)

const (
	// consumer names the position of the incident engine in the stream.
	consumer = "incident"
	// consumeMessages is how many messages are applied in one transaction at most.
	consumeMessages = 32
	// tickEvery is how often the engine looks whether something is due.
	tickEvery = 100 * time.Millisecond
	// tidyEvery is how often what was applied is taken out of the stream.
	tidyEvery = 10 * time.Second
)

// consume applies the alerts of the stream in order, each exactly once.
func consume(ctx context.Context, b *bus.Bus, desk *incident.Desk, logger *slog.Logger) error {
	subjects := []string{bus.AlertSubjects(tenant)}
	err := b.Consume(ctx, bus.SignalStream, subjects, desk.Position(), consumeMessages, func(ctx context.Context, messages []bus.Message) error {
		var batches []signal.AlertBatch
		var poison []store.DeadLetter
		for i := range messages {
			batch, err := signal.DecodeAlerts(messages[i].Data)
			if err != nil {
				logger.Error("a message cannot be read and was set aside", "sequence", messages[i].Sequence, "error", err)
				poison = append(poison, store.DeadLetter{
					ID: fmt.Sprintf("%s-%d", bus.SignalStream, messages[i].Sequence), At: messages[i].Stored, Receiver: "bus",
					Reason: fmt.Sprintf("Message %d of the stream cannot be read: %v.", messages[i].Sequence, err), Payload: messages[i].Data,
				})
				continue
			}
			batches = append(batches, batch)
		}
		var also func(context.Context, store.Tx) error
		if len(poison) > 0 {
			also = func(ctx context.Context, tx store.Tx) error {
				for _, letter := range poison {
					if err := store.AddDeadLetter(ctx, tx, letter); err != nil {
						return err
					}
				}
				return nil
			}
		}
		return desk.Apply(ctx, batches, messages[len(messages)-1].Sequence, also)
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// tick lets the wall clock's time pass for the engine, and tidies the stream and old silences.
func (a *App) tick(ctx context.Context) error {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	var tidied time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.silences.Changed():
			a.pass(ctx, true)
		case now := <-ticker.C:
			a.pass(ctx, false)
			if now.Sub(tidied) >= tidyEvery {
				tidied = now
				a.tidy(ctx)
			}
		}
	}
}

// pass does what is due; with changed, muting is looked at again too.
func (a *App) pass(ctx context.Context, changed bool) {
	var err error
	switch _, wall := a.clock.(clock.Wall); {
	case changed:
		err = a.desk.Do(ctx, a.clock.Now(), nil, nil, func(*incident.Engine) error { return nil })
	case wall:
		err = a.desk.Advance(ctx, a.clock.Now())
	}
	if err != nil && ctx.Err() == nil {
		a.logger.Error("time does not pass for the incidents", "error", err)
	}
}

// tidy takes what was applied out of the stream, and silences that ended long ago out of the database.
func (a *App) tidy(ctx context.Context) {
	if err := a.bus.Purge(ctx, bus.SignalStream, a.desk.Position()); err != nil && ctx.Err() == nil {
		a.logger.Warn("the stream cannot be tidied", "error", err)
	}
	if err := a.silences.Prune(ctx, a.clock.Now()); err != nil && ctx.Err() == nil {
		a.logger.Warn("old silences cannot be removed", "error", err)
	}
}
