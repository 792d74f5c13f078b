package artifact

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/store"
)

// sweepEvery is how often Run looks for what nothing leads to, besides when it is asked.
const sweepEvery = 10 * time.Minute

// ask asks Run to sweep.
func (f *Files) ask() {
	select {
	case f.sweep <- struct{}{}:
	default:
	}
}

// Tidy lets Run remove soon what nothing leads to any more.
func (f *Files) Tidy() { f.ask() }

// Run removes content that nothing leads to, until ctx ends.
func (f *Files) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := f.Sweep(ctx); err != nil && ctx.Err() == nil {
			f.logger.Warn("content of deleted artifacts could not be removed; it is tried again later", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case <-f.sweep:
		}
	}
}

// Sweep removes content that nothing leads to.
func (f *Files) Sweep(ctx context.Context) error {
	after := ""
	for {
		var keys []string
		if err := f.db.Read().NewRaw("SELECT blob FROM artifact_trash WHERE blob > ? ORDER BY blob LIMIT 500", after).Scan(ctx, &keys); err != nil {
			return fmt.Errorf("list what was deleted: %w", store.Classify(err))
		}
		if len(keys) == 0 {
			return nil
		}
		after = keys[len(keys)-1]
		gone, err := f.lost(ctx, keys)
		if err != nil {
			return err
		}
		for _, key := range gone {
			if err := f.blobs.Delete(ctx, key); err != nil && !errors.Is(err, blob.ErrNotFound) {
				return err
			}
		}
		if len(gone) == 0 {
			continue
		}
		err = f.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewRaw("DELETE FROM artifact_trash WHERE blob IN (?)", store.List(gone)).Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget what was removed: %w", err)
		}
	}
}

// lost returns those of keys that nothing leads to and nobody writes. It asks again which are in the trash after it knows
// who writes: a blob that was written meanwhile has left it.
func (f *Files) lost(ctx context.Context, keys []string) (lost []string, err error) {
	f.mu.Lock()
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		_, coming := f.coming[key]
		return coming
	})
	f.mu.Unlock()
	if len(keys) == 0 {
		return nil, nil
	}
	if err := f.db.Read().NewRaw("SELECT blob FROM artifact_trash WHERE blob IN (?)", store.List(keys)).Scan(ctx, &lost); err != nil {
		return nil, fmt.Errorf("list what was deleted: %w", store.Classify(err))
	}
	return lost, nil
}
