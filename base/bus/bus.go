package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/fairlead/fairlead/base/signal"
)

// SignalStream is the stream of alerts and changes: every message is fsynced before it is acknowledged.
const SignalStream = "SIGNAL"

// TelemetryStream is the stream of samples, log records and spans: a message is written before it is acknowledged, so that
// it survives the end of the process, and fsynced within SyncEvery.
const TelemetryStream = "TELEMETRY"

// SyncEvery is how often what TelemetryStream took is fsynced.
const SyncEvery = time.Second

// streams are the subjects of each stream, of every tenant, and what it is for.
var streams = map[string]struct{ subjects, description string }{
	SignalStream:    {"fairlead.*.signal.>", "alerts and changes, fsynced one by one"},
	TelemetryStream: {"fairlead.*.telemetry.>", "samples, log records and spans, fsynced each second"},
}

// MaxMessage is the largest message that Publish takes, in bytes. Split what is larger: 64 KiB is a good size, large enough
// for an fsync to carry many alerts.
const MaxMessage = 1 << 20

// MaxInFlight is how many messages may wait for their acknowledgement at a time.
const MaxInFlight = 256

// Errors that callers act on.
var (
	// ErrFull says that the stream holds its limit of bytes; nothing was stored. Retry after consumers have caught up.
	ErrFull = errors.New("bus is full")
	// ErrUnavailable says that the message could not be stored now, for instance because the disk is full or read-only.
	ErrUnavailable = errors.New("bus is unavailable")
	// ErrTooLarge says that the message is larger than MaxMessage; nothing was stored.
	ErrTooLarge = errors.New("message is too large for the bus")
	// ErrAhead says that a consumer's position lies beyond the end of the stream: somebody deleted or replaced the stream's
	// files. Continuing would skip messages in silence.
	ErrAhead = errors.New("position is beyond the end of the stream")
	// ErrLocked says that another process uses the folder.
	ErrLocked = errors.New("folder is in use by another process")
	// ErrClosed says that the bus was closed.
	ErrClosed = errors.New("bus is closed")
)

// Config says where the bus lives.
type Config struct {
	// Dir is the folder of the embedded server; it is made when missing. With URL only the lock is in it, and "" takes none.
	Dir string
	// URL is a NATS cluster to use in place of the embedded server, as nats://HOST:PORT or tls://HOST:PORT, several of them
	// separated by commas; "" means embedded.
	URL string
	// CredentialsFile holds NATS credentials (a JWT and its seed); "" when none are needed, or when URL has user and password.
	CredentialsFile string
	// CAFile holds the certificates of those who may vouch for the cluster; "" means those of the machine.
	CAFile string
	// Stream is which stream the bus carries; "" means SignalStream. The embedded server knows one way of syncing, so that
	// each stream has a bus of its own.
	Stream string
	// SyncAlways fsyncs each message of TelemetryStream too.
	SyncAlways bool
	// MaxBytes bounds what the stream holds, in bytes; 0 means 1 GiB.
	MaxBytes int64
	// Replicas is how many servers of a cluster keep each message; 0 means 1. The embedded server knows only 1.
	Replicas int
	// After is the sequence behind which a stream starts that does not exist yet: the stored position of its consumer, so
	// that a stream whose files were deleted does not count from 1 again. 0 on a first start.
	After uint64
}

// lockName is the file in the folder that the process which uses it has locked.
const lockName = "LOCK"

// defaultMaxBytes is the limit of a stream when the configuration names none.
const defaultMaxBytes = 1 << 30

