package access

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of guessing.
const (
	// pairFree is how many logins may fail for one name from one address before the first wait.
	pairFree = 5
	// addressFree is how many may fail from one address for any names.
	addressFree = 30
	// nameFree is how many may fail for one name from all addresses, before those that the person never used must wait.
	nameFree = 50
	// firstWait doubles with each failure up to maxWait.
	firstWait = 10 * time.Second
	maxWait   = 15 * time.Minute
	// forget is after how long without a failure all is forgotten.
	forget = time.Hour
	// remembered is how many names, addresses and pairs are remembered at most.
	remembered = 10_000
)

// Throttle slows down guessing. Failures are counted for each pair of name and address, for each address, and for each
// name; after some, further attempts must wait, ten seconds at first and a quarter of an hour at most, whatever the
// password. The count of a name does not hold for addresses from which its person has logged in before, so that guessing
// from elsewhere locks nobody out. Unknown names count like known ones. It is safe for concurrent use and forgets at a
// restart; the memory is bounded: when full, the entry that is oldest of a few goes.
type Throttle struct {
	mu     sync.Mutex
	counts map[string]*failures // guarded by mu
}

type failures struct {
	count int
	last  time.Time
	until time.Time
}

// key is what failures are counted for.
type key struct {
	text  string
	free  int
	known bool // it does not hold
}

// keys returns what a login is counted for. An address of IPv6 counts as its network of 64 bits.
func keys(name string, address netip.Addr, known bool) []key {
	text := address.Unmap().String()
	if address.Is6() && !address.Is4In6() {
		if network, err := address.Prefix(64); err == nil {
			text = network.String()
		}
	}
	return []key{
		{"p " + text + " " + name, pairFree, false},
		{"a " + text, addressFree, false},
		{"n " + name, nameFree, known},
	}
}

// Wait returns how long a login must wait; 0 when it may be tried. known says that the person has logged in from there.
func (t *Throttle) Wait(name string, address netip.Addr, known bool, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var wait time.Duration
	for _, k := range keys(name, address, known) {
		if f := t.counts[k.text]; f != nil && !k.known {
			wait = max(wait, f.until.Sub(now))
		}
	}
	return max(wait, 0)
}

// Failed counts a login that failed.
func (t *Throttle) Failed(name string, address netip.Addr, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]*failures{}
	}
	for _, k := range keys(name, address, false) {
		f := t.counts[k.text]
		if f == nil || now.Sub(f.last) > forget {
			f = &failures{}
			if t.counts[k.text] == nil {
				t.makeRoom(now)
			}
			t.counts[k.text] = f
		}
		f.count++
		f.last = now
		if over := f.count - k.free; over >= 0 {
			f.until = now.Add(min(maxWait, firstWait<<min(over, 10)))
		}
	}
}

// Passed forgets the failures of a name from an address.
func (t *Throttle) Passed(name string, address netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.counts, keys(name, address, false)[0].text)
}

// makeRoom drops an entry when there are too many: one that is forgotten anyway, or the oldest of some.
func (t *Throttle) makeRoom(now time.Time) {
	if len(t.counts) < remembered {
		return
	}
	var oldest string
	looked := 0
	for text, f := range t.counts { // in no particular order
		if oldest == "" || f.last.Before(t.counts[oldest].last) {
			oldest = text
		}
		if looked++; looked == 32 || now.Sub(f.last) > forget {
			break
		}
	}
	delete(t.counts, oldest)
}
