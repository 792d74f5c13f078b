package receive

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/fairlead/fairlead/base/signal"
)

// Bounds of one series. What is longer is refused: it would cost every query.
const (
	maxSeriesLabels = 128
	maxLabelName    = 1024
	maxLabelValue   = 4096
	// maxBuckets bounds a native histogram's buckets.
	maxBuckets = 4096
)

// Take checks the series of a request, publishes the good ones and returns when they are written. What is bad is noted in
// the visit.
func (s *Intake) Take(ctx context.Context, v *Visit, series []signal.Series) *Problem {
	good := series[:0]
	for i := range series {
		if v.check(&series[i], i) {
			good = append(good, series[i])
		}
	}
	good = s.types.admit(v, s.cap(v, good)) // what is over the cap must not fill what is remembered of types
	if s.Gate != nil {
		for i := range good {
			redactLabels(good[i].Labels, s.Gate.Redactor)
		}
	}
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
func (s *Intake) cap(v *Visit, series []signal.Series) []signal.Series {
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
	next, gone := 0, excess.Refused // in order
	return slices.DeleteFunc(series, func(signal.Series) bool {
		next++
		if len(gone) == 0 || gone[0] != next-1 {
			return false
		}
		gone = gone[1:]
		return true
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

func spans(from []histogram.Span) []signal.BucketSpan {
	if len(from) == 0 {
		return nil
	}
	to := make([]signal.BucketSpan, len(from))
	for i := range from {
		to[i] = signal.BucketSpan{Offset: from[i].Offset, Length: from[i].Length}
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
