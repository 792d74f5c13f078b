// Package storetest holds what every engine of base/store must do, as tests.
//
// Each engine runs it from its own test:
//
//	func TestSQLite(t *testing.T) {
//		storetest.Run(t, storetest.Engine{
//			Place: func(t testing.TB) string { return t.TempDir() },
//			Open:  func(t testing.TB, place string) *store.DB { ... },
//		})
//	}
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/store"
)

// Engine makes databases for the tests.
type Engine struct {
	// Place returns where a new, empty database can be: a folder, or the name of a schema.
	Place func(t testing.TB) string
	// Open opens the database at place with the migrations store.Schema(). Opening a place again, after Close, finds what
	// was written before.
	Open func(t testing.TB, place string) *store.DB
}

func (e Engine) fresh(t testing.TB) *store.DB {
	t.Helper()
	db := e.Open(t, e.Place(t))
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Run runs every test against engine.
func Run(t *testing.T, engine Engine) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, engine Engine)
	}{
		{"a write that returned is visible and survives reopening", testDurable},
		{"a failed write undoes only itself", testFailure},
		{"a panic reaches its caller and undoes only itself", testPanic},
		{"writes of one goroutine keep their order", testOrder},
		{"waiting writes share a transaction", testGroups},
		{"a cancelled write has not run", testCancel},
		{"the read pool refuses writes", testReadOnly},
		{"errors are classified", testErrors},
		{"closing lets waiting writes finish and refuses later ones", testClose},
		{"positions are fenced by the epoch", testPositions},
		{"state is kept by name", testState},
		{"dead letters are listed, replayed and bounded", testDeadLetters},
		{"dead letters beyond the bound go, oldest first", testDeadLetterBound},
		{"many rows are inserted in few statements", testInsert},
		{"texts keep every character but NUL", testText},
		{"texts are ordered by their bytes and found whatever their case", testTextOrder},
		{"a transaction of the readers is one snapshot", testSnapshot},
		{"a failed statement undoes only its own change", testFailedStatement},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, engine) })
	}
}

func set(ctx context.Context, db *store.DB, key, value string) error {
	return db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return store.SaveState(ctx, tx, key, []byte(value))
	})
}

func get(t testing.TB, db *store.DB, key string) string {
	t.Helper()
	value, err := store.LoadState(t.Context(), db.Read(), key)
	if errors.Is(err, store.ErrNotFound) {
		return "(none)"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got error %v, want %v", got, want)
	}
}

func wantValue(t testing.TB, db *store.DB, key, want string) {
	t.Helper()
	if got := get(t, db, key); got != want {
		t.Errorf("%s is %s, want %s", key, got, want)
	}
}

func testDurable(t *testing.T, engine Engine) {
	place := engine.Place(t)
	db := engine.Open(t, place)
	must(t, set(t.Context(), db, "a", "1"))
	wantValue(t, db, "a", "1")
	must(t, db.Close())
	db = engine.Open(t, place)
	wantValue(t, db, "a", "1")
	must(t, db.Close())
}

func testFailure(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	failure := errors.New("changed my mind")
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			key := fmt.Sprint("key ", i)
			err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				if err := store.SaveState(ctx, tx, key, []byte("x")); err != nil || i%3 != 0 {
					return err
				}
				return failure
			})
			if i%3 == 0 {
				wantError(t, err, failure)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 60 {
		want := "x"
		if i%3 == 0 {
			want = "(none)"
		}
		wantValue(t, db, fmt.Sprint("key ", i), want)
	}
}

func testPanic(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	release := hold(t, db)
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() {
			defer func() {
				if r := recover(); (r != nil) != (i == 2) {
					t.Errorf("write %d: recovered %v", i, r)
				}
			}()
			err := db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				if err := store.SaveState(ctx, tx, fmt.Sprint(i), []byte("x")); err != nil {
					return err
				}
				if i == 2 {
					panic("no")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, db, 5)
	release()
	all.Wait()
	for i := range 5 {
		want := "x"
		if i == 2 {
			want = "(none)"
		}
		wantValue(t, db, fmt.Sprint(i), want)
	}
}

// hold keeps the writer busy until release is called.
func hold(t testing.TB, db *store.DB) (release func()) {
	t.Helper()
	started, ended, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = db.Write(context.Background(), func(context.Context, bun.Tx) error {
			close(started)
			<-ended
			return nil
		})
	}()
	<-started
	return func() { close(ended); <-done }
}

// waitFor waits until count writes are queued.
func waitFor(t testing.TB, db *store.DB, count int) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(10 * time.Second)
	for db.Stats().Waiting < count {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("%d writes are queued, want %d", db.Stats().Waiting, count)
		}
	}
}

