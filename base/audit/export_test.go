package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/store"
)

func num(n int64) string { return fmt.Sprint(n) }

func signer(t testing.TB) *audit.Signer {
	t.Helper()
	s, err := audit.OpenSigner(filepath.Join(t.TempDir(), "keys", "audit.key"), "fairlead")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t testing.TB, s *audit.Signer, db *store.DB) audit.NamedCheckpoint {
	t.Helper()
	text, c, err := s.Sign(t.Context(), db.Read(), start)
	if err != nil {
		t.Fatal(err)
	}
	return audit.NamedCheckpoint{Name: audit.CheckpointFile(c.Size), Text: text}
}

func TestTheKeyStaysTheSameAndIsPrivate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.key")
	first, err := audit.OpenSigner(file, "fairlead")
	if err != nil {
		t.Fatal(err)
	}
	again, err := audit.OpenSigner(file, "other")
	if err != nil {
		t.Fatal(err)
	}
	if first.Key() != again.Key() || !strings.HasPrefix(first.Key(), "fairlead-") {
		t.Errorf("keys %q and %q", first.Key(), again.Key())
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenSigner(file, "fairlead"); err == nil || !strings.Contains(err.Error(), "restore the file") {
		t.Errorf("a damaged key gave %v", err)
	}
}

func TestProofsHoldForEveryLeafAndSize(t *testing.T) {
	db := open(t)
	const size = 33
	fill(t, db, size)
	ctx := t.Context()
	for to := int64(1); to <= size; to++ {
		for n := range to {
			p, err := audit.ProveInclusion(ctx, db.Read(), n, to)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckRecord(p.Path, p.Size, p.Root, p.Leaf, tlog.RecordHash(p.Record)); err != nil {
				t.Errorf("leaf %d of %d: %v", n, to, err)
			}
			c, err := audit.ProveConsistency(ctx, db.Read(), n+1, to)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(c.Path, c.To, c.ToRoot, c.From, c.FromRoot); err != nil {
				t.Errorf("from %d to %d: %v", n+1, to, err)
			}
		}
	}
	for _, bad := range [][2]int64{{-1, 0}, {size, 0}, {0, size + 1}, {5, 5}} {
		if _, err := audit.ProveInclusion(ctx, db.Read(), bad[0], bad[1]); !errors.Is(err, audit.ErrRange) {
			t.Errorf("leaf %d of %d gave %v", bad[0], bad[1], err)
		}
	}
	for _, bad := range [][2]int64{{0, 3}, {4, 3}, {1, size + 1}} {
		if _, err := audit.ProveConsistency(ctx, db.Read(), bad[0], bad[1]); !errors.Is(err, audit.ErrRange) {
			t.Errorf("from %d to %d gave %v", bad[0], bad[1], err)
		}
	}
}

// TestARewrittenLogIsFoundByACheckpoint rewrites the log as somebody could who may write to the database: hashes included.
func TestARewrittenLogIsFoundByACheckpoint(t *testing.T) {
	key := signer(t)
	honest := open(t)
	fill(t, honest, 10)
	kept := []audit.NamedCheckpoint{sign(t, key, honest)}
	appendLeaf(t, honest, leaf(10), leaf(11))
	kept = append(kept, sign(t, key, honest))
	problems, err := audit.VerifyCheckpoints(t.Context(), honest.Read(), key.Key(), kept)
	if err != nil || len(problems) > 0 {
		t.Fatalf("%+v, %v", problems, err)
	}

	forged := open(t)
	fill(t, forged, 11)
	changed := leaf(11)
	changed.Reason = "something else"
	appendLeaf(t, forged, changed)
	// Pseudonyms are random, so the forged log differs from its first leaf on.
	if report := verify(t, forged); len(report.Problems) > 0 {
		t.Fatalf("%+v", report.Problems)
	}
	problems, err = audit.VerifyCheckpoints(t.Context(), forged.Read(), key.Key(), kept)
	if err != nil || len(problems) != 2 || problems[0].Leaf != 0 || !strings.Contains(problems[0].Detail, "from leaf 0 to leaf 9") {
		t.Errorf("got %+v, %v", problems, err)
	}

	cut := open(t)
	fill(t, cut, 5)
	problems, err = audit.VerifyCheckpoints(t.Context(), cut.Read(), key.Key(), kept[1:])
	if err != nil || len(problems) != 1 || problems[0].Leaf != 5 || !strings.Contains(problems[0].Detail, "signs 12 leaves; the log ends at 5") {
		t.Errorf("got %+v, %v", problems, err)
	}
	if problems, err = audit.VerifyCheckpoints(t.Context(), honest.Read(), signer(t).Key(), kept[:1]); err != nil || len(problems) != 1 {
		t.Errorf("a checkpoint by another key: %+v, %v", problems, err)
	}
}

