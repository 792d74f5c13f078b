package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/test/need"
)

// block is a piece of a page that a shell runs.
var block = regexp.MustCompile("(?s)```sh\n(.*?)```")

// The page about MLflow's REST API is run as it stands, by curl.
func TestTheCallsOfMLflowsRESTPageWork(t *testing.T) {
	need.Tool(t, "curl")
	page, err := os.ReadFile(filepath.Join(need.Root(t), "docs/guide/mlflow-curl.md"))
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	calls := 0
	for _, found := range block.FindAllStringSubmatch(string(page), -1) {
		for line := range strings.SplitSeq(found[1], "\n") {
			if strings.HasPrefix(line, "c ") || strings.Contains(line, "$(c ") {
				calls++
			}
			script.WriteString(line + "\n")
		}
	}
	if calls < 60 {
		t.Fatalf("the page has %d calls; the test does not find them all", calls)
	}
	address := serve(t)
	command := exec.CommandContext(t.Context(), "bash", "-xc", strings.ReplaceAll(script.String(), "127.0.0.1:8460", address))
	command.Dir = t.TempDir()
	said, err := command.CombinedOutput()
	if err != nil {
		text := string(said)
		t.Fatalf("%v; the last lines:\n%s", err, text[max(0, len(text)-1500):])
	}
	for _, want := range []string{`"value":0.25`, "flavors: {}", `"version":"1"`, `"traces_deleted":1`, `"current_stage":"Production"`} {
		if !strings.Contains(string(said), want) {
			t.Errorf("no answer has %s", want)
		}
	}
}
