package artifact_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/test/postgres"
)

func openFiles(t *testing.T, quota artifact.Quota) *artifact.Files {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), postgres.Config(t), "ml", store.LearningSchema(), logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	blobs, err := blob.Open(t.Context(), blob.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return artifact.New(db, blobs, quota, logger)
}

func put(t *testing.T, files *artifact.Files, path string, size int) error {
	t.Helper()
	_, err := files.Put(t.Context(), path, strings.NewReader(strings.Repeat("x", size)))
	return err
}

func used(t *testing.T, files *artifact.Files, root string) artifact.Usage {
	t.Helper()
	of, err := files.Usage(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	return of[root]
}

func TestUsageFollowsWhatIsPutReplacedAndRemoved(t *testing.T) {
	files := openFiles(t, artifact.Quota{})
	for path, size := range map[string]int{"1/r/artifacts/a": 10, "1/r/artifacts/b/c": 20, "12/r/a": 5} {
		if err := put(t, files, path, size); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(t, files, "1/r/artifacts/a", 4); err != nil {
		t.Fatal(err)
	}
	for root, want := range map[string]artifact.Usage{"1": {Files: 2, Bytes: 24}, "12": {Files: 1, Bytes: 5}, "": {Files: 3, Bytes: 29}} {
		if got := used(t, files, root); got != want {
			t.Errorf("below %q: %v, want %v", root, got, want)
		}
	}
	for range 2 { // the second time there is nothing
		if err := files.Delete(t.Context(), "1/r"); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := used(t, files, ""), (artifact.Usage{Files: 1, Bytes: 5}); got != want {
		t.Errorf("in the end: %v, want %v", got, want)
	}
}

func TestAFileWithoutRoomIsRefusedAndThoseThereStay(t *testing.T) {
	files := openFiles(t, artifact.Quota{Total: 150, PerRoot: 100})
	refused := func(path string, size int) {
		t.Helper()
		if err := put(t, files, path, size); !errors.Is(err, artifact.ErrQuota) {
			t.Errorf("%s with %d bytes: %v", path, size, err)
		}
	}
	accepted := func(path string, size int) {
		t.Helper()
		if err := put(t, files, path, size); err != nil {
			t.Errorf("%s with %d bytes: %v", path, size, err)
		}
	}
	accepted("1/a", 100)
	refused("1/b", 1)
	refused("1/a", 101) // what it replaces makes room, but not enough
	accepted("1/a", 100)
	accepted("2/a", 50)
	refused("3/a", 1) // the experiment has room, all together have none
	if err := files.Delete(t.Context(), "1/a"); err != nil {
		t.Fatal(err)
	}
	accepted("1/b", 60)
	refused("1/c", 41)
	accepted("1/c", 40)
	if got, want := used(t, files, ""), (artifact.Usage{Files: 3, Bytes: 150}); got != want {
		t.Errorf("in the end: %v, want %v", got, want)
	}
}

func TestWritersAtOnceDoNotExceedAQuota(t *testing.T) {
	files := openFiles(t, artifact.Quota{PerRoot: 100})
	var g errgroup.Group
	for i := range 20 {
		g.Go(func() error {
			_, err := files.Put(t.Context(), fmt.Sprintf("1/f%d", i), strings.NewReader(strings.Repeat("x", 30)))
			if errors.Is(err, artifact.ErrQuota) {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := used(t, files, "1"), (artifact.Usage{Files: 3, Bytes: 90}); got != want {
		t.Errorf("kept: %v, want %v", got, want)
	}
}
