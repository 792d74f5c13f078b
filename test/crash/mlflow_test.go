package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fairlead/fairlead/test/need"
)

// mlflowSenders is how many clients log at a time.
const mlflowSenders = 8

// mlflowLoad logs to whatever server runs, as MLflow's clients do, and remembers what was acknowledged.
type mlflowLoad struct {
	url atomic.Pointer[string]

	mu        sync.Mutex
	metrics   map[string]map[int64]bool // guarded by mu, as all below; steps by run
	params    map[string]map[string]string
	artifacts map[string]string // content by path
	versions  map[string]int    // how often each number was given
}

// call sends a request and reports whether it was acknowledged.
func (l *mlflowLoad) call(ctx context.Context, method, path, body string, into any) bool {
	r, err := http.NewRequestWithContext(ctx, method, *l.url.Load()+path, strings.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/json")
	client := &http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return false
	}
	if text, ok := into.(*string); ok {
		*text = string(data)
		return true
	}
	return into == nil || json.Unmarshal(data, into) == nil
}

// newRun begins a run, trying until it is acknowledged.
func (l *mlflowLoad) newRun(ctx context.Context) string {
	for ctx.Err() == nil {
		var answer struct {
			Run struct {
				Info struct {
					RunID string `json:"run_id"`
				}
			}
		}
		if l.call(ctx, http.MethodPost, "/api/2.0/mlflow/runs/create", `{"experiment_id":"0"}`, &answer) {
			return answer.Run.Info.RunID
		}
		_ = pause(ctx, 20*time.Millisecond)
	}
	return ""
}

// run logs until ctx ends: to one run for a while, then to another.
func (l *mlflowLoad) run(ctx context.Context, sender int) {
	for ctx.Err() == nil {
		id := l.newRun(ctx)
		for n := int64(1); n < 150 && ctx.Err() == nil; n++ {
			if !l.log(ctx, id, sender, n) {
				_ = pause(ctx, 20*time.Millisecond)
			}
		}
	}
}

// log logs one thing and reports whether it was acknowledged.
func (l *mlflowLoad) log(ctx context.Context, id string, sender int, n int64) bool {
	switch n % 10 {
	case 3:
		key, value := "p"+strconv.FormatInt(n, 10), strconv.Itoa(sender)
		ok := l.call(ctx, http.MethodPost, "/api/2.0/mlflow/runs/log-parameter", fmt.Sprintf(`{"run_id":%q,"key":%q,"value":%q}`, id, key, value), nil)
		l.note(ok, func() {
			if l.params[id] == nil {
				l.params[id] = map[string]string{}
			}
			l.params[id][key] = value
		})
		return ok
	case 5:
		path := fmt.Sprintf("0/%s/artifacts/f%d.txt", id, n)
		content := strings.Repeat(path+"\n", 1+int(n))
		ok := l.call(ctx, http.MethodPut, "/api/2.0/mlflow-artifacts/artifacts/"+path, content, nil)
		l.note(ok, func() { l.artifacts[path] = content })
		return ok
	case 7:
		var answer struct {
			Version struct{ Version string } `json:"model_version"`
		}
		ok := l.call(ctx, http.MethodPost, "/api/2.0/mlflow/model-versions/create", `{"name":"killed","source":"s3://b/x"}`, &answer)
		l.note(ok, func() { l.versions[answer.Version.Version]++ })
		return ok
	}
	// A batch of the steps 10 n to 10 n + 9.
	var points []string
	for step := 10 * n; step < 10*n+10; step++ {
		points = append(points, fmt.Sprintf(`{"key":"m","value":%d,"timestamp":%d,"step":%d}`, step, step, step))
	}
	ok := l.call(ctx, http.MethodPost, "/api/2.0/mlflow/runs/log-batch", fmt.Sprintf(`{"run_id":%q,"metrics":[%s]}`, id, strings.Join(points, ",")), nil)
	l.note(ok, func() {
		if l.metrics[id] == nil {
			l.metrics[id] = map[int64]bool{}
		}
		for step := 10 * n; step < 10*n+10; step++ {
			l.metrics[id][step] = true
		}
	})
	return ok
}

