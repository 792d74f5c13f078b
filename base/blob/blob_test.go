package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fairlead/fairlead/base/blob"
)

func open(t testing.TB, dir string) *blob.Store {
	t.Helper()
	s, err := blob.Open(t.Context(), blob.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestBlobsArePutListedReplacedAndDeleted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "blobs")
	s := open(t, dir)
	ctx := t.Context()
	for _, key := range []string{"checkpoint/b", "checkpoint/a", "checkpoint/a.1/x", "other"} {
		for _, content := range []string{"first of " + key, "", "second of " + key} {
			if err := s.Put(ctx, key, []byte(content)); err != nil {
				t.Fatal(err)
			}
			got, err := open(t, dir).Get(ctx, key)
			if err != nil || string(got) != content {
				t.Errorf("%s is %q, error %v; want %q", key, got, err, content)
			}
		}
	}
	for prefix, want := range map[string][]string{
		"":              {"checkpoint/a", "checkpoint/a.1/x", "checkpoint/b", "other"},
		"checkpoint/":   {"checkpoint/a", "checkpoint/a.1/x", "checkpoint/b"},
		"checkpoint/a.": {"checkpoint/a.1/x"},
		"nothing":       nil,
	} {
		got, err := s.List(ctx, prefix)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("list %q (-want +got):\n%s", prefix, diff)
		}
	}
	if err := s.Delete(ctx, "other"); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(ctx, "other"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("get after delete: got %v, want ErrNotFound", err)
	}
	if err := s.Delete(ctx, "other"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("second delete: got %v, want ErrNotFound", err)
	}
}

func TestKeysThatCouldLeaveTheFolderAreRefused(t *testing.T) {
	s := open(t, t.TempDir())
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/.", "A", "a b", "a\\b", "a\x00", "ä", "a.tmp", "a.attrs",
		strings.Repeat("a", 513),
	} {
		if err := s.Put(t.Context(), key, nil); !errors.Is(err, blob.ErrKey) {
			t.Errorf("put %q: got %v, want ErrKey", key, err)
		}
		if _, err := s.Get(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("get %q: got %v, want ErrKey", key, err)
		}
		if err := s.Delete(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("delete %q: got %v, want ErrKey", key, err)
		}
	}
}

func TestReadersNeverSeeHalfABlob(t *testing.T) {
	s := open(t, t.TempDir())
	const key = "checkpoint/alerts/0"
	content := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i%26)}, 200<<10) }
	if err := s.Put(t.Context(), key, content(0)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				data, err := s.Get(context.WithoutCancel(ctx), key)
				if err != nil {
					t.Error(err)
					return
				}
				if len(data) != 200<<10 || bytes.Count(data, data[:1]) != len(data) {
					t.Errorf("read %d bytes of a mixture", len(data))
					return
				}
			}
		})
	}
	for i := range 50 {
		if err := s.Put(t.Context(), key, content(i)); err != nil {
			t.Error(err)
		}
	}
	cancel()
	readers.Wait()
}

func TestCancelledPutChangesNothing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Put(t.Context(), "a", []byte("old")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(ctx, "a", []byte("new")); err == nil {
		t.Error("a cancelled put worked")
	}
	if got, err := s.Get(t.Context(), "a"); err != nil || string(got) != "old" {
		t.Errorf("got %q, error %v; want the old content", got, err)
	}
}

func TestWhatACrashLeftBehindIsRemoved(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.Put(t.Context(), "a/b", []byte("x")); err != nil {
		t.Fatal(err)
	}
	leftover := filepath.Join(dir, "a", "b.17c.tmp")
	if err := os.WriteFile(leftover, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := s.List(t.Context(), "")
	if diff := cmp.Diff([]string{"a/b"}, keys); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	open(t, dir)
	if _, err := os.Stat(leftover); !os.IsNotExist(err) {
		t.Errorf("the unfinished file is still there: %v", err)
	}
}

func FuzzKey(f *testing.F) {
	f.Add("checkpoint/alerts/0")
	f.Add("../a")
	dir := f.TempDir()
	inside := filepath.Join(dir, "blobs")
	s, err := blob.Open(f.Context(), blob.Config{Dir: inside})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if err := s.Put(t.Context(), key, []byte(key)); err != nil {
			return
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Fatalf("key %q left the folder: %v %v", key, entries, err)
		}
		if got, err := s.Get(t.Context(), key); err != nil || string(got) != key {
			t.Errorf("key %q has %q, error %v", key, got, err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkPut(b *testing.B) {
	s := open(b, b.TempDir())
	data := make([]byte, 64<<10)
	for i := range b.N {
		if err := s.Put(b.Context(), fmt.Sprint("k/", i%10), data); err != nil {
			b.Fatal(err)
		}
	}
}
