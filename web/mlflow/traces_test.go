package mlflow_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// spans makes a request with one span of a trace.
func spans(t *testing.T, id, parent byte, change func(ptrace.Span)) string {
	t.Helper()
	traces := ptrace.NewTraces()
	span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{15: 1})
	span.SetSpanID(pcommon.SpanID{7: id})
	if parent != 0 {
		span.SetParentSpanID(pcommon.SpanID{7: parent})
	}
	span.SetName("step " + string('a'+rune(id)))
	span.SetStartTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + uint64(id)*1e6))
	span.SetEndTimestamp(span.StartTimestamp() + 5e6)
	change(span)
	data, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

type traceAnswer struct {
	Trace struct {
		Info struct {
			State    string
			Took     string            `json:"execution_duration"`
			Request  string            `json:"request_preview"`
			Response string            `json:"response_preview"`
			Tags     map[string]string `json:"tags"`
			Metadata map[string]string `json:"trace_metadata"`
		} `json:"trace_info"`
		Spans []struct {
			Name       string
			Parent     string `json:"parent_span_id"`
			Attributes []struct {
				Key   string
				Value json.RawMessage
			}
		}
	}
}

func TestATraceComesInPiecesWithItsRootLast(t *testing.T) {
	s := start(t)
	send := func(body string) {
		t.Helper()
		if status, _, text := s.send("POST", "/v1/traces", body, "Content-Type", "application/x-protobuf", "X-Mlflow-Experiment-Id", "0"); status != http.StatusOK || text != "" {
			t.Fatalf("spans: %d %q", status, text)
		}
	}
	send(spans(t, 2, 1, func(span ptrace.Span) {
		span.Attributes().PutStr("gen_ai.operation.name", "chat")
		span.Attributes().PutInt("gen_ai.usage.input_tokens", 5)
		span.Attributes().PutInt("gen_ai.usage.output_tokens", 7)
	}))
	const path = "/api/3.0/mlflow/traces/get?trace_id=tr-00000000000000000000000000000001"
	var got traceAnswer
	s.call("GET", path, "", &got)
	if got.Trace.Info.State != "IN_PROGRESS" || got.Trace.Info.Metadata["mlflow.trace.tokenUsage"] != `{"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}` {
		t.Errorf("before its root: %+v", got.Trace.Info)
	}
	send(spans(t, 1, 0, func(span ptrace.Span) {
		span.Attributes().PutStr("mlflow.spanInputs", `{"q": "why"}`)
		span.Attributes().PutStr("mlflow.spanOutputs", `"because"`)
		span.Attributes().PutStr("user.id", "ann")
		span.Status().SetCode(ptrace.StatusCodeError)
		span.Status().SetMessage("no answer")
	}))
	s.call("GET", path, "", &got)
	info := got.Trace.Info
	if info.State != "ERROR" || info.Request != `{"q": "why"}` || info.Response != `"because"` || info.Took != "0.006s" || info.Metadata["mlflow.trace.user"] != `"ann"` {
		t.Errorf("the trace is %+v", info)
	}
	if len(got.Trace.Spans) != 2 || got.Trace.Spans[0].Name != "step b" || got.Trace.Spans[1].Parent == "" {
		t.Errorf("the spans are %+v", got.Trace.Spans)
	}
	for filter, want := range map[string]int{
		"span.name LIKE 'step%'": 1, "span.type = 'CHAT_MODEL'": 1, "span.status = 'ERROR'": 1, "trace.text LIKE '%because%'": 1, "span.attributes.user.id = 'ann'": 1,
		"span.content ILIKE '%WHY%'": 1, "status = 'OK'": 0, "execution_time_ms > 5": 1, "metadata.`mlflow.trace.user` RLIKE 'an+'": 1, "span.name = 'other'": 0,
	} {
		body, err := json.Marshal(map[string]any{"locations": []any{map[string]any{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": map[string]any{"experiment_id": "0"}}}, "filter": filter})
		if err != nil {
			t.Fatal(err)
		}
		var found struct{ Traces []any }
		s.call("POST", "/api/3.0/mlflow/traces/search", string(body), &found)
		if len(found.Traces) != want {
			t.Errorf("%s finds %d, want %d", filter, len(found.Traces), want)
		}
	}
}

func TestSpansThatCannotBeReadAreRefused(t *testing.T) {
	s := start(t)
	good := spans(t, 1, 0, func(ptrace.Span) {})
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(good)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, body string
		headers    []string
		status     int
	}{
		{"gzip", packed.String(), []string{"Content-Encoding", "gzip"}, 200},
		{"no gzip", good, []string{"Content-Encoding", "gzip"}, 400},
		{"half a gzip", packed.String()[:packed.Len()/2], []string{"Content-Encoding", "gzip"}, 400},
		{"an encoding that is none", good, []string{"Content-Encoding", "br"}, 400},
		{"garbage", "garbage!", nil, 400},
		{"nothing", "", nil, 400},
		{"an experiment that is none", good, []string{"X-Mlflow-Experiment-Id", "77"}, 404},
		{"an experiment that is no number", good, []string{"X-Mlflow-Experiment-Id", "x"}, 400},
		{"text", good, []string{"Content-Type", "text/plain"}, 400},
		{"JSON without spans", `{"resourceSpans":[]}`, []string{"Content-Type", "application/json"}, 400},
	} {
		headers := append([]string{"Content-Type", "application/x-protobuf", "X-Mlflow-Experiment-Id", "0"}, test.headers...)
		status, _, text := s.send("POST", "/v1/traces", test.body, headers...)
		if status != test.status || status != 200 && !strings.Contains(text, `"detail"`) {
			t.Errorf("%s: %d %s, want %d", test.what, status, text, test.status)
		}
	}
}
