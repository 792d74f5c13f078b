package app

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/web/api"
)

// Traces show with their spans, whether these came as OTLP or as the file that MLflow's SDK for TypeScript uploads.
func TestTracesAsThePagesReadThem(t *testing.T) {
	c := startClosed(t, testConfig(t))
	c.admin()
	reader := c.browser(c.user("ann", access.Grant{Role: access.Viewer}))
	call := func(method, path, body string, into any) {
		t.Helper()
		if status := callMLflow(t, c.URL(), method, path, body, into); status != 200 {
			t.Fatalf("%s %s: %d", method, path, status)
		}
	}
	c.sendSpans("0", `{"resourceSpans":[{"scopeSpans":[{"spans":[
		{"traceId":"000000000000000000000000000000a1","spanId":"00000000000000aa","name":"answer","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000250000000",
			"attributes":[{"key":"mlflow.spanInputs","value":{"stringValue":"{\"q\": \"why?\"}"}},{"key":"mlflow.spanOutputs","value":{"stringValue":"\"because\""}},{"key":"session.id","value":{"stringValue":"s1"}}]},
		{"traceId":"000000000000000000000000000000a1","spanId":"00000000000000bb","parentSpanId":"00000000000000aa","name":"ask","startTimeUnixNano":"1700000000100000000","endTimeUnixNano":"1700000000200500000","status":{"code":2,"message":"too slow"},
			"attributes":[{"key":"gen_ai.usage.input_tokens","value":{"intValue":"10"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":"5"}}]}]}]}]}`)
	const told = "tr-000000000000000000000000000000a1"
	call("POST", "/api/3.0/mlflow/traces/"+told+"/assessments", `{"assessment":{"assessment_name":"correct","source":{"source_type":"HUMAN","source_id":"ann"},"feedback":{"value":true},"rationale":"I know"}}`, nil)

	const uploaded = "tr-000000000000000000000000000000b2"
	var begun struct {
		Trace struct {
			Info struct {
				Tags map[string]string
			} `json:"trace_info"`
		}
	}
	call("POST", "/api/3.0/mlflow/traces", `{"trace":{"trace_info":{"trace_id":"`+uploaded+`","trace_location":{"type":"MLFLOW_EXPERIMENT","mlflow_experiment":{"experiment_id":"0"}},"request_time":"2023-11-14T22:13:21.000Z",
		"execution_duration":"0.25s","state":"OK","trace_metadata":{"mlflow.trace_schema.version":"3"},"tags":{},"assessments":[]}}}`, &begun)
	location := strings.TrimPrefix(begun.Trace.Info.Tags["mlflow.artifactLocation"], "mlflow-artifacts:")
	call("PUT", "/api/2.0/mlflow-artifacts/artifacts"+location+"/traces.json", `{"spans":[{"trace_id":"AAAAAAAAAAAAAAAAAAAAsg==","span_id":"AAAAAAAAAKo=","parent_span_id":"","name":"getWeather",
		"start_time_unix_nano":1700000001000000000,"end_time_unix_nano":1700000001250000000,"status":{"code":"STATUS_CODE_OK"},"attributes":{"mlflow.spanType":"TOOL","mlflow.spanInputs":{"city":"Ulm"},"mlflow.spanOutputs":"sunny"},"events":[],"links":[]}]}`, nil)

	var page api.TracePage
	c.as(reader, "GET", "/traces?experiment=0", "", 200, &page)
	if len(page.Items) != 2 || page.Items[0].ID != uploaded || page.Items[1].Name != "answer" || page.Items[1].Request != `{"q": "why?"}` || *page.Items[1].Tokens != 15 || page.Items[1].Session != "s1" || *page.Items[1].Took != 250 {
		t.Errorf("the traces: %+v", page.Items)
	}
	if j := page.Items[1].Judgements; len(j) != 1 || j[0].Value != true || j[0].Source != "HUMAN ann" || j[0].Rationale != "I know" || j[0].Kind != "feedback" {
		t.Errorf("the judgements: %+v", j)
	}
	c.as(reader, "GET", "/traces?experiment=0&filter="+url.QueryEscape("span.name = 'ask'"), "", 200, &page)
	if len(page.Items) != 1 || page.Items[0].ID != told {
		t.Errorf("the traces with a span ask: %+v", page.Items)
	}
	var tree api.TraceTree
	c.as(reader, "GET", "/traces/"+told, "", 200, &tree)
	if len(tree.Spans) != 2 || tree.Spans[1].Parent != tree.Spans[0].ID || tree.Spans[1].Start != 100 || *tree.Spans[1].Took != 100.5 || tree.Spans[1].Status != "ERROR" || tree.Spans[1].Message != "too slow" || tree.Problem != "" {
		t.Errorf("the tree: %+v", tree)
	}
	if inputs, err := json.Marshal(tree.Spans[0].Inputs); err != nil || string(inputs) != `{"q":"why?"}` {
		t.Errorf("the inputs: %s", inputs)
	}
	tree = api.TraceTree{}
	c.as(reader, "GET", "/traces/"+uploaded, "", 200, &tree)
	if len(tree.Spans) != 1 || tree.Spans[0].Kind != "TOOL" || tree.Spans[0].Outputs != "sunny" || tree.Problem != "" {
		t.Errorf("the tree that was uploaded: %+v", tree)
	}
	call("PUT", "/api/2.0/mlflow-artifacts/artifacts"+location+"/traces.json", `{"spans":`, nil)
	c.as(reader, "GET", "/traces/"+uploaded, "", 200, &tree)
	if len(tree.Spans) != 0 || !strings.Contains(tree.Problem, "no JSON") {
		t.Errorf("the tree of half a file: %+v", tree)
	}
	call("POST", "/api/3.0/mlflow/traces/delete-traces", `{"experiment_id":"0","request_ids":["`+uploaded+`"]}`, nil)
	if status := callMLflow(t, c.URL(), "GET", "/api/2.0/mlflow-artifacts/artifacts"+location+"/traces.json", "", nil); status != 404 {
		t.Errorf("the file of a deleted trace: %d", status)
	}
	c.as(reader, "GET", "/traces/"+uploaded, "", 404, nil)
	c.as(reader, "GET", "/traces?experiment=99", "", 200, &page)
	c.as(reader, "GET", "/traces?experiment=0&filter=x+%3C", "", 422, nil)
}

