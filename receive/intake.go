package receive

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
)

// TelemetryPublisher takes telemetry. It is safe for concurrent use. Its methods return after what they are given is written;
// at is the time of receipt. An error that wraps ErrFull or ErrUnavailable means that the sender may retry all of it.
type TelemetryPublisher interface {
	// PublishSamples takes samples. A repeat does no harm.
	PublishSamples(ctx context.Context, at time.Time, source string, series []signal.Series) error
	// PublishLogs takes log records, a batch for each resource; PublishSpans spans.
	PublishLogs(ctx context.Context, at time.Time, batches []signal.LogBatch) error
	PublishSpans(ctx context.Context, at time.Time, batches []signal.SpanBatch) error
}

// Kind is what a request brings.
type Kind string

// The kinds, as metrics name them.
const (
	KindSamples Kind = "samples"
	KindLogs    Kind = "log_records"
	KindSpans   Kind = "spans"
)

// IntakeConfig says what the receivers of telemetry share.
type IntakeConfig struct {
	Publisher TelemetryPublisher
	Clock     clock.Clock
	// Bodies reads requests; Caps holds senders to their number of different series; nil sets no cap.
	Bodies *Bodies
	Caps   *Caps
	// Gate lets senders in; nil lets everybody in.
	Gate *Gate
	// Registry takes metrics; nil keeps none.
	Registry prometheus.Registerer
	Logger   *slog.Logger
}

// Intake is what the receivers of telemetry share: who may send, what is good, how much, and where it goes. It is safe for
// concurrent use.
type Intake struct {
	IntakeConfig
	requests *prometheus.CounterVec
	accepted *prometheus.CounterVec
	rejected *prometheus.CounterVec
	types    typeMemory

	mu   sync.Mutex
	came map[string]*Came // by protocol and kind; guarded by mu
}

// Came is what a protocol brought of one kind since the start.
type Came struct {
	Protocol string
	Kind     Kind
	// Accepted and Refused count samples, log records or spans; Reasons is how many were refused for what.
	Accepted, Refused int
	Reasons           map[string]int
	// LastAt is when a request was refused last, in whole or in part, Last why, Sender whose it was.
	LastAt time.Time
	Last   string
	Sender string
}

// Came returns what came since the start, by protocol and kind.
func (s *Intake) Came() []Came {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Came, 0, len(s.came))
	for _, c := range s.came {
		one := *c
		one.Reasons = maps.Clone(c.Reasons)
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Came) int { return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Kind, b.Kind)) })
	return all
}

// note counts what a request brought.
func (s *Intake) note(v *Visit, refusal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.came == nil {
		s.came = make(map[string]*Came)
	}
	key := v.Protocol + " " + string(v.Kind)
	c := s.came[key]
	if c == nil {
		c = &Came{Protocol: v.Protocol, Kind: v.Kind, Reasons: make(map[string]int)}
		s.came[key] = c
	}
	c.Accepted += v.Accepted
	c.Refused += v.Rejected
	for reason, count := range v.reasons {
		c.Reasons[reason] += count
	}
	if refusal != "" {
		c.LastAt, c.Last, c.Sender = v.At, refusal, v.Sender.String()
	}
}

// Bounds of the times in telemetry.
const (
	// maxAhead is how far in the future a sample may be: clocks differ.
	maxAhead = 10 * time.Minute
	// maxPast is how long past a sample may be.
	maxPast = 90 * 24 * time.Hour
)

// Reasons why telemetry is refused, as the metric names them.
const (
	ReasonLabels          = "labels"
	ReasonFuture          = "future"
	ReasonPast            = "past"
	ReasonNegativeCounter = "negative_counter"
	ReasonInfinite        = "infinite"
	ReasonHistogram       = "histogram"
	ReasonCardinality     = "cardinality"
	ReasonUnsupported     = "unsupported"
	ReasonEmpty           = "empty"
	ReasonTemporality     = "mixed_temporality"
	ReasonTypeChange      = "type_change"
	ReasonIdentity        = "identity"
	ReasonTooLarge        = "too_large"
)

var reasonsOf = map[Kind][]string{
	KindSamples: {
		ReasonLabels, ReasonFuture, ReasonPast, ReasonNegativeCounter, ReasonInfinite, ReasonHistogram, ReasonCardinality, ReasonUnsupported,
		ReasonEmpty, ReasonTemporality, ReasonTypeChange,
	},
	KindLogs:  {ReasonLabels, ReasonFuture, ReasonPast, ReasonTooLarge},
	KindSpans: {ReasonLabels, ReasonFuture, ReasonPast, ReasonIdentity, ReasonTooLarge},
}

