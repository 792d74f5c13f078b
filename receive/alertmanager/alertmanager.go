// Package alertmanager receives alerts the way Alertmanager does, POST /api/v2/alerts, so that Prometheus and whatever else
// sends to an Alertmanager can point at Fairlead unmodified.
//
// Parse turns a body into alerts and is pure. Handler reads the body within limits, parses it, holds the sender to its cap of
// different alerts, publishes the good alerts and answers 200 with an empty body once they are durable. When some alerts of
// a request are bad, the good ones are kept all the same, and the answer is a 400 problem that says how many were kept and
// names field, value and remedy of each bad one; the bad ones become dead letters. Alerts over the sender's cap are refused
// with 429 and make no dead letters, because there is nothing to mend in them but the label that explodes.
//
// A repeat is not recognised here but in ops/alert: the receiver keeps no state about alerts.
package alertmanager

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Integration is the name under which these alerts are known when the server names no other.
const Integration = "prometheus"

// Config says what a Handler needs.
type Config struct {
	// Publisher takes the alerts.
	Publisher receive.Publisher
	// Clock is the server's.
	Clock clock.Clock
	// Bodies reads requests; Caps holds senders to their number of different alerts; nil sets no cap.
	Bodies *receive.Bodies
	Caps   *receive.Caps
	// Limits bounds what is in a request; the zero value takes DefaultLimits.
	Limits Limits
	// ResolveTimeout returns after how long an alert without end counts as ended when the request does not say; 0 means never.
	ResolveTimeout func() time.Duration
	// Gate lets senders in and passes their requests on; nil lets everybody in as Integration.
	Gate *receive.Gate
	// Registry takes the handler's metrics; nil keeps none.
	Registry prometheus.Registerer
	Logger   *slog.Logger
}

// Handler serves POST /api/v2/alerts. It is safe for concurrent use.
type Handler struct {
	config  Config
	metrics metrics
}

// New returns a handler.
func New(config Config) *Handler {
	if config.Limits == (Limits{}) {
		config.Limits = DefaultLimits()
	}
	return &Handler{config: config, metrics: newMetrics(config.Registry)}
}

// ServeHTTP reads, publishes and answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	v := &visit{sender: receive.SenderOf(r, Integration)}
	problem := h.enter(r, v)
	if problem == nil {
		problem = h.serve(w, r, v)
	}
	code := http.StatusOK
	if problem != nil {
		code = problem.Status
	}
	if v.passing != nil {
		problem = receive.AnswerPassed(w, v.passing, problem)
	} else if problem != nil {
		problem.Write(w)
	}
	if problem != nil {
		level := slog.LevelDebug
		if code >= http.StatusInternalServerError {
			level = slog.LevelWarn
		}
		h.config.Logger.Log(r.Context(), level, "alerts were refused", "sender", v.sender.String(), "status", code, "reason", problem.Detail)
	}
	if v.door != nil {
		h.config.Gate.Note(v.door, r, v.at, v.body, code, v.kept, v.rejected, problem)
	}
	h.metrics.requests.WithLabelValues(Integration, strconv.Itoa(code)).Inc()
	h.metrics.seconds.Observe(time.Since(started).Seconds())
}

// visit is what is known of a request while it is served.
type visit struct {
	sender         receive.Sender
	door           *integration.Integration // nil without a Gate
	passing        func() (*receive.Passed, error)
	at             time.Time
	body           []byte
	kept, rejected int
}

// enter finds the integration that a request belongs to: the path's, or the one named like Integration.
func (h *Handler) enter(r *http.Request, v *visit) (problem *receive.Problem) {
	if h.config.Gate == nil {
		return nil
	}
	v.door, problem = h.config.Gate.Admit(r.Context(), r, integration.Knock{
		Kind: Integration, Name: cmp.Or(r.PathValue("integration"), Integration), Secret: receive.SecretOf(r),
	})
	if problem == nil {
		v.sender.Integration = v.door.Name
	}
	return problem
}

// serve returns nil when everything of the request is durable.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, v *visit) *receive.Problem {
	at, err := receive.Time(r, h.config.Clock)
	if err != nil {
		return receive.AsProblem(err)
	}
	v.at = at
	timeout := h.config.ResolveTimeout()
	if v.door != nil {
		timeout = v.door.Timeout(timeout)
	}
	timeout, err = receive.ResolveTimeout(r, timeout)
	if err != nil {
		return receive.AsProblem(err)
	}
	raw := receive.RawBody(r)
	body, release, err := h.config.Bodies.Read(w, r, v.sender)
	if err != nil {
		return receive.AsProblem(err)
	}
	defer release()
	v.body = body
	if v.door != nil && v.door.Forward != "" && h.config.Gate.Tee != nil {
		v.passing = h.config.Gate.Tee.Pass(r.Context(), v.door.Name, v.door.Forward, r, raw(body))
	}
	letters := !receive.Replaying(r.Context())
	batch, err := Parse(body, at, h.config.Limits)
	if err != nil {
		problem := receive.AsProblem(err)
		if letters {
			h.keepDeadLetter(r.Context(), v, problem.Detail, body)
		}
		return problem
	}
	kept, excess := batch.Alerts, h.admit(v.sender, at, &batch)
	if excess != nil {
		kept = without(batch.Alerts, excess.Refused)
	}
	for i := range kept {
		kept[i].Source, kept[i].ResolveTimeout = v.sender.Integration, timeout
		if h.config.Gate != nil {
			h.config.Gate.Clean(&kept[i])
		}
	}
	// An empty request is published too: on an event clock it moves the time.
	if err := h.config.Publisher.PublishAlerts(r.Context(), at, kept); err != nil {
		return receive.PublishProblem(err)
	}
	v.kept, v.rejected = len(kept), batch.RejectedCount
	h.metrics.alerts.WithLabelValues(Integration, "accepted").Add(float64(len(kept)))
	if batch.RejectedCount == 0 && excess == nil {
		return nil
	}
	if letters {
		h.keepRejected(r.Context(), v, batch.Rejected)
	}
	return h.partial(len(kept), &batch, excess)
}

