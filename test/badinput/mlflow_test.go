package badinput_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

const (
	v2       = "/api/2.0/mlflow/"
	v3       = "/api/3.0/mlflow/"
	fileRoot = "/api/2.0/mlflow-artifacts/artifacts/"
)

// wrongMLflow is one wrong request of a client of MLflow. In its texts RUN is a run, GONE a deleted one, OLD a deleted
// experiment, and LONG a text of 9,000 characters.
type wrongMLflow struct {
	noun, what         string
	method, path, body string
	headers            []string
	status             int
	code               string
}

func post(noun, what, path, body string, status int, code string) wrongMLflow {
	return wrongMLflow{noun: noun, what: what, method: http.MethodPost, path: v2 + path, body: body, status: status, code: code}
}

func with(method, noun, what, path, body string, status int, code string, headers ...string) wrongMLflow {
	return wrongMLflow{noun: noun, what: what, method: method, path: path, body: body, status: status, code: code, headers: headers}
}

const (
	wrongValue = "INVALID_PARAMETER_VALUE"
	isAbsent   = "RESOURCE_DOES_NOT_EXIST"
	isTaken    = "RESOURCE_ALREADY_EXISTS"
	badRequest = "BAD_REQUEST"
)

func requestRows() []wrongMLflow {
	return []wrongMLflow{
		post("requests", "broken JSON", "experiments/create", `{"name":`, 400, wrongValue),
		post("requests", "a list instead of an object", "runs/create", `[]`, 400, wrongValue),
		post("requests", "a text instead of an object", "runs/create", `"x"`, 400, wrongValue),
		post("requests", "nothing", "experiments/create", "", 400, wrongValue),
		post("requests", "10,000 nested lists", "experiments/create", `{"name":`+strings.Repeat("[", 10_000), 400, wrongValue),
		with("POST", "requests", "another content type", v2+"experiments/create", `name=x`, 400, wrongValue, "Content-Type: application/x-www-form-urlencoded"),
		with("GET", "requests", "a path that is none", v2+"nothing", "", 404, "ENDPOINT_NOT_FOUND"),
		with("DELETE", "requests", "a method that is none", v2+"runs/create", "", 405, ""),
		with("GET", "requests", "a token of a page that is none", v2+"experiments/search?max_results=5&page_token=%21%21", "", 400, wrongValue),
	}
}

func experimentRows() []wrongMLflow {
	return []wrongMLflow{
		post("experiments", "no name", "experiments/create", `{}`, 400, wrongValue),
		post("experiments", "a name of 501 characters", "experiments/create", `{"name":"`+strings.Repeat("x", 501)+`"}`, 400, wrongValue),
		post("experiments", "a number as name", "experiments/create", `{"name":5}`, 400, wrongValue),
		post("experiments", "a name that is taken", "experiments/create", `{"name":"Default"}`, 400, isTaken),
		post("experiments", "a name that a deleted one has", "experiments/create", `{"name":"old"}`, 400, isTaken),
		post("experiments", "files at a place with a fragment", "experiments/create", `{"name":"f","artifact_location":"s3://b/x#y"}`, 400, wrongValue),
		with("GET", "experiments", "one that there is not", v2+"experiments/get?experiment_id=12345", "", 404, isAbsent),
		with("GET", "experiments", "an id that is no number", v2+"experiments/get?experiment_id=abc", "", 400, wrongValue),
		post("experiments", "search without max_results", "experiments/search", `{}`, 400, wrongValue),
		post("experiments", "a tag of 5,001 characters", "experiments/set-experiment-tag", `{"experiment_id":"0","key":"k","value":"`+strings.Repeat("x", 5001)+`"}`, 400, wrongValue),
		post("experiments", "write to a deleted one", "experiments/set-experiment-tag", `{"experiment_id":"OLD","key":"k","value":"v"}`, 400, wrongValue),
	}
}

