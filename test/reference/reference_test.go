package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/app"
)

func TestMetricsAreReadWithTheirLabels(t *testing.T) {
	help, kinds, labels, names := readMetrics(`# HELP go_threads Number of threads.
# TYPE go_threads gauge
go_threads 8
# HELP fairlead_b_seconds How long.
# TYPE fairlead_b_seconds histogram
fairlead_b_seconds_bucket{code="200",le="1"} 3
fairlead_b_seconds_sum{code="200"} 1
# HELP fairlead_a_total How many.
# TYPE fairlead_a_total counter
fairlead_a_total 7
`)
	if diff := cmp.Diff([]string{"fairlead_a_total", "fairlead_b_seconds"}, names); diff != "" {
		t.Errorf("names differ (-want +got):\n%s", diff)
	}
	if help["fairlead_a_total"] != "How many." || kinds["fairlead_b_seconds"] != "histogram" {
		t.Errorf("got help %v and kinds %v", help, kinds)
	}
	if diff := cmp.Diff(map[string][]string{"fairlead_b_seconds": {"code"}}, labels); diff != "" {
		t.Errorf("labels differ (-want +got):\n%s", diff)
	}
}

func TestEveryKeyOfTheConfigurationIsExplained(t *testing.T) {
	t.Chdir("../..")
	var page strings.Builder
	if err := writeConfig(t.Context(), &page); err != nil {
		t.Fatalf("write the page: %v", err)
	}
	defaults := app.DefaultConfig()
	for _, key := range app.Keys(&defaults) {
		if !strings.Contains(page.String(), "| `"+key.Path+"` | ") {
			t.Errorf("the page lacks %s", key.Path)
		}
	}
	if !strings.Contains(page.String(), "`inhibit_rules[].source_matchers`") {
		t.Error("the page lacks the keys of lists")
	}
}

func TestAKeyWithoutACommentIsAnError(t *testing.T) {
	w := &configWriter{comments: map[string]map[string]string{"": {}}}
	if _, err := w.comment(reflect.TypeOf(struct{ Field int }{}), "Field"); err == nil {
		t.Error("got no error")
	}
}

func TestAnUnknownPageIsAnError(t *testing.T) {
	if err := run([]string{"nonsense"}, &strings.Builder{}); err == nil {
		t.Error("got no error")
	}
}
