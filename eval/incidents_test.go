package eval

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const practice = "../examples/practice/"

// outcome is one line of what Incidents writes.
type outcome struct {
	Line, Pos int
	Group     *string
	PagedAt   *time.Time `json:"paged_at"`
}

func run(t *testing.T, stream string) []outcome {
	t.Helper()
	var out bytes.Buffer
	if err := Incidents(t.Context(), stream, practice+"edges.json", &out, IncidentsOptions{}); err != nil {
		t.Fatal(err)
	}
	var rows []outcome
	decoder := json.NewDecoder(&out)
	for decoder.More() {
		var r outcome
		if err := decoder.Decode(&r); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows
}

// plain unpacks the practice stream's first lines, all of them for 0, into a file.
func plain(t *testing.T, lines int) string {
	t.Helper()
	file, err := os.Open(practice + "stream.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzip, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	if _, err := all.ReadFrom(unzip); err != nil {
		t.Fatal(err)
	}
	kept := strings.SplitAfter(all.String(), "\n")
	if lines > 0 {
		kept = kept[:lines]
	}
	path := filepath.Join(t.TempDir(), "stream.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(kept, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheRecordedOutageIsMostlyOneIncident(t *testing.T) {
	rows := run(t, practice+"stream.jsonl.gz")
	counts := map[string]int{}
	most := 0
	for _, r := range rows {
		if r.Group != nil {
			counts[*r.Group]++
			most = max(most, counts[*r.Group])
		}
	}
	if len(counts) == 0 || len(counts) > 8 || most < len(rows)/2 {
		t.Errorf("got %d groups, the largest with %d of %d reports", len(counts), most, len(rows))
	}
	if again := run(t, plain(t, 0)); len(again) != len(rows) {
		t.Errorf("the same stream unpacked: got %d rows, want %d", len(again), len(rows))
	}
}

func TestEveryAlertOfTheStreamHasItsRowInOrder(t *testing.T) {
	rows := run(t, plain(t, 0))
	line, pos := 0, -1
	for _, r := range rows {
		if r.Line == line {
			pos++
		} else {
			line, pos = r.Line, 0
		}
		if r.Pos != pos {
			t.Fatalf("line %d: got place %d, want %d", r.Line, r.Pos, pos)
		}
	}
}

// TestAPrefixGivesTheSamePages proves that nothing looks ahead: what was paged by the end of a prefix is what the whole
// stream pages by then.
func TestAPrefixGivesTheSamePages(t *testing.T) {
	pages := func(rows []outcome, until time.Time) map[time.Time]bool {
		times := map[time.Time]bool{}
		for _, r := range rows {
			if r.PagedAt != nil && !r.PagedAt.After(until) {
				times[*r.PagedAt] = true
			}
		}
		return times
	}
	whole := run(t, plain(t, 0))
	for _, cut := range []int{40, 120, 300} {
		path := plain(t, cut)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		var last struct{ At time.Time }
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
			t.Fatal(err)
		}
		want, got := pages(whole, last.At), pages(run(t, path), last.At)
		for at := range want {
			if !got[at] {
				t.Errorf("the first %d lines do not page at %s, the whole stream does", cut, at)
			}
		}
		for at := range got {
			if !want[at] {
				t.Errorf("the first %d lines page at %s, the whole stream does not", cut, at)
			}
		}
	}
}

func TestFilesThatHoldTheAnswersAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"truth.jsonl":  `{"line":0,"pos":0,"incident":"x","kind":"real"}`,
		"renamed.json": `{"line":0,"pos":0,"at":"2026-01-02T03:04:05Z","incident":"x","kind":"real"}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Incidents(t.Context(), path, "", &bytes.Buffer{}, IncidentsOptions{}); !errors.Is(err, ErrTruth) {
			t.Errorf("%s: got error %v, want ErrTruth", name, err)
		}
	}
}

func TestAnUnknownTermIsRefused(t *testing.T) {
	err := Incidents(t.Context(), plain(t, 5), "", &bytes.Buffer{}, IncidentsOptions{Without: []string{"magic"}})
	if err == nil || !strings.Contains(err.Error(), "magic") {
		t.Errorf("got error %v, want one that names the term", err)
	}
}

func TestABrokenLineIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stream.jsonl")
	if err := os.WriteFile(path, []byte("{\"at\":\"2026-01-02T03:04:05Z\",\"alerts\":[]}\n{nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Incidents(t.Context(), path, "", &bytes.Buffer{}, IncidentsOptions{})
	if err == nil || !strings.Contains(err.Error(), "2") || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want one that names file and line", err)
	}
}
