package notify

import (
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/notify"
	"github.com/fairlead/fairlead/test/need"
)

// TestRoutingIsAmtools compares, for 50 generated configurations and eight label sets each, our receivers with what "amtool
// config routes test" says.
func TestRoutingIsAmtools(t *testing.T) {
	tool := need.Tool(t, "amtool")
	seed := rand.Uint64()
	t.Logf("the seed is %d", seed)
	several := 0
	for i := range uint64(50) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, i))}
		file := filepath.Join(t.TempDir(), "alertmanager.yml")
		text := g.configuration()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		plan, err := notify.Load(notify.Config{Alertmanager: file, Per: notify.PerIncident}, "http://127.0.0.1:8460", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatalf("seed %d, configuration %d: %v\n%s", seed, i, err, text)
		}
		for range 8 {
			set := g.labels()
			args := []string{"config", "routes", "test", "--config.file=" + file}
			for _, name := range slices.Sorted(maps.Keys(set)) {
				args = append(args, name+"="+quote(set[name]))
			}
			out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("seed %d, configuration %d: amtool %v: %v %s\n%s", seed, i, args, err, out, text)
			}
			var receivers []string // one for each route, as amtool lists them
			for _, r := range plan.Match(signal.NewLabels(set)) {
				receivers = append(receivers, r.Receiver)
			}
			got, want := strings.Join(receivers, ","), strings.TrimSpace(string(out))
			if got != want {
				t.Errorf("seed %d, configuration %d, labels %v: got %s, amtool says %s\n%s", seed, i, set, got, want, text)
			}
			if strings.Contains(want, ",") {
				several++
			}
		}
	}
	if several == 0 {
		t.Error("no label set had several receivers: the generator tests too little")
	}
}

// quote writes a value as amtool reads one.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
