package receive

import "sync"

// maxSeen is how many names of deliveries are remembered in each of two halves.
const maxSeen = 1 << 16

// seen remembers the names of deliveries, so that one that is sent again changes nothing. The newest 65,536 to 131,072 are
// known. It is safe for concurrent use.
type seen struct {
	mu       sync.Mutex
	now, old map[string]bool // guarded by mu
}

func newSeen() *seen { return &seen{now: map[string]bool{}} }

// before reports whether a delivery was added before.
func (s *seen) before(integration, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := integration + "\x00" + id
	return s.now[key] || s.old[key]
}

// add remembers a delivery.
func (s *seen) add(integration, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.now) >= maxSeen {
		s.now, s.old = map[string]bool{}, s.now
	}
	s.now[integration+"\x00"+id] = true
}