// Validate reports the first setting that cannot be used.
func (c Config) Validate() error {
	switch _, known := streams[c.stream()]; {
	case !known:
		return fmt.Errorf("bus: there is no stream %q", c.Stream)
	case c.Dir == "" && c.URL == "":
		return errors.New("bus: neither a folder nor the url of a cluster is set")
	case c.URL == "" && c.CredentialsFile != "":
		return errors.New("bus: credentials_file is set without url; set both or none")
	case c.URL == "" && c.CAFile != "":
		return errors.New("bus: ca_file is set without url; set both or none")
	case c.MaxBytes < 0:
		return fmt.Errorf("bus: max_bytes is %d, want 0 (1 GiB) or more", c.MaxBytes)
	case c.MaxBytes > 0 && c.MaxBytes < 2*MaxMessage:
		return fmt.Errorf("bus: max_bytes is %d, want at least %d", c.MaxBytes, 2*MaxMessage)
	case c.Replicas < 0 || c.Replicas > 5:
		return fmt.Errorf("bus: replicas is %d, want 1 to 5", c.Replicas)
	case c.Replicas > 1 && c.URL == "":
		return fmt.Errorf("bus: replicas is %d, want 1 for the embedded server", c.Replicas)
	case c.URL != "":
		return checkURL(c.URL)
	}
	return nil
}

// stream returns the name of the stream.
func (c Config) stream() string { return cmp.Or(c.Stream, SignalStream) }

// syncAlways says whether each message is fsynced.
func (c Config) syncAlways() bool { return c.stream() == SignalStream || c.SyncAlways }

// Lock keeps other processes from using the folder of a bus, until it is closed. ErrLocked says that one does.
func Lock(dir string) (io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the stream: %w", err)
	}
	file, err := lockFile(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err // not file, which would be a nil that is not nil
	}
	return file, nil
}

// Bus is a connection to the streams. It is safe for concurrent use.
type Bus struct {
	config Config
	logger *slog.Logger
	lock   *os.File      // nil without a folder
	slots  chan struct{} // one taken by each message that waits for its acknowledgement
	stop   chan struct{} // closed by Close
	done   sync.WaitGroup

	mu     sync.RWMutex
	link   *link // the server and connection in use; guarded by mu
	closed bool  // guarded by mu
}

// Stats describes a stream now.
type Stats struct {
	// Messages and Bytes are what the stream holds.
	Messages, Bytes uint64
	// First and Last are the oldest and newest sequence; First > Last when the stream is empty.
	First, Last uint64
}

// AlertSubject returns the subject of a tenant's alerts in one partition, from 0; signal.Mixed for those of several.
func AlertSubject(tenant string, partition int) string {
	name := "mixed"
	if partition != signal.Mixed {
		name = strconv.Itoa(partition)
	}
	return "fairlead." + tenant + ".signal.alert." + name
}

// SampleSubject returns the subject of a tenant's samples in one partition, from 0; LogSubject and SpanSubject those of its
// log records and spans.
func SampleSubject(tenant string, partition int) string {
	return telemetry(tenant, "samples", partition)
}

// LogSubject is SampleSubject for log records.
func LogSubject(tenant string, partition int) string { return telemetry(tenant, "logs", partition) }

// SpanSubject is SampleSubject for spans.
func SpanSubject(tenant string, partition int) string { return telemetry(tenant, "spans", partition) }

func telemetry(tenant, kind string, partition int) string {
	return "fairlead." + tenant + ".telemetry." + kind + "." + strconv.Itoa(partition)
}

// AlertSubjects returns the subject filter that matches the alerts of all partitions of a tenant.
func AlertSubjects(tenant string) string { return "fairlead." + tenant + ".signal.alert.*" }

// Open starts the embedded server, or connects to the cluster, and makes the streams. It returns ErrLocked if another
// process uses the folder.
func Open(ctx context.Context, config Config, logger *slog.Logger) (*Bus, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if config.MaxBytes == 0 {
		config.MaxBytes = defaultMaxBytes
	}
	b := &Bus{
		config: config,
		logger: logger,
		slots:  make(chan struct{}, MaxInFlight),
		stop:   make(chan struct{}),
	}
	if config.Dir != "" {
		if err := os.MkdirAll(config.Dir, 0o750); err != nil {
			return nil, fmt.Errorf("open bus: %w: %w", ErrUnavailable, err)
		}
		lock, err := lockFile(filepath.Join(config.Dir, lockName))
		if err != nil {
			return nil, fmt.Errorf("open bus in %s: %w", config.Dir, err)
		}
		b.lock = lock
	}
	connect := b.connect
	if config.URL != "" {
		connect = b.patiently
	}
	link, err := connect(ctx)
	if err != nil {
		b.unlock()
		return nil, fmt.Errorf("open bus: %w", err)
	}
	b.link = link
	b.done.Go(b.supervise)
	return b, nil
}

