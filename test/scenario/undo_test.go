package scenario

import (
	"compress/gzip"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/test/need"
)

// rows returns all stored alerts, newest first.
func rows(t *testing.T, w *World) []*alert.Row {
	t.Helper()
	rows, err := alert.List(t.Context(), w.db.Read(), alert.Filter{Limit: maxRows})
	if err != nil {
		t.Fatalf("list alerts: %v", err)
	}
	return rows
}

// checkSums fails unless every alert is in exactly one incident, and the incidents count exactly their alerts.
func checkSums(t *testing.T, w *World) {
	t.Helper()
	got := map[uint64]int{}
	for _, row := range rows(t, w) {
		got[row.Root]++
	}
	if got[0] > 0 {
		t.Errorf("%d alerts are in no incident", got[0])
		delete(got, 0)
	}
	incidents, err := w.Incidents(t.Context())
	if err != nil {
		t.Fatalf("list incidents: %v", err)
	}
	for _, inc := range incidents {
		if inc.Total.Alerts != got[inc.Number] {
			t.Errorf("%s counts %d alerts, and has %d", inc.ID(), inc.Total.Alerts, got[inc.Number])
		}
		delete(got, inc.Number)
	}
	for number, n := range got {
		t.Errorf("%d alerts are in %s, which is not listed", n, incident.ID(number))
	}
}