func runRows() []wrongMLflow {
	return []wrongMLflow{
		post("runs", "in no experiment", "runs/create", `{}`, 400, badRequest),
		post("runs", "in one that there is not", "runs/create", `{"experiment_id":"12345"}`, 404, isAbsent),
		post("runs", "in a deleted one", "runs/create", `{"experiment_id":"OLD"}`, 400, wrongValue),
		post("runs", "two names that differ", "runs/create", `{"experiment_id":"0","run_name":"a","tags":[{"key":"mlflow.runName","value":"b"}]}`, 400, wrongValue),
		with("GET", "runs", "one that there is not", v2+"runs/get?run_id=none", "", 404, isAbsent),
		with("GET", "runs", "none named", v2+"runs/get", "", 400, wrongValue),
		post("runs", "write to a deleted one", "runs/set-tag", `{"run_id":"GONE","key":"k","value":"v"}`, 400, wrongValue),
		post("metrics", "no value", "runs/log-metric", `{"run_id":"RUN","key":"k","timestamp":1}`, 400, wrongValue),
		post("metrics", "a text as value", "runs/log-metric", `{"run_id":"RUN","key":"k","value":"high","timestamp":1}`, 400, wrongValue),
		post("metrics", "NaN that JSON has not", "runs/log-metric", `{"run_id":"RUN","key":"k","value":NaN,"timestamp":1}`, 400, wrongValue),
		post("metrics", "no timestamp", "runs/log-metric", `{"run_id":"RUN","key":"k","value":1}`, 400, wrongValue),
		post("metrics", "a time before 1970", "runs/log-metric", `{"run_id":"RUN","key":"k","value":1,"timestamp":-1}`, 400, wrongValue),
		post("metrics", "a key of 251 characters", "runs/log-metric", `{"run_id":"RUN","key":"`+strings.Repeat("k", 251)+`","value":1,"timestamp":1}`, 400, wrongValue),
		post("metrics", "a key that goes up", "runs/log-metric", `{"run_id":"RUN","key":"../up","value":1,"timestamp":1}`, 400, wrongValue),
		post("metrics", "an emoji in a key", "runs/log-metric", `{"run_id":"RUN","key":"loss 🎉","value":1,"timestamp":1}`, 400, wrongValue),
		post("metrics", "of a logged model that there is not", "runs/log-metric", `{"run_id":"RUN","key":"k","value":1,"timestamp":1,"model_id":"m-1"}`, 400, badRequest),
		post("params", "another value for the same key", "runs/log-parameter", `{"run_id":"RUN","key":"depth","value":"4"}`, 400, wrongValue),
		post("params", "a number as value", "runs/log-parameter", `{"run_id":"RUN","key":"width","value":5}`, 400, wrongValue),
		post("batches", "101 params", "runs/log-batch", `{"run_id":"RUN","params":[`+strings.TrimSuffix(strings.Repeat(`{"key":"p","value":"v"},`, 101), ",")+`]}`, 400, wrongValue),
		post("batches", "1,001 metrics", "runs/log-batch", `{"run_id":"RUN","metrics":[`+strings.TrimSuffix(strings.Repeat(`{"key":"m","value":1,"timestamp":1},`, 1001), ",")+`]}`, 400, wrongValue),
		post("batches", "the same param twice", "runs/log-batch", `{"run_id":"RUN","params":[{"key":"p","value":"v"},{"key":"p","value":"v"}]}`, 400, wrongValue),
		post("batches", "one bad metric among good ones: nothing is written", "runs/log-batch", `{"run_id":"RUN","metrics":[{"key":"fine","value":1,"timestamp":1},{"key":"fine","value":"x","timestamp":1}]}`, 400, wrongValue),
		with("GET", "metrics", "history of no key", v2+"metrics/get-history?run_id=RUN", "", 400, wrongValue),
		post("data sets", "a name of 501 characters", "runs/log-inputs", `{"run_id":"RUN","datasets":[{"dataset":{"name":"`+strings.Repeat("n", 501)+`","digest":"d","source_type":"s","source":"x"}}]}`, 400, wrongValue),
	}
}

