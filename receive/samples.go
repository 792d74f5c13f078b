package receive

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/histogram"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
)

// SamplePublisher takes samples. It is safe for concurrent use.
type SamplePublisher interface {
	// PublishSamples returns after the samples are written. at is the time of receipt. An error that wraps ErrFull or
	// ErrUnavailable means that the sender may retry all of them: a repeat does no harm.
	PublishSamples(ctx context.Context, at time.Time, source string, series []signal.Series) error
}

// SampleConfig says what the receivers of samples share.
type SampleConfig struct {
	Publisher SamplePublisher
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

// Samples is what the receivers of samples share: who may send, what is good, how much, and where it goes. It is safe for
// concurrent use.
type Samples struct {
	SampleConfig
	requests *prometheus.CounterVec
	accepted *prometheus.CounterVec
	rejected *prometheus.CounterVec
}

// Bounds of one series. What is longer is refused: it would cost every query.
const (
	maxSeriesLabels = 128
	maxLabelName    = 1024
	maxLabelValue   = 4096
	// maxAhead is how far in the future a sample may be: clocks differ.
	maxAhead = 10 * time.Minute
	// maxPast is how long past a sample may be.
	maxPast = 90 * 24 * time.Hour
	// maxBuckets bounds a native histogram's buckets.
	maxBuckets = 4096
)

// Reasons why a sample is refused, as the metric names them.
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
)

var sampleReasons = []string{
	ReasonLabels, ReasonFuture, ReasonPast, ReasonNegativeCounter, ReasonInfinite, ReasonHistogram, ReasonCardinality, ReasonUnsupported,
	ReasonEmpty,
}

// NewSamples returns what receivers of samples share.
func NewSamples(config SampleConfig) *Samples {
	s := &Samples{
		SampleConfig: config,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_sample_requests_total", Help: "Requests with samples, by protocol and HTTP status.",
		}, []string{"protocol", "code"}),
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_samples_total", Help: "Samples that were accepted, by protocol.",
		}, []string{"protocol"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fairlead_receive_rejected_samples_total", Help: "Samples that were refused, by protocol and reason.",
		}, []string{"protocol", "reason"}),
	}
	if config.Registry != nil {
		config.Registry.MustRegister(s.requests, s.accepted, s.rejected)
	}
	return s
}

// Protocols make the counters of a protocol visible before anything came.
func (s *Samples) Protocols(names ...string) {
	for _, name := range names {
		s.accepted.WithLabelValues(name)
		for _, reason := range sampleReasons {
			s.rejected.WithLabelValues(name, reason)
		}
	}
}

// Visit is one request with samples.
type Visit struct {
	// Protocol names the wire format and the kind of integration, Sender who sent it.
	Protocol string
	Sender   Sender
	// At is the time of receipt.
	At time.Time
	// Accepted is how many samples were taken, Rejected how many refused, Errors why, at most MaxErrors.
	Accepted, Rejected int
	Errors             []FieldError
	// Accepted histograms and exemplars are counted apart, because remote write tells its sender.
	Histograms, Exemplars int

	door    *integration.Integration
	reasons map[string]int
	// RetryAfter is when a sender over its cap may send new series again.
	RetryAfter time.Duration
}