// snapshot describes which alerts are together, in which state; numbers of incidents do not matter.
func snapshot(t *testing.T, w *World) string {
	t.Helper()
	together := map[uint64][]string{}
	for _, row := range rows(t, w) {
		together[row.Root] = append(together[row.Root], fmt.Sprintf("%s %s", row.Episode.ID, row.Disposition()))
	}
	incidents, err := w.Incidents(t.Context())
	if err != nil {
		t.Fatalf("list incidents: %v", err)
	}
	var lines []string
	for _, inc := range incidents {
		if len(together[inc.Number]) > 0 {
			lines = append(lines, fmt.Sprintf("%s %s: %s", inc.State, inc.Severity, strings.Join(together[inc.Number], ", ")))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// taken returns all stored steps of a world, oldest first.
func taken(t *testing.T, w *World) []*incident.Step {
	t.Helper()
	seen := map[uint64]*incident.Step{}
	for number := uint64(1); ; number++ {
		step, err := incident.FindStep(t.Context(), w.db.Read(), number)
		if err != nil {
			break
		}
		seen[number] = step
	}
	return slices.SortedFunc(maps.Values(seen), func(a, b *incident.Step) int { return int(a.Number) - int(b.Number) })
}

// recording returns the recorded outage of the practice shop, in which the engine merges and splits, and some quiet hours
// after it.
func recording(t *testing.T) *Script {
	t.Helper()
	folder := filepath.Join(need.Root(t), "examples", "practice")
	packed, err := os.Open(filepath.Join(folder, "stream.jsonl.gz"))
	if err != nil {
		t.Fatalf("open the recording: %v", err)
	}
	defer packed.Close()
	stream, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatalf("open the recording: %v", err)
	}
	edges, err := os.Open(filepath.Join(folder, "edges.json"))
	if err != nil {
		t.Fatalf("open the map: %v", err)
	}
	defer edges.Close()
	script, err := ReadStream(stream, edges)
	if err != nil {
		t.Fatalf("read the recording: %v", err)
	}
	last := script.Lines[len(script.Lines)-1].At
	quiet := Line{At: last + 3*time.Hour, Do: Expect{Count: &ExpectCount{N: 0, State: "current"}}}
	script.Lines = append(script.Lines, quiet)
	return script
}

// TestEveryKindOfStepCanBeUndone replays each scenario up to its first step of each kind, takes that step back and lets the
// scenario go on. The kinds are the engine's own list: a new kind without a scenario that reaches it fails here.
func TestEveryKindOfStepCanBeUndone(t *testing.T) {
	all := scripts(t)
	all["practice"] = recording(t)
	firsts := map[incident.StepKind]map[string]*incident.Step{}
	for name, script := range all {
		w := open(t, script)
		runOn(t, w, script.Lines)
		for _, step := range taken(t, w) {
			if firsts[step.Kind] == nil {
				firsts[step.Kind] = map[string]*incident.Step{}
			}
			key := name + " by people"
			if step.Actor == "engine" {
				key = name + " by the engine"
			}
			if firsts[step.Kind][key] == nil {
				firsts[step.Kind][key] = step
			}
		}
	}
	for _, kind := range incident.StepKinds {
		t.Run(string(kind), func(t *testing.T) {
			if len(firsts[kind]) == 0 {
				t.Fatalf("no scenario reaches a step of the kind %s; write one", kind)
			}
			undone := 0
			for key, step := range firsts[kind] {
				name, _, _ := strings.Cut(key, " ")
				t.Run(key, func(t *testing.T) {
					if undo(t, all[name], step) {
						undone++
					}
				})
			}
			if kind.Undoable() && undone == 0 {
				t.Errorf("none of the %d steps of the kind %s could be undone", len(firsts[kind]), kind)
			}
		})
	}
}

// undo runs a script up to a step, takes it back and goes on. It reports whether the step could be taken back: one may be in
// the way of what happened in the same moment.
func undo(t *testing.T, script *Script, step *incident.Step) bool {
	t.Helper()
	w := open(t, script)
	at := step.At.Sub(Start)
	i := 0
	for i < len(script.Lines) && script.Lines[i].At < at {
		i++
	}
	runOn(t, w, script.Lines[:i])
	before, begin := "", i
	for ; i < len(script.Lines) && script.Lines[i].At == at; i++ {
		if _, err := incident.FindStep(t.Context(), w.db.Read(), step.Number); err == nil {
			break
		}
		if isReport(script.Lines[i]) {
			// One request: the rest of the reports of this moment.
			for i+1 < len(script.Lines) && isReport(script.Lines[i+1]) && script.Lines[i+1].At == at {
				i++
			}
			runOn(t, w, script.Lines[begin:i+1])
		} else {
			before = snapshot(t, w)
			runOn(t, w, script.Lines[i:i+1])
		}
		begin = i + 1
	}
	if err := w.AdvanceTo(limited(t), at); err != nil {
		t.Fatalf("advance: %v", err)
	}
	again, err := incident.FindStep(t.Context(), w.db.Read(), step.Number)
	if err != nil || again.Kind != step.Kind || again.Text != step.Text {
		t.Fatalf("the same scenario took other steps: got %v, %v, want %v", again, err, step)
	}
	err = w.Undo(limited(t), step.Number, "bob")
	switch {
	case !step.Kind.Undoable():
		if !errors.Is(err, incident.ErrConflict) {
			t.Errorf("undo %s: got error %v, want a conflict", step.ID(), err)
		}
		return false
	case errors.Is(err, incident.ErrConflict):
		t.Logf("not undone: %v", err)
		return false
	case err != nil:
		t.Fatalf("undo %s: %v", step.ID(), err)
	}
	checkSums(t, w)
	if after := snapshot(t, w); step.Actor != "engine" && after != before {
		t.Errorf("undoing %q left something else than before it\nbefore:\n%s\nafter:\n%s", step.Text, before, after)
	}
	if err := w.Undo(limited(t), step.Number, "bob"); !errors.Is(err, incident.ErrConflict) {
		t.Errorf("undo %s again: got error %v, want a conflict", step.ID(), err)
	}
	runOn(t, w, script.Lines[i:])
	checkSums(t, w)
	checkNotRepeated(t, w, step)
	return true
}

// runOn runs lines; what they expect need not hold any more.
func runOn(t *testing.T, w *World, lines []Line) {
	t.Helper()
	for len(lines) > 0 {
		n := 1 // reports of one moment stay together, as Run does it
		for isReport(lines[0]) && n < len(lines) && isReport(lines[n]) && lines[n].At == lines[0].At {
			n++
		}
		var failure *Failure
		if err := w.Run(limited(t), lines[:n]); err != nil && !errors.As(err, &failure) {
			t.Fatalf("line %d: %v", lines[0].Number, err)
		}
		lines = lines[n:]
	}
}

// checkNotRepeated fails when the engine took a step again that had been taken back.
func checkNotRepeated(t *testing.T, w *World, undone *incident.Step) {
	t.Helper()
	for _, step := range taken(t, w) {
		if step.Number <= undone.Number || step.Actor != "engine" || step.Kind != undone.Kind || step.Incident != undone.Incident {
			continue
		}
		again := step.Kind != incident.StepAssign && step.Kind != incident.StepMerge && step.Kind != incident.StepSplit
		again = again || (step.Kind == incident.StepMerge && step.Other == undone.Other)
		for _, id := range step.Alerts {
			again = again || slices.Contains(undone.Alerts, id)
		}
		if again && step.At.After(undone.At) {
			t.Errorf("%s (%s) was undone, and %s at %v does it again: %s", undone.ID(), undone.Text, step.ID(), step.At.Sub(Start), step.Text)
		}
	}
}
