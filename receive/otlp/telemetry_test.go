package otlp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/fairlead/fairlead/base/signal"
)

func exampleLogs() plog.Logs {
	logs := plog.NewLogs()
	of := logs.ResourceLogs().AppendEmpty()
	of.Resource().Attributes().PutStr("service.name", "shop")
	scope := of.ScopeLogs().AppendEmpty()
	scope.Scope().SetName("cart")
	r := scope.LogRecords().AppendEmpty()
	r.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	r.SetSeverityNumber(plog.SeverityNumberError)
	r.SetSeverityText("ERROR")
	r.Body().SetStr("payment failed")
	r.Attributes().PutInt("code", 7)
	r.SetTraceID([16]byte{1})
	r.SetSpanID([8]byte{2})
	structured := scope.LogRecords().AppendEmpty() // no time of its own
	structured.Body().SetEmptyMap().PutStr("event", "started")
	return logs
}

func exampleTraces() ptrace.Traces {
	traces := ptrace.NewTraces()
	of := traces.ResourceSpans().AppendEmpty()
	of.Resource().Attributes().PutStr("service.name", "shop")
	scope := of.ScopeSpans().AppendEmpty()
	scope.Scope().SetName("http")
	s := scope.Spans().AppendEmpty()
	now := time.Now()
	s.SetTraceID([16]byte{1})
	s.SetSpanID([8]byte{2})
	s.SetParentSpanID([8]byte{3})
	s.SetName("GET /cart")
	s.SetKind(ptrace.SpanKindServer)
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-20 * time.Millisecond)))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(now))
	s.Status().SetCode(ptrace.StatusCodeError)
	s.Status().SetMessage("no stock")
	s.Attributes().PutInt("http.response.status_code", 500)
	s.Attributes().PutStr("http.request.header.authorization", "Bearer abcdefghijklmnop")
	e := s.Events().AppendEmpty()
	e.SetTimestamp(pcommon.NewTimestampFromTime(now))
	e.SetName("exception")
	e.Attributes().PutStr("exception.type", "OutOfStock")
	l := s.Links().AppendEmpty()
	l.SetTraceID([16]byte{9})
	l.SetSpanID([8]byte{9})
	return traces
}

func TestLogRecordsAreTakenInBothForms(t *testing.T) {
	request := plogotlp.NewExportRequestFromLogs(exampleLogs())
	asProto, _ := request.MarshalProto()
	asText, _ := request.MarshalJSON()
	for contentType, body := range map[string][]byte{"application/x-protobuf": asProto, "application/json": asText} {
		rc, p := newReceiver()
		if w := postTo(rc.Logs(), contentType, "", body); w.Code != http.StatusOK {
			t.Fatalf("%s: answer %d %q", contentType, w.Code, w.Body)
		}
		if len(p.logs) != 1 || len(p.logs[0].Records) != 2 || p.logs[0].Resource.Get("service.name") != "shop" {
			t.Fatalf("%s: came %+v", contentType, p.logs)
		}
		r := p.logs[0].Records[0]
		if r.Severity != 17 || r.Level != "ERROR" || r.Scope != "cart" || r.Attributes.Get("code") != "7" || r.Trace != (signal.TraceID{1}) || r.Span != (signal.SpanID{2}) {
			t.Errorf("%s: the record is %+v", contentType, r)
		}
		if r := p.logs[0].Records[1]; r.Body != `{"event":"started"}` || r.At < time.Now().Add(-time.Minute).UnixNano() {
			t.Errorf("%s: the structured record is %+v", contentType, r)
		}
	}
}

func TestSpansAreTakenInBothForms(t *testing.T) {
	request := ptraceotlp.NewExportRequestFromTraces(exampleTraces())
	asProto, _ := request.MarshalProto()
	asText, _ := request.MarshalJSON()
	for contentType, body := range map[string][]byte{"application/x-protobuf": asProto, "application/json": asText} {
		rc, p := newReceiver()
		if w := postTo(rc.Traces(), contentType, "", body); w.Code != http.StatusOK {
			t.Fatalf("%s: answer %d %q", contentType, w.Code, w.Body)
		}
		if len(p.spans) != 1 || len(p.spans[0].Spans) != 1 {
			t.Fatalf("%s: came %+v", contentType, p.spans)
		}
		s := p.spans[0].Spans[0]
		if s.Name != "GET /cart" || s.Kind != signal.KindServer || s.Status != signal.StatusError || s.Message != "no stock" || s.Parent != (signal.SpanID{3}) ||
			s.Attributes.Get("http.response.status_code") != "500" || s.End-s.Start != 20_000_000 || s.Scope != "http" {
			t.Errorf("%s: the span is %+v", contentType, s)
		}
		if len(s.Events) != 1 || s.Events[0].Attributes.Get("exception.type") != "OutOfStock" || len(s.Links) != 1 || s.Links[0].Trace != (signal.TraceID{9}) {
			t.Errorf("%s: events and links are %+v, %+v", contentType, s.Events, s.Links)
		}
	}
}