func export(t testing.TB, db *store.DB, s *audit.Signer) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := audit.Export(t.Context(), db.Read(), s, start, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestAnyFlippedByteOfAnExportIsNamed flips one bit at a time, everywhere.
func TestAnyFlippedByteOfAnExportIsNamed(t *testing.T) {
	key := signer(t)
	db := open(t)
	fill(t, db, 20)
	early := sign(t, key, db)
	appendLeaf(t, db, audit.Leaf{At: start, Actor: "engine", Action: "decisions", Data: []byte("x")}, leaf(21))
	text := export(t, db, key)
	report, err := audit.VerifyExport(bytes.NewReader(text), key.Key(), []audit.NamedCheckpoint{early})
	if err != nil || len(report.Problems) > 0 || report.Size != 22 || report.Root != verify(t, db).Root {
		t.Fatalf("untouched: %+v, %v", report, err)
	}
	line, column := 1, 0
	for i := range text {
		if text[i] == '\n' {
			line++
			column = 0
		}
		column++
		if column%3 != 0 && i%7 != 0 {
			continue // a third of it is enough here
		}
		flipped := bytes.Clone(text)
		flipped[i] ^= 1 << (i % 8)
		report, err := audit.VerifyExport(bytes.NewReader(flipped), key.Key(), []audit.NamedCheckpoint{early})
		if err != nil {
			t.Fatalf("byte %d: %v", i, err)
		}
		if len(report.Problems) == 0 {
			t.Fatalf("byte %d, on line %d, was flipped unnoticed: %s", i, line, flipped[max(0, i-40):min(len(text), i+40)])
		}
		first := report.Problems[0]
		if n := int64(line - 2); text[i] != '\n' && n >= 0 && first.Leaf != n && !strings.Contains(first.Name, fmt.Sprint("line ", line)) {
			t.Fatalf("byte %d, of leaf %d: the first bad entry is said to be %+v", i, n, first)
		}
	}
}

func TestAFlippedCheckpointIsNamed(t *testing.T) {
	key := signer(t)
	db := open(t)
	fill(t, db, 5)
	kept := sign(t, key, db)
	for i := range kept.Text {
		flipped := audit.NamedCheckpoint{Name: "kept", Text: bytes.Clone(kept.Text)}
		flipped.Text[i] ^= 1 << rand.IntN(8)
		problems, err := audit.VerifyCheckpoints(t.Context(), db.Read(), key.Key(), []audit.NamedCheckpoint{flipped})
		if err != nil || len(problems) != 1 || problems[0].Name != "kept" {
			t.Fatalf("byte %d flipped: %+v, %v\n%s", i, problems, err, flipped.Text)
		}
	}
}

func TestAForgedExportIsFoundByItsCheckpoints(t *testing.T) {
	key := signer(t)
	db := open(t)
	fill(t, db, 4)
	kept := []audit.NamedCheckpoint{sign(t, key, db)}
	appendLeaf(t, db, leaf(4), leaf(5), leaf(6), leaf(7))
	kept = append(kept, sign(t, key, db))
	good := strings.SplitAfter(string(export(t, db, key)), "\n")

	other := open(t) // the same with another leaf 5, and its proper hashes
	forged := strings.SplitAfter(string(export(t, db, key)), "\n")
	appendLeaf(t, other, audit.Leaf{At: start, Actor: "engine", Action: "x"})
	forged[6] = strings.Replace(strings.SplitAfter(string(export(t, other, key)), "\n")[1], `"n":0`, `"n":5`, 1)
	report, err := audit.VerifyExport(strings.NewReader(strings.Join(forged, "")), key.Key(), kept)
	if err != nil || len(report.Problems) == 0 || report.Problems[0].Leaf != 4 || !strings.Contains(report.Problems[0].Detail, "from leaf 4 to leaf 7") {
		t.Errorf("got %+v, %v; want the leaves between the two checkpoints named", report.Problems, err)
	}
	report, err = audit.VerifyExport(strings.NewReader(strings.Join(forged, "")), "", nil)
	if err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Name, "root") {
		t.Errorf("without checkpoints: got %+v, %v", report.Problems, err)
	}
	report, err = audit.VerifyExport(strings.NewReader(strings.Join(good[:6], "")), key.Key(), kept)
	if err != nil || len(report.Problems) == 0 || report.Problems[0].Leaf != 5 {
		t.Errorf("cut off: got %+v, %v", report.Problems, err)
	}
	if _, err := audit.VerifyExport(strings.NewReader(""), "", nil); err == nil {
		t.Error("an empty export was read")
	}
}

