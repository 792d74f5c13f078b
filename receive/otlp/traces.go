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
	return rc.intake.TakeSpans(ctx, v, spanBatches(request.Traces()))
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

// forExperiment refuses the traces of an experiment: they are none of a system in production, and nothing keeps them yet.
func forExperiment(r *http.Request) *receive.Problem {
	id := r.Header.Get(experimentHeader)
	if id == "" {
		return nil
	}
	return &receive.Problem{
		Status: http.StatusNotImplemented, Detail: "Traces of experiments are not kept here yet.",
		Errors: []receive.FieldError{{Field: "x-mlflow-experiment-id", Value: receive.Excerpt(id), Remedy: "leave the header out to send the traces of a running system"}},
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