// Close stops the bus. Messages that still wait for their acknowledgement get ErrClosed and may or may not be stored.
func (b *Bus) Close() error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	close(b.stop)
	b.done.Wait()
	link := b.current()
	link.acks.fail(ErrClosed)
	link.close()
	b.unlock()
	return nil
}

// unlock lets other processes use the folder.
func (b *Bus) unlock() {
	if b.lock != nil {
		_ = b.lock.Close() // the lock goes with the file handle
	}
}

// current returns the server and connection in use.
func (b *Bus) current() *link {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.link
}

// Last returns the newest sequence of the stream, 0 when nothing was ever stored.
func (b *Bus) Last(ctx context.Context, stream string) (uint64, error) {
	stats, err := b.Stats(ctx, stream)
	return stats.Last, err
}

// Stats returns what the stream holds.
func (b *Bus) Stats(ctx context.Context, stream string) (Stats, error) {
	s, err := b.current().js.Stream(ctx, stream)
	if err != nil {
		return Stats{}, fmt.Errorf("look at stream %s: %w: %w", stream, ErrUnavailable, err)
	}
	state := s.CachedInfo().State
	return Stats{Messages: state.Msgs, Bytes: state.Bytes, First: state.FirstSeq, Last: state.LastSeq}, nil
}

// Purge drops the messages of a subject, or with "" of all, up to and including through. Call it only behind the stored positions of all consumers, and
// rarely: every few seconds is enough. The newest message always stays, so that the stream cannot forget how far it has
// counted.
func (b *Bus) Purge(ctx context.Context, stream, subject string, through uint64) error {
	s, err := b.current().js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("purge stream %s: %w: %w", stream, ErrUnavailable, err)
	}
	state := s.CachedInfo().State
	through = min(through, max(state.LastSeq, 1)-1)
	if through < state.FirstSeq {
		return nil
	}
	options := []jetstream.StreamPurgeOpt{jetstream.WithPurgeSequence(through + 1)}
	if subject != "" {
		options = append(options, jetstream.WithPurgeSubject(subject))
	}
	if err := s.Purge(ctx, options...); err != nil {
		return fmt.Errorf("purge stream %s through %d: %w: %w", stream, through, ErrUnavailable, err)
	}
	return nil
}

// ensureStream makes the stream, or adapts it to the configuration.
func (b *Bus) ensureStream(ctx context.Context, js jetstream.JetStream) error {
	name := b.config.stream()
	want := jetstream.StreamConfig{
		Name:        name,
		Description: streams[name].description,
		Subjects:    []string{streams[name].subjects},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxBytes:    b.config.MaxBytes,
		MaxMsgSize:  MaxMessage,
		Replicas:    max(b.config.Replicas, 1),
	}
	stream, err := js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		want.FirstSeq = b.config.After + 1
		if _, err := js.CreateStream(ctx, want); err != nil {
			return fmt.Errorf("make stream %s: %w", name, err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at stream %s: %w", name, err)
	}
	have := stream.CachedInfo().Config
	if have.MaxBytes == want.MaxBytes && have.MaxMsgSize == want.MaxMsgSize && have.Replicas == want.Replicas &&
		have.Discard == want.Discard {
		return nil
	}
	want.FirstSeq = have.FirstSeq
	if _, err := js.UpdateStream(ctx, want); err != nil {
		return fmt.Errorf("change stream %s: %w", name, err)
	}
	return nil
}

// pause waits for d; false if ctx ended or the bus was closed.
func (b *Bus) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-b.stop:
		return false
	}
}
