package need

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// recorder is a testing.TB that notes how the test ended instead of ending it for good.
type recorder struct {
	testing.TB
	outcome string
}

func (r *recorder) Helper() {}

func (r *recorder) end(outcome string) {
	r.outcome = outcome
	panic(r)
}
func (r *recorder) Skip(...any)           { r.end("skipped") }
func (r *recorder) Skipf(string, ...any)  { r.end("skipped") }
func (r *recorder) Fatal(...any)          { r.end("failed") }
func (r *recorder) Fatalf(string, ...any) { r.end("failed") }

// outcome runs f and returns how it ended: passed, skipped or failed.
func outcome(t *testing.T, f func(testing.TB)) (result string) {
	t.Helper()
	r := &recorder{TB: t, outcome: "passed"}
	defer func() {
		if ended := recover(); ended != nil && ended != any(r) {
			panic(ended)
		}
		result = r.outcome
	}()
	f(r)
	return r.outcome
}

func TestWhatIsMissingSkipsOrFails(t *testing.T) {
	tests := []struct {
		name       string
		requireAll string
		use        func(testing.TB)
		want       string
	}{
		{"a tool that is there", "", func(tb testing.TB) { Tool(tb, "go") }, "passed"},
		{"a missing tool skips", "", func(tb testing.TB) { Tool(tb, "no-such-tool") }, "skipped"},
		{"a missing tool fails when all is required", "1", func(tb testing.TB) { Tool(tb, "no-such-tool") }, "failed"},
		{"missing data skip", "", func(tb testing.TB) { Data(tb, "no/such/set") }, "skipped"},
		{"missing data skip even when all is required", "1", func(tb testing.TB) { Data(tb, "no/such/set") }, "skipped"},
		{"data that are there", "1", func(tb testing.TB) { Data(tb, "set") }, "passed"},
		{"a condition that comes true", "", func(tb testing.TB) { Eventually(tb, time.Hour, "it", func() bool { return true }) }, "passed"},
		{"a condition that never comes true", "", func(tb testing.TB) { Eventually(tb, 0, "it", func() bool { return false }) }, "failed"},
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "set"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAIRLEAD_DATA", folder)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("FAIRLEAD_REQUIRE_ALL", test.requireAll)
			if got := outcome(t, test.use); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
