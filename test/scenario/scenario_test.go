package scenario

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
)

// scripts returns all scenario files by their names without the ending.
func scripts(t *testing.T) map[string]*Script {
	t.Helper()
	files, err := filepath.Glob("*.test")
	if err != nil || len(files) == 0 {
		t.Fatalf("got scenario files %v, %v; want some", files, err)
	}
	all := map[string]*Script{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		script, err := Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(file, ".test")] = script
	}
	return all
}

// limited returns a context that outlives the test's own by its clean-up, and ends after a minute: the engine tries to store
// until its context ends, and an error of the database must not look like a test that hangs.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// fastConfig returns an empty database, in memory where that is possible: durability is tested elsewhere, and hundreds of
// scenarios with an fsync a line take their time.
func fastConfig(t *testing.T) store.Config {
	t.Helper()
	if postgres.Chosen() {
		return postgres.Config(t)
	}
	dir, err := os.MkdirTemp("/dev/shm", "fairlead-scenario-")
	if err != nil {
		return store.Config{Dir: t.TempDir()}
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the folder: %v", err)
		}
	})
	return store.Config{Dir: dir}
}

func open(t *testing.T, script *Script) *World {
	t.Helper()
	w, err := Open(limited(t), fastConfig(t), script)
	if err != nil {
		t.Fatalf("open the world: %v", err)
	}
	t.Cleanup(func() {
		if err := w.Close(limited(t)); err != nil {
			t.Errorf("close the world: %v", err)
		}
	})
	return w
}

func TestScenarios(t *testing.T) {
	for name, script := range scripts(t) {
		t.Run(name, func(t *testing.T) {
			w := open(t, script)
			if err := w.Run(limited(t), script.Lines); err != nil {
				t.Fatalf("%s.test: %v", name, err)
			}
			checkSums(t, w)
			before := snapshot(t, w)
			last := script.Lines[len(script.Lines)-1].At
			if err := w.Run(limited(t), []Line{{At: last, Do: Restart{}}}); err != nil {
				t.Fatalf("restart: %v", err)
			}
			if err := w.AdvanceTo(limited(t), last); err != nil {
				t.Fatalf("go on after the restart: %v", err)
			}
			if after := snapshot(t, w); after != before {
				t.Errorf("a restart at the end changed what is there\nbefore:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

func TestAnExpectationThatDoesNotHoldFails(t *testing.T) {
	lines := []string{
		"expect 2 incidents", "expect 1 incident resolved", "expect A is resolved", "expect A is warning", "expect A is 2 alerts",
		"expect A is 2 reports", "expect A is titled nonsense", "expect A is saying nonsense", "expect A is about service:orders",
		"expect A is part of A", "expect B is open", "expect alert Down is resolved", "expect alert Down is silenced",
		"expect alert Down is inhibited", "expect alert Down is flapping", "expect alert Down is untold", "expect alert Up is told",
		"expect alert Down is outside A", "expect alert Down is saying nonsense", "expect alert Down is 2 reports",
		"expect alert Down is 2 episodes", "alice acknowledges A, refused \"never\"", "alice reopens A", "alice undoes the merge of A",
	}
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			script, err := Parse("at 0s fire Down service=cart severity=critical\nat 1m name A: Down\nat 1m " + line)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			w := open(t, script)
			err = w.Run(limited(t), script.Lines)
			if err == nil || !strings.Contains(err.Error(), "line 3: ") {
				t.Errorf("got error %v, want one about line 3", err)
			}
		})
	}
}

func TestAScenarioTakesNoTime(t *testing.T) {
	script, err := Parse("at 0s fire Down service=cart severity=critical for 1h\nat 240h expect 1 incident resolved")
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	began := time.Now()
	w := open(t, script)
	if err := w.Run(limited(t), script.Lines); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("ten days took %v, want under a minute", took)
	}
}
