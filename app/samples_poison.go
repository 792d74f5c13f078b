package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

// each reads the series of messages, and returns when the last of them was received; at when none can be read. What cannot be
// read, or makes do panic, is left out and becomes a dead letter: it must not hold up, or end, anything else.
func (s *samples) each(ctx context.Context, messages []bus.Message, at time.Time, do func(view *signal.SeriesView, sequence uint64) error) (time.Time, error) {
	for i := range messages {
		m := &messages[i]
		r, err := signal.ReadSamples(m.Data)
		if err != nil {
			s.poison(ctx, m, fmt.Sprintf("It cannot be read: %v.", err))
			continue
		}
		at = r.At
		reason := ""
		var view signal.SeriesView
		for r.Next(&view) {
			err := guarded(func() error { return do(&view, m.Sequence) })
			var panicked *panicError
			switch {
			case errors.As(err, &panicked):
				reason = fmt.Sprintf("Series %s: %v.", view.ID, panicked.value)
				s.logger.Error("a series of samples is left out: it makes us panic", "sequence", m.Sequence, "series", view.ID.String(), "panic", panicked.value, "stack", string(panicked.stack))
			case err != nil:
				return at, err
			}
		}
		if err := r.Err(); err != nil {
			reason = fmt.Sprintf("It is damaged: %v.", err)
		}
		if reason != "" {
			s.poison(ctx, m, reason)
		}
	}
	return at, nil
}

// panicError is a panic as an error.
type panicError struct {
	value any
	stack []byte
}

// Error says what the panic was.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// guarded turns a panic into an error.
func guarded(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value, debug.Stack()}
		}
	}()
	return do()
}

// poison keeps a message as a dead letter.
func (s *samples) poison(ctx context.Context, m *bus.Message, reason string) {
	s.logger.Error("a message of samples was set aside", "sequence", m.Sequence, "reason", reason)
	letter := store.DeadLetter{
		ID: fmt.Sprintf("%s-%d", bus.TelemetryStream, m.Sequence), At: m.Stored, Receiver: "samples",
		Reason: fmt.Sprintf("Message %d of the stream of telemetry: %s", m.Sequence, reason), Payload: m.Data,
	}
	err := s.app.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return store.AddDeadLetter(ctx, tx, letter) })
	if err != nil && !errors.Is(err, store.ErrConflict) && ctx.Err() == nil {
		s.logger.Error("a dead letter cannot be kept", "sequence", m.Sequence, "error", err)
	}
}
