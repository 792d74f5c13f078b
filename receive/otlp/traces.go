package otlp

import (
	"context"
	"net/http"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

func parseTraces(body []byte, form form) (ptraceotlp.ExportRequest, error) {
	request := ptraceotlp.NewExportRequest()
	return request, parse(body, form, "ExportTraceServiceRequest", request)
}

func (rc *Receiver) takeTraces(ctx context.Context, v *receive.Visit, request ptraceotlp.ExportRequest) *receive.Problem {
	if ctx.Value(trackingKey{}) != nil && ofMLflow(request.Traces()) {
		return &receive.Problem{
			Status: http.StatusUnprocessableEntity, Detail: "These are spans of MLflow, and the header " + experimentHeader + " does not say of which experiment.",
			Errors: []receive.FieldError{{Field: experimentHeader, Remedy: "name the experiment in this header; to send them as spans of a running system, use OTLP's own port or /in/otlp/{integration}/v1/traces"}},
		}
	}
	return rc.intake.TakeSpans(ctx, v, spanBatches(request.Traces()))
}

type trackingKey struct{}

// WithTracking returns a context for requests at an address that MLflow's clients take for their tracking server: their spans
// must name an experiment there.
func WithTracking(ctx context.Context) context.Context {
	return context.WithValue(ctx, trackingKey{}, true)
}

// ofMLflow reports whether spans carry what MLflow's clients put on theirs.
func ofMLflow(traces ptrace.Traces) bool {
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				if _, marked := span.Attributes().Get("mlflow.spanType"); marked {
					return true
				}
			}
		}
	}
	return false
}

func tracesResponse(rejected int64, reasons string) ptraceotlp.ExportResponse {
	response := ptraceotlp.NewExportResponse()
	if rejected > 0 {
		response.PartialSuccess().SetRejectedSpans(rejected)
		response.PartialSuccess().SetErrorMessage(reasons)
	}
	return response
}

// experimentHeader says that traces are those of an experiment.
const experimentHeader = "X-Mlflow-Experiment-Id"

// forExperiment refuses the traces of an experiment: they are none of a system in production. What keeps them takes them at
// /v1/traces before they come here.
func forExperiment(r *http.Request) *receive.Problem {
	id := r.Header.Get(experimentHeader)
	if id == "" {
		return nil
	}
	return &receive.Problem{
		Status: http.StatusNotImplemented, Detail: "Traces of experiments are not taken here.",
		Errors: []receive.FieldError{{Field: "x-mlflow-experiment-id", Value: receive.Excerpt(id), Remedy: "send them over HTTP to /v1/traces, or leave the header out to send the traces of a running system"}},
	}
}

// spanBatches makes our own spans of OTLP's.
func spanBatches(traces ptrace.Traces) []signal.SpanBatch {
	var batches []signal.SpanBatch
	for i := range traces.ResourceSpans().Len() {
		of := traces.ResourceSpans().At(i)
		batch := signal.SpanBatch{Resource: textsOf(of.Resource().Attributes())}
		for j := range of.ScopeSpans().Len() {
			scope := of.ScopeSpans().At(j)
			for k := range scope.Spans().Len() {
				batch.Spans = append(batch.Spans, ownSpan(scope.Spans().At(k), scope.Scope().Name()))
			}
		}
		if len(batch.Spans) > 0 {
			batches = append(batches, batch)
		}
	}
	return batches
}

func ownSpan(from ptrace.Span, scope string) signal.Span {
	s := signal.Span{
		Trace: signal.TraceID(from.TraceID()), ID: signal.SpanID(from.SpanID()), Parent: signal.SpanID(from.ParentSpanID()),
		Name: clone(from.Name()), Start: nanos(from.StartTimestamp()), End: nanos(from.EndTimestamp()),
		Message: clone(from.Status().Message()), State: clone(from.TraceState().AsRaw()), Scope: clone(scope),
		Attributes: textsOf(from.Attributes()),
	}
	if kind := from.Kind(); kind > 0 && kind <= ptrace.SpanKindConsumer {
		s.Kind = signal.SpanKind(kind)
	}
	if code := from.Status().Code(); code > 0 && code <= ptrace.StatusCodeError {
		s.Status = signal.SpanStatus(code)
	}
	for i := range from.Events().Len() {
		e := from.Events().At(i)
		s.Events = append(s.Events, signal.SpanEvent{At: nanos(e.Timestamp()), Name: clone(e.Name()), Attributes: textsOf(e.Attributes())})
	}
	for i := range from.Links().Len() {
		l := from.Links().At(i)
		s.Links = append(s.Links, signal.SpanLink{Trace: signal.TraceID(l.TraceID()), Span: signal.SpanID(l.SpanID()), Attributes: textsOf(l.Attributes())})
	}
	return s
}
