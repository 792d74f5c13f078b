package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/bus"
	"github.com/fairlead/fairlead/base/signal"
)

// sentEvery is how often it is noted what a remote store has taken. What it took since is sent again after a restart, which
// changes nothing there.
const sentEvery = time.Second

// forward sends the samples of a partition to the remote store. While that takes none, they wait in the stream; they are judged
// meanwhile.
func (s *samples) forward(number int) func(ctx context.Context) error {
	p := s.parts[number]
	key := "series/remote/" + tenant + "/" + strconv.Itoa(number)
	return func(ctx context.Context) error {
		store, err := s.store.wait(ctx)
		if err != nil {
			return err
		}
		writer := p.write(store)
		text, err := s.blobs.Get(ctx, key)
		if err != nil && !errors.Is(err, blob.ErrNotFound) {
			return err
		}
		position, _ := strconv.ParseUint(string(text), 10, 64) // none yet is 0: all that the stream holds
		p.sent.Store(position)
		var noted time.Time
		err = s.follow(ctx, p, position, func(ctx context.Context, p *samplePart, messages []bus.Message) error {
			batch := writer.Begin(ctx)
			if _, err := s.each(ctx, messages, time.Time{}, func(view *signal.SeriesView, _ uint64) error { return batch.Add(view) }); err != nil {
				return err
			}
			if err := batch.Commit(); err != nil {
				return err
			}
			last := messages[len(messages)-1].Sequence
			if time.Since(noted) >= sentEvery {
				noted = time.Now()
				if err := s.blobs.Put(ctx, key, []byte(strconv.FormatUint(last, 10))); err != nil {
					return fmt.Errorf("note what the remote store has taken: %w", err)
				}
				p.sent.Store(last)
			}
			return nil
		})
		if ctx.Err() == nil {
			return err
		}
		return nil
	}
}
