package app

import (
	"net/url"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/web/api"
)

// What a client of MLflow logged is what the pages show.
func TestRunsAndModelsAsThePagesReadThem(t *testing.T) {
	c := startClosed(t, testConfig(t))
	c.admin()
	reader := c.browser(c.user("ann", access.Grant{Role: access.Viewer}))
	call := func(method, path, body string, into any) {
		t.Helper()
		if status := callMLflow(t, c.URL(), method, path, body, into); status != 200 {
			t.Fatalf("%s %s: %d", method, path, status)
		}
	}
	const v2 = "/api/2.0/mlflow/"
	var made struct {
		ID string `json:"experiment_id"`
	}
	call("POST", v2+"experiments/create", `{"name":"churn/eu","tags":[{"key":"mlflow.note.content","value":"why"}]}`, &made)
	var begun struct {
		Run struct {
			Info struct {
				RunID string `json:"run_id"`
			}
		}
	}
	call("POST", v2+"runs/create", `{"experiment_id":"`+made.ID+`","run_name":"first","start_time":1700000000000}`, &begun)
	run := begun.Run.Info.RunID
	call("POST", v2+"runs/log-batch", `{"run_id":"`+run+`","params":[{"key":"depth","value":"3"}],"metrics":[
		{"key":"loss","value":2,"timestamp":1,"step":0},{"key":"loss","value":"NaN","timestamp":2,"step":1},{"key":"loss","value":0.5,"timestamp":3,"step":2},{"key":"broken","value":"NaN","timestamp":3}]}`, nil)
	call("PUT", "/api/2.0/mlflow-artifacts/artifacts/"+made.ID+"/"+run+"/artifacts/plots/a.txt", "hello", nil)
	call("POST", v2+"registered-models/create", `{"name":"fraud 'eu'","description":"# Fraud"}`, nil)
	for range 2 {
		call("POST", v2+"model-versions/create", `{"name":"fraud 'eu'","source":"mlflow-artifacts:/`+made.ID+`/`+run+`/artifacts/plots","run_id":"`+run+`"}`, nil)
	}
	call("POST", v2+"registered-models/alias", `{"name":"fraud 'eu'","alias":"champion","version":"1"}`, nil)

	var experiments api.ExperimentPage
	c.as(reader, "GET", "/experiments?filter="+url.QueryEscape("name LIKE 'churn%'"), "", 200, &experiments)
	if len(experiments.Items) != 1 || experiments.Items[0].Runs != 1 || experiments.Items[0].Running != 1 || experiments.Items[0].LastRunAt.UnixMilli() != 1700000000000 {
		t.Errorf("the experiments: %+v", experiments)
	}
	var keys api.ExperimentKeys
	c.as(reader, "GET", "/experiments/"+made.ID+"/keys", "", 200, &keys)
	if len(keys.Metrics) != 2 || len(keys.Params) != 1 || keys.Params[0] != "depth" {
		t.Errorf("the keys: %+v", keys)
	}
	var runs api.RunPage
	c.as(reader, "GET", "/runs?experiment="+made.ID+"&order="+url.QueryEscape("metrics.loss DESC")+"&filter="+url.QueryEscape("metrics.loss < 1"), "", 200, &runs)
	if len(runs.Items) != 1 || *runs.Items[0].Metrics["loss"] != 0.5 || runs.Items[0].Metrics["broken"] != nil || runs.Items[0].Params["depth"] != "3" {
		t.Errorf("the runs: %+v", runs)
	}
	var history api.MetricHistory
	c.as(reader, "GET", "/runs/"+run+"/history?key=loss", "", 200, &history)
	if history.Total != 3 || *history.Points[0].Value != 2 || history.Points[1].Value != nil || history.Points[2].Step != 2 {
		t.Errorf("the history: %+v", history)
	}
	var files api.RunFiles
	c.as(reader, "GET", "/runs/"+run+"/files", "", 200, &files)
	if len(files.Items) != 1 || !files.Items[0].Folder || files.Items[0].Path != "plots" {
		t.Errorf("the files: %+v", files)
	}
	c.as(reader, "GET", "/runs/"+run+"/files?path=plots", "", 200, &files)
	if len(files.Items) != 1 || files.Items[0].Path != "plots/a.txt" || files.Items[0].Size != 5 {
		t.Errorf("the files of the folder: %+v", files)
	}
	var model api.RegisteredModel
	c.as(reader, "GET", "/models/"+url.PathEscape("fraud 'eu'"), "", 200, &model)
	if model.Latest != 2 || model.Aliases["champion"] != 1 {
		t.Errorf("the model: %+v", model)
	}
	var versions api.ModelVersionPage
	c.as(reader, "GET", "/models/"+url.PathEscape("fraud 'eu'")+"/versions?limit=1", "", 200, &versions)
	if len(versions.Items) != 1 || versions.Items[0].Version != 2 || versions.Items[0].Run != run || versions.Next == "" {
		t.Errorf("the versions: %+v", versions)
	}

	c.as(reader, "GET", "/runs/none", "", 404, nil)
	c.as(reader, "GET", "/models/none/versions", "", 404, nil)
	c.as(reader, "GET", "/experiments/99", "", 404, nil)
	c.as(reader, "GET", "/runs?experiment="+made.ID+"&filter=loss+%3C", "", 422, nil)
	c.as(reader, "GET", "/runs/"+run+"/files?path=../../x", "", 422, nil)
}