func searchRows() []wrongMLflow {
	var rows []wrongMLflow
	for _, wrong := range []string{"metrics.loss <", "metrics.loss < '1'", "metrics.a/b > 1", "params.depth > '1'", "params.depth = 3", "metrics.loss > nan", "metrics.loss == 1", "a = 'x' OR b = 'y'", "attributes.lifecycle_stage = 'x'", "run_id IN ()", "other.k = 'x'", "AND", " "} {
		body, err := json.Marshal(map[string]any{"experiment_ids": []string{"0"}, "filter": wrong})
		if err != nil {
			panic(err) // a text can be written
		}
		rows = append(rows, post("search", "filter `"+wrong+"`", "runs/search", string(body), 400, wrongValue))
	}
	return append(rows,
		post("search", "0 results at most", "runs/search", `{"experiment_ids":["0"],"max_results":0}`, 400, wrongValue),
		post("search", "50,001 results at most", "runs/search", `{"experiment_ids":["0"],"max_results":50001}`, 400, wrongValue),
		post("search", "the same order twice", "runs/search", `{"experiment_ids":["0"],"order_by":["metrics.a","metrics.a"]}`, 400, wrongValue),
		post("search", "order by what there is not", "runs/search", `{"experiment_ids":["0"],"order_by":["colour"]}`, 400, wrongValue),
		post("search", "a text as experiment_ids", "runs/search", `{"experiment_ids":"0"}`, 400, wrongValue))
}

func registryRows() []wrongMLflow {
	return []wrongMLflow{
		post("models", "a name with a slash", "registered-models/create", `{"name":"a/b"}`, 400, wrongValue),
		post("models", "a blank name", "registered-models/create", `{"name":"  "}`, 400, wrongValue),
		post("models", "a name that is taken", "registered-models/create", `{"name":"taken"}`, 400, isTaken),
		with("GET", "models", "one that there is not", v2+"registered-models/get?name=none", "", 404, isAbsent),
		post("versions", "no source", "model-versions/create", `{"name":"taken"}`, 400, wrongValue),
		post("versions", "a file of the server", "model-versions/create", `{"name":"taken","source":"file:///etc/passwd"}`, 400, wrongValue),
		post("versions", "a source that goes up", "model-versions/create", `{"name":"taken","source":"mlflow-artifacts:/1/%2e%2e/%2e%2e/x"}`, 400, wrongValue),
		with("GET", "versions", "a number that is none", v2+"model-versions/get?name=taken&version=one", "", 400, wrongValue),
		with("GET", "versions", "one that there is not", v2+"model-versions/get?name=taken&version=99", "", 404, isAbsent),
		post("versions", "a stage that there is not", "model-versions/transition-stage", `{"name":"taken","version":"1","stage":"Best","archive_existing_versions":false}`, 400, wrongValue),
		post("aliases", "latest", "registered-models/alias", `{"name":"taken","alias":"Latest","version":"1"}`, 400, wrongValue),
		post("aliases", "v1", "registered-models/alias", `{"name":"taken","alias":"V1","version":"1"}`, 400, wrongValue),
		post("aliases", "of a version that there is not", "registered-models/alias", `{"name":"taken","alias":"champion","version":"99"}`, 404, isAbsent),
		post("webhooks", "to this machine", "webhooks", `{"name":"w","url":"https://127.0.0.1/x","events":[{"entity":"REGISTERED_MODEL","action":"CREATED"}]}`, 400, wrongValue),
		post("webhooks", "without TLS", "webhooks", `{"name":"w","url":"http://example.org/x","events":[{"entity":"REGISTERED_MODEL","action":"CREATED"}]}`, 400, wrongValue),
		post("logged models", "in an experiment that there is not", "logged-models", `{"experiment_id":"12345"}`, 404, isAbsent),
		post("logged models", "a name with a colon", "logged-models", `{"experiment_id":"0","name":"a:b"}`, 400, wrongValue),
	}
}

