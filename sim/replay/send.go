package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	pathClock = "/api/fairlead/v1/clock"
	pathEdges = "/api/fairlead/v1/map/edges"

	answerLimit = 4 << 10 // so much of a refusal is shown
	longestWait = time.Minute
)

// target is the server.
type target struct {
	base     string
	token    string
	client   *http.Client
	wall     timer
	retryFor time.Duration
	retries  int
}

func newTarget(config Config, wall timer) *target {
	client := config.Client
	if client == nil {
		transport := &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			MaxIdleConnsPerHost: 2,
			IdleConnTimeout:     90 * time.Second,
			DisableCompression:  true,
		}
		client = &http.Client{Transport: transport, Timeout: time.Minute}
	}
	return &target{
		base:     strings.TrimRight(config.To, "/"),
		token:    config.Token,
		client:   client,
		wall:     wall,
		retryFor: config.RetryFor,
	}
}

// statusError is a refusal by the server.
type statusError struct {
	code  int
	text  string
	after time.Duration // Retry-After; negative when not given
}

// Error returns the status and the server's own words.
func (e *statusError) Error() string {
	return fmt.Sprintf("server answered %d %s: %s", e.code, http.StatusText(e.code), e.text)
}

// busy reports that the same request may be accepted later.
func (e *statusError) busy() bool {
	return e.code == http.StatusTooManyRequests || e.code == http.StatusServiceUnavailable
}

// post sends one body with its event time, again as long as the server is busy.
func (t *target) post(ctx context.Context, kind kind, body []byte, at time.Time) error {
	header := http.Header{
		"Content-Type":        {"application/json"},
		"Fairlead-Event-Time": {formatTime(at)},
	}
	if kind == kindAlerts {
		header["Fairlead-Resolve-Timeout"] = []string{"0"}
	}
	var waited time.Duration
	for attempt := 0; ; attempt++ {
		_, err := t.do(ctx, http.MethodPost, kind.path(), header, body)
		if err == nil {
			return nil
		}
		var refused *statusError
		if !errors.As(err, &refused) {
			return err
		}
		if refused.code == http.StatusNotFound && kind != kindAlerts {
			return fmt.Errorf("%s has no %s (404): this server does not take OTLP %s yet; leave this file out",
				t.base, kind.path(), kind)
		}
		if !refused.busy() || waited >= t.retryFor {
			return err
		}
		wait := refused.after
		if wait < 0 {
			wait = 100 * time.Millisecond << min(attempt, 6)
		}
		wait = min(max(wait, 10*time.Millisecond), longestWait)
		if err := t.wall.Sleep(ctx, wait); err != nil {
			return err
		}
		waited += wait
		t.retries++
	}
}

// putEdges replaces the server's map with the file's.
func (t *target) putEdges(ctx context.Context, path string) error {
	edges, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read edges: %w", err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if _, err := t.do(ctx, http.MethodPut, pathEdges, header, edges); err != nil {
		return fmt.Errorf("put edges of %s: %w", path, err)
	}
	return nil
}

// do sends one request and returns the answer's body. Anything but a 2xx is a *statusError.
func (t *target) do(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, t.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if header != nil {
		request.Header = header
	}
	if t.token != "" {
		request.Header.Set("Authorization", "Bearer "+t.token)
	}
	answer, err := t.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reach server: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	// The connection is kept alive only when the answer was read to its end.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20))
	if answer.StatusCode/100 == 2 {
		return text, nil
	}
	return nil, &statusError{
		code:  answer.StatusCode,
		text:  strings.TrimSpace(string(text)),
		after: retryAfter(answer.Header.Get("Retry-After"), t.wall.Now()),
	}
}

// retryAfter reads the header in both its forms, seconds and a date; negative when it is absent or unreadable.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(date.Sub(now), 0)
	}
	return -1
}