// What a run has kept is registered from its page, by whoever may.
func TestAVersionIsRegisteredFromThePage(t *testing.T) {
	c := startClosed(t, testConfig(t))
	c.admin()
	researcher := c.browser(c.user("rita", access.Grant{Role: access.Researcher}))
	reader := c.browser(c.user("ann", access.Grant{Role: access.Viewer}))
	var begun struct {
		Run struct {
			Info struct {
				RunID string `json:"run_id"`
			}
		}
	}
	callMLflow(t, c.URL(), "POST", "/api/2.0/mlflow/runs/create", `{"experiment_id":"0"}`, &begun)
	run := begun.Run.Info.RunID
	callMLflow(t, c.URL(), "PUT", "/api/2.0/mlflow-artifacts/artifacts/0/"+run+"/artifacts/model/MLmodel", "flavors: {}", nil)
	var logged struct {
		Model struct {
			Info struct {
				ID string `json:"model_id"`
			}
		}
	}
	callMLflow(t, c.URL(), "POST", "/api/2.0/mlflow/logged-models", `{"experiment_id":"0","name":"net","source_run_id":"`+run+`"}`, &logged)

	const path = "/models/churn/versions"
	c.as(reader, "POST", path, `{"run":"`+run+`","path":"model"}`, 403, nil)
	for _, body := range []string{`{}`, `{"run":"` + run + `"}`, `{"run":"` + run + `","path":"plots"}`, `{"run":"` + run + `","path":"../../x"}`, `{"run":"` + run + `","path":"model","logged":"m-1"}`} {
		c.as(researcher, "POST", path, body, 422, nil)
	}
	c.as(researcher, "POST", path, `{"run":"none","path":"model"}`, 404, nil)
	c.as(researcher, "POST", path, `{"logged":"m-1"}`, 404, nil)
	c.as(researcher, "GET", "/models/churn", "", 404, nil) // nothing of it was made
	var v api.ModelVersion
	c.as(researcher, "POST", path, `{"run":"`+run+`","path":"model","description":"first"}`, 200, &v)
	if v.Version != 1 || v.Run != run || v.Source != "mlflow-artifacts:/0/"+run+"/artifacts/model" || v.Description != "first" {
		t.Errorf("the first: %+v", v)
	}
	c.as(researcher, "POST", path, `{"logged":"`+logged.Model.Info.ID+`"}`, 200, &v)
	if v.Version != 2 || v.Run != run || v.Logged != logged.Model.Info.ID {
		t.Errorf("the second: %+v", v)
	}
}

// Both halves know the address /health: a browser wants the page, a client of MLflow a word.
func TestHealthIsAPageForBrowsersAndAWordForPrograms(t *testing.T) {
	c := startClosed(t, testConfig(t))
	for accept, want := range map[string]string{"": "OK", "*/*": "OK", "text/html,application/xhtml+xml": "<!doctype html>"} {
		status, body := c.raw("GET", "/health", []string{"Accept", accept})
		if status != 200 || !strings.HasPrefix(strings.ToLower(body), strings.ToLower(want)) {
			t.Errorf("Accept %q: %d %.40q, want %q", accept, status, body, want)
		}
	}
}
