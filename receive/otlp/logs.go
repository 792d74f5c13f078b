package otlp

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/receive"
)

func parseLogs(body []byte, form form) (plogotlp.ExportRequest, error) {
	request := plogotlp.NewExportRequest()
	return request, parse(body, form, "ExportLogsServiceRequest", request)
}

func (rc *Receiver) takeLogs(ctx context.Context, v *receive.Visit, request plogotlp.ExportRequest) *receive.Problem {
	return rc.intake.TakeLogs(ctx, v, logBatches(request.Logs(), v.At.UnixNano()))
}

func logsResponse(rejected int64, reasons string) plogotlp.ExportResponse {
	response := plogotlp.NewExportResponse()
	if rejected > 0 {
		response.PartialSuccess().SetRejectedLogRecords(rejected)
		response.PartialSuccess().SetErrorMessage(reasons)
	}
	return response
}

// logBatches makes our own records of OTLP's. A record that has neither a time nor one of observation gets now, in
// nanoseconds since 1970.
func logBatches(logs plog.Logs, now int64) []signal.LogBatch {
	var batches []signal.LogBatch
	for i := range logs.ResourceLogs().Len() {
		of := logs.ResourceLogs().At(i)
		batch := signal.LogBatch{Resource: textsOf(of.Resource().Attributes())}
		for j := range of.ScopeLogs().Len() {
			scope := of.ScopeLogs().At(j)
			for k := range scope.LogRecords().Len() {
				batch.Records = append(batch.Records, logRecord(scope.LogRecords().At(k), scope.Scope().Name(), now))
			}
		}
		if len(batch.Records) > 0 {
			batches = append(batches, batch)
		}
	}
	return batches
}

func logRecord(from plog.LogRecord, scope string, now int64) signal.LogRecord {
	return signal.LogRecord{
		At:       cmp.Or(nanos(from.Timestamp()), nanos(from.ObservedTimestamp()), now),
		Severity: uint8(min(max(from.SeverityNumber(), 0), 24)), //nolint:gosec // bounded
		Level:    clone(from.SeverityText()), Event: clone(from.EventName()), Body: clone(from.Body().AsString()), Scope: clone(scope),
		Attributes: textsOf(from.Attributes()), Trace: signal.TraceID(from.TraceID()), Span: signal.SpanID(from.SpanID()),
	}
}

// nanos returns a time in nanoseconds since 1970.
func nanos(t pcommon.Timestamp) int64 { return int64(t) } //nolint:gosec // beyond 2262 it is refused as untimely

// clone makes a text whole that shares no memory with the request.
func clone(text string) string { return strings.ToValidUTF8(strings.Clone(text), "\uFFFD") }

// textsOf returns attributes as text, sorted by name; lists and maps are JSON.
func textsOf(attributes pcommon.Map) signal.Labels {
	if attributes.Len() == 0 {
		return nil
	}
	labels := make(signal.Labels, 0, attributes.Len())
	for name, value := range attributes.All() {
		if text := value.AsString(); text != "" {
			labels = append(labels, signal.Label{Name: clone(name), Value: clone(text)})
		}
	}
	slices.SortFunc(labels, func(a, b signal.Label) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(labels, func(a, b signal.Label) bool { return a.Name == b.Name })
}