// sendSpans sends spans as OTLP's JSON to an experiment.
func (c *closed) sendSpans(experiment, body string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, strings.TrimSuffix(c.URL(), "/")+"/v1/traces", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Mlflow-Experiment-Id", experiment)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		c.t.Fatalf("spans: %d", answer.StatusCode)
	}
}

// A logged model shows with its scores and files.
func TestLoggedModelsAsThePagesReadThem(t *testing.T) {
	c := startClosed(t, testConfig(t))
	c.admin()
	reader := c.browser(c.user("ann", access.Grant{Role: access.Viewer}))
	var made struct {
		Model struct {
			Info struct {
				ID  string `json:"model_id"`
				URI string `json:"artifact_uri"`
			}
		}
	}
	for _, step := range []struct{ method, path, body string }{
		{"POST", "/api/2.0/mlflow/logged-models", `{"experiment_id":"0","name":"net","params":[{"key":"depth","value":"3"}]}`},
		{"PATCH", "/api/2.0/mlflow/logged-models/ID", `{"model_id":"ID","status":"LOGGED_MODEL_READY"}`},
		{"PUT", "/api/2.0/mlflow-artifacts/artifactsPATH/MLmodel", "flavors: {}"},
	} {
		replace := strings.NewReplacer("ID", made.Model.Info.ID, "PATH", strings.TrimPrefix(made.Model.Info.URI, "mlflow-artifacts:"))
		if step.method == "POST" {
			replace = strings.NewReplacer()
		}
		if status := callMLflow(t, c.URL(), step.method, replace.Replace(step.path), replace.Replace(step.body), &made); status != 200 && step.method != "PUT" {
			t.Fatalf("%s: %d", step.path, status)
		}
	}
	var m api.LoggedModel
	c.as(reader, "GET", "/logged-models/"+made.Model.Info.ID, "", 200, &m)
	if m.Name != "net" || m.Status != "READY" || m.Params["depth"] != "3" || m.Location != made.Model.Info.URI {
		t.Errorf("the model: %+v", m)
	}
	var files api.RunFiles
	c.as(reader, "GET", "/logged-models/"+made.Model.Info.ID+"/files", "", 200, &files)
	if len(files.Items) != 1 || files.Items[0].Path != "MLmodel" || files.Items[0].Size != 11 {
		t.Errorf("its files: %+v", files)
	}
	c.as(reader, "GET", "/logged-models/m-1", "", 404, nil)
}
