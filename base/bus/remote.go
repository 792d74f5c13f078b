package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// How a cluster is used.
const (
	openPatience  = 10 * time.Second // how long Open waits for a cluster that starts
	remoteTimeout = 5 * time.Second  // for one server to let us in
	remotePing    = 10 * time.Second // two without an answer: the server counts as gone
)

// checkURL reports what is wrong with the addresses of a cluster. The error holds no password.
func checkURL(text string) error {
	for address := range strings.SplitSeq(text, ",") {
		address = strings.TrimSpace(address)
		parsed, err := url.Parse(address)
		if err != nil { // its text holds the whole address
			return errors.New("bus: url cannot be read; want nats://HOST:PORT, several separated by commas")
		}
		if (parsed.Scheme != "nats" && parsed.Scheme != "tls") || parsed.Hostname() == "" {
			return fmt.Errorf("bus: url %q, want nats://HOST:PORT or tls://HOST:PORT, several separated by commas", parsed.Redacted())
		}
	}
	return nil
}

// InClear reports whether a connection to another machine could go unencrypted.
func InClear(text string) bool {
	for address := range strings.SplitSeq(text, ",") {
		parsed, err := url.Parse(strings.TrimSpace(address))
		if err != nil || parsed.Scheme == "tls" || parsed.Hostname() == "localhost" {
			continue
		}
		if ip := net.ParseIP(parsed.Hostname()); ip == nil || !ip.IsLoopback() {
			return true
		}
	}
	return false
}

// checkFiles reports which file of the configuration cannot be read: the client of NATS says it late, and not whose it is.
func (c Config) checkFiles() error {
	for key, name := range map[string]string{"credentials_file": c.CredentialsFile, "ca_file": c.CAFile} {
		if name == "" {
			continue
		}
		if _, err := os.ReadFile(name); err != nil {
			return fmt.Errorf("bus: %s: %w", key, err)
		}
	}
	return nil
}

// remote returns how to connect to the cluster. A message that finds no connection is refused at once instead of being kept
// for later, and one whose acknowledgement cannot come any more ends: its sender must know, and sends again.
func (b *Bus) remote(waiting *acks) []nats.Option {
	options := []nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectBufSize(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(probeInterval), nats.ReconnectJitter(probeInterval, probeInterval),
		nats.Timeout(remoteTimeout), nats.PingInterval(remotePing), nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err == nil {
				return // we closed it
			}
			b.logger.Error("the connection to NATS is lost; messages are refused until it is back", "error", err)
			waiting.expire(-1, fmt.Errorf("%w: the connection to NATS is lost: %w", ErrUnavailable, err))
		}),
		nats.ReconnectHandler(func(conn *nats.Conn) {
			b.logger.Info("connected to NATS again", "server", conn.ConnectedUrlRedacted())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			b.logger.Warn("NATS reports", "error", err)
		}),
	}
	if b.config.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(b.config.CredentialsFile))
	}
	if b.config.CAFile != "" {
		options = append(options, nats.RootCAs(b.config.CAFile))
	}
	return options
}

// patiently connects to a cluster that may still be starting.
func (b *Bus) patiently(ctx context.Context) (*link, error) {
	if err := b.config.checkFiles(); err != nil {
		return nil, err
	}
	for began, told := time.Now(), false; ; {
		l, err := b.connect(ctx)
		if err == nil || time.Since(began) > openPatience || errors.Is(err, nats.ErrAuthorization) {
			return l, err
		}
		if !told {
			told = true
			b.logger.LogAttrs(ctx, slog.LevelWarn, "NATS cannot be used yet, trying again", slog.Any("error", err))
		}
		if !b.pause(ctx, probeInterval) {
			return nil, err
		}
	}
}
