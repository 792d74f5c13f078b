// Package bus carries signals from receivers to the engines over an embedded NATS JetStream, or over a NATS cluster.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// SignalStream is the stream of alerts and changes: every message is fsynced before it is acknowledged.
const SignalStream = "SIGNAL"

// Errors that callers act on.
var (
	// ErrFull says that the stream holds its limit of bytes; nothing was stored. Retry after consumers have caught up.
	ErrFull = errors.New("bus is full")
	// ErrUnavailable says that the message could not be stored now, for instance because the disk is full or read-only.
	ErrUnavailable = errors.New("bus is unavailable")
)

// Config says where the bus lives.
type Config struct {
	// Dir is the folder of the embedded server.
	Dir string
	// URL is a NATS cluster to use in place of the embedded server; "" means embedded.
	URL string
	// MaxBytes bounds a stream; 0 means 1 GiB.
	MaxBytes int64
}

// Validate reports the first setting that cannot be used.
func (c Config) Validate() error { return nil }

// Bus is a connection to the streams. It is safe for concurrent use.
type Bus struct{}

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

// Handler takes the next 1 to maxBatch messages in order.
type Handler func(ctx context.Context, batch []Message) error

// Stats describes a stream now.
type Stats struct {
	// Messages and Bytes are what the stream holds.
	Messages, Bytes uint64
	// First and Last are the oldest and newest sequence; First > Last when the stream is empty.
	First, Last uint64
}

// AlertSubject returns the subject of a tenant's alerts in one partition.
func AlertSubject(tenant string, partition int) string {
	return fmt.Sprintf("fairlead.%s.signal.alert.%d", tenant, partition)
}

// AlertSubjects returns the subject filter that matches the alerts of all partitions of a tenant.
func AlertSubjects(tenant string) string { return "fairlead." + tenant + ".signal.alert.*" }

// Open starts the embedded server, or connects to the cluster.
func Open(ctx context.Context, config Config, logger *slog.Logger) (*Bus, error) {
	return nil, errors.New("not built yet")
}

// Close stops the bus.
func (b *Bus) Close() error { return nil }

// Publish stores data under subject and returns its sequence after the fsync.
func (b *Bus) Publish(ctx context.Context, subject string, data []byte) (uint64, error) {
	pending, err := b.PublishAsync(ctx, subject, data)
	if err != nil {
		return 0, err
	}
	return pending.Wait(ctx)
}

// Pending is a message on its way to the disk.
type Pending struct{}

// Wait returns the sequence once the message is fsynced.
func (p *Pending) Wait(ctx context.Context) (uint64, error) { return 0, ErrUnavailable }

// PublishAsync hands over data without waiting: one goroutine may have several messages in flight, and they are stored in
// the order of its calls.
func (b *Bus) PublishAsync(ctx context.Context, subject string, data []byte) (*Pending, error) {
	return nil, ErrUnavailable
}

// Consume hands the messages of subjects behind position after to handle, in order, until ctx ends or handle fails.
func (b *Bus) Consume(ctx context.Context, stream string, subjects []string, after uint64, maxBatch int, handle Handler) error {
	return ErrUnavailable
}

// Last returns the newest sequence of the stream, 0 when nothing was ever stored.
func (b *Bus) Last(ctx context.Context, stream string) (uint64, error) { return 0, ErrUnavailable }

// Purge drops the messages up to and including through. Call it only behind the stored positions of all consumers.
func (b *Bus) Purge(ctx context.Context, stream string, through uint64) error { return ErrUnavailable }

// Stats returns what the stream holds.
func (b *Bus) Stats(ctx context.Context, stream string) (Stats, error) {
	return Stats{}, ErrUnavailable
}
