package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/fairlead/fairlead/base/store"
)

// ErrQuota says that there is no room for a file under the quotas; the text around it says which.
var ErrQuota = errors.New("the quota is used up")

// Quota bounds what is kept, in bytes; 0 is without bound.
type Quota struct {
	// Total is about all files.
	Total int64
	// PerRoot is about the files below each first part of a path, which is an experiment's id.
	PerRoot int64
}

// Usage is how much is kept.
type Usage struct{ Files, Bytes int64 }

// rootOf returns the first part of a path.
func rootOf(name string) string {
	root, _, _ := strings.Cut(name, "/")
	return root
}

// Quota returns what bounds the files.
func (f *Files) Quota() Quota { return f.quota }

// Usage returns how much is kept below each of roots; "" is everything.
func (f *Files) Usage(ctx context.Context, roots ...string) (map[string]Usage, error) {
	return usage(ctx, f.db.Read(), roots)
}

func usage(ctx context.Context, db store.Querier, roots []string) (map[string]Usage, error) {
	of := map[string]Usage{}
	if len(roots) == 0 {
		return of, nil
	}
	err := store.Each(ctx, db, "SELECT root, files, bytes FROM artifact_usage WHERE root IN (?)", []any{store.List(roots)}, func(scan func(into ...any) error) error {
		var root string
		var u Usage
		if err := scan(&root, &u.Files, &u.Bytes); err != nil {
			return err
		}
		of[root] = u
		return nil
	})
	return of, err
}

// count adds to what is kept below a root, and in all.
func count(ctx context.Context, tx store.Tx, root string, files, bytes int64) error {
	for _, name := range []string{root, ""} {
		_, err := store.Exec(ctx, tx, "INSERT INTO artifact_usage (root, files, bytes) VALUES (?, ?, ?) ON CONFLICT (root) DO UPDATE SET files = artifact_usage.files + excluded.files, bytes = artifact_usage.bytes + excluded.bytes",
			name, files, bytes)
		if err != nil {
			return err
		}
	}
	return nil
}

// Room returns how many bytes a file at a path may have at most under the quotas; ErrQuota if none.
func (f *Files) Room(ctx context.Context, p string) (int64, error) {
	name, err := Clean(p)
	if err != nil {
		return 0, err
	}
	if f.quota == (Quota{}) {
		return math.MaxInt64, nil
	}
	return f.room(ctx, f.db.Read(), name)
}

// room is Room for a clean path; what the path holds already is given back when it is replaced.
func (f *Files) room(ctx context.Context, db store.Querier, name string) (int64, error) {
	root := rootOf(name)
	used, err := usage(ctx, db, []string{root, ""})
	if err != nil {
		return 0, err
	}
	var replaced int64
	err = store.Each(ctx, db, "SELECT size FROM artifacts WHERE path = ?", []any{name}, func(scan func(into ...any) error) error { return scan(&replaced) })
	if err != nil {
		return 0, err
	}
	left := int64(math.MaxInt64)
	for _, bound := range []struct {
		most int64
		of   string
		what string
	}{{f.quota.PerRoot, root, "of the experiment " + root}, {f.quota.Total, "", "of all experiments"}} {
		if bound.most == 0 {
			continue
		}
		room := bound.most - used[bound.of].Bytes + replaced
		if room < 0 || room == 0 && replaced == 0 {
			return 0, fmt.Errorf("%w: the files %s have %d of at most %d bytes", ErrQuota, bound.what, used[bound.of].Bytes, bound.most)
		}
		left = min(left, room)
	}
	return left, nil
}

// bounded reads at most left bytes, and then says that there is no room.
type bounded struct {
	from io.Reader
	left int64
}

// Read reads on.
func (b *bounded) Read(data []byte) (int, error) {
	if int64(len(data)) > b.left+1 {
		data = data[:b.left+1]
	}
	n, err := b.from.Read(data)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%w: the file is larger than the room that is left", ErrQuota)
	}
	return n, err
}