func (l *mlflowLoad) note(acknowledged bool, what func()) {
	if !acknowledged {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	what()
}

// check returns how many things were acknowledged, and names those that are lost or doubled.
func (l *mlflowLoad) check(ctx context.Context) (acknowledged int, problems []string) {
	for id, steps := range l.metrics {
		acknowledged += len(steps)
		var answer struct{ Metrics []struct{ Step int64 } }
		l.call(ctx, http.MethodGet, "/api/2.0/mlflow/metrics/get-history?metric_key=m&run_id="+id, "", &answer)
		have := map[int64]int{}
		for _, point := range answer.Metrics {
			have[point.Step]++
		}
		for step := range steps {
			if have[step] != 1 {
				problems = append(problems, fmt.Sprintf("the point %d of %s is there %d times", step, id, have[step]))
			}
		}
	}
	for id, params := range l.params {
		acknowledged += len(params)
		var answer struct {
			Run struct {
				Data struct{ Params []struct{ Key, Value string } }
			}
		}
		l.call(ctx, http.MethodGet, "/api/2.0/mlflow/runs/get?run_id="+id, "", &answer)
		have := map[string]string{}
		for _, p := range answer.Run.Data.Params {
			have[p.Key] = p.Value
		}
		for key, value := range params {
			if have[key] != value {
				problems = append(problems, fmt.Sprintf("the param %s of %s is %q, want %q", key, id, have[key], value))
			}
		}
	}
	for path, content := range l.artifacts {
		acknowledged++
		var got string
		if !l.call(ctx, http.MethodGet, "/api/2.0/mlflow-artifacts/artifacts/"+path, "", &got) || got != content {
			problems = append(problems, fmt.Sprintf("the artifact %s has %d bytes, want %d", path, len(got), len(content)))
		}
	}
	for version, times := range l.versions {
		acknowledged++
		var answer struct {
			Version struct{ Version string } `json:"model_version"`
		}
		l.call(ctx, http.MethodGet, "/api/2.0/mlflow/model-versions/get?name=killed&version="+version, "", &answer)
		if answer.Version.Version != version || times != 1 {
			problems = append(problems, fmt.Sprintf("the version %s was given %d times, and is %q", version, times, answer.Version.Version))
		}
	}
	return acknowledged, problems
}

// leftovers returns the files of the blobs that are being written, and those that no row names.
func (l *mlflowLoad) leftovers(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "blobs", "artifact", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// TestNothingLoggedIsLostWhenTheServerIsKilled kills the server again and again while clients log.
func TestNothingLoggedIsLostWhenTheServerIsKilled(t *testing.T) {
	binary, dir := need.Binary(t), filepath.Join(t.TempDir(), "data")
	random := rand.New(rand.NewPCG(fresh(t), 1))
	load := &mlflowLoad{metrics: map[string]map[int64]bool{}, params: map[string]map[string]string{}, artifacts: map[string]string{}, versions: map[string]int{}}
	run := func() *process {
		return startReady(t, binary, dir, &load.url)
	}
	server := run()
	if !load.call(t.Context(), http.MethodPost, "/api/2.0/mlflow/registered-models/create", `{"name":"killed"}`, nil) {
		t.Fatal("the model cannot be registered")
	}
	ctx, stop := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for i := range mlflowSenders {
		senders.Go(func() { load.run(ctx, i) })
	}
	for range *kills {
		if err := pause(ctx, time.Duration(200+random.IntN(900))*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := server.kill(); err != nil {
			t.Fatal(err)
		}
		server = run()
	}
	stop()
	senders.Wait()
	defer func() { _ = server.kill() }()
	acknowledged, problems := load.check(t.Context())
	t.Logf("%d kills, %d points, params, artifacts and versions acknowledged, %d lost or doubled", *kills, acknowledged, len(problems))
	if acknowledged < 100**kills {
		t.Errorf("only %d things were acknowledged: that is no load", acknowledged)
	}
	for i, problem := range problems {
		if i == 10 {
			break
		}
		t.Error(problem)
	}
	// Half-sent uploads leave no files behind: those that no name leads to are removed soon after the start.
	named := len(load.artifacts)
	need.Eventually(t, 20*time.Second, "content without a name to be removed", func() bool {
		return load.leftovers(t, dir) <= named+mlflowSenders**kills // what was stored, but not acknowledged, stays
	})
}
