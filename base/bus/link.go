package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// How the bus deals with a disk that does not take its writes.
const (
	readyTimeout  = 30 * time.Second       // for the embedded server to recover its streams
	probeInterval = 250 * time.Millisecond // between two looks whether writing works again
	probeSize     = 256 << 10              // bytes that must fit on the disk before the server is started anew
	slowAck       = 500 * time.Millisecond // an acknowledgement later than this makes the bus look at the server's health
	ackTimeout    = 30 * time.Second       // an acknowledgement later than this never comes
	storeLimit    = 1 << 50                // for JetStream's own account; MaxBytes is the limit that counts
)

// link is one embedded server with a connection to it, or one connection to a cluster. A link that broke is not mended:
// the bus makes a new one.
type link struct {
	server *server.Server // nil on a cluster
	conn   *nats.Conn
	js     jetstream.JetStream
	acks   *acks
	log    *serverLog
	closed context.Context // ends when the link is closed
	end    context.CancelFunc
}

// connect starts a server if the bus is embedded, connects to it and makes the streams.
func (b *Bus) connect(ctx context.Context) (l *link, err error) {
	l = &link{log: &serverLog{logger: b.logger, trouble: make(chan struct{}, 1)}, acks: newAcks(b.slots)}
	l.closed, l.end = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	options := []nats.Option{nats.Name("fairlead")}
	url := b.config.URL
	if url != "" {
		options = append(options, b.remote(l.acks)...)
	} else {
		if l.server, err = startServer(&b.config, l.log); err != nil {
			return l, err
		}
		url = l.server.ClientURL()
		options = append(options, nats.InProcessServer(l.server), nats.NoReconnect())
	}
	if l.conn, err = nats.Connect(url, options...); err != nil {
		return l, fmt.Errorf("connect: %w", err)
	}
	if l.js, err = jetstream.New(l.conn); err != nil {
		return l, fmt.Errorf("use JetStream: %w", err)
	}
	if err = b.ensureStream(ctx, l.js); err != nil {
		return l, err
	}
	return l, l.acks.listen(l.conn)
}

// startServer starts a server that listens nowhere.
func startServer(config *Config, log *serverLog) (*server.Server, error) {
	if err := probe(config.Dir); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s, err := server.NewServer(&server.Options{
		ServerName:         "fairlead",
		DontListen:         true,
		NoSigs:             true,
		JetStream:          true,
		StoreDir:           config.Dir,
		SyncAlways:         config.syncAlways(),
		SyncInterval:       SyncEvery,
		JetStreamMaxStore:  storeLimit,
		JetStreamMaxMemory: 64 << 20, // consumers' state only
		MaxPayload:         MaxMessage + 64<<10,
	})
	if err != nil {
		return nil, fmt.Errorf("make the embedded server: %w", err)
	}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if !s.ReadyForConnections(readyTimeout) || !s.JetStreamEnabled() {
		s.Shutdown()
		return nil, fmt.Errorf("the embedded server did not become ready: %s", log.lastError())
	}
	return s, nil
}

// close ends the connection and the server, and wakes the consumers that wait for a message.
func (l *link) close() {
	l.end()
	if l.conn != nil {
		l.conn.Close()
	}
	if l.server != nil {
		l.server.Shutdown()
		l.server.WaitForShutdown()
	}
}

// whenClosed calls do when the link is closed, unless stop is called before.
func (l *link) whenClosed(do func()) (stop func() bool) { return context.AfterFunc(l.closed, do) }

// health returns why the embedded server cannot write, nil if it can.
func (l *link) health() error {
	if l.server == nil {
		return nil
	}
	if !l.server.JetStreamEnabled() {
		return fmt.Errorf("%w: %s", ErrUnavailable, l.log.lastError())
	}
	status := l.server.Healthz(&server.HealthzOptions{Details: true})
	for _, problem := range status.Errors {
		if problem.Type == server.HealthzErrorStream && strings.Contains(problem.Error, "write error") {
			return fmt.Errorf("%w: %s", ErrUnavailable, problem.Error)
		}
	}
	return nil
}

// supervise watches the link for failed writes and replaces a broken one as soon as the disk takes writes again.
func (b *Bus) supervise() {
	ticker := time.NewTicker(slowAck)
	defer ticker.Stop()
	for {
		l := b.current()
		select {
		case <-b.stop:
			return
		case <-l.log.trouble:
		case <-ticker.C:
			if l.acks.oldest() < slowAck {
				continue
			}
		}
		cause := l.health()
		if cause == nil && l.acks.oldest() > ackTimeout {
			cause = fmt.Errorf("%w: no acknowledgement within %s", ErrUnavailable, ackTimeout)
		}
		if cause == nil {
			continue
		}
		if l.server == nil {
			l.acks.expire(ackTimeout, cause)
			continue
		}
		l.acks.fail(cause)
		b.logger.Error("the bus cannot write; it refuses messages until it can", "error", cause)
		if !b.replace(l) {
			return
		}
		b.logger.Info("the bus writes again")
	}
}

// replace waits until the disk takes writes and puts a new link in the place of old; false if the bus was closed before.
func (b *Bus) replace(old *link) bool {
	stopped := false
	for b.pause(context.Background(), probeInterval) {
		if probe(b.config.Dir) != nil {
			continue
		}
		if !stopped {
			old.close()
			stopped = true
		}
		l, err := b.connect(context.Background())
		if err != nil {
			b.logger.Warn("the bus did not start again", "error", err)
			continue
		}
		b.mu.Lock()
		b.link = l
		b.mu.Unlock()
		return true
	}
	return false
}

// probe writes and fsyncs a small file in dir.
func probe(dir string) error {
	name := filepath.Join(dir, "probe")
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write to the data folder: %w", err)
	}
	_, err = file.Write(make([]byte, probeSize))
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close(), os.Remove(name))
	if err != nil {
		return fmt.Errorf("write to the data folder: %w", err)
	}
	return nil
}

// serverLog passes the embedded server's log on and tells when something went wrong.
type serverLog struct {
	logger  *slog.Logger
	trouble chan struct{} // holds one token after an error or a warning
	last    lastText
}

// lastError returns the newest error or warning, for a message to a person.
func (s *serverLog) lastError() string { return s.last.get() }

func (s *serverLog) note(level slog.Level, format string, args []any) {
	text := fmt.Sprintf(format, args...)
	s.last.set(text)
	s.logger.Log(context.Background(), level, "the embedded NATS server reports", "text", text)
	select {
	case s.trouble <- struct{}{}:
	default:
	}
}

// Noticef implements server.Logger.
func (s *serverLog) Noticef(string, ...any) {}

// Warnf implements server.Logger.
func (s *serverLog) Warnf(format string, args ...any) { s.note(slog.LevelWarn, format, args) }

// Fatalf implements server.Logger.
func (s *serverLog) Fatalf(format string, args ...any) { s.note(slog.LevelError, format, args) }

// Errorf implements server.Logger.
func (s *serverLog) Errorf(format string, args ...any) { s.note(slog.LevelError, format, args) }

// Debugf implements server.Logger.
func (s *serverLog) Debugf(string, ...any) {}

// Tracef implements server.Logger.
func (s *serverLog) Tracef(string, ...any) {}