func (h *Handler) admit(sender receive.Sender, at time.Time, batch *Batch) *receive.Excess {
	if h.config.Caps == nil {
		return nil
	}
	return h.config.Caps.Admit(sender, at, batch.Fingerprints, func(i int) signal.Labels { return batch.Alerts[i].Labels })
}

// partial returns the answer for a request of which not everything was kept.
func (h *Handler) partial(kept int, batch *Batch, excess *receive.Excess) *receive.Problem {
	problem := &receive.Problem{Status: http.StatusBadRequest}
	var parts []string
	if batch.RejectedCount > 0 {
		h.metrics.alerts.WithLabelValues(Integration, "rejected").Add(float64(batch.RejectedCount))
		parts = append(parts, fmt.Sprintf("%s cannot be accepted", count(batch.RejectedCount)))
	}
	if excess != nil {
		h.metrics.alerts.WithLabelValues(Integration, "capped").Add(float64(len(excess.Refused)))
		problem.Status, problem.RetryAfter = http.StatusTooManyRequests, excess.RetryAfter
		parts = append(parts, fmt.Sprintf("%s new to this sender, which has sent %d different ones already (the limit is %d; receive.max_fingerprints_per_sender); label %q has the most values, about %d",
			are(len(excess.Refused)), excess.Known, excess.Limit, excess.Label, excess.Values))
		problem.Errors = append(problem.Errors, receive.FieldError{
			Field: fmt.Sprintf("[%d].labels.%s", excess.Refused[0], excess.Label), Value: fmt.Sprintf("about %d different values", excess.Values),
			Remedy: "drop this label in the sender, or make it an annotation: each value makes another alert",
		})
	}
	for i := range batch.Rejected[:min(len(batch.Rejected), receive.MaxErrors-len(problem.Errors))] {
		problem.Errors = append(problem.Errors, batch.Rejected[i].Problem)
	}
	problem.Detail = fmt.Sprintf("%s. %s kept.", strings.Join(parts, "; "), are(kept))
	return problem
}

func count(n int) string {
	if n == 1 {
		return "1 alert"
	}
	return strconv.Itoa(n) + " alerts"
}

func are(n int) string {
	if n == 1 {
		return "1 alert is"
	}
	return strconv.Itoa(n) + " alerts are"
}

// without returns the alerts whose index is not in refused, which is in order, in the same memory.
func without(alerts []signal.Alert, refused []int) []signal.Alert {
	kept := alerts[:0]
	for i := range alerts {
		if len(refused) > 0 && refused[0] == i {
			refused = refused[1:]
			continue
		}
		kept = append(kept, alerts[i])
	}
	return kept
}

// Bounds of the dead letters that one request makes.
const (
	maxLetters     = 16
	maxLetterBytes = 64 << 10
)

// keepRejected keeps each bad alert as a dead letter of its own, and those beyond the first few together in a last one.
func (h *Handler) keepRejected(ctx context.Context, v *visit, rejected []Rejected) {
	for i := range rejected {
		if i == maxLetters-1 && len(rejected) > maxLetters {
			rest := rejected[i:]
			raws, size := make([]string, 0, len(rest)), 0
			for j := range rest {
				if size += len(rest[j].Raw) + 1; size > maxLetterBytes {
					break
				}
				raws = append(raws, rest[j].Raw)
			}
			reason := fmt.Sprintf("%d more bad alerts of the same request, %d of them here; the first: %s: %s.", len(rest), len(raws), rest[0].Problem.Field, rest[0].Problem.Remedy)
			h.keepDeadLetter(ctx, v, reason, []byte("["+strings.Join(raws, ",")+"]"))
			return
		}
		h.keepDeadLetter(ctx, v, rejected[i].Problem.Field+": "+rejected[i].Problem.Remedy+".", []byte("["+rejected[i].Raw+"]"))
	}
}

// keepDeadLetter keeps a refused piece. That it cannot be kept does not change the answer: the sender is told what is wrong
// with it either way.
func (h *Handler) keepDeadLetter(ctx context.Context, v *visit, reason string, payload []byte) {
	if h.config.Gate != nil {
		payload = h.config.Gate.Redactor.Bytes(payload)
	}
	receiver := Integration
	if v.door != nil && v.door.Name != Integration {
		receiver += "/" + v.door.Name
	}
	err := h.config.Publisher.DeadLetter(ctx, v.at, receive.DeadLetter{Receiver: receiver, Reason: reason, Payload: payload})
	if err != nil {
		h.config.Logger.Warn("a refused piece could not be kept", "error", err)
	}
}

// metrics are the handler's own.
type metrics struct {
	requests *prometheus.CounterVec
	alerts   *prometheus.CounterVec
	seconds  prometheus.Histogram
}

func newMetrics(registry prometheus.Registerer) metrics {
	m := metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_requests_total", Help: "Requests with alerts, by integration and HTTP status.",
		}, []string{"integration", "code"}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_alerts_total", Help: "Alerts in requests, by integration and outcome: accepted, rejected (bad) or capped (too many different ones).",
		}, []string{"integration", "outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "fairlead_receive_request_duration_seconds", Help: "Time from the first byte of a request to its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}),
	}
	if registry != nil {
		registry.MustRegister(m.requests, m.alerts, m.seconds)
	}
	return m
}