func fileAndTraceRows() []wrongMLflow {
	return []wrongMLflow{
		with("PUT", "files", "a path that goes up", fileRoot+"1/../../x", "x", 400, wrongValue),
		with("PUT", "files", "the same, encoded", fileRoot+"1/%2e%2e/%2e%2e/x", "x", 400, wrongValue),
		with("PUT", "files", "the same, encoded twice", fileRoot+"1/%252e%252e/x", "x", 400, wrongValue),
		with("PUT", "files", "a drive letter", fileRoot+"C:%5Cx", "x", 400, wrongValue),
		with("PUT", "files", "a control character", fileRoot+"1/a%00b", "x", 400, wrongValue),
		with("PUT", "files", "the URL of a file", fileRoot+"file:/etc/passwd", "x", 400, wrongValue),
		with("GET", "files", "one that there is not", fileRoot+"0/none.txt", "", 404, isAbsent),
		with("POST", "files", "an upload in parts", "/api/2.0/mlflow-artifacts/mpu/create/0/x", `{"path":"x","num_parts":2}`, 501, "NOT_IMPLEMENTED"),
		with("GET", "traces", "one that there is not", v3+"traces/tr-none", "", 404, isAbsent),
		with("POST", "traces", "nowhere", v3+"traces", `{"trace":{"trace_info":{"trace_id":"tr-1"}}}`, 400, badRequest),
		with("POST", "traces", "search nowhere", v3+"traces/search", `{}`, 400, wrongValue),
		with("POST", "traces", "a regular expression that is none", v3+"traces/search", `{"locations":[{"type":"MLFLOW_EXPERIMENT","mlflow_experiment":{"experiment_id":"0"}}],"filter":"tags.k RLIKE '('"}`, 400, wrongValue),
		with("POST", "traces", "spans that are no protobuf", "/v1/traces", "\x01\x02", 400, "", "X-Mlflow-Experiment-Id: 0", "Content-Type: application/x-protobuf"),
		with("POST", "traces", "spans of an experiment that there is not", "/v1/traces", `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"000000000000000000000000000000a1","spanId":"00000000000000aa","name":"x"}]}]}]}`, 404, "", "X-Mlflow-Experiment-Id: 12345"),
	}
}

// call sends a request of a client of MLflow that must succeed.
func (s *server) call(t *testing.T, method, path, body string, into any) {
	t.Helper()
	got := s.send(t, http.DefaultClient, method, path, strings.NewReader(body))
	if got.status != http.StatusOK {
		t.Fatalf("%s %s: got %d %s", method, path, got.status, got.body)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(got.body), into); err != nil {
			t.Fatalf("%s: %v in %s", path, err, got.body)
		}
	}
}

type madeRun struct {
	Run struct {
		Info struct {
			ID string `json:"run_id"`
		}
	}
}

// newRun makes a run in the experiment Default.
func (s *server) newRun(t *testing.T) string {
	t.Helper()
	var made madeRun
	s.call(t, "POST", v2+"runs/create", `{"experiment_id":"0","start_time":1}`, &made)
	return made.Run.Info.ID
}

