package receive

import (
	"cmp"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/axiomhq/hyperloglog"

	"github.com/fairlead/fairlead/base/signal"
)

// CapsConfig bounds how many different alerts a sender may send.
type CapsConfig struct {
	// PerSender is how many different fingerprints one sender may send within Window.
	PerSender int
	// Total is how many are remembered over all senders; when it is reached, a sender that holds more than its fair share of
	// it is refused new ones, and others are not.
	Total int
	// Senders is how many senders are told apart; beyond that, the one unheard of longest is forgotten.
	Senders int
	// Window is how long a fingerprint counts after it was last sent, at most; at least half of it.
	Window time.Duration
}

// DefaultCapsConfig is 500,000 fingerprints a sender and day, 8 million in all, 1024 senders. Memory is 4 to 11 bytes for
// each remembered fingerprint, so at most about 90 MB when everything is used up.
func DefaultCapsConfig() CapsConfig {
	return CapsConfig{PerSender: 500_000, Total: 8_000_000, Senders: 1024, Window: 24 * time.Hour}
}

// maxCountedLabels bounds for how many label names of a sender the values are counted.
const maxCountedLabels = 128

// Caps counts the different fingerprints of each sender, so that a label with endless values is refused before it fills
// the disk. A fingerprint that is known passes even when the cap is reached. It remembers 32 bits of each, so about one new
// fingerprint in 8,000 passes as known at 500,000. It is safe for concurrent use; senders do not wait for each other
// except for a moment. Nothing survives a restart.
type Caps struct {
	config CapsConfig
	seed   maphash.Seed

	mu      sync.Mutex
	senders map[Sender]*senderCap // guarded by mu
	total   int                   // guarded by mu; fingerprints that all senders hold
}

// NewCaps returns empty caps. Zero fields of config take the default.
func NewCaps(config CapsConfig) *Caps {
	defaults := DefaultCapsConfig()
	config = CapsConfig{
		PerSender: cmp.Or(config.PerSender, defaults.PerSender), Total: cmp.Or(config.Total, max(defaults.Total, config.PerSender)),
		Senders: cmp.Or(config.Senders, defaults.Senders), Window: cmp.Or(config.Window, defaults.Window),
	}
	return &Caps{config: config, seed: maphash.MakeSeed(), senders: make(map[Sender]*senderCap)}
}

// senderCap is what one sender has sent: fingerprints of the current and of the previous half of the window.
type senderCap struct {
	heard time.Time // guarded by Caps.mu
	held  int       // guarded by Caps.mu; what it counts for in Caps.total

	gone atomic.Bool // forgotten by Caps

	mu       sync.Mutex
	since    time.Time // guarded by mu; start of the current half
	now, old fingerprintSet
	oldOnly  int // guarded by mu; how many of old are not in now
	values   map[string]*hyperloglog.Sketch
}

// Excess says that a sender has sent too many different alerts or series.
type Excess struct {
	// Refused holds the indexes of what is refused, in order.
	Refused []int
	// Known is how many different alerts are remembered of the sender, Limit how many may be.
	Known, Limit int
	// Label is the name whose values differ most; Values is about how many there are.
	Label  string
	Values uint64
	// RetryAfter is when some of them will have been forgotten.
	RetryAfter time.Duration
}

// Admit remembers the fingerprints of what sender has sent at now, and returns nil when all pass. labelsOf returns the labels
// of the one with an index of fingerprints.
func (c *Caps) Admit(sender Sender, now time.Time, fingerprints []signal.Fingerprint, labelsOf func(i int) signal.Labels) *Excess {
	for {
		s, share := c.sender(sender, now)
		excess, held, ok := s.admit(c, now, share, fingerprints, labelsOf)
		if !ok {
			continue // forgotten between the two locks
		}
		c.mu.Lock()
		if c.senders[sender] == s {
			c.total += held - s.held
			s.held = held
		}
		c.mu.Unlock()
		return excess
	}
}

// Known returns how many fingerprints are remembered over all senders.
func (c *Caps) Known() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// sender finds or makes the entry of sender, and returns how many fingerprints it may hold.
func (c *Caps) sender(sender Sender, now time.Time) (*senderCap, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.senders[sender]
	if s == nil {
		if len(c.senders) >= c.config.Senders {
			c.forgetOldest()
		}
		s = &senderCap{since: now, values: make(map[string]*hyperloglog.Sketch)}
		c.senders[sender] = s
	}
	s.heard = now
	limit := c.config.PerSender
	if c.total >= c.config.Total {
		limit = min(limit, c.config.Total/len(c.senders))
	}
	return s, limit
}

