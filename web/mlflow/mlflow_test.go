package mlflow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/ml/model/webhook"
	"github.com/fairlead/fairlead/ml/trace"
	"github.com/fairlead/fairlead/test/postgres"
	"github.com/fairlead/fairlead/web/mlflow"
)

// server is the API over real stores, without logins: whoever calls may do everything.
type server struct {
	*httptest.Server
	t     *testing.T
	files *artifact.Files
	blobs string
	face  *mlflow.Face
}

func start(t *testing.T) *server {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	config := postgres.Config(t)
	db, err := store.Open(t.Context(), config, "ml", store.LearningSchema(), logger)
	if err != nil {
		t.Fatal(err)
	}
	ops, err := store.Open(t.Context(), config, "ops", store.Schema(), logger)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, blobs: filepath.Join(t.TempDir(), "blobs")}
	blobs, err := blob.Open(t.Context(), blob.Config{Dir: s.blobs})
	if err != nil {
		t.Fatal(err)
	}
	experiments, err := experiment.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	s.files = artifact.New(db, blobs, artifact.Quota{}, logger)
	mux := http.NewServeMux()
	s.face = mlflow.Routes(mux, mlflow.Config{
		Experiments: experiments, Files: s.files, Models: model.Open(db), Traces: trace.Open(db, experiments),
		Webhooks: webhook.New(db, webhook.Config{}, logger), People: access.New(ops, access.DefaultConfig(), logger), Logger: logger,
	})
	mux.HandleFunc("POST /v1/traces", s.face.Spans)
	s.Server = httptest.NewServer(mlflow.KeepNames(mux))
	t.Cleanup(func() {
		s.Close()
		for name, end := range map[string]func() error{"ml": db.Close, "ops": ops.Close, "blobs": blobs.Close} {
			if err := end(); err != nil {
				t.Errorf("close %s: %v", name, err)
			}
		}
	})
	return s
}

