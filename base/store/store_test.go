package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/base/store/storetest"
)

func open(t testing.TB, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Dir: dir}, "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, storetest.Engine{
		Place: func(t testing.TB) string { return t.TempDir() },
		Open:  open,
	})
}

func TestPathMayHoldAnyCharacter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c%d#e&f=g")
	db := open(t, dir)
	if err := save(db, "a", "1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ops.db")); err != nil {
		t.Error(err)
	}
}

func save(db *store.DB, key, value string) error {
	return db.Write(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		return store.SaveState(ctx, tx, key, []byte(value))
	})
}

func TestCommittedWritesSurviveACrash(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	for i := range 5 {
		if err := save(db, fmt.Sprint(i), "x"); err != nil {
			t.Fatal(err)
		}
		copied := t.TempDir() // what a process finds that starts after kill -9
		for _, file := range []string{"ops.db", "ops.db-wal"} {
			data, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(copied, file), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		again := open(t, copied)
		for j := range i + 1 {
			if _, err := store.LoadState(t.Context(), again.Read(), fmt.Sprint(j)); err != nil {
				t.Errorf("after %d writes: %v", i+1, err)
			}
		}
	}
}

func TestBrokenMigrationIsAnErrorAndChangesNothing(t *testing.T) {
	dir := t.TempDir()
	migrations := fstest.MapFS{
		"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (x BIGINT);\n")},
		"00002_b.sql": {Data: []byte("-- +goose Up\nCREATE TABLE b (x BIGINT);\nCREATE TABLE c (nonsense;\n")},
	}
	_, err := store.Open(t.Context(), store.Config{Dir: dir}, "ops", migrations, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "00002_b.sql") {
		t.Fatalf("got %v, want an error that names 00002_b.sql", err)
	}
	migrations["00002_b.sql"].Data = []byte("-- +goose Up\nCREATE TABLE b (x BIGINT);\n")
	db, err := store.Open(t.Context(), store.Config{Dir: dir}, "ops", migrations, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestTimesKeepTheirMillisecond(t *testing.T) {
	for _, at := range []time.Time{{}, time.UnixMilli(1).UTC(), time.UnixMilli(-5).UTC(), time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := store.Time(store.Millis(at)); !got.Equal(at) {
			t.Errorf("got %s, want %s", got, at)
		}
	}
	if got := store.Time(store.Millis(time.Unix(0, 0))); got.Sub(time.Unix(0, 0)) > time.Millisecond || got.IsZero() {
		t.Errorf("1970 became %s", got)
	}
}

// smallDisk mounts a file system of size that is gone after the test. It skips the test where that is not allowed.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("FAIRLEAD_REQUIRE_ALL") != "" {
			t.Fatalf("mount a small disk: %v: %s", err, out)
		}
		t.Skipf("cannot mount a small disk here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.CommandContext(context.Background(), "umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

func TestFullDiskIsAClearErrorAndHeals(t *testing.T) {
	dir := smallDisk(t, "16m")
	db := open(t, filepath.Join(dir, "data"))
	filler := filepath.Join(dir, "filler")
	value := strings.Repeat("x", 20<<10)
	ledger := map[string]bool{}
	number := 0
	// Writes come in groups, so that some fail together.
	attempt := func() (err error) {
		var all sync.WaitGroup
		var mu sync.Mutex
		for range 8 {
			number++
			key := fmt.Sprint(number)
			all.Go(func() {
				writeErr := save(db, key, value)
				mu.Lock()
				defer mu.Unlock()
				ledger[key] = writeErr == nil
				if writeErr != nil {
					err = writeErr
				}
			})
		}
		all.Wait()
		return err
	}
	for round := range 3 {
		for range 3 {
			if err := attempt(); err != nil {
				t.Fatalf("round %d: %v on a good disk", round, err)
			}
		}
		file, err := os.Create(filler)
		for err == nil {
			_, err = file.Write(make([]byte, 4<<10))
		}
		_ = file.Close()
		err = nil
		for range 100 {
			if err = attempt(); err != nil {
				break
			}
		}
		if !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("round %d: got %v, want ErrUnavailable", round, err)
		}
		t.Logf("round %d: %v", round, err)
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
	if err := attempt(); err != nil {
		t.Fatalf("%v on a mended disk", err)
	}
	check := func(db *store.DB) {
		t.Helper()
		for key, stored := range ledger {
			_, err := store.LoadState(t.Context(), db.Read(), key)
			if stored != (err == nil) {
				t.Errorf("write %s: success was %v, reading gives %v", key, stored, err)
			}
		}
	}
	check(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	check(open(t, filepath.Join(dir, "data")))
}

func TestReadOnlyFolderIsAClearError(t *testing.T) {
	dir := smallDisk(t, "16m")
	data := filepath.Join(dir, "data")
	if err := open(t, data).Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,ro", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, err := store.Open(t.Context(), store.Config{Dir: data}, "ops", store.Schema(), slog.New(slog.DiscardHandler))
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	t.Log(err)
}

func TestLogStaysBoundedUnderSteadyWrites(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	value := strings.Repeat("x", 256<<10)
	deadline := time.Now().Add(4 * time.Second)
	written := int64(0)
	for i := 0; time.Now().Before(deadline); i++ {
		if err := save(db, fmt.Sprint(i%100), value); err != nil {
			t.Fatal(err)
		}
		written += int64(len(value))
	}
	info, err := os.Stat(filepath.Join(dir, "ops.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB written, the log has %d MB", written>>20, info.Size()>>20)
	if info.Size() > max(96<<20, written/2) {
		t.Errorf("the log has %d MB after %d MB were written", info.Size()>>20, written>>20)
	}
}
