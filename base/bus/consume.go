package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// How Consume asks for messages.
const (
	waitForFirst = 5 * time.Second        // one request for the next message; then it asks again
	retryPause   = 100 * time.Millisecond // after the server could not be asked
	keepConsumer = time.Minute            // the server forgets a reader that has not asked for so long
	fetchSize    = 32                     // messages of one request
	batchBytes   = 512 << 10              // a batch that is larger takes no more messages
)

// errGap says that a delivery was lost between the server and here.
var errGap = errors.New("a delivery was lost")

// Message is one stored message.
type Message struct {
	// Sequence is the position in the stream, from 1.
	Sequence uint64
	// Subject is what the message was published under.
	Subject string
	// Data is the content; the handler may keep it.
	Data []byte
	// Stored is when the stream took it, UTC.
	Stored time.Time
}

// Handler takes the next 1 to maxBatch messages in order. Its error ends the consumption.
type Handler func(ctx context.Context, batch []Message) error

// Consume hands the messages of subjects behind position after to handle, in order and each once. It asks for everything
// that waits, hands it over as one batch of 1 to maxBatch messages (fewer when they are large), and asks again only after
// handle has returned; so batches grow under load, and an idle stream passes each message on at once. It returns handle's
// error, the cause of ctx's end, ErrClosed, or ErrAhead if after lies beyond the end of the stream. While the server cannot
// be asked, Consume tries again; so it outlives a full disk or the loss of a cluster.
func (b *Bus) Consume(ctx context.Context, stream string, subjects []string, after uint64, maxBatch int, handle Handler) error {
	r := &reader{bus: b, stream: stream, subjects: subjects, position: after, maxBatch: max(maxBatch, 1)}
	for {
		batch, err := r.next(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, ErrAhead):
			return err
		case err != nil:
			r.consumer = nil
			b.logger.Debug("a consumer starts anew", "stream", stream, "position", r.position, "error", err)
			if !b.pause(ctx, retryPause) && ctx.Err() == nil {
				return ErrClosed
			}
			continue
		case len(batch) == 0:
			continue
		}
		if err := handle(ctx, batch); err != nil {
			return err
		}
	}
}

// reader follows one stream.
type reader struct {
	bus      *Bus
	stream   string
	subjects []string
	maxBatch int
	position uint64 // of the last message handed over

	link      *link
	consumer  jetstream.Consumer // nil before the first request and after an error
	delivered uint64             // messages that this consumer has delivered
}

// next returns what waits behind the position, or after waitForFirst nothing.
func (r *reader) next(ctx context.Context) ([]Message, error) {
	if r.consumer == nil || r.link != r.bus.current() {
		if err := r.start(ctx); err != nil {
			return nil, err
		}
	}
	batch, err := r.waiting()
	if err != nil || len(batch) > 0 {
		return batch, err
	}
	waitCtx, cancel := context.WithTimeout(ctx, waitForFirst)
	defer cancel()
	defer r.link.whenClosed(cancel)()
	batch, err = r.collect(func() (jetstream.MessageBatch, error) {
		return r.consumer.Fetch(1, jetstream.FetchContext(waitCtx))
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = nil
	}
	return batch, err
}

// waiting returns what is there now, as much as makes a batch.
func (r *reader) waiting() (batch []Message, err error) {
	size := 0
	for r.consumer != nil && len(batch) < r.maxBatch && size < batchBytes {
		ask := min(fetchSize, r.maxBatch-len(batch))
		more, err := r.collect(func() (jetstream.MessageBatch, error) { return r.consumer.FetchNoWait(ask) })
		if err != nil && len(batch) == 0 {
			return nil, err
		}
		for i := range more {
			size += len(more[i].Data)
		}
		if batch = append(batch, more...); len(more) < ask {
			break // the end of the stream, or an error that shows again at the next request
		}
	}
	return batch, nil
}

// start makes a consumer behind the position.
func (r *reader) start(ctx context.Context) error {
	r.consumer = nil
	r.link = r.bus.current()
	stream, err := r.link.js.Stream(ctx, r.stream)
	if err != nil {
		return fmt.Errorf("look at stream %s: %w", r.stream, err)
	}
	if last := stream.CachedInfo().State.LastSeq; r.position > last {
		return fmt.Errorf("consume stream %s behind %d, which ends at %d: %w", r.stream, r.position, last, ErrAhead)
	}
	r.consumer, err = stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubjects:    r.subjects,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       r.position + 1,
		AckPolicy:         jetstream.AckNonePolicy,
		MaxDeliver:        1,
		InactiveThreshold: keepConsumer,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		r.consumer = nil
		return fmt.Errorf("read stream %s: %w", r.stream, err)
	}
	r.delivered = 0
	return nil
}

// collect returns the messages of one request and moves the position. What came before an error is handed over;
// the error shows again at the next request.
func (r *reader) collect(fetch func() (jetstream.MessageBatch, error)) ([]Message, error) {
	fetched, err := fetch()
	if err != nil {
		return nil, fmt.Errorf("fetch from stream %s: %w", r.stream, err)
	}
	var batch []Message
	gap := false
	for msg := range fetched.Messages() {
		meta, err := msg.Metadata()
		if gap || err != nil || meta.Sequence.Consumer != r.delivered+1 {
			gap = true // read the rest, so that nothing is left in the channel
			continue
		}
		r.delivered++
		r.position = meta.Sequence.Stream
		batch = append(batch, Message{
			Sequence: meta.Sequence.Stream, Subject: msg.Subject(), Data: msg.Data(), Stored: meta.Timestamp.UTC(),
		})
	}
	switch {
	case len(batch) > 0:
		if gap || fetched.Error() != nil {
			r.consumer = nil
		}
		return batch, nil
	case gap:
		return nil, errGap
	case fetched.Error() != nil:
		return nil, fmt.Errorf("fetch from stream %s: %w", r.stream, fetched.Error())
	}
	return nil, nil
}
