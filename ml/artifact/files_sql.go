package artifact

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/store"
)

// Files keeps the files. It is safe for concurrent use.
type Files struct {
	db     *store.DB
	blobs  *blob.Store
	quota  Quota
	logger *slog.Logger

	mu sync.Mutex
	// coming are the blobs that are being written.
	coming map[string]struct{} // guarded by mu
	// sweep asks Run to remove what nothing leads to.
	sweep chan struct{}
}

// New returns the files in a database and a store of blobs. Run must run.
func New(db *store.DB, blobs *blob.Store, quota Quota, logger *slog.Logger) *Files {
	return &Files{db: db, blobs: blobs, quota: quota, logger: logger, coming: map[string]struct{}{}, sweep: make(chan struct{}, 1)}
}

// newBlob returns a key for new content.
func newBlob() string {
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck,gosec // it never fails
	name := hex.EncodeToString(id[:])
	return "artifact/" + name[:2] + "/" + name
}

// announce notes a blob that is going to be written, so that it is removed if no name ever leads to it.
func (f *Files) announce(ctx context.Context) (string, error) {
	key := newBlob()
	f.mu.Lock()
	f.coming[key] = struct{}{}
	f.mu.Unlock()
	err := f.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := store.Exec(ctx, tx, "INSERT INTO artifact_trash (blob) VALUES (?)", key)
		return err
	})
	if err != nil {
		f.arrived(key)
	}
	return key, err
}

func (f *Files) arrived(key string) {
	f.mu.Lock()
	delete(f.coming, key)
	f.mu.Unlock()
}

// Put stores what content gives until its end under a path, replacing what is there. ErrPath if the path is not one, or
// leads through a file, or is a folder; ErrQuota if there is no room. An error of content comes back as it is, and nothing is stored.
func (f *Files) Put(ctx context.Context, p string, content io.Reader) (File, error) {
	name, err := Clean(p)
	if err == nil && name == "" {
		err = fmt.Errorf("%w: it is empty; name a file", ErrPath)
	}
	if err != nil {
		return File{}, err
	}
	if f.quota != (Quota{}) {
		room, err := f.room(ctx, f.db.Read(), name)
		if err != nil {
			return File{}, fmt.Errorf("put artifact %s: %w", name, err)
		}
		content = &bounded{content, room}
	}
	key, err := f.announce(ctx)
	if err != nil {
		return File{}, fmt.Errorf("put artifact: %w", err)
	}
	defer f.arrived(key)
	file := File{Path: name, blob: key, AddedAt: time.Now().UnixMilli()}
	if err := f.copy(ctx, &file, content); err != nil {
		f.ask()
		return File{}, fmt.Errorf("put artifact %s: %w", name, err)
	}
	err = f.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return f.name(ctx, tx, &file) })
	if err != nil {
		f.ask()
		return File{}, fmt.Errorf("put artifact %s: %w", name, err)
	}
	return file, nil
}

// copy writes the content.
func (f *Files) copy(ctx context.Context, file *File, content io.Reader) error {
	w, err := f.blobs.Create(ctx, file.blob)
	if err != nil {
		return err
	}
	hash := sha256.New()
	const piece = 256 << 10
	file.Size, err = io.CopyBuffer(io.MultiWriter(w, hash), struct{ io.Reader }{content}, make([]byte, piece))
	if err != nil {
		w.Abort()
		return err
	}
	file.Digest = hex.EncodeToString(hash.Sum(nil))
	return w.Commit()
}

// name gives the content its name.
func (f *Files) name(ctx context.Context, tx store.Tx, file *File) error {
	var parents []string
	for i, c := range file.Path {
		if c == '/' {
			parents = append(parents, file.Path[:i])
		}
	}
	if len(parents) > 0 {
		var through string
		err := tx.NewRaw("SELECT COALESCE(MAX(path), '') FROM artifacts WHERE path IN (?)", store.List(parents)).Scan(ctx, &through)
		if err != nil {
			return err
		}
		if through != "" {
			return fmt.Errorf("%w: %s is a file, not a folder", ErrPath, through)
		}
	}
	var inside int
	begin, end := within(file.Path)
	if err := tx.NewRaw("SELECT COUNT(*) FROM (SELECT 1 FROM artifacts WHERE path >= ? AND path < ? LIMIT 1) AS found", begin, end).Scan(ctx, &inside); err != nil {
		return err
	}
	if inside > 0 {
		return fmt.Errorf("%w: %s is a folder", ErrPath, file.Path)
	}
	if err := f.account(ctx, tx, file); err != nil {
		return err
	}
	if _, err := store.Exec(ctx, tx, "INSERT INTO artifact_trash (blob) SELECT blob FROM artifacts WHERE path = ?", file.Path); err != nil {
		return err
	}
	_, err := store.Exec(ctx, tx, "INSERT INTO artifacts (path, size, digest, blob, added_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET size = excluded.size, digest = excluded.digest, blob = excluded.blob, added_at = excluded.added_at",
		file.Path, file.Size, file.Digest, file.blob, file.AddedAt)
	if err != nil {
		return err
	}
	_, err = store.Exec(ctx, tx, "DELETE FROM artifact_trash WHERE blob = ?", file.blob)
	return err
}

