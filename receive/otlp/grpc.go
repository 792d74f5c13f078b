package otlp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // senders may pack
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/fairlead/fairlead/receive"
)

// Limits of OTLP over gRPC: those of a body over HTTP, and how many requests of one connection are served at once.
const (
	grpcMessage  = 16 << 20
	grpcStreams  = 64
	grpcIdle     = 5 * time.Minute
	grpcShutdown = 5 * time.Second
)

// GRPC serves OTLP over gRPC.
type GRPC struct {
	receiver *Receiver
	prepare  func(*http.Request) *http.Request
	server   *grpc.Server
}

// NewGRPC returns a server for the same telemetry as rc. Prepare puts what a request over HTTP would know of its sender into
// a request; nil changes nothing.
func NewGRPC(rc *Receiver, prepare func(*http.Request) *http.Request) *GRPC {
	g := &GRPC{receiver: rc, prepare: prepare}
	g.server = grpc.NewServer(
		grpc.MaxRecvMsgSize(grpcMessage), grpc.MaxConcurrentStreams(grpcStreams), grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: grpcIdle}),
		grpc.ChainUnaryInterceptor(recovered),
	)
	pmetricotlp.RegisterGRPCServer(g.server, &metricsService{g: g})
	plogotlp.RegisterGRPCServer(g.server, &logsService{g: g})
	ptraceotlp.RegisterGRPCServer(g.server, &traceService{g: g})
	return g
}

// recovered turns a panic into an error, so that one poisonous request does not end the process.
func recovered(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (response any, err error) {
	defer func() {
		if recover() != nil {
			err = status.Error(codeOf(http.StatusInternalServerError), "something went wrong here; please report it")
		}
	}()
	return handle(ctx, request)
}

// Run serves on a listener until ctx ends, then lets requests finish for a while.
func (g *GRPC) Run(ctx context.Context, listener net.Listener) error {
	done := make(chan error, 1)
	go func() { done <- g.server.Serve(listener) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	timer := time.AfterFunc(grpcShutdown, g.server.Stop)
	defer timer.Stop()
	g.server.GracefulStop()
	if err := <-done; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// ServeHTTP serves a call that came over an HTTP server's own HTTP/2.
func (g *GRPC) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.server.ServeHTTP(w, r) }

// Is reports whether a request is a call of gRPC.
func Is(r *http.Request) bool {
	return r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// metricsService is OTLP's MetricsService.
type metricsService struct {
	pmetricotlp.UnimplementedGRPCServer
	g *GRPC
}

// Export takes metrics.
func (s *metricsService) Export(ctx context.Context, request pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	v, err := s.g.export(ctx, "/v1/metrics", receive.KindSamples, func(v *receive.Visit) *receive.Problem {
		return s.g.receiver.takeMetrics(ctx, v, request)
	})
	return metricsResponse(int64(v.Rejected), reasons(v.Errors)), err
}

// logsService is OTLP's LogsService.
type logsService struct {
	plogotlp.UnimplementedGRPCServer
	g *GRPC
}

// Export takes log records.
func (s *logsService) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	v, err := s.g.export(ctx, "/v1/logs", receive.KindLogs, func(v *receive.Visit) *receive.Problem {
		return s.g.receiver.takeLogs(ctx, v, request)
	})
	return logsResponse(int64(v.Rejected), reasons(v.Errors)), err
}

// traceService is OTLP's TraceService.
type traceService struct {
	ptraceotlp.UnimplementedGRPCServer
	g *GRPC
}

// Export takes spans.
func (s *traceService) Export(ctx context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	v, err := s.g.export(ctx, "/v1/traces", receive.KindSpans, func(v *receive.Visit) *receive.Problem {
		return s.g.receiver.takeTraces(ctx, v, request)
	})
	return tracesResponse(int64(v.Rejected), reasons(v.Errors)), err
}

// export lets a call in, takes what it brings, and counts it.
func (g *GRPC) export(ctx context.Context, path string, kind receive.Kind, take func(*receive.Visit) *receive.Problem) (*receive.Visit, error) {
	r := g.request(ctx, path)
	v, problem := g.receiver.intake.Enter(r, Protocol, kind)
	if problem == nil && kind == receive.KindSpans {
		problem = forExperiment(r)
	}
	if problem == nil {
		problem = take(v)
	}
	if problem != nil {
		g.receiver.intake.Done(v, r, problem.Status, problem)
		return v, grpcError(problem)
	}
	g.receiver.intake.Done(v, r, http.StatusOK, nil)
	return v, nil
}

// request makes of a call what it would be over HTTP, so that both are let in by the same rules.
func (g *GRPC) request(ctx context.Context, path string) *http.Request {
	r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: path}, Header: http.Header{}, Proto: "HTTP/2.0", ProtoMajor: 2}
	if p, ok := peer.FromContext(ctx); ok {
		r.RemoteAddr = p.Addr.String()
	}
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		for name, values := range md {
			if !strings.HasPrefix(name, ":") {
				r.Header[http.CanonicalHeaderKey(name)] = values
			}
		}
		if host := md.Get(":authority"); len(host) > 0 {
			r.Host = host[0]
		}
	}
	r = r.WithContext(ctx)
	if g.prepare != nil {
		r = g.prepare(r)
	}
	return r
}

// grpcError returns a problem as gRPC's status, with the pause that the sender should make.
func grpcError(problem *receive.Problem) error {
	text := problem.Detail
	if len(problem.Errors) > 0 {
		text += " " + reasons(problem.Errors) + "."
	}
	s := status.New(codeOf(problem.Status), text)
	if problem.RetryAfter > 0 {
		if detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(problem.RetryAfter)}); err == nil {
			s = detailed
		}
	}
	return s.Err()
}
