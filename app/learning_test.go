package app

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/test/need"
	"github.com/fairlead/fairlead/web/api"
)

// callMLflow sends a call of MLflow's API to a running server as a program on this machine.
func callMLflow(t *testing.T, url, method, path, body string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(url, "/")+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil && answer.StatusCode == http.StatusOK {
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatalf("%s %s: %v in %.200s", method, path, err, data)
		}
	}
	return answer.StatusCode
}

// logs makes a run in the experiment Default.
func (c *closed) logs(name string) {
	c.t.Helper()
	if status := callMLflow(c.t, c.URL(), http.MethodPost, "/api/2.0/mlflow/runs/create", `{"experiment_id":"0","run_name":"`+name+`"}`, nil); status != http.StatusOK {
		c.t.Fatalf("create a run: %d", status)
	}
}

// logged returns how many runs have a name.
func (c *closed) logged(name string) int {
	c.t.Helper()
	var answer struct{ Runs []any }
	if status := callMLflow(c.t, c.URL(), http.MethodPost, "/api/2.0/mlflow/runs/search", `{"experiment_ids":["0"],"filter":"run_name = '`+name+`'"}`, &answer); status != http.StatusOK {
		c.t.Fatalf("search runs: %d", status)
	}
	return len(answer.Runs)
}

func TestDeletedRunsArePurgedWhenASecondPersonSaysSo(t *testing.T) {
	c := startClosed(t, testConfig(t))
	root := c.browser(c.admin())
	decider := c.browser(c.user("ben", access.Grant{Role: access.Approver}))
	var made struct {
		ID string `json:"experiment_id"`
	}
	call := func(method, path, body string, into any) {
		t.Helper()
		if status := callMLflow(t, c.URL(), method, path, body, into); status != http.StatusOK {
			t.Fatalf("%s %s: %d", method, path, status)
		}
	}
	const mlflowAPI = "/api/2.0/mlflow/"
	call("POST", mlflowAPI+"experiments/create", `{"name":"old"}`, &made)
	run := func(experiment string) string {
		t.Helper()
		var answer struct {
			Run struct {
				Info struct {
					ID string `json:"run_id"`
				}
			}
		}
		call("POST", mlflowAPI+"runs/create", `{"experiment_id":"`+experiment+`"}`, &answer)
		id := answer.Run.Info.ID
		call("POST", mlflowAPI+"runs/log-metric", `{"run_id":"`+id+`","key":"m","value":1,"timestamp":1}`, nil)
		call("PUT", "/api/2.0/mlflow-artifacts/artifacts/"+experiment+"/"+id+"/artifacts/model/MLmodel", "flavors: {}", nil)
		return id
	}
	gone, kept, registered := run(made.ID), run("0"), run("0")
	call("POST", mlflowAPI+"registered-models/create", `{"name":"fraud"}`, nil)
	call("POST", mlflowAPI+"model-versions/create", `{"name":"fraud","source":"mlflow-artifacts:/0/`+registered+`/artifacts/model","run_id":"`+registered+`"}`, nil)
	call("POST", mlflowAPI+"runs/delete", `{"run_id":"`+registered+`"}`, nil)
	call("POST", mlflowAPI+"experiments/delete", `{"experiment_id":"`+made.ID+`"}`, nil)

	// A millisecond later everything was deleted before now.
	need.Eventually(t, 5*time.Second, "the clock to go on", func() bool {
		var preview api.LearningPurgePreview
		c.as(root, "POST", "/experiments/purges/preview", `{"deletedDaysAgo":0}`, 200, &preview)
		return preview.Experiments == 1 && preview.Runs == 1 && preview.Files == 1 && preview.Bytes == 11
	})
	var asked api.Approval
	c.as(root, "POST", "/experiments/purges", `{"deletedDaysAgo":0,"reason":"spring"}`, 202, &asked)
	c.as(decider, "POST", "/approvals/"+asked.ID+"/approve", `{"reason":"fine"}`, 200, nil)
	need.Eventually(t, 5*time.Second, "the purge", func() bool {
		c.as(decider, "GET", "/approvals/"+asked.ID, "", 200, &asked)
		return asked.State == "executed"
	})
	if !strings.Contains(asked.Result, "1 experiments, 1 runs") {
		t.Errorf("the result is %q", asked.Result)
	}
	for id, want := range map[string]int{gone: 404, kept: 200, registered: 200} {
		if status := callMLflow(t, c.URL(), "GET", mlflowAPI+"runs/get?run_id="+id, "", nil); status != want {
			t.Errorf("the run %s: %d, want %d", id, status, want)
		}
	}
	if status := callMLflow(t, c.URL(), "GET", "/api/2.0/mlflow-artifacts/artifacts/"+made.ID+"/"+gone+"/artifacts/model/MLmodel", "", nil); status != 404 {
		t.Errorf("a purged file: %d", status)
	}
	var again struct {
		ID string `json:"experiment_id"`
	}
	call("POST", mlflowAPI+"experiments/create", `{"name":"old"}`, &again)
	if again.ID == made.ID {
		t.Error("the number of a purged experiment was given again")
	}
	if report := c.verify(); len(report.Problems) > 0 {
		t.Errorf("the audit log: %+v", report.Problems)
	}
}

func TestAnAliasIsSetWhenASecondPersonSaysSo(t *testing.T) {
	c := startClosed(t, testConfig(t))
	c.admin()
	researcher := c.browser(c.user("ann", access.Grant{Role: access.Researcher}))
	decider := c.browser(c.user("ben", access.Grant{Role: access.Approver}))
	if status := callMLflow(t, c.URL(), "POST", "/api/2.0/mlflow/registered-models/create", `{"name":"fraud"}`, nil); status != 200 {
		t.Fatal(status)
	}
	if status := callMLflow(t, c.URL(), "POST", "/api/2.0/mlflow/model-versions/create", `{"name":"fraud","source":"s3://b/x"}`, nil); status != 200 {
		t.Fatal(status)
	}
	c.as(researcher, "PUT", "/models/fraud/aliases/v1", `{"version":1,"reason":"x"}`, 422, nil)
	c.as(researcher, "PUT", "/models/fraud/aliases/champion", `{"version":9,"reason":"x"}`, 404, nil)
	var asked api.Approval
	c.as(researcher, "PUT", "/models/fraud/aliases/champion", `{"version":1,"reason":"better on the hold-out"}`, 202, &asked)
	c.as(researcher, "POST", "/approvals/"+asked.ID+"/approve", `{"reason":"mine"}`, 403, nil)
	if status := callMLflow(t, c.URL(), "GET", "/api/2.0/mlflow/registered-models/alias?name=fraud&alias=champion", "", nil); status != 400 {
		t.Errorf("before it was approved: %d", status)
	}
	c.as(decider, "POST", "/approvals/"+asked.ID+"/approve", `{"reason":"fine"}`, 200, nil)
	need.Eventually(t, 5*time.Second, "the alias", func() bool {
		return callMLflow(t, c.URL(), "GET", "/api/2.0/mlflow/registered-models/alias?name=fraud&alias=champion", "", nil) == 200
	})
}
