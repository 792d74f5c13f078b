// Package blob keeps files by key: in a folder now, in an object store later, behind gocloud.dev/blob.
//
//	blobs, err := blob.Open(ctx, blob.Config{Dir: dir})
//	err = blobs.Put(ctx, "checkpoint/alerts/0", data)
//
// Put is atomic and durable: a reader sees the old content or the new, never a mixture, and when Put has returned the new
// content survives kill -9 and power failure. Keys are paths of lower-case words: letters, digits and "-_.=" between single
// slashes, at most 512 bytes, no part that is "." or "..", no ".tmp" or ".attrs" at the end. Listing is sorted by key and sees every Put that has returned.
//
// Only the driver for folders is linked in: those for S3, GCS and Azure would triple the binary. They come, with Config.URL,
// with the issue that runs several instances. Create and Open stream what may be large.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"
)

// maxKey is the longest key, in bytes.
const maxKey = 512

// Errors that callers act on.
var (
	// ErrNotFound says that no blob has the key.
	ErrNotFound = errors.New("blob not found")
	// ErrKey says that the key is not one.
	ErrKey = errors.New("invalid blob key")
)

// Config says where the blobs live.
type Config struct {
	// Dir is the folder; it is made when missing.
	Dir string
}

// Validate reports the first setting that cannot be used.
func (c Config) Validate() error {
	if c.Dir == "" {
		return errors.New("blob: no folder is set")
	}
	return nil
}

// Store keeps blobs. It is safe for concurrent use.
type Store struct {
	dir    string
	bucket *blob.Bucket
}

// Open opens or makes the store.
func Open(_ context.Context, config Config) (*Store, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	// Files in the making lie beside the blobs, on the same file system, and are no blobs.
	bucket, err := fileblob.OpenBucket(config.Dir, &fileblob.Options{
		CreateDir: true, DirFileMode: 0o750, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
	})
	if err != nil {
		return nil, fmt.Errorf("open blobs in %s: %w", config.Dir, err)
	}
	if err := removeUnfinished(config.Dir); err != nil {
		return nil, errors.Join(fmt.Errorf("open blobs in %s: %w", config.Dir, err), bucket.Close())
	}
	return &Store{dir: config.Dir, bucket: bucket}, nil
}

// removeUnfinished removes the files in the making that a crash left behind.
func removeUnfinished(dir string) error {
	return filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && strings.HasSuffix(name, unfinished) {
			err = os.Remove(name)
		}
		return err
	})
}

// Close ends the store.
func (s *Store) Close() error {
	if err := s.bucket.Close(); err != nil {
		return fmt.Errorf("close blobs: %w", err)
	}
	return nil
}

// Put stores data under key, replacing what was there. It is on disk when Put returns.
func (s *Store) Put(ctx context.Context, key string, data []byte) error {
	if err := checkKey(key); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	if err := s.write(ctx, key, data); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	return nil
}

// write puts data into a file in the making, on disk, before it gets its name: the driver alone would not.
func (s *Store) write(ctx context.Context, key string, data []byte) error {
	w, err := s.Create(ctx, key)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		w.Abort()
		return err
	}
	return w.Commit()
}

// syncParents makes the names of key and of its folders durable.
func (s *Store) syncParents(key string) error {
	for dir := path.Dir(key); ; dir = path.Dir(dir) {
		if err := syncDir(filepath.Join(s.dir, filepath.FromSlash(dir))); err != nil || dir == "." {
			return err
		}
	}
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get returns the content of key; ErrNotFound if there is none.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	data, err := s.bucket.ReadAll(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("get blob %s: %w", key, classify(err))
	}
	return data, nil
}

// Delete removes key; ErrNotFound if there is none.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	err := s.bucket.Delete(ctx, key)
	if err == nil {
		err = s.syncParents(key)
	}
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", key, classify(err))
	}
	return nil
}

// List returns the keys that begin with prefix, sorted.
func (s *Store) List(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	for it := s.bucket.List(&blob.ListOptions{Prefix: prefix}); ; {
		object, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			slices.Sort(keys)
			return keys, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list blobs %s: %w", prefix, err)
		}
		if checkKey(object.Key) == nil { // anything else is a file in the making or not ours
			keys = append(keys, object.Key)
		}
	}
}

func classify(err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

// What the driver puts behind the names of files that are no blobs.
const (
	unfinished = ".tmp"
	attributes = ".attrs"
)

// checkKey returns ErrKey unless key is one.
func checkKey(key string) error {
	bad := len(key) > maxKey || strings.HasSuffix(key, unfinished) || strings.HasSuffix(key, attributes)
	for part := range strings.SplitSeq(key, "/") {
		bad = bad || part == "" || part == "." || part == ".." || strings.ContainsFunc(part, isForeign)
	}
	if bad {
		return fmt.Errorf("%w: %.80q", ErrKey, key)
	}
	return nil
}

// isForeign reports whether r does not belong in a key.
func isForeign(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.=", r)
}