// What a client of MLflow sends wrongly is answered with MLflow's error code and never with what clients repeat.
func TestBadMLflowRequests(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	run, gone := s.newRun(t), s.newRun(t)
	s.call(t, "POST", v2+"runs/delete", `{"run_id":"`+gone+`"}`, nil)
	s.call(t, "POST", v2+"runs/log-batch", `{"run_id":"`+run+`","params":[{"key":"depth","value":"3"}]}`, nil)
	var old struct {
		ID string `json:"experiment_id"`
	}
	s.call(t, "POST", v2+"experiments/create", `{"name":"old"}`, &old)
	s.call(t, "POST", v2+"experiments/delete", `{"experiment_id":"`+old.ID+`"}`, nil)
	s.call(t, "POST", v2+"registered-models/create", `{"name":"taken"}`, nil)
	s.call(t, "POST", v2+"model-versions/create", `{"name":"taken","source":"s3://bucket/x"}`, nil)
	names := strings.NewReplacer("RUN", run, "GONE", gone, "OLD", old.ID)
	// what an answer says of ids differs from run to run
	plain := strings.NewReplacer(run, "RUN", gone, "GONE")
	var page strings.Builder
	page.WriteString(mlflowHead)
	for _, rows := range [][]wrongMLflow{requestRows(), experimentRows(), runRows(), searchRows(), registryRows(), fileAndTraceRows()} {
		for _, r := range rows {
			t.Run(r.noun+": "+r.what, func(t *testing.T) {
				got := s.send(t, http.DefaultClient, r.method, names.Replace(r.path), strings.NewReader(names.Replace(r.body)), r.headers...)
				var told struct {
					Code            string `json:"error_code"`
					Message, Detail string
				}
				if err := json.Unmarshal([]byte(got.body), &told); err != nil {
					t.Errorf("the answer is no JSON: %v in %s", err, got.body)
				}
				if got.status != r.status || told.Code != r.code && r.code != "" {
					t.Errorf("got %d %s, want %d %s", got.status, got.body, r.status, r.code)
				}
				text := told.Message + told.Detail
				if text == "" {
					t.Errorf("the answer does not say what is wrong: %s", got.body)
				}
				if runes := []rune(text); len(runes) > 240 {
					text = string(runes[:240]) + "..."
				}
				fmt.Fprintf(&page, "| %s | %s | %s | %s |\n", r.noun, escape(r.what), strings.TrimSpace(fmt.Sprintf("%d %s", got.status, told.Code)), escape(strings.Join(strings.Fields(plain.Replace(text)), " ")))
			})
		}
	}
	var after struct {
		Run struct {
			Data struct {
				Metrics []any
				Params  []any
			}
		}
	}
	s.call(t, "GET", v2+"runs/get?run_id="+run, "", &after)
	if len(after.Run.Data.Metrics) != 0 || len(after.Run.Data.Params) != 1 {
		t.Errorf("something of a refused request was kept: %+v", after.Run.Data)
	}
	need.Page(t, "bad-input-mlflow.md", page.String(), *update, "go test ./test/badinput -update")
}

const mlflowHead = `<!-- Written by go test ./test/badinput -update. Do not edit. -->

# Bad input: clients of MLflow

What a client of MLflow's API is answered. Clients repeat 408, 429, 500, 502, 503 and 504 for minutes; a mistake of theirs is never answered so.
The table is a test: it runs against the built binary. A quota that is used up is 413, a full disk 507, each with RESOURCE_EXHAUSTED; a database
that takes nothing is 503 with Retry-After.

| what | request | answer | what it says |
| --- | --- | --- | --- |
`