func FuzzVerifyExport(f *testing.F) {
	f.Add([]byte(`{"format":"fairlead audit export 1","size":0,"root":""}` + "\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if report, err := audit.VerifyExport(bytes.NewReader(data), "", nil); err == nil && report.Size < 0 {
			t.Error("a negative size")
		}
	})
}

func TestCheckpointsGoToAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "elsewhere")
	key := signer(t)
	db := open(t)
	fill(t, db, 3)
	synctest.Test(t, func(t *testing.T) {
		exporter := audit.NewExporter(audit.ExportConfig{To: dir, Every: time.Hour}, db, key, clock.Wall{}, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- exporter.Run(ctx) }()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	kept, err := audit.ReadCheckpoints(dir)
	if err != nil || len(kept) != 1 || kept[0].Name != audit.CheckpointFile(3) {
		t.Fatalf("got %v, %v", kept, err)
	}
	if problems, err := audit.VerifyCheckpoints(t.Context(), db.Read(), key.Key(), kept); err != nil || len(problems) > 0 {
		t.Errorf("%+v, %v", problems, err)
	}
}

func TestCheckpointsGoToAURLAndFailuresAreToldWithoutIt(t *testing.T) {
	var got []string
	answer := http.StatusInternalServerError
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got = append(got, string(text))
		w.WriteHeader(answer)
	}))
	defer server.Close()
	key := signer(t)
	db := open(t)
	fill(t, db, 3)
	var log bytes.Buffer
	to := strings.Replace(server.URL, "http://", "http://user:secret@", 1)
	run := func() audit.Exported {
		exporter := audit.NewExporter(audit.ExportConfig{To: to, Every: time.Hour}, db, key, clock.Wall{}, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		stop() // it exports a last time
		if err := exporter.Run(ctx); err != nil {
			t.Error(err)
		}
		return exporter.State()
	}
	if state := run(); state.Err == nil || strings.Contains(state.Err.Error(), "secret") || strings.Contains(log.String(), "secret") || log.Len() == 0 {
		t.Errorf("got %v, log %q", state.Err, log.String())
	}
	answer = http.StatusNoContent
	if state := run(); state.Err != nil || state.Size != 3 {
		t.Errorf("got %+v", state)
	}
	if c, err := audit.ReadCheckpoint([]byte(got[len(got)-1]), key.Key()); err != nil || c.Size != 3 {
		t.Errorf("posted was %q: %v", got, err)
	}
}

func TestExportSettingsAreChecked(t *testing.T) {
	for to, ok := range map[string]bool{"": true, "/backup/audit": true, "https://x/y": true, "ftp://x": false, "http://": false} {
		if err := (audit.ExportConfig{To: to, Every: time.Hour}).Validate(); (err == nil) != ok {
			t.Errorf("%q gave %v", to, err)
		}
	}
	if (audit.ExportConfig{Every: time.Millisecond}).Validate() == nil {
		t.Error("a millisecond was taken")
	}
}
