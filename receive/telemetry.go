package receive

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/signal"
)

// Bounds of log records and spans. Longer texts are cut; a record that is still too large is refused.
const (
	maxBody       = 256 << 10
	maxAttribute  = 64 << 10
	maxAttributes = 256
	maxRecord     = 512 << 10 // a message of the bus takes twice as much
)

// cutMark stands at the end of a text that was cut.
const cutMark = "…[cut]"

// TakeLogs checks log records, takes secrets out of them, publishes the good ones and returns when they are written. What is
// bad is noted in the visit.
func (s *Intake) TakeLogs(ctx context.Context, v *Visit, batches []signal.LogBatch) *Problem {
	count := 0
	for i := range batches {
		b := &batches[i]
		b.At, b.Source = v.At, v.Sender.Integration
		b.Resource = s.tidy(b.Resource)
		b.Records = slices.DeleteFunc(b.Records, func(r signal.LogRecord) bool {
			return v.unfit("logRecords", "timeUnixNano", r.At, len(r.Attributes), r.Bytes())
		})
		for j := range b.Records {
			r := &b.Records[j]
			r.Body, r.Attributes = s.clean(abridge(r.Body, maxBody)), s.tidy(r.Attributes)
		}
		count += len(b.Records)
	}
	if err := s.Publisher.PublishLogs(ctx, v.At, batches); err != nil {
		return PublishProblem(err)
	}
	v.Accepted += count
	return nil
}

// TakeSpans checks spans, takes secrets out of them, publishes the good ones and returns when they are written. What is bad
// is noted in the visit.
func (s *Intake) TakeSpans(ctx context.Context, v *Visit, batches []signal.SpanBatch) *Problem {
	count := 0
	for i := range batches {
		b := &batches[i]
		b.At, b.Source = v.At, v.Sender.Integration
		b.Resource = s.tidy(b.Resource)
		b.Spans = slices.DeleteFunc(b.Spans, func(span signal.Span) bool {
			return v.unidentified(&span) || v.unfit("spans", "startTimeUnixNano", span.Start, len(span.Attributes), span.Bytes())
		})
		for j := range b.Spans {
			s.tidySpan(&b.Spans[j])
		}
		count += len(b.Spans)
	}
	if err := s.Publisher.PublishSpans(ctx, v.At, batches); err != nil {
		return PublishProblem(err)
	}
	v.Accepted += count
	return nil
}

func (s *Intake) tidySpan(span *signal.Span) {
	span.Name, span.Message, span.Attributes = s.clean(abridge(span.Name, maxAttribute)), s.clean(abridge(span.Message, maxAttribute)), s.tidy(span.Attributes)
	for i := range span.Events {
		span.Events[i].Attributes = s.tidy(span.Events[i].Attributes)
	}
	for i := range span.Links {
		span.Links[i].Attributes = s.tidy(span.Links[i].Attributes)
	}
}

// unidentified notes a span that cannot be told from others, or that ends before it starts.
func (v *Visit) unidentified(span *signal.Span) bool {
	switch {
	case span.Trace == signal.TraceID{}:
		v.Refuse(1, ReasonIdentity, FieldError{Field: "spans.traceId", Value: "", Remedy: "send the 16 bytes that name the trace, not all zero"})
	case span.ID == signal.SpanID{}:
		v.Refuse(1, ReasonIdentity, FieldError{Field: "spans.spanId", Value: "", Remedy: "send the 8 bytes that name the span, not all zero"})
	case span.End < span.Start:
		v.Refuse(1, ReasonPast, FieldError{
			Field: "spans.endTimeUnixNano", Value: time.Unix(0, span.End).UTC().Format(time.RFC3339Nano),
			Remedy: "it is before the start, " + time.Unix(0, span.Start).UTC().Format(time.RFC3339Nano) + "; send the time at which the work ended",
		})
	default:
		return false
	}
	return true
}

// unfit notes a record that is of another time or too large.
func (v *Visit) unfit(list, clock string, at int64, attributes, bytes int) bool {
	if field, reason, bad := v.Untimely(time.Unix(0, at)); bad {
		field.Field = list + "." + clock
		v.Refuse(1, reason, field)
		return true
	}
	switch {
	case attributes > maxAttributes:
		v.Refuse(1, ReasonLabels, FieldError{
			Field: list + ".attributes", Value: strconv.Itoa(attributes) + " attributes", Remedy: fmt.Sprintf("at most %d are taken; drop some", maxAttributes),
		})
	case bytes > maxRecord:
		v.Refuse(1, ReasonTooLarge, FieldError{
			Field: list, Value: fmt.Sprintf("%d bytes", bytes), Remedy: fmt.Sprintf("at most %d bytes are taken; send less in one record", maxRecord),
		})
	default:
		return false
	}
	return true
}

// tidy cuts long values and takes secrets out.
func (s *Intake) tidy(labels signal.Labels) signal.Labels {
	for i := range labels {
		labels[i].Value = abridge(labels[i].Value, maxAttribute)
	}
	if s.Gate != nil {
		redactLabels(labels, s.Gate.Redactor)
	}
	return labels
}

// clean takes secrets and addresses of people out of a text.
func (s *Intake) clean(text string) string {
	if s.Gate == nil {
		return text
	}
	return s.Gate.Redactor.Text(text)
}

// redactLabels takes secrets out of values.
func redactLabels(labels signal.Labels, redactor *integration.Redactor) {
	for i := range labels {
		if labels[i].Name != "__name__" {
			labels[i].Value = redactor.Label(labels[i].Value)
		}
	}
}

// abridge cuts a text and says so at its end.
func abridge(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len(cutMark)], "") + cutMark
}