// A file whose sender stops half-way is never seen.
func TestHalfAnUploadIsNeverSeen(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	s.call(t, "PUT", fileRoot+"0/kept.bin", "as it was", nil)
	for _, name := range []string{"new.bin", "kept.bin"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(conn, "PUT %s0/%s HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000000\r\n\r\n%s", fileRoot, name, strings.TrimPrefix(s.url, "http://"), strings.Repeat("x", 400_000))
		if err == nil {
			err = conn.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	need.Eventually(t, 10*time.Second, "what came to be removed", func() bool { return blobs(t, s.dir) == 1 })
	if got := s.send(t, http.DefaultClient, "GET", fileRoot+"0/new.bin", nil); got.status != http.StatusNotFound {
		t.Errorf("the new file: %d", got.status)
	}
	if got := s.send(t, http.DefaultClient, "GET", fileRoot+"0/kept.bin", nil); got.body != "as it was" {
		t.Errorf("the old file: %d %.40q", got.status, got.body)
	}
}

// blobs counts the files with content of artifacts.
func blobs(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return nil //nolint:nilerr // what is removed meanwhile is not there
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Two writers on one run lose nothing, and of a param that they disagree on the first stays.
func TestTwoWritersOnOneRun(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	run := s.newRun(t)
	const each = 50
	conflicts := make([]int, 2)
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"run_id":"%s","metrics":[{"key":"both","value":%d,"timestamp":%d,"step":%d},{"key":"own%d","value":1,"timestamp":1,"step":%d}]}`, run, w, i+1, 2*i+w, w, i)
				if got := s.send(t, http.DefaultClient, "POST", v2+"runs/log-batch", strings.NewReader(body)); got.status != http.StatusOK {
					t.Errorf("writer %d: %d %s", w, got.status, got.body)
				}
				param := fmt.Sprintf(`{"run_id":"%s","key":"p%d","value":"%d"}`, run, i, w)
				switch got := s.send(t, http.DefaultClient, "POST", v2+"runs/log-parameter", strings.NewReader(param)); got.status {
				case http.StatusOK:
				case http.StatusBadRequest:
					conflicts[w]++
				default:
					t.Errorf("writer %d: %d %s", w, got.status, got.body)
				}
			}
		})
	}
	wg.Wait()
	if conflicts[0]+conflicts[1] != each {
		t.Errorf("%v params were refused, want %d in all", conflicts, each)
	}
	for key, want := range map[string]int{"both": 2 * each, "own0": each, "own1": each} {
		var history struct{ Metrics []any }
		s.call(t, "GET", v2+"metrics/get-history?run_id="+run+"&metric_key="+key, "", &history)
		if len(history.Metrics) != want {
			t.Errorf("%s has %d points, want %d", key, len(history.Metrics), want)
		}
	}
}

// A full disk refuses files and metrics in words that clients understand, keeps what was acknowledged, and heals.
func TestAFullDiskRefusesWhatMLflowSends(t *testing.T) {
	disk := mount(t, "64m")
	s := serve(t, filepath.Join(disk, "data"), nil)
	run := s.newRun(t)
	s.call(t, "PUT", fileRoot+"0/first.bin", strings.Repeat("x", 100_000), nil)
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	got := s.send(t, http.DefaultClient, "PUT", fileRoot+"0/second.bin", strings.NewReader(strings.Repeat("y", 4<<20)))
	if got.status != http.StatusInsufficientStorage && got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "disk") {
		t.Errorf("a file: %d %s", got.status, got.body)
	}
	acknowledged, refused := 0, false
	for i := 0; i < 20_000 && !refused; i++ {
		got := s.send(t, http.DefaultClient, "POST", v2+"runs/log-metric", strings.NewReader(fmt.Sprintf(`{"run_id":"%s","key":"k%d","value":1,"timestamp":1,"step":%d}`, run, i%50, i)))
		switch got.status {
		case http.StatusOK:
			acknowledged++
		case http.StatusServiceUnavailable, http.StatusInsufficientStorage:
			refused = true
		default:
			t.Fatalf("a metric: %d %s", got.status, got.body)
		}
	}
	if !refused {
		t.Fatal("20,000 metrics were taken on a full disk")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	need.Eventually(t, 60*time.Second, "files to be taken again", func() bool {
		return s.send(t, http.DefaultClient, "PUT", fileRoot+"0/third.bin", strings.NewReader("z")).status == http.StatusOK
	})
	kept := 0
	for i := range 50 {
		var history struct{ Metrics []any }
		s.call(t, "GET", fmt.Sprintf("%smetrics/get-history?run_id=%s&metric_key=k%d", v2, run, i), "", &history)
		kept += len(history.Metrics)
	}
	if kept != acknowledged {
		t.Errorf("%d metrics are there, %d were acknowledged", kept, acknowledged)
	}
	if got := s.send(t, http.DefaultClient, "GET", fileRoot+"0/first.bin", nil); len(got.body) != 100_000 {
		t.Errorf("the first file: %d, %d bytes", got.status, len(got.body))
	}
}