// forgetOldest drops the sender unheard of longest. c.mu is held.
func (c *Caps) forgetOldest() {
	var oldest Sender
	var found *senderCap
	for sender, s := range c.senders {
		if found == nil || s.heard.Before(found.heard) {
			oldest, found = sender, s
		}
	}
	c.total -= found.held
	delete(c.senders, oldest)
	found.gone.Store(true)
}

func (s *senderCap) admit(c *Caps, now time.Time, limit int, fingerprints []signal.Fingerprint, labelsOf func(i int) signal.Labels) (excess *Excess, held int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone.Load() {
		return nil, 0, false
	}
	s.turn(now, c.config.Window/2)
	for i, fingerprint := range fingerprints {
		short := shorten(fingerprint)
		switch {
		case s.now.has(short):
		case s.old.has(short):
			s.now.add(short)
			s.oldOnly--
		case s.now.count+s.oldOnly < limit:
			s.now.add(short)
			s.count(c.seed, labelsOf(i))
		default:
			if excess == nil {
				excess = &Excess{Known: s.now.count + s.oldOnly, Limit: limit, RetryAfter: max(time.Second, s.since.Add(c.config.Window/2).Sub(now))}
				excess.Label, excess.Values = s.widest()
			}
			excess.Refused = append(excess.Refused, i)
		}
	}
	return excess, s.now.count + s.old.count, true
}

// turn begins a new half of the window when the current one is over.
func (s *senderCap) turn(now time.Time, half time.Duration) {
	switch age := now.Sub(s.since); {
	case age < half:
		return
	case age < 2*half:
		s.old, s.oldOnly = s.now, s.now.count
	default:
		s.old, s.oldOnly = fingerprintSet{}, 0
	}
	s.now, s.since = fingerprintSet{}, now
	clear(s.values)
}

// count notes the values of a new alert's labels.
func (s *senderCap) count(seed maphash.Seed, labels signal.Labels) {
	for _, label := range labels {
		sketch := s.values[label.Name]
		if sketch == nil {
			if len(s.values) >= maxCountedLabels {
				continue
			}
			sketch, _ = hyperloglog.NewSketch(10, true) // 10 is within what it allows
			s.values[label.Name] = sketch
		}
		sketch.InsertHash(maphash.String(seed, label.Value))
	}
}

// widest returns the label with the most different values.
func (s *senderCap) widest() (name string, values uint64) {
	for candidate, sketch := range s.values {
		if n := sketch.Estimate(); n > values || n == values && candidate < name {
			name, values = candidate, n
		}
	}
	return name, values
}

// shorten folds a fingerprint to 32 bits; 0 is kept for "empty".
func shorten(fingerprint signal.Fingerprint) uint32 {
	mixed := uint64(fingerprint) * 0x9e3779b97f4a7c15
	return max(1, uint32(mixed>>32))
}

// fingerprintSet is a set of numbers other than 0: open addressing, linear probing, at most three quarters full.
type fingerprintSet struct {
	slots []uint32
	count int
}

func (f *fingerprintSet) has(n uint32) bool {
	if len(f.slots) == 0 {
		return false
	}
	return f.slots[f.slot(n)] == n
}

// slot returns where n stands, or the empty place where it would.
func (f *fingerprintSet) slot(n uint32) uint32 {
	mask := uint32(len(f.slots) - 1) //nolint:gosec // a power of two far below 2^32
	for i := (n * 0x85ebca6b) & mask; ; i = (i + 1) & mask {
		if f.slots[i] == 0 || f.slots[i] == n {
			return i
		}
	}
}

func (f *fingerprintSet) add(n uint32) {
	if 4*(f.count+1) > 3*len(f.slots) {
		before := f.slots
		f.slots = make([]uint32, max(64, 2*len(before)))
		for _, old := range before {
			if old != 0 {
				f.slots[f.slot(old)] = old
			}
		}
	}
	if i := f.slot(n); f.slots[i] == 0 {
		f.slots[i] = n
		f.count++
	}
}