func testOrder(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	const count = 50
	var writers sync.WaitGroup
	var mu sync.Mutex
	last := map[int]int{}
	for writer := range 4 {
		writers.Go(func() {
			for i := range count {
				err := db.Write(t.Context(), func(context.Context, bun.Tx) error {
					mu.Lock()
					defer mu.Unlock()
					if i > 0 && last[writer] != i-1 {
						t.Errorf("writer %d: write %d came behind %d", writer, i, last[writer])
					}
					last[writer] = i
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
}

func testGroups(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	release := hold(t, db)
	before := db.Stats()
	const count = 20
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() {
			if err := set(t.Context(), db, fmt.Sprint(i), "x"); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, db, count)
	release()
	all.Wait()
	after := db.Stats()
	if got := after.Writes - before.Writes; got != count+1 {
		t.Errorf("%d writes, want %d", got, count+1)
	}
	if got := after.Groups - before.Groups; got > count/2 {
		t.Errorf("%d transactions for %d writes that waited together", got, count)
	}
}

func testCancel(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	release := hold(t, db)
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("gone")
	var ran atomic.Bool
	ended := make(chan error)
	go func() {
		ended <- db.Write(ctx, func(context.Context, bun.Tx) error { ran.Store(true); return nil })
	}()
	waitFor(t, db, 1)
	cancel(reason)
	wantError(t, <-ended, reason)
	release()
	must(t, set(t.Context(), db, "a", "1")) // the writer has passed the cancelled one
	if ran.Load() {
		t.Error("the cancelled change ran")
	}
}

func testReadOnly(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	if err := store.SaveState(t.Context(), db.Read(), "a", nil); err == nil {
		t.Error("wrote through the read pool")
	}
	wantValue(t, db, "a", "(none)")
}

func testErrors(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	_, err := store.LoadState(t.Context(), db.Read(), "nothing")
	wantError(t, err, store.ErrNotFound)
	insert := func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("INSERT INTO state (name, value) VALUES (?, ?)", "twice", []byte("x")).Exec(ctx)
		return err
	}
	must(t, db.Write(t.Context(), insert))
	wantError(t, db.Write(t.Context(), insert), store.ErrConflict)
	err = db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("INSERT INTO state (name) VALUES (?)", "no value").Exec(ctx)
		return err
	})
	wantError(t, err, store.ErrConflict)
	err = db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("not SQL").Exec(ctx)
		return err
	})
	for _, sentinel := range []error{store.ErrConflict, store.ErrNotFound, store.ErrUnavailable} {
		if err == nil || errors.Is(err, sentinel) {
			t.Errorf("bad SQL: got %v", err)
		}
	}
}

func testClose(t *testing.T, engine Engine) {
	place := engine.Place(t)
	db := engine.Open(t, place)
	release := hold(t, db)
	ended := make(chan error)
	go func() { ended <- set(t.Context(), db, "a", "1") }()
	waitFor(t, db, 1)
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	release()
	must(t, <-ended)
	must(t, <-closed)
	wantError(t, set(t.Context(), db, "b", "1"), store.ErrClosed)
	db = engine.Open(t, place)
	wantValue(t, db, "a", "1")
	must(t, db.Close())
}

func testPositions(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	save := func(position store.Position) error {
		return db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			if err := store.SaveState(ctx, tx, "effect", fmt.Append(nil, position.Sequence)); err != nil {
				return err
			}
			return store.SavePosition(ctx, tx, "alerts", position)
		})
	}
	want := func(want store.Position) {
		t.Helper()
		got, err := store.LoadPosition(t.Context(), db.Read(), "alerts")
		must(t, err)
		if got != want {
			t.Errorf("position is %+v, want %+v", got, want)
		}
	}
	want(store.Position{})
	must(t, save(store.Position{Sequence: 5, Epoch: 1}))
	must(t, save(store.Position{Sequence: 6, Epoch: 1}))
	want(store.Position{Sequence: 6, Epoch: 1})
	var taken store.Position
	must(t, db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) (err error) {
		taken, err = store.TakeOver(ctx, tx, "alerts")
		return err
	}))
	if diff := cmp.Diff(store.Position{Sequence: 6, Epoch: 2}, taken); diff != "" {
		t.Errorf("taken over (-want +got):\n%s", diff)
	}
	wantError(t, save(store.Position{Sequence: 7, Epoch: 1}), store.ErrFenced)
	wantValue(t, db, "effect", "6") // the fenced effects went with the position
	must(t, save(store.Position{Sequence: 7, Epoch: 2}))
	want(store.Position{Sequence: 7, Epoch: 2})
}

