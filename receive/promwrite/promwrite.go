// Package promwrite receives samples by Prometheus remote write, versions 1 and 2, so that an unmodified Prometheus (or
// Grafana Alloy, the OpenTelemetry Collector, vmagent) can send to POST /api/v1/write.
//
//	remote_write:
//	  - url: http://127.0.0.1:8460/api/v1/write
//
// Version 1 is the protobuf message prometheus.WriteRequest, version 2 io.prometheus.write.v2.Request, each packed with
// snappy; Content-Type says which. Samples, native histograms, exemplars, metadata and staleness markers are taken. What is
// good in a request is kept and written before it is answered; if something was bad the answer is 400 with what and why,
// which makes the sender go on with the next request, as the protocol wants it. 429 and 503 make it send again.
//
// https://prometheus.io/docs/specs/prw/remote_write_spec/ and remote_write_spec_2_0/
package promwrite

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

// Protocol is the kind of integration that these samples come through.
const Protocol = "remote-write"

// Names of the two messages, as Content-Type's parameter proto has them.
const (
	messageV1 = "prometheus.WriteRequest"
	messageV2 = "io.prometheus.write.v2.Request"
)

// Handler serves POST /api/v1/write. It is safe for concurrent use.
type Handler struct{ intake *receive.Intake }

// New returns a handler.
func New(intake *receive.Intake) *Handler {
	intake.Count(Protocol, receive.KindSamples)
	return &Handler{intake: intake}
}

// ServeHTTP reads, publishes and answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v, problem := h.intake.Enter(r, Protocol, receive.KindSamples)
	version := 0
	if problem == nil {
		version, problem = h.serve(w, r, v)
	}
	if version == 2 {
		// The sender learns how much was written also when something was not.
		header := w.Header()
		header.Set("X-Prometheus-Remote-Write-Samples-Written", strconv.Itoa(v.Accepted-v.Histograms))
		header.Set("X-Prometheus-Remote-Write-Histograms-Written", strconv.Itoa(v.Histograms))
		header.Set("X-Prometheus-Remote-Write-Exemplars-Written", strconv.Itoa(v.Exemplars))
	}
	code := http.StatusNoContent
	if problem == nil && v.Rejected > 0 {
		problem = partial(v)
	}
	if problem != nil {
		code = problem.Status
		problem.Write(w)
	} else {
		w.WriteHeader(code)
	}
	h.intake.Done(v, r, code, problem)
}

// partial says what of a request was left out.
func partial(v *receive.Visit) *receive.Problem {
	// Not 429, which would make the sender repeat the good samples of the request for hours.
	return &receive.Problem{
		Status: http.StatusBadRequest, Errors: v.Errors,
		Detail: fmt.Sprintf("%d samples were stored, %d were not: %s: %s.", v.Accepted, v.Rejected, v.Errors[0].Field, v.Errors[0].Remedy),
	}
}

// serve returns the version of the message, 0 if it is not known, and nil when what is good is durable.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, v *receive.Visit) (version int, problem *receive.Problem) {
	version, problem = versionOf(r)
	if problem != nil {
		return 0, problem
	}
	body, release, err := h.intake.Bodies.Read(w, r, v.Sender)
	if err != nil {
		return version, receive.AsProblem(err)
	}
	defer release()
	var series []signal.Series
	if version == 1 {
		series, err = parseV1(body, v)
	} else {
		series, err = parseV2(body, v)
	}
	if err != nil {
		return version, receive.AsProblem(err)
	}
	return version, h.intake.Take(r.Context(), v, series)
}

// versionOf reads which message a request carries.
func versionOf(r *http.Request) (int, *receive.Problem) {
	unsupported := func(field, value, remedy string) *receive.Problem {
		return &receive.Problem{
			Status: http.StatusUnsupportedMediaType, Detail: "This is no remote write of version 1 or 2.",
			Errors: []receive.FieldError{{Field: field, Value: receive.Excerpt(value), Remedy: remedy}},
		}
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "snappy") {
		return 0, unsupported("Content-Encoding", encoding, "send snappy, the only packing that the protocol knows")
	}
	r.Header.Set("Content-Encoding", "snappy") // version 1 takes it for granted
	text := r.Header.Get("Content-Type")
	if text == "" {
		return 1, nil
	}
	media, params, err := mime.ParseMediaType(text)
	if err != nil || media != "application/x-protobuf" {
		return 0, unsupported("Content-Type", text, "send application/x-protobuf;proto="+messageV2)
	}
	switch params["proto"] {
	case "", messageV1:
		return 1, nil
	case messageV2:
		return 2, nil
	}
	return 0, unsupported("Content-Type", text, "proto is neither "+messageV1+" nor "+messageV2)
}

// broken is the answer to a message that cannot be read.
func broken(err error) error {
	return receive.Invalid(receive.FieldError{Field: "body", Value: "protobuf", Remedy: fmt.Sprintf("it cannot be read (%v); Content-Type says which message is expected", err)})
}

