package experiment

import "sync"

// documentBytes is how much memory encoded runs take at most.
const documentBytes = 6 << 20

// documents remembers runs as they are answered to searches: most searches show the same runs again.
type documents struct {
	mu    sync.Mutex
	all   map[int64][]byte // guarded by mu, as all below
	bytes int
	// now counts forgotten runs; forgotten holds when each was last forgotten, for those after floor.
	now, floor uint64
	forgotten  map[int64]uint64
}

// maxForgotten bounds what is remembered of forgotten runs.
const maxForgotten = 50_000

func newDocuments() *documents {
	return &documents{all: map[int64][]byte{}, forgotten: map[int64]uint64{}}
}

// get returns those of runs that are remembered, by number, and a mark to put others with.
func (d *documents) get(numbers []int64) (found map[int64][]byte, mark uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found = make(map[int64][]byte, len(numbers))
	for _, n := range numbers {
		if document, ok := d.all[n]; ok {
			found[n] = document
		}
	}
	return found, d.now
}

// put remembers a run that was read after mark was given, unless it was forgotten since.
func (d *documents) put(number int64, document []byte, mark uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if mark < d.floor || d.forgotten[number] > mark || len(document) > documentBytes/100 {
		return
	}
	if old, ok := d.all[number]; ok {
		d.bytes -= len(old)
	}
	d.all[number] = document
	d.bytes += len(document)
	for n, old := range d.all { // some other, at random
		if d.bytes <= documentBytes {
			return
		}
		if n != number {
			delete(d.all, n)
			d.bytes -= len(old)
		}
	}
}

// forget drops a run that was written.
func (d *documents) forget(number int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, ok := d.all[number]; ok {
		delete(d.all, number)
		d.bytes -= len(old)
	}
	d.now++
	if len(d.forgotten) >= maxForgotten {
		clear(d.forgotten)
		d.floor = d.now
	}
	d.forgotten[number] = d.now
}

// clear drops all runs.
func (d *documents) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.all)
	clear(d.forgotten)
	d.bytes = 0
	d.now++
	d.floor = d.now
}