func TestBadLogRecordsAndSpansAreTold(t *testing.T) {
	logs := exampleLogs()
	list := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	list.AppendEmpty().SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(time.Hour)))
	many := list.AppendEmpty()
	for i := range 300 {
		many.Attributes().PutStr(strings.Repeat("a", i+1), "x")
	}
	body, _ := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	rc, p := newReceiver()
	answer := plogotlp.NewExportResponse()
	if err := answer.UnmarshalProto(postTo(rc.Logs(), "application/x-protobuf", "", body).Body.Bytes()); err != nil {
		t.Fatal(err)
	}
	if got := answer.PartialSuccess(); got.RejectedLogRecords() != 2 || !strings.Contains(got.ErrorMessage(), "logRecords.timeUnixNano") || len(p.logs[0].Records) != 2 {
		t.Errorf("%d are rejected: %s", got.RejectedLogRecords(), got.ErrorMessage())
	}

	traces := exampleTraces()
	spans := traces.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	nameless := spans.AppendEmpty()
	spans.At(0).CopyTo(nameless)
	nameless.SetTraceID([16]byte{})
	backwards := spans.AppendEmpty()
	spans.At(0).CopyTo(backwards)
	backwards.SetEndTimestamp(backwards.StartTimestamp() - 1)
	body, _ = ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	told := ptraceotlp.NewExportResponse()
	if err := told.UnmarshalProto(postTo(rc.Traces(), "application/x-protobuf", "", body).Body.Bytes()); err != nil {
		t.Fatal(err)
	}
	if got := told.PartialSuccess(); got.RejectedSpans() != 2 || !strings.Contains(got.ErrorMessage(), "traceId") || len(p.spans[0].Spans) != 1 {
		t.Errorf("%d are rejected: %s", got.RejectedSpans(), got.ErrorMessage())
	}
}

func TestTracesOfAnExperimentAreNoneOfASystem(t *testing.T) {
	rc, p := newReceiver()
	r := httptest.NewRequest(http.MethodPost, "/v1/traces", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("x-mlflow-experiment-id", "1")
	w := httptest.NewRecorder()
	rc.Traces().ServeHTTP(w, r)
	if w.Code != http.StatusNotImplemented || len(p.spans) > 0 {
		t.Errorf("answer %d %s", w.Code, w.Body)
	}
}

// The OpenTelemetry SDK's own exporters send log records and spans to the real servers.
func TestTheSDKSendsLogsAndTraces(t *testing.T) {
	rc, p := newReceiver()
	ctx, address := t.Context(), serveGRPC(t, rc)
	server := httptest.NewServer(rc.Traces())
	defer server.Close()
	named := resource.NewSchemaless(attribute.String("service.name", "sdk"))

	overGRPC, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(address), otlptracegrpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	overHTTP, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(server.URL+"/v1/traces"), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		t.Fatal(err)
	}
	traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(overGRPC), sdktrace.WithBatcher(overHTTP), sdktrace.WithResource(named))
	_, span := traces.Tracer("test").Start(ctx, "work", trace.WithSpanKind(trace.SpanKindClient))
	span.SetStatus(codes.Error, "broken")
	span.End()
	if err := traces.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if len(p.spans) != 2 || p.spans[0].Spans[0].Name != "work" || p.spans[1].Spans[0].Kind != signal.KindClient || p.spans[1].Spans[0].Message != "broken" {
		t.Errorf("came %+v", p.spans)
	}

	exporter, err := otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(address), otlploggrpc.WithInsecure(), otlploggrpc.WithCompressor("gzip"))
	if err != nil {
		t.Fatal(err)
	}
	logs := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)), sdklog.WithResource(named))
	var record log.Record
	record.SetTimestamp(time.Now())
	record.SetSeverity(log.SeverityWarn)
	record.SetBody(attribute.StringValue("slow"))
	logs.Logger("test").Emit(ctx, record)
	if err := logs.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if len(p.logs) != 1 || p.logs[0].Records[0].Body != "slow" || p.logs[0].Records[0].Severity != 13 {
		t.Errorf("came %+v", p.logs)
	}
}