func parseV1(body []byte, v *receive.Visit) ([]signal.Series, error) {
	var message prompb.WriteRequest
	if err := message.Unmarshal(body); err != nil {
		return nil, broken(err)
	}
	described := make(map[string]*prompb.MetricMetadata, len(message.Metadata))
	for i := range message.Metadata {
		described[message.Metadata[i].MetricFamilyName] = &message.Metadata[i]
	}
	series := make([]signal.Series, 0, len(message.Timeseries))
	for i := range message.Timeseries {
		t := &message.Timeseries[i]
		labels := make(signal.Labels, 0, len(t.Labels))
		for _, l := range t.Labels {
			if l.Value != "" {
				labels = append(labels, signal.Label{Name: l.Name, Value: l.Value})
			}
		}
		s := signal.Series{Labels: inOrder(labels)}
		name := s.Labels.Get("__name__")
		if m := described[name]; m != nil {
			s.Family, s.Unit, s.Help = familyV1(m.Type), m.Unit, m.Help
		}
		s.Type = typeOf(&s)
		for _, sample := range t.Samples {
			s.Samples = append(s.Samples, signal.Sample{At: sample.Timestamp, Value: sample.Value})
		}
		for j := range t.Histograms {
			s.Histograms = appendHistogram(s.Histograms, t.Histograms[j].Timestamp, &t.Histograms[j], i, v)
		}
		for j := range t.Exemplars {
			e := &t.Exemplars[j]
			exemplar := signal.Exemplar{At: e.Timestamp, Value: e.Value}
			for _, l := range e.Labels {
				exemplar.Labels = append(exemplar.Labels, signal.Label{Name: l.Name, Value: l.Value})
			}
			s.Exemplars = append(s.Exemplars, exemplar)
		}
		series = append(series, s)
	}
	for i := range message.Metadata {
		m := &message.Metadata[i]
		if m.MetricFamilyName != "" {
			series = append(series, signal.Series{
				Labels: signal.Labels{{Name: "__name__", Value: m.MetricFamilyName}}, Family: familyV1(m.Type), Unit: m.Unit, Help: m.Help,
			})
		}
	}
	return series, nil
}

func familyV1(t prompb.MetricMetadata_MetricType) signal.Family {
	if t == prompb.MetricMetadata_UNKNOWN {
		return ""
	}
	return signal.Family(strings.ToLower(t.String()))
}

// native is a native histogram of either version.
type native interface {
	IsFloatHistogram() bool
	ToFloatHistogram() *histogram.FloatHistogram
	ToIntHistogram() *histogram.Histogram
}

// appendHistogram appends a histogram unless it contradicts itself.
func appendHistogram(to []signal.HistogramSample, at int64, h native, index int, v *receive.Visit) []signal.HistogramSample {
	var f *histogram.FloatHistogram
	var invalid error
	if h.IsFloatHistogram() {
		f = h.ToFloatHistogram()
		invalid = f.Validate()
	} else {
		n := h.ToIntHistogram()
		if invalid = n.Validate(); invalid == nil {
			f = n.ToFloat(nil)
		}
	}
	if invalid != nil {
		v.Refuse(1, receive.ReasonHistogram, receive.FieldError{
			Field: fmt.Sprintf("timeseries[%d].histograms", index), Value: strconv.FormatInt(at, 10), Remedy: fmt.Sprintf("the histogram contradicts itself: %v", invalid),
		})
		return to
	}
	return append(to, receive.Histogram(at, f))
}

func parseV2(body []byte, v *receive.Visit) ([]signal.Series, error) {
	var message writev2.Request
	if err := message.Unmarshal(body); err != nil {
		return nil, broken(err)
	}
	series := make([]signal.Series, 0, len(message.Timeseries))
	for i := range message.Timeseries {
		t := &message.Timeseries[i]
		labels, ok := resolve(t.LabelsRefs, message.Symbols)
		meta, err := t.ToMetadata(message.Symbols)
		if !ok || err != nil {
			v.Refuse(len(t.Samples)+len(t.Histograms), receive.ReasonLabels, receive.FieldError{
				Field: fmt.Sprintf("timeseries[%d].labels_refs", i), Value: receive.Excerpt(fmt.Sprint(t.LabelsRefs)),
				Remedy: fmt.Sprintf("they do not name pairs of the %d symbols", len(message.Symbols)),
			})
			continue
		}
		s := signal.Series{Labels: inOrder(labels), Unit: meta.Unit, Help: meta.Help}
		if meta.Type != "unknown" {
			s.Family = signal.Family(meta.Type)
		}
		s.Type = typeOf(&s)
		for _, sample := range t.Samples {
			s.Samples = append(s.Samples, signal.Sample{At: sample.Timestamp, Value: sample.Value})
		}
		for j := range t.Histograms {
			s.Histograms = appendHistogram(s.Histograms, t.Histograms[j].Timestamp, &t.Histograms[j], i, v)
		}
		for j := range t.Exemplars {
			e := &t.Exemplars[j]
			if labels, ok := resolve(e.LabelsRefs, message.Symbols); ok {
				s.Exemplars = append(s.Exemplars, signal.Exemplar{At: e.Timestamp, Value: e.Value, Labels: labels})
			}
		}
		series = append(series, s)
	}
	return series, nil
}

// typeOf says how values are to be read: by what the sender says of the metric, else by its name.
func typeOf(s *signal.Series) signal.SampleType {
	switch s.Family {
	case "counter":
		return signal.Counter
	case "gauge":
		return signal.Gauge
	}
	return receive.TypeByName(s.Labels.Get("__name__"))
}

// resolve looks up labels in a table of symbols; false if they are not in it.
func resolve(refs []uint32, symbols []string) (signal.Labels, bool) {
	if len(refs)%2 != 0 {
		return nil, false
	}
	labels := make(signal.Labels, 0, len(refs)/2)
	for i := 0; i < len(refs); i += 2 {
		name, value := refs[i], refs[i+1]
		if int(name) >= len(symbols) || int(value) >= len(symbols) {
			return nil, false
		}
		if symbols[value] != "" {
			labels = append(labels, signal.Label{Name: symbols[name], Value: symbols[value]})
		}
	}
	return labels, true
}

// inOrder sorts labels unless they are sorted, as those of Prometheus are.
func inOrder(labels signal.Labels) signal.Labels {
	compare := func(a, b signal.Label) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(labels, compare) {
		slices.SortStableFunc(labels, compare)
	}
	return labels
}
