package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/web/api"
)

// A quota refuses a file as a whole with a word for the sender, and the page shows how much there is.
func TestAQuotaRefusesAFile(t *testing.T) {
	config := testConfig(t)
	config.Learning.Quota = LearningQuotaConfig{MaxBytes: 30, MaxBytesPerExperiment: 20}
	c := startClosed(t, config)
	c.admin()
	reader := c.browser(c.user("ann", access.Grant{Role: access.Viewer}))
	put := func(path string, size, want int) {
		t.Helper()
		if status := callMLflow(t, c.URL(), "PUT", "/api/2.0/mlflow-artifacts/artifacts/"+path, strings.Repeat("x", size), nil); status != want {
			t.Errorf("%s with %d bytes: %d, want %d", path, size, status, want)
		}
	}
	put("0/a", 15, 200)
	put("0/b", 6, 413)
	put("1/a", 16, 413) // no experiment is full, but all together are
	put("1/a", 15, 200)
	var experiments api.ExperimentPage
	c.as(reader, "GET", "/experiments", "", 200, &experiments)
	if e := experiments.Items[0]; e.Files != 1 || e.Bytes != 15 || e.MaxBytes != 20 {
		t.Errorf("the experiment: %+v", e)
	}
	if status := callMLflow(t, c.URL(), "DELETE", "/api/2.0/mlflow-artifacts/artifacts/0/a", "", nil); status != 200 {
		t.Fatalf("delete: %d", status)
	}
	put("0/b", 6, 200)
}

// Old traces go by rule, with their files, and the audit log says so.
func TestOldTracesAreRemovedByRule(t *testing.T) {
	c := startClosed(t, testConfig(t))
	root := c.browser(c.admin())
	for i, at := range []time.Time{time.Now().Add(-48 * time.Hour), time.Now()} {
		id := fmt.Sprintf("%032x", i+1)
		c.sendSpans("0", fmt.Sprintf(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"%s","spanId":"00000000000000aa","name":"answer","startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`, id, at.UnixNano(), at.UnixNano()+1))
		if status := callMLflow(t, c.URL(), "PUT", "/api/2.0/mlflow-artifacts/artifacts/0/traces/tr-"+id+"/artifacts/a.txt", "x", nil); status != 200 {
			t.Fatal(status)
		}
	}
	if err := c.dropTraces(t.Context(), time.Now().Add(-24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{404, 200} {
		id := fmt.Sprintf("tr-%032x", i+1)
		if status := callMLflow(t, c.URL(), "GET", "/api/3.0/mlflow/traces/"+id, "", nil); status != want {
			t.Errorf("trace %d: %d, want %d", i, status, want)
		}
		if status := callMLflow(t, c.URL(), "GET", "/api/2.0/mlflow-artifacts/artifacts/0/traces/"+id+"/artifacts/a.txt", "", nil); status != want {
			t.Errorf("file of trace %d: %d, want %d", i, status, want)
		}
	}
	var log api.AuditPage
	c.as(root, "GET", "/audit?action=traces.purge", "", 200, &log)
	if len(log.Items) != 1 || log.Items[0].Reason != "learning.traces_kept_for" {
		t.Errorf("the audit log: %+v", log.Items)
	}
}