// send sends a request and returns status and body.
func (s *server) send(method, path, body string, headers ...string) (int, http.Header, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if method != http.MethodGet && method != http.MethodPut {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer.StatusCode, answer.Header, string(data)
}

// call sends a call that must succeed.
func (s *server) call(method, path, body string, into any) {
	s.t.Helper()
	status, _, text := s.send(method, path, body)
	if status != http.StatusOK {
		s.t.Fatalf("%s %s %s: %d %s", method, path, body, status, text)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

// run makes a run in the experiment Default.
func (s *server) run() string {
	s.t.Helper()
	var answer struct {
		Run struct {
			Info struct {
				ID string `json:"run_id"`
			}
		}
	}
	s.call(http.MethodPost, "/api/2.0/mlflow/runs/create", `{"experiment_id":"0"}`, &answer)
	return answer.Run.Info.ID
}

const api = "/api/2.0/mlflow/"

func TestMistakesAreRefusedWithMLflowsCodes(t *testing.T) {
	s := start(t)
	run := s.run()
	s.call(http.MethodPost, api+"runs/log-parameter", `{"run_id":"`+run+`","key":"p","value":"1"}`, nil)
	s.call(http.MethodPost, api+"registered-models/create", `{"name":"m"}`, nil)
	long := strings.Repeat("k", 251)
	for _, test := range []struct {
		what, method, path, body string
		status                   int
		code                     string
	}{
		{"no JSON", "POST", "experiments/create", `{"name":`, 400, "INVALID_PARAMETER_VALUE"},
		{"a list", "POST", "experiments/create", `[]`, 400, "INVALID_PARAMETER_VALUE"},
		{"two objects", "POST", "experiments/create", `{"name":"a"}{"name":"b"}`, 400, "INVALID_PARAMETER_VALUE"},
		{"bytes that are no text", "POST", "experiments/create", "{\"name\":\"\xff\"}", 400, "INVALID_PARAMETER_VALUE"},
		{"a number for a text", "POST", "experiments/create", `{"name":5}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a name that is taken", "POST", "experiments/create", `{"name":"Default"}`, 400, "RESOURCE_ALREADY_EXISTS"},
		{"a name that is too long", "POST", "experiments/create", `{"name":"` + strings.Repeat("x", 501) + `"}`, 400, "INVALID_PARAMETER_VALUE"},
		{"an experiment that is none", "GET", "experiments/get?experiment_id=77", "", 404, "RESOURCE_DOES_NOT_EXIST"},
		{"an experiment that is no number", "GET", "experiments/get?experiment_id=x", "", 400, "INVALID_PARAMETER_VALUE"},
		{"a run that is none", "GET", "runs/get?run_id=0", "", 404, "RESOURCE_DOES_NOT_EXIST"},
		{"a run without experiment", "POST", "runs/create", `{}`, 400, "BAD_REQUEST"},
		{"another value for a param", "POST", "runs/log-parameter", `{"run_id":"` + run + `","key":"p","value":"2"}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a metric that is no number", "POST", "runs/log-metric", `{"run_id":"` + run + `","key":"m","value":"many","timestamp":1}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a time before 1970", "POST", "runs/log-metric", `{"run_id":"` + run + `","key":"m","value":1,"timestamp":-1}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a key that is too long", "POST", "runs/log-metric", `{"run_id":"` + run + `","key":"` + long + `","value":1,"timestamp":1}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a key that leads upwards", "POST", "runs/set-tag", `{"run_id":"` + run + `","key":"../x","value":"1"}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a key with an emoji", "POST", "runs/set-tag", `{"run_id":"` + run + `","key":"🙂","value":"1"}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a param twice in a batch", "POST", "runs/log-batch", `{"run_id":"` + run + `","params":[{"key":"a","value":"1"},{"key":"a","value":"1"}]}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a page of nothing", "POST", "runs/search", `{"experiment_ids":["0"],"max_results":0}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a token of somebody else", "POST", "runs/search", `{"experiment_ids":["0"],"page_token":"bm9wZQ"}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a model that is none", "GET", "registered-models/get?name=x", "", 404, "RESOURCE_DOES_NOT_EXIST"},
		{"a version that is a local path", "POST", "model-versions/create", `{"name":"m","source":"/etc/passwd"}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a version that leads upwards", "POST", "model-versions/create", `{"name":"m","source":"s3://b/%252e%252e/x"}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a reserved alias", "POST", "registered-models/alias", `{"name":"m","alias":"Latest","version":"1"}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a webhook to this machine", "POST", "webhooks", `{"name":"w","url":"https://127.0.0.1/","events":[{"entity":"MODEL_VERSION","action":"CREATED"}]}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a webhook to a mapped address", "POST", "webhooks", `{"name":"w","url":"https://[::ffff:10.0.0.1]/","events":[{"entity":"MODEL_VERSION","action":"CREATED"}]}`, 400, "INVALID_PARAMETER_VALUE"},
		{"a call that is none", "GET", "nope", "", 404, "ENDPOINT_NOT_FOUND"},
		{"a wrong method", "GET", "runs/create", "", 405, "BAD_REQUEST"},
	} {
		status, _, text := s.send(test.method, api+test.path, test.body)
		var problem struct {
			Code    string `json:"error_code"`
			Message string `json:"message"`
		}
		if err := json.Unmarshal([]byte(text), &problem); err != nil || status != test.status || problem.Code != test.code || problem.Message == "" {
			t.Errorf("%s: %d %s, want %d %s with a message", test.what, status, text, test.status, test.code)
		}
	}
	if status, _, text := s.send("POST", api+"experiments/create", `{"name":"plain"}`, "Content-Type", "text/plain"); status != 400 {
		t.Errorf("another content type: %d %s", status, text)
	}
}

func TestABatchIsStoredWholeOrNotAtAll(t *testing.T) {
	s := start(t)
	run := s.run()
	s.call("POST", api+"runs/log-parameter", `{"run_id":"`+run+`","key":"p","value":"1"}`, nil)
	if status, _, _ := s.send("POST", api+"runs/log-batch", `{"run_id":"`+run+`","metrics":[{"key":"m","value":1,"timestamp":1}],"tags":[{"key":"t","value":"1"}],"params":[{"key":"p","value":"2"}]}`); status != 400 {
		t.Fatalf("a batch with a conflict: %d", status)
	}
	var answer struct {
		Run struct {
			Data struct{ Metrics, Params, Tags []struct{ Key string } }
		}
	}
	s.call("GET", api+"runs/get?run_id="+run, "", &answer)
	if len(answer.Run.Data.Metrics) != 0 || len(answer.Run.Data.Tags) != 1 || len(answer.Run.Data.Params) != 1 {
		t.Errorf("after a refused batch the run has %+v", answer.Run.Data)
	}
}

func TestArtifactsKeepNamesAndBytes(t *testing.T) {
	s := start(t)
	run := s.run()
	root := "/api/2.0/mlflow-artifacts/artifacts/0/" + run + "/artifacts/"
	content := strings.Repeat("0123456789", 1000)
	for _, name := range []string{"plain.txt", "with%20space", "MLmodel", "hash%23tag", "percent%2525", "%C3%BCml%C3%A4ut.bin", "a/b/c/deep.csv", "trailing.", "sh.html"} {
		if status, _, text := s.send("PUT", root+name, content+name); status != 200 || text != "{}" {
			t.Fatalf("put %s: %d %s", name, status, text)
		}
		status, header, text := s.send("GET", root+name, "")
		if status != 200 || text != content+name {
			t.Errorf("get %s: %d, %d bytes", name, status, len(text))
		}
		if !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("get %s: a browser would show it: %v", name, header)
		}
	}
	if _, header, _ := s.send("GET", root+"sh.html", ""); !strings.HasPrefix(header.Get("Content-Type"), "text/plain") {
		t.Errorf("HTML comes as %s", header.Get("Content-Type"))
	}
	if status, header, text := s.send("GET", root+"plain.txt", "", "Range", "bytes=5-14"); status != 206 || text != "5678901234" || header.Get("Content-Range") != "bytes 5-14/10009" {
		t.Errorf("a range: %d %q %s", status, text, header.Get("Content-Range"))
	}
	var list struct {
		Files []struct {
			Path   string
			Folder bool  `json:"is_dir"`
			Size   int64 `json:"file_size"`
		}
	}
	s.call("GET", "/api/2.0/mlflow/artifacts/list?run_id="+run+"&path=a/b", "", &list)
	if len(list.Files) != 1 || list.Files[0].Path != "a/b/c" || !list.Files[0].Folder {
		t.Errorf("the folder holds %+v", list.Files)
	}
	s.call("DELETE", root+"a", "", nil)
	if status, _, _ := s.send("GET", root+"a/b/c/deep.csv", ""); status != 404 {
		t.Errorf("a deleted file: %d", status)
	}
	for _, name := range []string{"..", "%2e%2e/x", "%252e%252e/x", "x/../../y", "..%2f..%2fetc", "nul%00", "back%5Cslash"} {
		if status, _, text := s.send("PUT", root+name, "evil"); status != 400 {
			t.Errorf("put %s: %d %s, want 400", name, status, text)
		}
	}
	for _, name := range []string{"C:/x", "file:/etc/passwd"} {
		if status, _, text := s.send("PUT", "/api/2.0/mlflow-artifacts/artifacts/"+name, "evil"); status != 400 {
			t.Errorf("put %s: %d %s, want 400", name, status, text)
		}
	}
	if status, _, _ := s.send("PUT", root+"plain.txt/below", "x"); status != 400 {
		t.Error("a file became a folder")
	}
}

// brokenBody sends a part and then breaks off.
type brokenBody struct{ sent bool }

func (b *brokenBody) Read(p []byte) (int, error) {
	if b.sent {
		return 0, io.ErrUnexpectedEOF
	}
	b.sent = true
	return copy(p, bytes.Repeat([]byte("x"), 1000)), nil
}

func TestAHalfSentUploadIsNeverSeen(t *testing.T) {
	s := start(t)
	path := s.URL + "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/half"
	put := func(body io.Reader) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 1_000_000
		if answer, err := http.DefaultTransport.RoundTrip(r); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				t.Error("half an upload was acknowledged")
			}
		}
	}
	put(&brokenBody{})
	if status, _, _ := s.send("GET", "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/half", ""); status != 404 {
		t.Errorf("half an upload is seen: %d", status)
	}
	s.call("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/half", "whole", nil)
	put(&brokenBody{})
	if status, _, text := s.send("GET", "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/half", ""); status != 200 || text != "whole" {
		t.Errorf("after half an upload over a file: %d %q", status, text)
	}
	left := func() int {
		files, err := filepath.Glob(filepath.Join(s.blobs, "artifact", "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	for range 100 { // the server may still be noticing
		if err := s.files.Sweep(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if left() == 1 {
			return
		}
	}
	t.Errorf("%d files are left, want 1", left())
}

func TestVersionNumbersAreNotReused(t *testing.T) {
	s := start(t)
	s.call("POST", api+"registered-models/create", `{"name":"m"}`, nil)
	var last string
	for i := range 4 {
		var answer struct {
			Version struct{ Version string } `json:"model_version"`
		}
		s.call("POST", api+"model-versions/create", `{"name":"m","source":"s3://b/x"}`, &answer)
		if want := fmt.Sprint(i + 1); answer.Version.Version != want {
			t.Errorf("version %s, want %s", answer.Version.Version, want)
		}
		last = answer.Version.Version
		s.call("DELETE", api+"model-versions/delete", `{"name":"m","version":"`+last+`"}`, nil)
	}
}
