package app

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
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
