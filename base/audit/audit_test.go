package audit_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/test/postgres"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func open(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), postgres.Config(t), "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func leaf(i int) audit.Leaf {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return audit.Leaf{
		At: start.Add(time.Duration(i) * time.Second), Actor: "ann", Action: "incident.merge", Object: fmt.Sprint("INC-", i),
		Reason: "same cause", Data: sum[:],
	}
}

// fill appends count leaves, some alone and some together.
func fill(t testing.TB, db *store.DB, count int) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		for i := 0; i < count; {
			together := min(1+i%4, count-i)
			var leaves []audit.Leaf
			for j := range together {
				leaves = append(leaves, leaf(i+j))
			}
			first, err := audit.AppendAll(ctx, tx, leaves)
			if err != nil {
				return err
			}
			if first != int64(i) {
				t.Errorf("leaf %d got number %d", i, first)
			}
			i += together
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func verify(t testing.TB, db *store.DB, checks ...audit.Check) audit.Report {
	t.Helper()
	report, err := audit.Verify(t.Context(), db.Read(), checks...)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// tamper changes one row. It returns false if the database refuses to hold what would stand there then.
func tamper(t testing.TB, db *store.DB, query string, args ...any) bool {
	t.Helper()
	query = postgres.Damage(db.Read(), query)
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.Tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if changed, err := result.RowsAffected(); err != nil || changed != 1 {
			t.Fatalf("%s: %d rows changed, error %v", query, changed, err)
		}
		return nil
	})
	if err != nil && !postgres.Refuses(err) {
		t.Fatalf("%s: %v", query, err)
	}
	return err == nil
}