// account counts a file that comes, and refuses it if others have taken the room meanwhile.
func (f *Files) account(ctx context.Context, tx store.Tx, file *File) error {
	if f.quota != (Quota{}) {
		room, err := f.room(ctx, tx, file.Path)
		if err != nil {
			return err
		}
		if file.Size > room {
			return fmt.Errorf("%w: other files came first, and there is room for %d bytes", ErrQuota, room)
		}
	}
	var files, bytes int64
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM artifacts WHERE path = ?", file.Path).Scan(&files, &bytes); err != nil {
		return err
	}
	return count(ctx, tx, rootOf(file.Path), 1-files, file.Size-bytes)
}

// within returns the bounds of the paths inside a folder.
func within(folder string) (begin, end string) {
	if folder == "" {
		return "", "\U0010FFFF"
	}
	return folder + "/", folder + "0" // the character behind the slash
}

// Stat returns a file; ErrNotFound, also for a folder.
func (f *Files) Stat(ctx context.Context, p string) (file File, err error) {
	file.Path, err = Clean(p)
	if err != nil {
		return file, err
	}
	err = f.db.Read().QueryRowContext(ctx, "SELECT size, digest, blob, added_at FROM artifacts WHERE path = ?", file.Path).
		Scan(&file.Size, &file.Digest, &file.blob, &file.AddedAt)
	if err = store.Classify(err); errors.Is(err, store.ErrNotFound) {
		return file, fmt.Errorf("%w: %s", ErrNotFound, file.Path)
	}
	return file, err
}

// Open returns a file and its content.
func (f *Files) Open(ctx context.Context, p string) (File, *Content, error) {
	file, err := f.Stat(ctx, p)
	if err != nil {
		return file, nil, err
	}
	return file, &Content{ctx: ctx, blobs: f.blobs, file: file}, nil
}

// List returns what is in a folder, by name; nothing for one that does not exist, or a file.
func (f *Files) List(ctx context.Context, folder string) ([]File, error) {
	folder, err := Clean(folder)
	if err != nil {
		return nil, err
	}
	begin, end := within(folder)
	from, prefix := begin, len(begin)
	var list []File
	for {
		n := 0
		const query = "SELECT path, size, digest, added_at FROM artifacts WHERE path >= ? AND path < ? ORDER BY path LIMIT 200"
		err := store.Each(ctx, f.db.Read(), query, []any{from, end}, func(scan func(into ...any) error) error {
			var file File
			if err := scan(&file.Path, &file.Size, &file.Digest, &file.AddedAt); err != nil {
				return err
			}
			n++
			if file.Path < from {
				return nil // in a folder that is listed already
			}
			if i := strings.IndexByte(file.Path[prefix:], '/'); i >= 0 {
				file = File{Path: file.Path[:prefix+i], Folder: true}
				_, from = within(file.Path)
			} else {
				from = file.Path + "\x01"
			}
			list = append(list, file)
			return nil
		})
		if err != nil || n == 0 {
			return list, err
		}
	}
}

// Delete removes a file, or a folder with all that is in it. What is not there is fine.
func (f *Files) Delete(ctx context.Context, p string) error {
	name, err := Clean(p)
	if err == nil && name == "" {
		err = fmt.Errorf("%w: it is empty; name a file or folder", ErrPath)
	}
	if err != nil {
		return err
	}
	err = f.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return Remove(ctx, tx, name) })
	if err != nil {
		return fmt.Errorf("delete artifact %s: %w", name, err)
	}
	f.ask()
	return nil
}

// Remove is Delete within another change; the content is removed some time after its commit.
func Remove(ctx context.Context, tx store.Tx, name string) error {
	begin, end := within(name)
	var files, bytes int64
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM artifacts WHERE path = ? OR path >= ? AND path < ?", name, begin, end).Scan(&files, &bytes); err != nil {
		return err
	}
	if files == 0 {
		return nil
	}
	if err := count(ctx, tx, rootOf(name), -files, -bytes); err != nil {
		return err
	}
	for _, statement := range []string{
		"INSERT INTO artifact_trash (blob) SELECT blob FROM artifacts WHERE path = ? OR path >= ? AND path < ?",
		"DELETE FROM artifacts WHERE path = ? OR path >= ? AND path < ?",
	} {
		if _, err := store.Exec(ctx, tx, statement, name, begin, end); err != nil {
			return err
		}
	}
	return nil
}

// Size returns how many files there are in a folder, at any depth, and their bytes.
func (f *Files) Size(ctx context.Context, folder string) (files, bytes int64, err error) {
	folder, err = Clean(folder)
	if err != nil {
		return 0, 0, err
	}
	begin, end := within(folder)
	err = f.db.Read().QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM artifacts WHERE path >= ? AND path < ?", begin, end).Scan(&files, &bytes)
	return files, bytes, store.Classify(err)
}