// Refuse notes samples that are left out.
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
func (s *Samples) Enter(r *http.Request, protocol string) (*Visit, *Problem) {
	v := &Visit{Protocol: protocol, Sender: SenderOf(r, protocol)}
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
func (s *Samples) Done(v *Visit, r *http.Request, code int, problem *Problem) {
	s.requests.WithLabelValues(v.Protocol, strconv.Itoa(code)).Inc()
	s.accepted.WithLabelValues(v.Protocol).Add(float64(v.Accepted))
	for reason, count := range v.reasons {
		s.rejected.WithLabelValues(v.Protocol, reason).Add(float64(count))
	}
	if v.door != nil {
		s.Gate.Note(v.door, r, v.At, nil, code, v.Accepted, v.Rejected, problem)
	}
	if problem != nil || v.Rejected > 0 {
		detail := ""
		switch {
		case problem != nil:
			detail = problem.Detail
		case len(v.Errors) > 0:
			detail = v.Errors[0].Field + ": " + v.Errors[0].Remedy
		}
		s.Logger.Debug("samples were refused", "sender", v.Sender.String(), "status", code, "rejected", v.Rejected, "reason", detail)
	}
}

// Take checks the series of a request, publishes the good ones and returns when they are written. What is bad is noted in
// the visit.
func (s *Samples) Take(ctx context.Context, v *Visit, series []signal.Series) *Problem {
	good := series[:0]
	for i := range series {
		if v.check(&series[i], i) {
			good = append(good, series[i])
		}
	}
	good = s.cap(v, good)
	// Also when nothing is left: on an event clock the request still moves the time.
	if err := s.Publisher.PublishSamples(ctx, v.At, v.Sender.Integration, good); err != nil {
		return PublishProblem(err)
	}
	for i := range good {
		v.Accepted += len(good[i].Samples) + len(good[i].Histograms)
		v.Histograms += len(good[i].Histograms)
		v.Exemplars += len(good[i].Exemplars)
	}
	return nil
}

// cap holds the sender to its number of different series.
func (s *Samples) cap(v *Visit, series []signal.Series) []signal.Series {
	if s.Caps == nil || len(series) == 0 {
		return series
	}
	ids := make([]signal.Fingerprint, len(series))
	for i := range series {
		ids[i] = signal.Fingerprint(series[i].Labels.SeriesID())
	}
	excess := s.Caps.Admit(v.Sender, v.At, ids, func(i int) signal.Labels { return series[i].Labels })
	if excess == nil {
		return series
	}
	refused := 0
	for _, i := range excess.Refused {
		refused += len(series[i].Samples) + len(series[i].Histograms)
	}
	v.RetryAfter = excess.RetryAfter
	v.Refuse(refused, ReasonCardinality, FieldError{
		Field: "labels." + excess.Label, Value: fmt.Sprintf("about %d different values", excess.Values),
		Remedy: fmt.Sprintf("the sender has sent %d different series, and more than %d are not taken; drop this label, or raise receive.max_series_per_sender", excess.Known, excess.Limit),
	})
	next := 0
	return slices.DeleteFunc(series, func(signal.Series) bool {
		gone := slices.Contains(excess.Refused, next)
		next++
		return gone
	})
}

// check reports whether anything of a series can be taken; what cannot is noted and removed.
func (v *Visit) check(s *signal.Series, index int) bool {
	count := len(s.Samples) + len(s.Histograms)
	if count == 0 {
		return s.Family != "" || s.Help != "" // it only describes a metric
	}
	if field, ok := checkLabels(s.Labels, index); !ok {
		v.Refuse(count, ReasonLabels, field)
		return false
	}
	s.Samples = slices.DeleteFunc(s.Samples, func(sample signal.Sample) bool {
		if v.untimely(index, sample.At) {
			return true
		}
		if (s.Type == signal.Counter || s.Type == signal.Delta) && sample.Value < 0 {
			v.Refuse(1, ReasonNegativeCounter, FieldError{
				Field: place(index, "value"), Value: strconv.FormatFloat(sample.Value, 'g', -1, 64),
				Remedy: "a counter cannot be negative; send what grows and falls as a gauge",
			})
			return true
		}
		return false
	})
	s.Histograms = slices.DeleteFunc(s.Histograms, func(h signal.HistogramSample) bool {
		if v.untimely(index, h.At) {
			return true
		}
		if buckets := len(h.Positive) + len(h.Negative) + len(h.Bounds); buckets > maxBuckets {
			v.Refuse(1, ReasonHistogram, FieldError{
				Field: place(index, "histogram"), Value: fmt.Sprintf("%d buckets", buckets),
				Remedy: fmt.Sprintf("at most %d buckets are taken; lower the resolution", maxBuckets),
			})
			return true
		}
		return false
	})
	return len(s.Samples)+len(s.Histograms) > 0
}

// untimely notes a sample that is far in the future or long past.
func (v *Visit) untimely(index int, at int64) bool {
	field, reason, bad := v.Untimely(time.UnixMilli(at))
	if bad {
		field.Field = place(index, "timestamp")
		v.Refuse(1, reason, field)
	}
	return bad
}

// Untimely reports whether a time is too far from that of the request to be a sample's, and why.
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

func place(index int, field string) string { return "series[" + strconv.Itoa(index) + "]." + field }

// checkLabels says what is wrong with labels. They are sorted by name.
func checkLabels(labels signal.Labels, index int) (FieldError, bool) {
	bad := func(field, value, remedy string) (FieldError, bool) {
		return FieldError{Field: place(index, field), Value: Excerpt(value), Remedy: remedy}, false
	}
	if labels.Get("__name__") == "" {
		return bad("labels.__name__", "", "the name of the metric is missing; send it as this label")
	}
	if len(labels) > maxSeriesLabels {
		return bad("labels", strconv.Itoa(len(labels))+" labels", "at most "+strconv.Itoa(maxSeriesLabels)+" labels are taken; drop some")
	}
	for i, l := range labels {
		field := "labels." + Excerpt(l.Name)
		switch {
		case l.Name == "" || !utf8.ValidString(l.Name):
			return bad(field, l.Name, "a label's name must be valid UTF-8 and not empty")
		case i > 0 && labels[i-1].Name >= l.Name:
			return bad(field, l.Value, "each label may come only once, sorted by name")
		case len(l.Name) > maxLabelName:
			return bad(field, l.Name, "a label's name may have at most "+strconv.Itoa(maxLabelName)+" bytes")
		case len(l.Value) > maxLabelValue:
			return bad(field, l.Value, "a label's value may have at most "+strconv.Itoa(maxLabelValue)+" bytes")
		case !utf8.ValidString(l.Value):
			return bad(field, l.Value, "a label's value must be valid UTF-8")
		}
	}
	return FieldError{}, true
}

// Histogram returns a native histogram in our own form.
func Histogram(at int64, h *histogram.FloatHistogram) signal.HistogramSample {
	return signal.HistogramSample{
		At: at, Schema: h.Schema, Gauge: h.CounterResetHint == histogram.GaugeType,
		ZeroThreshold: h.ZeroThreshold, ZeroCount: h.ZeroCount, Count: h.Count, Sum: h.Sum,
		PositiveSpans: spans(h.PositiveSpans), NegativeSpans: spans(h.NegativeSpans),
		Positive: h.PositiveBuckets, Negative: h.NegativeBuckets, Bounds: h.CustomValues,
	}
}

func spans(from []histogram.Span) []signal.Span {
	if len(from) == 0 {
		return nil
	}
	to := make([]signal.Span, len(from))
	for i := range from {
		to[i] = signal.Span{Offset: from[i].Offset, Length: from[i].Length}
	}
	return to
}

// TypeByName guesses what a series is from the end of its metric's name, as Prometheus' senders name them.
func TypeByName(name string) signal.SampleType {
	for _, suffix := range []string{"_total", "_count", "_sum", "_bucket"} {
		if len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix {
			return signal.Counter
		}
	}
	return signal.Untyped
}
