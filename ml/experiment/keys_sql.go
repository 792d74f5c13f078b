package experiment

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/fairlead/fairlead/base/store"
)

// keyBits is how many bits of the id of a metric, param or tag are the number of its key.
const keyBits = 24

// maxKeys is how many different keys there may be.
const maxKeys = 1<<keyBits - 1

// remembered bounds what is kept of keys in memory.
const remembered = 200_000

// rowID is the id of what a run has under a key. In SQL it is written as r.id * 16777216 + key.
func rowID(run, key int64) int64 { return run<<keyBits | key }

// keys gives numbers to the keys of metrics, params and tags. What it remembers is what was committed.
type keys struct {
	last atomic.Int64

	mu      sync.Mutex
	numbers map[string]int64
	names   map[int64]string
	// used holds "experiment kind name" of what stands in experiment_keys.
	used map[string]struct{}
}

func newKeys() *keys {
	return &keys{numbers: map[string]int64{}, names: map[int64]string{}, used: map[string]struct{}{}}
}

func (k *keys) number(name string) (int64, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, ok := k.numbers[name]
	return n, ok
}

func (k *keys) learn(name string, number int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.numbers) >= remembered {
		clear(k.numbers)
		clear(k.names)
	}
	k.numbers[name], k.names[number] = number, name
}

// batch finds the numbers of keys within one transaction.
type keyBatch struct {
	keys  *keys
	fresh map[string]int64
	used  []string
}

func (k *keys) batch() *keyBatch { return &keyBatch{keys: k, fresh: map[string]int64{}} }

// number returns the number of a key, giving one to a new key.
func (b *keyBatch) number(ctx context.Context, tx store.Tx, name string) (int64, error) {
	if n, ok := b.keys.number(name); ok {
		return n, nil
	}
	if n, ok := b.fresh[name]; ok {
		return n, nil
	}
	n, err := findKey(ctx, tx, name)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		if n = b.keys.last.Add(1); n > maxKeys {
			return 0, Refuse(Exhausted, "there are %d different keys of metrics, params and tags already; no further one can be added", maxKeys)
		}
		if _, err := store.Exec(ctx, tx, "INSERT INTO names (id, name) VALUES (?, ?)", n, name); err != nil {
			return 0, err
		}
	}
	b.fresh[name] = n
	return n, nil
}

// use notes that runs of an experiment have a key of a kind.
func (b *keyBatch) use(ctx context.Context, tx store.Tx, experiment int64, kind, name string) error {
	mark := strconv.FormatInt(experiment, 10) + kind + name
	b.keys.mu.Lock()
	_, known := b.keys.used[mark]
	b.keys.mu.Unlock()
	if known {
		return nil
	}
	b.used = append(b.used, mark)
	_, err := store.Exec(ctx, tx, "INSERT INTO experiment_keys (experiment, kind, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", experiment, kind, name)
	return err
}

// committed remembers what the transaction has stored.
func (b *keyBatch) committed() {
	for name, n := range b.fresh {
		b.keys.learn(name, n)
	}
	b.keys.mu.Lock()
	defer b.keys.mu.Unlock()
	if len(b.keys.used) >= remembered {
		clear(b.keys.used)
	}
	for _, mark := range b.used {
		b.keys.used[mark] = struct{}{}
	}
}

// findKey returns the number of a key; 0 if it has none.
func findKey(ctx context.Context, db store.Querier, name string) (n int64, err error) {
	err = db.NewRaw("SELECT COALESCE(MAX(id), 0) FROM names WHERE name = ?", name).Scan(ctx, &n)
	return n, store.Classify(err)
}

// key returns the number of a key for a search; -1, which no key has, if it has none.
func (s *Store) key(ctx context.Context, name string) (int64, error) {
	if n, ok := s.keys.number(name); ok {
		return n, nil
	}
	n, err := findKey(ctx, s.db.Read(), name)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return -1, nil
	}
	s.keys.learn(name, n)
	return n, nil
}

// lookup returns the names of the numbers that are not remembered, and puts all into names.
func (s *Store) lookup(ctx context.Context, db store.Querier, numbers map[int64]string) error {
	var unknown []int64
	s.keys.mu.Lock()
	for n := range numbers {
		if name, ok := s.keys.names[n]; ok {
			numbers[n] = name
		} else {
			unknown = append(unknown, n)
		}
	}
	s.keys.mu.Unlock()
	const most = 1000
	for len(unknown) > 0 {
		some := unknown[:min(most, len(unknown))]
		unknown = unknown[len(some):]
		err := store.Each(ctx, db, "SELECT id, name FROM names WHERE id IN (?)", []any{store.List(some)}, func(scan func(into ...any) error) error {
			var n int64
			var name string
			if err := scan(&n, &name); err != nil {
				return err
			}
			numbers[n] = name
			s.keys.learn(name, n)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
