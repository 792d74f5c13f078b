package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/store"
)

// ways are how a text can reach the database: bound to a statement, in rows, and written into the statement by bun.
var ways = map[string]func(ctx context.Context, tx bun.Tx, text string) error{
	"exec": func(ctx context.Context, tx bun.Tx, text string) error {
		_, err := store.Exec(ctx, tx, "INSERT INTO positions (consumer, sequence, epoch) VALUES (?, ?, ?)", text, 1, 1)
		return err
	},
	"insert": func(ctx context.Context, tx bun.Tx, text string) error {
		return store.Insert(ctx, tx, "positions", []string{"consumer", "sequence", "epoch"}, "", [][]any{{text, int64(1), int64(1)}})
	},
	"bun": func(ctx context.Context, tx bun.Tx, text string) error {
		_, err := tx.NewRaw("INSERT INTO positions (consumer, sequence, epoch) VALUES (?, ?, ?)", text, 1, 1).Exec(ctx)
		return err
	},
}

func testText(t *testing.T, engine Engine) {
	for way, put := range ways {
		db := engine.fresh(t)
		for text, want := range map[string]string{
			"a\x00b": "a\uFFFDb", "\x00": "\uFFFD", "bad \xff\xfe": "bad \uFFFD", "it's \"so\" \\ ? $1 \\' --": "it's \"so\" \\ ? $1 \\' --",
			"\u00e4\u00f6\u00fc \U0001F680 \u2028": "\u00e4\u00f6\u00fc \U0001F680 \u2028", "line\r\nline\ttab\x01\x7f": "line\r\nline\ttab\x01\x7f",
		} {
			must(t, db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error { return put(ctx, tx, text) }))
			var got string
			err := db.Read().NewRaw("SELECT consumer FROM positions WHERE consumer = ?", text).Scan(t.Context(), &got)
			if err != nil || (got != want && way != "bun" || store.Text(text) != got && way == "bun") {
				t.Errorf("%s: %q was stored as %q, %v; want %q", way, text, got, err, want)
			}
			must(t, db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewRaw("DELETE FROM positions").Exec(ctx)
				return err
			}))
		}
	}
}

func testTextOrder(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	names := []string{"b", "B", "a", "A", "\u00e4", "a b", "a-b", "a_b", "aB", "ab", "10", "9", "", "\U0001F680", "\uFFFD"}
	for _, name := range names {
		must(t, set(t.Context(), db, name, "x"))
	}
	var got []string
	must(t, db.Read().NewRaw("SELECT name FROM state ORDER BY name").Scan(t.Context(), &got))
	if diff := cmp.Diff(slices.Sorted(slices.Values(names)), got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	got = nil
	must(t, db.Read().NewRaw("SELECT name FROM state WHERE name "+store.Like(db.Read())+" ? ESCAPE '!' ORDER BY name", "A%").Scan(t.Context(), &got))
	if diff := cmp.Diff([]string{"A", "a", "a b", "a-b", "aB", "a_b", "ab"}, got); diff != "" {
		t.Errorf("found by A%% (-want +got):\n%s", diff)
	}
}

func testSnapshot(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	must(t, set(t.Context(), db, "a", "1"))
	tx, err := db.Read().BeginTx(t.Context(), nil)
	must(t, err)
	for range 2 {
		value, err := store.LoadState(t.Context(), tx, "a")
		must(t, err)
		if string(value) != "1" {
			t.Errorf("within the snapshot a is %s, want 1", value)
		}
		must(t, set(t.Context(), db, "a", "2"))
	}
	must(t, tx.Rollback())
	wantValue(t, db, "a", "2")
}

func testFailedStatement(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	must(t, set(t.Context(), db, "taken", "x"))
	release := hold(t, db)
	var all sync.WaitGroup
	for i, key := range []string{"first", "taken", "last"} {
		all.Go(func() {
			err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewRaw("INSERT INTO state (name, value) VALUES (?, ?)", key, []byte("y")).Exec(ctx)
				return err
			})
			if errors.Is(err, store.ErrConflict) != (key == "taken") {
				t.Errorf("%s: got %v", key, err)
			}
		})
		waitFor(t, db, i+1)
	}
	release()
	all.Wait()
	wantValue(t, db, "first", "y")
	wantValue(t, db, "taken", "x")
	wantValue(t, db, "last", "y")
}
