package receive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/integration"
)

// Tee passes requests on to the tools that senders used before, untouched, and brings their answers back: the sender gets
// what today's tool says, so that it repeats what that tool has not taken, and Fairlead stands beside it without a risk. Bytes
// and headers are those of the sender, its credentials too; nothing of them is kept. It is safe for concurrent use.
type Tee struct {
	client   *http.Client
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
}

// Bounds of what is passed on.
const (
	teeTimeout = 15 * time.Second
	teeAnswer  = 1 << 20
	teeRaw     = 16 << 20
)

// NewTee returns a Tee.
func NewTee(registry prometheus.Registerer) *Tee {
	t := &Tee{
		client: &http.Client{
			Timeout: teeTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // credentials go to the configured target and nowhere else
			},
			Transport: &http.Transport{MaxIdleConnsPerHost: 16, MaxConnsPerHost: 64, IdleConnTimeout: time.Minute, DisableCompression: true},
		},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_tee_requests_total", Help: "Requests that were passed on, by integration and the target's status; 0 when it did not answer.",
		}, []string{"integration", "code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "fairlead_receive_tee_duration_seconds", Help: "How long the targets took to answer.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
	}
	if registry != nil {
		registry.MustRegister(t.requests, t.seconds)
	}
	return t
}

// Close ends idle connections.
func (t *Tee) Close() { t.client.CloseIdleConnections() }

// Passed is the answer of a target.
type Passed struct {
	Status int
	Header http.Header
	Body   []byte
}

// hops are the headers that belong to one connection.
var hops = []string{"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// Send passes a request on. raw is its body as it came. The error is a *Problem: the target did not answer.
func (t *Tee) Send(ctx context.Context, integration, target string, r *http.Request, raw []byte) (*Passed, error) {
	began := time.Now()
	passed, err := t.send(ctx, target, r, raw)
	t.seconds.Observe(time.Since(began).Seconds())
	if err != nil {
		t.requests.WithLabelValues(integration, "0").Inc()
		return nil, &Problem{
			Status: http.StatusBadGateway, RetryAfter: 5 * time.Second, cause: err,
			Detail: "The tool that this integration passes requests on to did not answer; send it again.",
		}
	}
	t.requests.WithLabelValues(integration, fmt.Sprint(passed.Status)).Inc()
	return passed, nil
}

func (t *Tee) send(ctx context.Context, target string, r *http.Request, raw []byte) (*Passed, error) {
	address, err := teeAddress(target, r.URL)
	if err != nil {
		return nil, err
	}
	next, err := http.NewRequestWithContext(ctx, r.Method, address, bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("pass on: %w", err)
	}
	next.Header = maps.Clone(r.Header)
	for _, name := range slices.Concat(hops, strings.Split(r.Header.Get("Connection"), ",")) {
		next.Header.Del(strings.TrimSpace(name))
	}
	next.ContentLength = int64(len(raw))
	response, err := t.client.Do(next)
	if err != nil {
		return nil, fmt.Errorf("pass on: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, teeAnswer))
	if err != nil {
		return nil, fmt.Errorf("pass on: read the answer: %w", err)
	}
	return &Passed{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// teeAddress returns where a request goes: the target itself, or, when that names only a host, the same path there.
func teeAddress(target string, from *url.URL) (string, error) {
	to, err := url.Parse(target)
	if err != nil || to.Host == "" {
		return "", errors.New("pass on: the target is no URL")
	}
	if to.Path == "" || to.Path == "/" {
		to.Path, to.RawPath = from.Path, from.RawPath
	}
	if to.RawQuery == "" {
		to.RawQuery = from.RawQuery
	}
	return to.String(), nil
}

// Write gives the sender the target's answer.
func (p *Passed) Write(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range p.Header {
		if !slices.Contains(hops, name) && name != "Content-Length" && name != "Date" {
			header[name] = values
		}
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(p.Body) // the sender has gone: nobody is left to tell
}

// RawBody keeps the bytes of a compressed body as they come, for passing on. Others need no copy: what is read is what came.
func RawBody(r *http.Request) func(body []byte) []byte {
	if r.Header.Get("Content-Encoding") == "" {
		return bytes.Clone
	}
	keeper := &keeper{source: r.Body}
	r.Body = keeper
	return func([]byte) []byte { return keeper.bytes }
}

// keeper keeps what is read through it, up to a bound that a body within its limits does not reach.
type keeper struct {
	source io.ReadCloser
	bytes  []byte
}

// Read implements io.Reader.
func (k *keeper) Read(p []byte) (int, error) {
	n, err := k.source.Read(p)
	if len(k.bytes)+n <= teeRaw {
		k.bytes = append(k.bytes, p[:n]...)
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}

// Close implements io.Closer.
func (k *keeper) Close() error { return k.source.Close() }

// Pass begins to pass a request on; the returned function waits for the answer.
func (t *Tee) Pass(ctx context.Context, integration, target string, r *http.Request, raw []byte) func() (*Passed, error) {
	type result struct {
		passed *Passed
		err    error
	}
	done := make(chan result, 1)
	go func() {
		passed, err := t.Send(ctx, integration, target, r, raw)
		done <- result{passed, err}
	}()
	return func() (*Passed, error) {
		got := <-done // Send has a time limit of its own
		return got.passed, got.err
	}
}

// AnswerPassed waits for the answer of today's tool and gives it to the sender, whatever became of the request here. It
// returns problem, or what was wrong with the passing on.
func AnswerPassed(w http.ResponseWriter, wait func() (*Passed, error), problem *Problem) *Problem {
	passed, err := wait()
	if err == nil {
		passed.Write(w)
		return problem
	}
	failed := AsProblem(err)
	failed.Write(w)
	if problem != nil {
		return problem
	}
	return failed
}

// Note counts a request of an integration and, now and then, keeps its payload for people to look at.
func (g *Gate) Note(i *integration.Integration, r *http.Request, at time.Time, body []byte, status, alerts, rejected int, problem *Problem) {
	c := integration.Capture{At: at, Status: status, Alerts: alerts, Outcome: integration.Accepted}
	if problem != nil {
		c.Outcome = problem.Detail
	}
	if g.Integrations.Wants(i.Name, at) {
		c.Headers, c.Body = g.headers(r), string(g.Redactor.Bytes(body[:min(len(body), integration.MaxCaptured)]))
		c.Truncated = len(body) > integration.MaxCaptured
	}
	g.Integrations.Note(i.Name, c, rejected)
}
