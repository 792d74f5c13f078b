package receive

import (
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/signal"
)

func TestASeriesKeepsItsType(t *testing.T) {
	var m typeMemory
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	series := func(kind signal.SampleType) []signal.Series {
		return []signal.Series{{Labels: signal.NewLabels(map[string]string{"__name__": "jobs_total"}), Type: kind, Samples: []signal.Sample{{At: 1, Value: 1}}}}
	}
	for _, step := range []struct {
		name   string
		after  time.Duration
		kind   signal.SampleType
		reason string // "" for taken
	}{
		{"the first is taken", 0, signal.Counter, ""},
		{"the same is taken", time.Minute, signal.Counter, ""},
		{"who does not say the type is taken", time.Minute, signal.Untyped, ""},
		{"a gauge is refused", 2 * time.Minute, signal.Gauge, ReasonTypeChange},
		{"the other temporality is refused", 3 * time.Minute, signal.Delta, ReasonTemporality},
		{"the old one goes on", 4 * time.Minute, signal.Counter, ""},
		{"after a while without it the new one is taken", 10 * time.Minute, signal.Gauge, ""},
		{"and the old one refused", 11 * time.Minute, signal.Counter, ReasonTypeChange},
	} {
		v := &Visit{At: at.Add(step.after)}
		got := m.admit(v, series(step.kind))
		if (len(got) == 1) != (step.reason == "") || step.reason != "" && v.reasons[step.reason] != 1 {
			t.Errorf("%s: %d taken, refused %v, want %q", step.name, len(got), v.reasons, step.reason)
		}
	}
}