func TestWholeLogVerifiesAtEverySize(t *testing.T) {
	db := open(t)
	var mirror []tlog.Hash // the same tree, kept by the library alone
	reader := tlog.HashReaderFunc(func(positions []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, position := range positions {
			hashes = append(hashes, mirror[position])
		}
		return hashes, nil
	})
	roots := map[string]bool{}
	for n := range int64(70) {
		report := verify(t, db)
		if report.Size != n || len(report.Problems) > 0 || report.Root == "" {
			t.Fatalf("with %d leaves: %+v", n, report)
		}
		if roots[report.Root] {
			t.Errorf("with %d leaves the root is that of another size", n)
		}
		roots[report.Root] = true
		err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := audit.Append(ctx, tx, audit.Leaf{Actor: "engine"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		// The record of Leaf{Actor: "engine"}: version, time 0, "engine", and four empty fields.
		hashes, err := tlog.StoredHashes(n, []byte("\x01\x00\x06engine\x00\x00\x00\x00"), reader)
		if err != nil {
			t.Fatal(err)
		}
		mirror = append(mirror, hashes...)
		root, err := tlog.TreeHash(n+1, reader)
		if err != nil {
			t.Fatal(err)
		}
		if got := verify(t, db).Root; got != root.String() {
			t.Fatalf("with %d leaves the root is %s, want %s", n+1, got, root)
		}
	}
}

func TestLeafGoesWithItsTransaction(t *testing.T) {
	db := open(t)
	fill(t, db, 5)
	before := verify(t, db)
	failure := errors.New("no")
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := audit.Append(ctx, tx, leaf(5)); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, verify(t, db)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAnyFlippedByteIsNamed changes one byte of one column of one row at a time.
func TestAnyFlippedByteIsNamed(t *testing.T) {
	const count = 70 // more than a page of leaves
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	db := open(t)
	fill(t, db, count)
	good := verify(t, db)
	columns := []string{"actor", "action", "object", "reason", "data"}
	for range 80 {
		n := random.Int64N(count)
		var query, undo string
		var old any
		var args []any
		read := func(text string, args ...any) {
			if err := db.Read().DB.QueryRow(postgres.Damage(db.Read(), text), args...).Scan(&old); err != nil {
				t.Fatal(err)
			}
		}
		switch what := random.IntN(len(columns) + 3); {
		case what < len(columns):
			column := columns[what]
			read("SELECT CAST("+column+" AS BLOB) FROM audit_leaves WHERE n = ?", n)
			query = "UPDATE audit_leaves SET " + column + " = CAST(? AS TEXT) WHERE n = ?"
			if column == "data" {
				query = "UPDATE audit_leaves SET data = ? WHERE n = ?"
			}
			undo, args = query, []any{n}
		case what == len(columns):
			read("SELECT at FROM audit_leaves WHERE n = ?", n)
			query, args = "UPDATE audit_leaves SET at = ? WHERE n = ?", []any{n}
			undo = query
		case what == len(columns)+1:
			old = n
			query, undo = "UPDATE audit_leaves SET n = ? WHERE n = ?", ""
		default:
			position := tlog.StoredHashIndex(0, n)
			read("SELECT hash FROM audit_hashes WHERE position = ?", position)
			query, args = "UPDATE audit_hashes SET hash = ? WHERE position = ?", []any{position}
			undo = query
		}
		var changed any
		switch old := old.(type) {
		case []byte:
			flipped := slices.Clone(old)
			flipped[random.IntN(len(flipped))] ^= 1 << random.IntN(8)
			changed = flipped
		case int64:
			changed = old ^ 1<<(8+random.IntN(40)) // far enough from the number of another leaf
			if undo == "" {
				args = []any{n}
			}
		}
		if !tamper(t, db, query, append([]any{changed}, args...)...) {
			continue
		}
		report := verify(t, db)
		named := slices.ContainsFunc(report.Problems, func(p audit.Problem) bool {
			return p.Leaf == n && strings.Contains(p.Name, fmt.Sprint("leaf ", n))
		})
		if !named {
			t.Errorf("%s with %v for %v: not named in %+v", query, changed, old, report.Problems)
		}
		if len(report.Problems) > 3 {
			t.Errorf("%s: one byte gave %d problems: %+v", query, len(report.Problems), report.Problems)
		}
		if undo == "" {
			tamper(t, db, query, old, changed)
		} else {
			tamper(t, db, undo, append([]any{old}, args...)...)
		}
	}
	if diff := cmp.Diff(good, verify(t, db)); diff != "" {
		t.Errorf("after all is undone (-want +got):\n%s", diff)
	}
}

func TestEveryKindOfDamageIsNamed(t *testing.T) {
	const count = 21
	for _, test := range []struct {
		name, query string
		want        string // in a problem
	}{
		{"a leaf in the middle is missing", "DELETE FROM audit_leaves WHERE n = 7", "leaf 7: the leaf is missing"},
		{"the last leaf is missing", "DELETE FROM audit_leaves WHERE n = 20", "hash of leaf 20: the leaf is missing"},
		{"a leaf's hash is missing", "DELETE FROM audit_hashes WHERE position = 0", "hash of leaf 0: the hash is missing"},
		{"a hash above is missing", "DELETE FROM audit_hashes WHERE position = 2", "hash over leaves 0 to 1: the hash is missing"},
		{
			"a hash above is changed",
			"UPDATE audit_hashes SET hash = (SELECT hash FROM audit_hashes WHERE position = 0) WHERE position = 2",
			"hash over leaves 0 to 1: the hash is not that of the two below it",
		},
		{"a hash is too short", "UPDATE audit_hashes SET hash = x'00' WHERE position = 0", "hash of leaf 0: the hash has 1 bytes"},
		{"a leaf was added without a hash", "INSERT INTO audit_leaves VALUES (21, 0, 'eve', 'x', '', '', '')", `leaf 21 ("x" by "eve"`},
		{"a leaf was added before the first", "INSERT INTO audit_leaves VALUES (-1, 0, 'eve', 'x', '', '', '')", `leaf -1 ("x" by "eve"`},
		{
			"a leaf was added with the largest number",
			"INSERT INTO audit_leaves VALUES (9223372036854775807, 0, 'eve', 'x', '', '', '')",
			`leaf 9223372036854775807 ("x" by "eve"`,
		},
		{"a hash was added behind the last", "INSERT INTO audit_hashes VALUES (9223372036854775807, x'00')", "the hash belongs to no leaf"},
		{"a hash was added before the first", "INSERT INTO audit_hashes VALUES (-3, x'00')", "hash at position -3"},
		{"a number is text", "UPDATE audit_leaves SET n = 'seven' WHERE n = 7", "a row of audit_leaves: the row cannot be read"},
		{"a time is text", "UPDATE audit_leaves SET at = 'noon' WHERE n = 7", "leaf 7: the leaf is missing"},
		{"a position is text", "UPDATE audit_hashes SET position = 'x' WHERE position = 2", "a row of audit_hashes: the row cannot be read"},
		{"a part moved to the next field", "UPDATE audit_leaves SET actor = 'a', action = 'nn' || action WHERE n = 4", "leaf 4 ("},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := open(t)
			fill(t, db, count)
			if !tamper(t, db, test.query) {
				return
			}
			report := verify(t, db)
			var all []string
			found := false
			for _, problem := range report.Problems {
				text := problem.Name + ": " + problem.Detail
				all = append(all, text)
				found = found || strings.Contains(text, test.want)
			}
			if !found {
				t.Errorf("no problem contains %q:\n%s", test.want, strings.Join(all, "\n"))
			}
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	db := open(t)
	fill(t, db, 300)
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.Tx.ExecContext(ctx, "UPDATE audit_leaves SET actor = 'eve'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if report := verify(t, db); len(report.Problems) != 100 || report.Problems[0].Leaf != 0 {
		t.Errorf("%d problems, want 100 from leaf 0 on", len(report.Problems))
	}
}

// rowCheck compares leaves with rows of the table state.
type rowCheck struct{ seen int }

func (c *rowCheck) Leaf(ctx context.Context, db bun.IDB, _ int64, l audit.Leaf) (string, error) {
	c.seen++
	value, err := store.LoadState(ctx, db, l.Object)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "its row is missing", nil
	case err != nil:
		return "", err
	case string(value) != string(l.Data):
		return "its row was changed", nil
	}
	return "", nil
}

func (c *rowCheck) Done(context.Context, bun.IDB) ([]audit.Problem, error) {
	return []audit.Problem{{Leaf: -1, Name: "row x", Detail: fmt.Sprint("no leaf among ", c.seen)}}, nil
}

func TestCheckComparesRowsWithLeaves(t *testing.T) {
	db := open(t)
	err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		for i := range 10 {
			l := leaf(i)
			if err := store.SaveState(ctx, tx, l.Object, l.Data); err != nil {
				return err
			}
			if _, err := audit.Append(ctx, tx, l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, db, "UPDATE state SET value = x'00' WHERE name = 'INC-3'")
	tamper(t, db, "DELETE FROM state WHERE name = 'INC-5'")
	var got []string
	for _, problem := range verify(t, db, &rowCheck{}).Problems {
		got = append(got, problem.Name+": "+problem.Detail)
	}
	want := []string{
		`leaf 3 ("incident.merge INC-3" by "ann" at 2026-01-02T03:04:08Z): its row was changed`,
		`leaf 5 ("incident.merge INC-5" by "ann" at 2026-01-02T03:04:10Z): its row is missing`,
		"row x: no leaf among 10",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVerifySeesOneSnapshotWhileTheServerWrites(t *testing.T) {
	db := open(t)
	fill(t, db, 200)
	var later audit.Check = interfere{t: t, db: db}
	if report := verify(t, db, later); len(report.Problems) > 0 || report.Size != 200 {
		t.Errorf("%d leaves, problems %+v; want 200 and none", report.Size, report.Problems)
	}
	if report := verify(t, db); report.Size != 400 {
		t.Errorf("%d leaves afterwards, want 400", report.Size)
	}
}

// interfere writes a leaf whenever Verify looks at one.
type interfere struct {
	t  *testing.T
	db *store.DB
}

func (i interfere) Leaf(ctx context.Context, _ bun.IDB, n int64, _ audit.Leaf) (string, error) {
	return "", i.db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := audit.Append(ctx, tx, leaf(int(n)))
		return err
	})
}

func (i interfere) Done(context.Context, bun.IDB) ([]audit.Problem, error) { return nil, nil }

func BenchmarkAppend(b *testing.B) {
	for _, together := range []int{1, 100} {
		b.Run(fmt.Sprint("together=", together), func(b *testing.B) {
			db := open(b)
			leaves := make([]audit.Leaf, together)
			for i := range leaves {
				leaves[i] = leaf(i)
			}
			b.ResetTimer()
			err := db.Write(b.Context(), func(ctx context.Context, tx bun.Tx) error {
				for i := 0; i < b.N; i += together {
					if _, err := audit.AppendAll(ctx, tx, leaves); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	const count = 10_000
	db := open(b)
	fill(b, db, count)
	b.ResetTimer()
	for range b.N {
		verify(b, db)
	}
	b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
}