func testState(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	for _, value := range []string{"", "x", "binary \x00\xff'\"?", ""} {
		must(t, set(t.Context(), db, "key ?", value))
		wantValue(t, db, "key ?", value)
	}
	for _, key := range []string{"list:b", "list:a", "list%", "other"} {
		must(t, set(t.Context(), db, key, "of "+key))
	}
	list, err := store.ListState(t.Context(), db.Read(), "list:")
	must(t, err)
	if len(list) != 2 || string(list["list:a"]) != "of list:a" || string(list["list:b"]) != "of list:b" {
		t.Errorf("got %q, want the two with the prefix", list)
	}
	must(t, db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error { return store.DeleteState(ctx, tx, "list:a") }))
	wantValue(t, db, "list:a", "(none)")
	wantValue(t, db, "list:b", "of list:b")
}

func testDeadLetters(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	var want []store.DeadLetter // newest first
	for i := range 5 {
		letter := store.DeadLetter{
			ID: fmt.Sprint("letter ", i), At: at.Add(time.Duration(i)), Receiver: "alertmanager", Reason: "label 'x' is \"bad\" ?",
			Payload: []byte("payload \x00\xff?"),
		}
		must(t, db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return store.AddDeadLetter(ctx, tx, letter)
		}))
		letter.At = letter.At.Truncate(time.Millisecond)
		want = append([]store.DeadLetter{letter}, want...)
	}
	var got []store.DeadLetter
	for cursor := ""; ; {
		page, next, err := store.DeadLetters(t.Context(), db.Read(), cursor, 2)
		must(t, err)
		got = append(got, page...)
		if cursor = next; next == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	must(t, db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		return store.MarkReplayed(ctx, tx, "letter 3", at)
	}))
	letter, err := store.FindDeadLetter(t.Context(), db.Read(), "letter 3")
	must(t, err)
	want[1].ReplayedAt = at
	if diff := cmp.Diff(want[1], letter); diff != "" {
		t.Errorf("replayed (-want +got):\n%s", diff)
	}
	wantError(t, db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		return store.AddDeadLetter(ctx, tx, want[0])
	}), store.ErrConflict)
	wantError(t, db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		return store.MarkReplayed(ctx, tx, "unknown", at)
	}), store.ErrNotFound)
	_, err = store.FindDeadLetter(t.Context(), db.Read(), "unknown")
	wantError(t, err, store.ErrNotFound)
	_, _, err = store.DeadLetters(t.Context(), db.Read(), "not a cursor", 2)
	wantError(t, err, store.ErrConflict)
}

func testDeadLetterBound(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	large := make([]byte, store.MaxPayload+1)
	must(t, db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		for i := range store.MaxDeadLetters + 10 {
			letter := store.DeadLetter{ID: fmt.Sprint(i)}
			if i == store.MaxDeadLetters {
				letter.Payload = large
			}
			if err := store.AddDeadLetter(ctx, tx, letter); err != nil {
				return err
			}
		}
		return nil
	}))
	count, err := store.CountDeadLetters(t.Context(), db.Read())
	must(t, err)
	if count != store.MaxDeadLetters {
		t.Errorf("%d are kept, want %d", count, store.MaxDeadLetters)
	}
	_, err = store.FindDeadLetter(t.Context(), db.Read(), "9")
	wantError(t, err, store.ErrNotFound)
	_, err = store.FindDeadLetter(t.Context(), db.Read(), "10")
	must(t, err)
	cut, err := store.FindDeadLetter(t.Context(), db.Read(), fmt.Sprint(store.MaxDeadLetters))
	must(t, err)
	if len(cut.Payload) != store.MaxPayload || !cut.Truncated {
		t.Errorf("a payload of %d bytes is kept with %d, truncated: %v", len(large), len(cut.Payload), cut.Truncated)
	}
}

func testInsert(t *testing.T, engine Engine) {
	db := engine.fresh(t)
	insert := func(rows [][]any) error {
		return db.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return store.Insert(ctx, tx, "positions", []string{"consumer", "sequence", "epoch"},
				"ON CONFLICT (consumer) DO UPDATE SET sequence = positions.sequence + excluded.sequence", rows)
		})
	}
	var rows [][]any
	for i := range 2500 {
		rows = append(rows, []any{fmt.Sprint("consumer ", i), int64(i), int64(1)})
	}
	must(t, insert(nil))
	must(t, insert(rows))
	must(t, insert(rows[2499:]))
	for i, want := range map[int]uint64{0: 0, 1: 1, 666: 666, 667: 667, 2498: 2498, 2499: 2 * 2499} {
		got, err := store.LoadPosition(t.Context(), db.Read(), fmt.Sprint("consumer ", i))
		must(t, err)
		if got.Sequence != want {
			t.Errorf("row %d has %d, want %d", i, got.Sequence, want)
		}
	}
	if err := insert([][]any{{"too short", int64(1)}}); err == nil {
		t.Error("a row with a missing value was inserted")
	}
}
