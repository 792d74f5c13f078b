package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/otlp"
)

// otlpServer is what serves OTLP at the ports where its senders look for it first. The one HTTP port serves it too.
type otlpServer struct {
	receiver   *otlp.Receiver
	grpc       *otlp.GRPC
	grpcListen net.Listener // nil when switched off
	httpListen net.Listener
	server     *http.Server
}

// listenOTLP takes OTLP's ports. One that was not asked for and is taken already is left out: a Collector may run here.
func (a *App) listenOTLP() (err error) {
	defaults := DefaultConfig().OTLP
	if a.otlp.grpcListen, err = a.listenAt("otlp.grpc.listen", a.cfg.OTLP.GRPC.Listen, defaults.GRPC.Listen); err != nil {
		return err
	}
	a.otlp.httpListen, err = a.listenAt("otlp.http.listen", a.cfg.OTLP.HTTP.Listen, defaults.HTTP.Listen)
	return err
}

func (a *App) listenAt(key, address, fallback string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil && address == fallback {
		a.logger.Warn("another program uses a port of OTLP; send to the HTTP port, or name another", "key", key, "address", address)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; another program may use the port: name another, or \"\" to switch it off", key, err)
	}
	return listener, nil
}

// openOTLP makes the receiver, for all ports.
func (a *App) openOTLP(intake *receive.Intake) {
	a.otlp.receiver = otlp.New(intake)
	a.otlp.grpc = otlp.NewGRPC(a.otlp.receiver, func(r *http.Request) *http.Request {
		return r.WithContext(access.WithPeer(r.Context(), a.origins.Peer(r)))
	})
}

// otlpHandler serves telemetry only.
func (a *App) otlpHandler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/") {
			p := receive.Problem{
				Status: http.StatusNotFound, Detail: "This port takes OTLP only.",
				Errors: []receive.FieldError{{Field: "path", Value: receive.Excerpt(r.URL.Path), Remedy: "send to /v1/metrics, /v1/logs or /v1/traces; the page is at " + a.URL()}},
			}
			p.Write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ownPortKey{}, true)))
	})
}

// ownPortKey marks requests at OTLP's own port.
type ownPortKey struct{}

// orGRPC serves calls of gRPC beside HTTP on one port.
func (a *App) orGRPC(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if otlp.Is(r) {
			a.otlp.grpc.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// unencrypted are the protocols of a port: HTTP/1, and HTTP/2 without TLS for gRPC.
func unencrypted() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return &p
}

// serveOTLP serves OTLP's own ports until ctx ends.
func (a *App) serveOTLP(ctx context.Context) error {
	failed := make(chan error, 2)
	running := 0
	start := func(run func() error) {
		running++
		go func() { failed <- run() }()
	}
	if a.otlp.grpcListen != nil {
		start(func() error { return a.otlp.grpc.Run(ctx, a.otlp.grpcListen) })
	}
	if a.otlp.httpListen != nil {
		start(func() error { return serveUntil(ctx, a.otlp.server, a.otlp.httpListen) })
	}
	for range running {
		select {
		case err := <-failed:
			if ctx.Err() == nil {
				return fmt.Errorf("serve OTLP: %w", err)
			}
		case <-ctx.Done():
			<-failed
		}
	}
	<-ctx.Done()
	return nil
}

// serveUntil serves until ctx ends, then lets requests finish.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener) error {
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout/3)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		_ = server.Close() // some requests did not end in time
	}
	<-done
	return nil
}
