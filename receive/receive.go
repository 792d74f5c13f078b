// Package receive holds what all receivers share: reading a body within limits, answering with a problem that names field,
// value and remedy, telling senders apart, and the time of receipt.
//
// A receiver (one folder per protocol below this one) decodes its wire format once into the types of base/signal and hands
// them to a Publisher, which returns when they are durable. It knows no detector. What a receiver promises:
//
//   - a request is answered with success only after everything good in it is durable;
//   - the good pieces of a mixed request are kept, the bad ones are listed in the answer and kept as dead letters;
//   - memory is bounded per request (Limits), per sender and over all senders (Budget, Caps), and a sender that is slow, huge
//     or endless in its label values is refused without slowing another.
//
// Secrets are taken out between parsing and publishing, by the Gate's Redactor, before anything is stored. What is passed on to
// today's tool (Tee) is left as it came.
package receive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/common/model"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
)

// Errors of a Publisher that a receiver turns into an answer.
var (
	// ErrFull says that the stream holds its limit; nothing was stored. It becomes 503 with Retry-After.
	ErrFull = errors.New("too much waits to be processed")
	// ErrUnavailable says that nothing can be stored now, for instance because the disk is full. It becomes 503 with Retry-After.
	ErrUnavailable = errors.New("storage is unavailable")
)

// Publisher takes what receivers have understood, and what they had to refuse. It is safe for concurrent use.
type Publisher interface {
	// PublishAlerts returns after the alerts are durable. at is the time of receipt. An error that wraps ErrFull or
	// ErrUnavailable means that nothing was stored and that the sender may retry. The alerts may be kept until it returns.
	PublishAlerts(ctx context.Context, at time.Time, alerts []signal.Alert) error
	// DeadLetter keeps a refused piece with its reason; the number kept is bounded.
	DeadLetter(ctx context.Context, at time.Time, letter DeadLetter) error
}

// DeadLetter is a piece of a request that was refused.
type DeadLetter struct {
	// Receiver names the integration that it came through, for instance "prometheus".
	Receiver string
	// Reason says for a person what is wrong with it.
	Reason string
	// Payload is what ReadAgain reads: a complete body of that integration's protocol, with a request line and headers before it
	// where they say more than its address does, so that it can be offered again.
	Payload []byte
}

// Sender tells one sender from another.
type Sender struct {
	// Integration is the name of the integration, for instance "prometheus".
	Integration string
	// Address is the remote host without its port.
	Address string
}

// String returns the key under which the sender's limits are counted, for instance "prometheus@10.0.0.7".
func (s Sender) String() string { return s.Integration + "@" + s.Address }

// SenderOf returns who sent r through integration.
func SenderOf(r *http.Request, integration string) Sender {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return Sender{Integration: integration, Address: host}
}

// Headers that Fairlead's own replay puts on its requests.
const (
	// EventTimeHeader carries the event time of what is sent, RFC 3339. It counts only when the server runs on an event clock.
	EventTimeHeader = "Fairlead-Event-Time"
	// ResolveTimeoutHeader carries after how long an alert without end counts as ended, for instance 5m; 0 means never.
	ResolveTimeoutHeader = "Fairlead-Resolve-Timeout"
)

// Time returns when r counts as received. On a *clock.Event it is the request's EventTimeHeader, or the clock's own time
// when the header is missing; on another clock it is now, and the header is ignored. It does not advance the clock: the
// Publisher does so when it publishes. The error is a *Problem.
func Time(r *http.Request, c clock.Clock) (time.Time, error) {
	event, isEvent := c.(*clock.Event)
	if !isEvent {
		return c.Now(), nil
	}
	text := r.Header.Get(EventTimeHeader)
	if text == "" {
		now := event.Now()
		if now.IsZero() {
			return now, Invalid(FieldError{Field: EventTimeHeader, Value: "", Remedy: "this server runs on an event clock which nobody has set yet; send this header, for instance 2026-01-02T15:04:05Z"})
		}
		return now, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, Invalid(FieldError{Field: EventTimeHeader, Value: Excerpt(text), Remedy: "not an RFC 3339 time; send for instance 2026-01-02T15:04:05Z"})
	}
	return at.UTC(), nil
}

// ResolveTimeout returns the request's ResolveTimeoutHeader, a Go or Prometheus duration, or fallback when it has none. The
// error is a *Problem.
func ResolveTimeout(r *http.Request, fallback time.Duration) (time.Duration, error) {
	text := r.Header.Get(ResolveTimeoutHeader)
	if text == "" {
		return fallback, nil
	}
	if timeout, err := time.ParseDuration(text); err == nil && timeout >= 0 {
		return timeout, nil
	}
	if timeout, err := model.ParseDuration(text); err == nil {
		return time.Duration(timeout), nil
	}
	return 0, Invalid(FieldError{Field: ResolveTimeoutHeader, Value: Excerpt(text), Remedy: "not a duration; send for instance 5m, or 0 for never"})
}

// PublishProblem returns the answer for an error of a Publisher, or the *Problem that it is.
func PublishProblem(err error) *Problem {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem
	}
	problem := &Problem{Status: http.StatusServiceUnavailable, RetryAfter: 5 * time.Second, cause: err}
	switch {
	case errors.Is(err, ErrFull):
		problem.Detail = "More waits to be processed than may be kept. Nothing of this request was stored; send it again later."
	case errors.Is(err, ErrUnavailable):
		problem.Detail = "Nothing can be stored at the moment, for instance because the disk is full or NATS is gone. Send all of this again later: a repeat does no harm."
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		problem.Detail = "The request ended before it was stored; send it again."
	default:
		problem.Status, problem.RetryAfter = http.StatusInternalServerError, 0
		problem.Detail = fmt.Sprintf("The request could not be stored: %v.", err)
	}
	return problem
}
