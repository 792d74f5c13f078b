package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Publish stores data under subject and returns its sequence after the fsync. It returns ErrFull if the stream holds its
// limit, ErrTooLarge if data is larger than MaxMessage, ErrUnavailable if it could not be stored now. After any error but
// the first two the message may have been stored all the same.
func (b *Bus) Publish(ctx context.Context, subject string, data []byte) (uint64, error) {
	pending, err := b.PublishAsync(ctx, subject, data)
	if err != nil {
		return 0, err
	}
	return pending.Wait(ctx)
}

// PublishAsync hands over data without waiting for the fsync: one goroutine may have several messages in flight, and they
// are stored in the order of its calls. It blocks while MaxInFlight messages are in flight. The bus does not keep data.
func (b *Bus) PublishAsync(ctx context.Context, subject string, data []byte) (*Pending, error) {
	if len(data) > MaxMessage {
		return nil, fmt.Errorf("publish %d bytes to %s: %w", len(data), subject, ErrTooLarge)
	}
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("publish to %s: %w", subject, context.Cause(ctx))
	case <-b.stop:
		return nil, fmt.Errorf("publish to %s: %w", subject, ErrClosed)
	}
	l := b.current()
	pending, reply, err := l.acks.add()
	if err == nil {
		err = l.conn.PublishMsg(&nats.Msg{Subject: subject, Reply: reply, Data: data})
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrUnavailable, err)
			l.acks.finish(reply, 0, err)
			return nil, fmt.Errorf("publish to %s: %w", subject, err)
		}
		return pending, nil
	}
	<-b.slots
	return nil, fmt.Errorf("publish to %s: %w", subject, err)
}

// Pending is a message on its way to the disk.
type Pending struct {
	sent     time.Time
	done     chan struct{} // closed behind the two below
	sequence uint64
	err      error
}

// Done is closed once the message is on disk or has failed; Wait then returns at once.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Wait returns the sequence once the message is fsynced, with the errors of Publish. When ctx ends first, the message may
// still be stored. It may be called again, by several goroutines.
func (p *Pending) Wait(ctx context.Context) (uint64, error) {
	select {
	case <-p.done:
		return p.sequence, p.err
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for the bus: %w", context.Cause(ctx))
	}
}

// acks matches acknowledgements to the messages that wait for them, on one connection.
type acks struct {
	prefix string
	slots  chan struct{} // the bus's; one is given back for each message that ends

	mu      sync.Mutex
	next    uint64              // number of the next reply subject; guarded by mu
	waiting map[string]*Pending // by reply subject; guarded by mu
	failed  error               // set when the link broke; guarded by mu
}

func newAcks(slots chan struct{}) *acks {
	return &acks{prefix: nats.NewInbox() + ".", slots: slots, waiting: make(map[string]*Pending)}
}

// listen subscribes to the reply subjects.
func (a *acks) listen(conn *nats.Conn) error {
	sub, err := conn.Subscribe(a.prefix+"*", a.take)
	if err != nil {
		return fmt.Errorf("subscribe to acknowledgements: %w", err)
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return fmt.Errorf("subscribe to acknowledgements: %w", err)
	}
	return nil
}

// add registers a message and returns the subject for its acknowledgement.
func (a *acks) add() (pending *Pending, reply string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failed != nil {
		return nil, "", a.failed
	}
	a.next++
	reply = a.prefix + strconv.FormatUint(a.next, 36)
	pending = &Pending{sent: time.Now(), done: make(chan struct{})}
	a.waiting[reply] = pending
	return pending, reply, nil
}

// take handles one acknowledgement.
func (a *acks) take(msg *nats.Msg) {
	sequence, err := parseAck(msg.Header.Get("Status"), msg.Data)
	a.finish(msg.Subject, sequence, err)
}

// finish ends the message that waits at reply.
func (a *acks) finish(reply string, sequence uint64, err error) {
	a.mu.Lock()
	pending := a.waiting[reply]
	delete(a.waiting, reply)
	a.mu.Unlock()
	if pending != nil {
		a.end(pending, sequence, err)
	}
}

// end tells the waiters of pending and gives its slot back.
func (a *acks) end(pending *Pending, sequence uint64, err error) {
	pending.sequence, pending.err = sequence, err
	close(pending.done)
	<-a.slots
}

// fail ends all that waits with cause, and refuses what comes.
func (a *acks) fail(cause error) {
	a.mu.Lock()
	if a.failed == nil {
		a.failed = cause
	}
	a.mu.Unlock()
	a.expire(-1, cause)
}

// expire ends what has waited longer than age with cause.
func (a *acks) expire(age time.Duration, cause error) {
	var ended []*Pending
	a.mu.Lock()
	for reply, pending := range a.waiting {
		if time.Since(pending.sent) > age {
			delete(a.waiting, reply)
			ended = append(ended, pending)
		}
	}
	a.mu.Unlock()
	for _, pending := range ended {
		a.end(pending, 0, cause)
	}
}

// oldest returns how long the oldest message has waited; 0 if none waits.
func (a *acks) oldest() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var age time.Duration
	for _, pending := range a.waiting {
		age = max(age, time.Since(pending.sent))
	}
	return age
}

// JetStream's error codes that mean "no room".
const (
	codeStoreFailed      = 10077 // with the text of the store's error
	codeStorageExhausted = 10047
	codeNoResources      = 10023
)

// parseAck reads JetStream's answer to a message. Status is the header that a server without a stream answers with.
func parseAck(status string, data []byte) (uint64, error) {
	if status != "" {
		return 0, fmt.Errorf("%w: the server answered %s", ErrUnavailable, status)
	}
	var ack struct {
		Sequence uint64 `json:"seq"`
		Error    *struct {
			Code        int    `json:"err_code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(data, &ack); err != nil {
		return 0, fmt.Errorf("%w: read the acknowledgement: %w", ErrUnavailable, err)
	}
	if ack.Error == nil {
		if ack.Sequence == 0 {
			return 0, fmt.Errorf("%w: the acknowledgement carries no sequence", ErrUnavailable)
		}
		return ack.Sequence, nil
	}
	full := ack.Error.Code == codeStorageExhausted || ack.Error.Code == codeNoResources ||
		ack.Error.Code == codeStoreFailed && strings.Contains(ack.Error.Description, "maximum bytes exceeded")
	if full {
		return 0, fmt.Errorf("%w: %s", ErrFull, ack.Error.Description)
	}
	return 0, fmt.Errorf("%w: %s (%d)", ErrUnavailable, ack.Error.Description, ack.Error.Code)
}

// lastText keeps the newest text. It is safe for concurrent use.
type lastText struct {
	mu   sync.Mutex
	text string // guarded by mu
}

func (l *lastText) set(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = text
}

func (l *lastText) get() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}
