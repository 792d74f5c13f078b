package signal

import (
	"fmt"
	"time"
)

// SpanBatch is what a receiver of traces publishes at once: spans of one resource, received at one moment.
type SpanBatch struct {
	// At is the time of receipt: wall time, or the event time of the recording.
	At time.Time
	// Source is the integration that sent it.
	Source string
	// Resource are the attributes of what did the work.
	Resource Labels
	Spans    []Span
}

// Span is one piece of work of a trace, in OpenTelemetry's words.
type Span struct {
	Trace  TraceID
	ID     SpanID
	Parent SpanID // all zero for the root of a trace
	Name   string
	Kind   SpanKind
	// Start and End are in nanoseconds since 1970, UTC; End is not before Start.
	Start, End int64
	Status     SpanStatus
	// Message explains a Status of failure; State is the trace's own, as W3C's tracestate.
	Message string
	State   string
	// Scope is the library that made the span.
	Scope      string
	Attributes Labels
	Events     []SpanEvent
	Links      []SpanLink
}

// SpanEvent is what happened during a span, at a time in nanoseconds since 1970, UTC.
type SpanEvent struct {
	At         int64
	Name       string
	Attributes Labels
}

// SpanLink points at a span of another trace, or of the same.
type SpanLink struct {
	Trace      TraceID
	Span       SpanID
	Attributes Labels
}

// SpanKind says on which side of a call a span is.
type SpanKind uint8

// The kinds, with OpenTelemetry's numbers.
const (
	KindUnspecified SpanKind = iota
	KindInternal
	KindServer
	KindClient
	KindProducer
	KindConsumer
	spanKinds
)

var spanKindNames = [...]string{"unspecified", "internal", "server", "client", "producer", "consumer"}

// String returns unspecified, internal, server, client, producer or consumer.
func (k SpanKind) String() string { return spanKindNames[min(int(k), len(spanKindNames)-1)] }

// SpanStatus says how a span ended.
type SpanStatus uint8

// The states, with OpenTelemetry's numbers.
const (
	StatusUnset SpanStatus = iota
	StatusOK
	StatusError
	spanStatuses
)

var spanStatusNames = [...]string{"unset", "ok", "error"}

// String returns unset, ok or error.
func (s SpanStatus) String() string { return spanStatusNames[min(int(s), len(spanStatusNames)-1)] }

// spanVersion is the first byte of a record of spans.
const spanVersion = 1

// AppendSpans appends the record of a batch to buf and returns the extended buffer. Each distinct string is written once.
func AppendSpans(buf []byte, batch SpanBatch) []byte {
	w := recordWriter{index: make(map[string]uint64, 64)}
	w.head(batch.At, batch.Source, batch.Resource, len(batch.Spans))
	for i := range batch.Spans {
		s := &batch.Spans[i]
		w.body = append(append(append(w.body, s.Trace[:]...), s.ID[:]...), s.Parent[:]...)
		w.text(s.Name)
		w.uint(uint64(s.Kind))
		w.int(s.Start)
		w.int(s.End - s.Start)
		w.uint(uint64(s.Status))
		for _, text := range [...]string{s.Message, s.State, s.Scope} {
			w.text(text)
		}
		w.labels(s.Attributes)
		w.uint(uint64(len(s.Events)))
		for _, e := range s.Events {
			w.int(e.At - s.Start)
			w.text(e.Name)
			w.labels(e.Attributes)
		}
		w.uint(uint64(len(s.Links)))
		for _, l := range s.Links {
			w.body = append(append(w.body, l.Trace[:]...), l.Span[:]...)
			w.labels(l.Attributes)
		}
	}
	return w.finish(buf, spanVersion)
}

// DecodeSpans reads a record that AppendSpans wrote. The error wraps ErrRecord when data is none. The result shares no memory
// with data.
func DecodeSpans(data []byte) (SpanBatch, error) {
	r := readerOf(data, spanVersion)
	var batch SpanBatch
	var count int
	batch.At, batch.Source, batch.Resource, count = r.head()
	for range count {
		if r.err != nil {
			break
		}
		batch.Spans = append(batch.Spans, r.span())
	}
	if err := r.end(); err != nil {
		return SpanBatch{}, fmt.Errorf("decode spans: %w", err)
	}
	return batch, nil
}

func (r *recordReader) span() (s Span) {
	r.bytes(s.Trace[:])
	r.bytes(s.ID[:])
	r.bytes(s.Parent[:])
	s.Name = r.text()
	s.Kind = SpanKind(r.below(uint64(spanKinds))) //nolint:gosec // bounded
	s.Start = r.int()
	s.End = s.Start + r.int()
	s.Status = SpanStatus(r.below(uint64(spanStatuses))) //nolint:gosec // bounded
	s.Message, s.State, s.Scope = r.text(), r.text(), r.text()
	s.Attributes = r.labels()
	for range r.count() {
		if r.err != nil {
			return s
		}
		s.Events = append(s.Events, SpanEvent{At: s.Start + r.int(), Name: r.text(), Attributes: r.labels()})
	}
	for range r.count() {
		if r.err != nil {
			return s
		}
		var l SpanLink
		r.bytes(l.Trace[:])
		r.bytes(l.Span[:])
		l.Attributes = r.labels()
		s.Links = append(s.Links, l)
	}
	return s
}

// below reads a number that must be below a limit.
func (r *recordReader) below(limit uint64) uint64 {
	n := r.uint()
	if n >= limit {
		r.fail()
		return 0
	}
	return n
}
