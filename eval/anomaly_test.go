package eval

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeSeries writes a series with a fault after a week of minutes, as long as asked for.
func writeSeries(t *testing.T, path string, rows int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	text.WriteString("timestamp,value\n")
	for i := range rows {
		value := fmt.Sprintf("%.4f", 50+3*r.NormFloat64())
		switch {
		case i == 10_100:
			value = "95"
		case i%997 == 5:
			value = ""
		}
		fmt.Fprintf(&text, "%d,%s\n", 1772409600+60*i, value)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func judged(t *testing.T, in string) []string {
	t.Helper()
	out := t.TempDir()
	if err := Anomaly(t.Context(), in, out); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(out, "group", "a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func TestEachRowIsJudgedFromTheRowsBeforeIt(t *testing.T) {
	whole, cut := t.TempDir(), t.TempDir()
	writeSeries(t, filepath.Join(whole, "group", "a.csv"), 10_300)
	writeSeries(t, filepath.Join(cut, "group", "a.csv"), 10_102)
	all, part := judged(t, whole), judged(t, cut)
	if len(all) != 10_301 {
		t.Fatalf("%d lines came out, want 10301", len(all))
	}
	for i, line := range part {
		if line != all[i] {
			t.Fatalf("line %d is %q, of the longer series %q", i, line, all[i])
		}
	}
	told := 0
	for i, line := range all[1:] {
		fields := strings.Split(line, ",")
		if fields[4] == "1" {
			told++
			if i < 10_100 || i > 10_130 || fields[5] == "" {
				t.Errorf("row %d is told: %s", i, line)
			}
		}
		if fields[2] != fields[3] {
			t.Errorf("the scores of row %d differ: %s", i, line)
		}
	}
	if told == 0 {
		t.Error("a value of 15 standard deviations is not told")
	}
}

func TestBadSeriesAreRefusedWithTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"when,value\n1,2\n":                           "want timestamp,value",
		"timestamp,value\n2026-01-01 00:00:00,many\n": `line 2: value "many"`,
		"timestamp,value\nyesterday,1\n":              `line 2: timestamp "yesterday"`,
		"timestamp,value\n1,2,3\n":                    "wrong number of fields",
		"":                                            "read the head",
	} {
		in := t.TempDir()
		if err := os.WriteFile(filepath.Join(in, "a.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Anomaly(t.Context(), in, t.TempDir()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}
