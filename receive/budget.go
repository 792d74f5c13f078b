package receive

import (
	"net/http"
	"sync"
	"time"
)

// Budget bounds the memory that bodies of requests take at one moment, over all receivers and per sender, so that many large
// requests at once are refused with 503 before memory runs out, and one sender cannot take what others need. It is safe for
// concurrent use and never blocks.
type Budget struct {
	total, each int64

	mu      sync.Mutex
	used    int64            // guarded by mu
	senders map[string]int64 // guarded by mu; senders that hold something now
}

// NewBudget returns a budget of total bytes, of which one sender may hold at most half. total <= 0 means 128 MB.
func NewBudget(total int64) *Budget {
	if total <= 0 {
		total = 128 << 20
	}
	return &Budget{total: total, each: total / 2, senders: make(map[string]int64)}
}

// Used returns how many bytes are held now.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// lease is what one request holds.
type lease struct {
	budget *Budget
	sender string
	held   int64
}

func (b *Budget) lease(sender string) *lease { return &lease{budget: b, sender: sender} }

// grow takes n bytes more, or returns a *Problem.
func (l *lease) grow(n int64) error {
	b := l.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used+n > b.total || b.senders[l.sender]+n > b.each {
		return &Problem{
			Status: http.StatusServiceUnavailable, RetryAfter: time.Second,
			Detail: "Too many bytes are being received at this moment. Nothing of this request was stored; send it again.",
		}
	}
	b.used += n
	b.senders[l.sender] += n
	l.held += n
	return nil
}

// release gives everything back. It may be called more than once.
func (l *lease) release() {
	b := l.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= l.held
	if b.senders[l.sender] -= l.held; b.senders[l.sender] <= 0 {
		delete(b.senders, l.sender)
	}
	l.held = 0
}