// NewIntake returns what receivers of telemetry share.
func NewIntake(config IntakeConfig) *Intake {
	s := &Intake{
		IntakeConfig: config,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_telemetry_requests_total", Help: "Requests with telemetry, by protocol, kind and HTTP status.",
		}, []string{"protocol", "kind", "code"}),
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_telemetry_total", Help: "Samples, log records and spans that were accepted, by protocol and kind.",
		}, []string{"protocol", "kind"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_rejected_telemetry_total", Help: "Samples, log records and spans that were refused, by protocol, kind and reason.",
		}, []string{"protocol", "kind", "reason"}),
	}
	if config.Registry != nil {
		config.Registry.MustRegister(s.requests, s.accepted, s.rejected)
	}
	return s
}

// Count makes the counters of a protocol visible before anything came.
func (s *Intake) Count(protocol string, kinds ...Kind) {
	for _, kind := range kinds {
		s.accepted.WithLabelValues(protocol, string(kind))
		for _, reason := range reasonsOf[kind] {
			s.rejected.WithLabelValues(protocol, string(kind), reason)
		}
	}
}

// Visit is one request with telemetry.
type Visit struct {
	// Protocol names the wire format and the kind of integration, Kind what it brings, Sender who sent it.
	Protocol string
	Kind     Kind
	Sender   Sender
	// At is the time of receipt.
	At time.Time
	// Accepted is how many samples, log records or spans were taken, Rejected how many refused, Errors why, at most MaxErrors.
	Accepted, Rejected int
	Errors             []FieldError
	// Accepted histograms and exemplars are counted apart, because remote write tells its sender.
	Histograms, Exemplars int

	door    *integration.Integration
	reasons map[string]int
	// RetryAfter is when a sender over its cap may send new series again.
	RetryAfter time.Duration
}

// Refuse notes what is left out.
func (v *Visit) Refuse(count int, reason string, field FieldError) {
	if v.reasons == nil {
		v.reasons = make(map[string]int)
	}
	v.Rejected += count
	v.reasons[reason] += count
	if len(v.Errors) < MaxErrors {
		v.Errors = append(v.Errors, field)
	}
}

// Enter finds out who sends a request and when it counts as received.
func (s *Intake) Enter(r *http.Request, protocol string, kind Kind) (*Visit, *Problem) {
	v := &Visit{Protocol: protocol, Kind: kind, Sender: SenderOf(r, protocol)}
	if s.Gate != nil {
		door, problem := s.Gate.Admit(r.Context(), r, integration.Knock{
			Kind: protocol, Name: cmp.Or(r.PathValue("integration"), protocol), Secret: SecretOf(r),
		})
		if problem != nil {
			return v, problem
		}
		v.door, v.Sender.Integration = door, door.Name
	}
	at, err := Time(r, s.Clock)
	if err != nil {
		return v, AsProblem(err)
	}
	v.At = at
	return v, nil
}

// Done counts a request that was answered with a status.
func (s *Intake) Done(v *Visit, r *http.Request, code int, problem *Problem) {
	s.requests.WithLabelValues(v.Protocol, string(v.Kind), strconv.Itoa(code)).Inc()
	s.accepted.WithLabelValues(v.Protocol, string(v.Kind)).Add(float64(v.Accepted))
	for reason, count := range v.reasons {
		s.rejected.WithLabelValues(v.Protocol, string(v.Kind), reason).Add(float64(count))
	}
	refusal := ""
	switch {
	case len(v.Errors) > 0:
		refusal = v.Errors[0].Field + ": " + v.Errors[0].Remedy
	case problem != nil && len(problem.Errors) > 0:
		refusal = problem.Errors[0].Field + ": " + problem.Errors[0].Remedy
	case problem != nil:
		refusal = problem.Detail
	}
	s.note(v, refusal)
	if v.door != nil {
		told := problem
		if told == nil && refusal != "" {
			told = &Problem{Detail: refusal}
		}
		s.Gate.Note(v.door, r, v.At, nil, code, v.Accepted, v.Rejected, told)
	}
	if refusal != "" {
		s.Logger.Debug("telemetry was refused", "kind", v.Kind, "sender", v.Sender.String(), "status", code, "rejected", v.Rejected, "reason", refusal)
	}
}

// Untimely reports whether a time is too far from that of the request, and why.
func (v *Visit) Untimely(at time.Time) (field FieldError, reason string, bad bool) {
	field.Value = at.UTC().Format(time.RFC3339)
	now := v.At.Format(time.RFC3339)
	switch {
	case at.After(v.At.Add(maxAhead)):
		field.Remedy = "it is more than " + maxAhead.String() + " in the future of this server, whose clock says " + now + "; set the sender's clock"
		return field, ReasonFuture, true
	case at.Before(v.At.Add(-maxPast)):
		field.Remedy = "it is more than 90 days before the time of this server, " + now + "; set the sender's clock, or replay recordings to a server on --clock event"
		return field, ReasonPast, true
	}
	return field, "", false
}
