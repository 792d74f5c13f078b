package experiment

import (
	"sync"
	"time"
)

// Searches look at tables in memory: one for each experiment that is searched, with a column for each key and attribute that
// was asked for. The database stays the truth: a write only marks its run, and the next search reads the marked runs again
// before it looks. So who searches sees every write that was answered before.

// Bounds of the tables.
const (
	// maxTableRows is how many runs an experiment may have to be searched in memory; others are searched in SQL.
	maxTableRows = 400_000
	// tableBytes is about how much memory all tables take together.
	tableBytes = 64 << 20
	// rereadMost is how many marked runs are read one by one; with more, the table is read anew.
	rereadMost = 5_000
)

// The states of a field of a run.
const (
	present uint8 = iota
	notANumber
	absent
)

// tableRow is what every search needs of a run.
type tableRow struct {
	number, started int64
	id              string
	deleted         bool
	gone            bool // purged
}

// columnKey names a column: the key of a metric (m), param (p) or tag (t) by its number, or an attribute (a) by its place.
type columnKey struct {
	kind byte
	key  int64
}

// column holds one field of all rows; either numbers, whole or texts is used.
type column struct {
	numbers []float64
	whole   []int64
	texts   []string
	state   []uint8
}

// grow adds rows without a value until there are n.
func (c *column) grow(n int, kind byte, attribute attribute) {
	for len(c.state) < n {
		c.state = append(c.state, absent)
		switch {
		case kind == 'm':
			c.numbers = append(c.numbers, 0)
		case kind == 'a' && attribute.number:
			c.whole = append(c.whole, 0)
		default:
			c.texts = append(c.texts, "")
		}
	}
}

// table is what searches of one experiment look at.
type table struct {
	experiment int64

	mu      sync.RWMutex
	loaded  bool // guarded by mu, as all below
	huge    bool // it has too many runs
	rows    []tableRow
	place   map[int64]int32
	columns map[columnKey]*column

	used time.Time // guarded by tables.mu
	size int64     // guarded by tables.mu
}

// tables are all tables, and the runs that were written since they were read.
type tables struct {
	mu     sync.Mutex
	all    map[int64]*table             // guarded by mu
	marked map[int64]map[int64]struct{} // guarded by mu; runs by experiment
}

func newTables() *tables {
	return &tables{all: map[int64]*table{}, marked: map[int64]map[int64]struct{}{}}
}

// get returns the table of an experiment. From now on its runs are marked when they are written.
func (t *tables) get(experiment int64) *table {
	t.mu.Lock()
	defer t.mu.Unlock()
	one, ok := t.all[experiment]
	if !ok {
		one = &table{experiment: experiment, place: map[int64]int32{}, columns: map[columnKey]*column{}}
		t.all[experiment] = one
		t.marked[experiment] = map[int64]struct{}{}
	}
	one.used = time.Now()
	return one
}

// mark notes that a run was written.
func (t *tables) mark(experiment, run int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if marks, ok := t.marked[experiment]; ok {
		marks[run] = struct{}{}
	}
}

// stale reports whether runs of an experiment were written since they were read.
func (t *tables) stale(experiment int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.marked[experiment]) > 0
}

// take returns the marked runs of an experiment, which are no longer marked.
func (t *tables) take(experiment int64) map[int64]struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	marks := t.marked[experiment]
	if len(marks) == 0 {
		return nil
	}
	t.marked[experiment] = map[int64]struct{}{}
	return marks
}

// put marks runs again.
func (t *tables) put(experiment int64, runs map[int64]struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if marks, ok := t.marked[experiment]; ok {
		for run := range runs {
			marks[run] = struct{}{}
		}
	}
}

// drop forgets a table.
func (t *tables) drop(experiment int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, experiment)
	delete(t.marked, experiment)
}

// clear forgets all tables.
func (t *tables) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.all)
	clear(t.marked)
}

// sized notes how large a table is and forgets those that were not used for longest while there is too much.
func (t *tables) sized(one *table, size int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one.size = size
	for {
		total := int64(0)
		var oldest *table
		for _, other := range t.all {
			total += other.size
			if other != one && other.size > 0 && (oldest == nil || other.used.Before(oldest.used)) {
				oldest = other
			}
		}
		if total <= tableBytes || oldest == nil {
			return
		}
		delete(t.all, oldest.experiment)
		delete(t.marked, oldest.experiment)
	}
}

// bytes returns about how much memory the table takes. t.mu must be held.
func (t *table) bytes() int64 {
	const rowBytes, numberBytes, textBytes = 120, 9, 40
	size := int64(len(t.rows)) * rowBytes
	for _, c := range t.columns {
		size += int64(len(c.numbers)+len(c.whole))*numberBytes + int64(len(c.texts))*textBytes
	}
	return size
}
