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
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/incident"
)

const (
	// consumer names the position of the incident engine in the stream.
	consumer = "incident"
	// consumeMessages is how many messages are applied in one transaction at most.
	consumeMessages = 256
	// consumeEvery is how far apart transactions begin while alerts keep coming: each costs an fsync that the requests
	// wait behind. What comes after a pause is applied at once.
	consumeEvery = 20 * time.Millisecond
	// tickEvery is how often the engine looks whether something is due.
	tickEvery = 100 * time.Millisecond
	// tidyEvery is how often what was applied is taken out of the stream.
	tidyEvery = 10 * time.Second
)

// consume lets work apply the alerts of the stream behind a position in order, each exactly once, in transactions that begin
// at least so far apart.
func consume(ctx context.Context, b *bus.Bus, position uint64, every time.Duration, work func(context.Context, []bus.Message) error) error {
	subjects := []string{bus.AlertSubjects(tenant)}
	err := b.Consume(ctx, bus.SignalStream, subjects, position, consumeMessages, func(ctx context.Context, messages []bus.Message) error {
		next := time.Now().Add(every)
		err := work(ctx, messages)
		select {
		case <-time.After(time.Until(next)):
		case <-ctx.Done():
		}
		return err
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// apply applies messages at once, or, when one of them is poison, one by one; what cannot be read or makes the engine panic
// becomes a dead letter and holds nothing up.
func apply(ctx context.Context, desk *incident.Desk, messages []bus.Message, logger *slog.Logger) error {
	var batches []signal.AlertBatch
	var letters []store.DeadLetter
	for i := range messages {
		batch, err := signal.DecodeAlerts(messages[i].Data)
		if err != nil {
			letters = append(letters, setAside(&messages[i], fmt.Sprintf("It cannot be read: %v.", err), logger))
			continue
		}
		batches = append(batches, batch)
	}
	last := messages[len(messages)-1].Sequence
	err := desk.Apply(ctx, batches, last, keep(letters))
	if !errors.Is(err, incident.ErrPoison) {
		return err
	}
	if len(messages) == 1 {
		letter := setAside(&messages[0], err.Error()+".", logger)
		return desk.Apply(ctx, nil, last, keep([]store.DeadLetter{letter}))
	}
	for i := range messages {
		if err := apply(ctx, desk, messages[i:i+1], logger); err != nil {
			return err
		}
	}
	return nil
}

func setAside(m *bus.Message, reason string, logger *slog.Logger) store.DeadLetter {
	logger.Error("a message was set aside", "sequence", m.Sequence, "reason", reason)
	return store.DeadLetter{
		ID: fmt.Sprintf("%s-%d", bus.SignalStream, m.Sequence), At: m.Stored, Receiver: "bus",
		Reason: fmt.Sprintf("Message %d of the stream: %s", m.Sequence, reason), Payload: m.Data,
	}
}

// keep returns what stores dead letters beside other effects; nil for none.
func keep(letters []store.DeadLetter) func(context.Context, store.Tx) error {
	if len(letters) == 0 {
		return nil
	}
	return func(ctx context.Context, tx store.Tx) error {
		for i := range letters {
			if err := store.AddDeadLetter(ctx, tx, letters[i]); err != nil {
				return err
			}
		}
		return nil
	}
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
	if err := a.bus.Purge(ctx, bus.SignalStream, "", a.desk.Position()); err != nil && ctx.Err() == nil {
		a.logger.Warn("the stream cannot be tidied", "error", err)
	}
	if err := a.silences.Prune(ctx, a.clock.Now()); err != nil && ctx.Err() == nil {
		a.logger.Warn("old silences cannot be removed", "error", err)
	}
}
