package trace_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/ml/trace"
)

// The forms in which MLflow's clients upload spans say the same.
func TestEveryFormOfASpanFileIsRead(t *testing.T) {
	want := []trace.Span{
		{
			ID: "00000000000000aa", Name: "answer", Kind: "CHAIN", Status: "OK", StartedAt: 1_700_000_000_000_000_000, EndedAt: 1_700_000_000_250_000_000,
			Inputs: map[string]any{"q": "why?"}, Outputs: "because", Attributes: map[string]any{"k": json.Number("5")},
		},
		{
			ID: "00000000000000bb", Parent: "00000000000000aa", Name: "ask", Status: "ERROR", Message: "no answer", StartedAt: 1_700_000_000_100_000_000, EndedAt: 1_700_000_000_200_000_000,
			Attributes: map[string]any{}, Events: []trace.Event{{Name: "exception", At: 1_700_000_000_150_000_000, Attributes: map[string]any{"exception.message": "no answer"}}},
		},
	}
	for name, text := range map[string]string{
		"Python, version 3": `{"spans":[
			{"trace_id":"AAAAAAAAAAAAAAAAAAAAAQ==","span_id":"AAAAAAAAALs=","parent_span_id":"AAAAAAAAAKo=","name":"ask","start_time_unix_nano":1700000000100000000,"end_time_unix_nano":1700000000200000000,
				"events":[{"name":"exception","time_unix_nano":1700000000150000000,"attributes":{"exception.message":"no answer"}}],"status":{"code":"STATUS_CODE_ERROR","message":"no answer"},"attributes":{"mlflow.traceRequestId":"\"tr-1\"","mlflow.spanType":"\"UNKNOWN\""}},
			{"trace_id":"AAAAAAAAAAAAAAAAAAAAAQ==","span_id":"AAAAAAAAAKo=","parent_span_id":"","name":"answer","start_time_unix_nano":1700000000000000000,"end_time_unix_nano":1700000000250000000,"events":[],
				"status":{"code":"STATUS_CODE_OK","message":""},"attributes":{"mlflow.traceRequestId":"\"tr-1\"","mlflow.spanType":"\"CHAIN\"","mlflow.spanInputs":"{\"q\": \"why?\"}","mlflow.spanOutputs":"\"because\"","k":"5"}}]}`,
		"TypeScript": `{"spans":[
			{"trace_id":"AAAAAAAAAAAAAAAAAAAAAQ==","span_id":"AAAAAAAAAKo=","parent_span_id":"","name":"answer","start_time_unix_nano":1700000000000000000,"end_time_unix_nano":1700000000250000000,"events":[],
				"status":{"code":"STATUS_CODE_OK"},"attributes":{"mlflow.traceRequestId":"tr-1","mlflow.spanType":"CHAIN","mlflow.spanInputs":{"q":"why?"},"mlflow.spanOutputs":"because","k":5},"links":[]},
			{"trace_id":"AAAAAAAAAAAAAAAAAAAAAQ==","span_id":"AAAAAAAAALs=","parent_span_id":"AAAAAAAAAKo=","name":"ask","start_time_unix_nano":1700000000100000000,"end_time_unix_nano":1700000000200000000,
				"events":[{"name":"exception","time_unix_nano":1700000000150000000,"attributes":{"exception.message":"no answer"}}],"status":{"code":"STATUS_CODE_ERROR","message":"no answer"},"attributes":{"mlflow.spanType":"UNKNOWN"}}]}`,
		"Python, version 2": `{"spans":[
			{"name":"answer","context":{"span_id":"0x00000000000000aa","trace_id":"0x01"},"parent_id":null,"start_time":1700000000000000000,"end_time":1700000000250000000,"status_code":"OK","status_message":"",
				"attributes":{"mlflow.traceRequestId":"\"1\"","mlflow.spanType":"\"CHAIN\"","mlflow.spanInputs":"{\"q\": \"why?\"}","mlflow.spanOutputs":"\"because\"","k":"5"},"events":[]},
			{"name":"ask","context":{"span_id":"0x00000000000000bb","trace_id":"0x01"},"parent_id":"0x00000000000000aa","start_time":1700000000100000000,"end_time":1700000000200000000,"status_code":"ERROR","status_message":"no answer",
				"attributes":{"mlflow.spanType":"\"UNKNOWN\""},"events":[{"name":"exception","timestamp":1700000000150000,"attributes":{"exception.message":"no answer"}}]}],"request":"{}","response":null}`,
		"OTLP's names": `{"spans":[
			{"span_id":"AAAAAAAAAKo=","name":"answer","start_time_unix_nano":1700000000000000000,"end_time_unix_nano":"1700000000250000000","status":{"code":"STATUS_CODE_OK"},"attributes":[
				{"key":"mlflow.spanType","value":{"string_value":"CHAIN"}},{"key":"k","value":{"int_value":5}},{"key":"mlflow.spanOutputs","value":{"string_value":"because"}},
				{"key":"mlflow.spanInputs","value":{"kvlist_value":{"values":[{"key":"q","value":{"string_value":"why?"}}]}}}]},
			{"span_id":"AAAAAAAAALs=","parent_span_id":"AAAAAAAAAKo=","name":"ask","start_time_unix_nano":1700000000100000000,"end_time_unix_nano":1700000000200000000,"status":{"code":"STATUS_CODE_ERROR","message":"no answer"},
				"events":[{"name":"exception","time_unix_nano":1700000000150000000,"attributes":[{"key":"exception.message","value":{"string_value":"no answer"}}]}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := trace.ReadFile([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAFileThatIsNoneIsRefusedInWords(t *testing.T) {
	for _, text := range []string{"", "[]", `{"spans":[5]}`, `{"spans":`, `{"spans":[{"name":[]}]}`} {
		if spans, err := trace.ReadFile([]byte(text)); err == nil {
			t.Errorf("%s: read as %v", text, spans)
		}
	}
}

func FuzzReadFile(f *testing.F) {
	f.Add([]byte(`{"spans":[{"span_id":"AAAAAAAAAKo=","attributes":[{"key":"a","value":{"array_value":{"values":[{"int_value":1},{}]}}}],"events":[{"timestamp":1}]}]}`))
	f.Add([]byte(`{"spans":[{"context":{"span_id":"0x1"},"attributes":{"a":"[1","b":{}},"status":{"code":2}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		spans, err := trace.ReadFile(data)
		if err != nil {
			return
		}
		if _, err := json.Marshal(spans); err != nil {
			t.Errorf("cannot be written again: %v", err)
		}
	})
}
