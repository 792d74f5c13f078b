package alert

import (
	"container/heap"
	"time"
)

// timers is a heap of episodes by due time, then by number, so that equal times go in a fixed order.
type timers []*Episode

func (h timers) Len() int { return len(h) }

func (h timers) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].Seq < h[j].Seq
	}
	return h[i].due.Before(h[j].due)
}

func (h timers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].timer, h[j].timer = i, j
}

// Push is heap.Interface's.
func (h *timers) Push(x any) {
	e := x.(*Episode) //nolint:errcheck,forcetypeassert // only this package pushes
	e.timer = len(*h)
	*h = append(*h, e)
}

// Pop is heap.Interface's.
func (h *timers) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.timer = -1
	return e
}

// at sets when e is looked at next; the zero time takes it out of the queue.
func (t *Tracker) at(e *Episode, due time.Time) {
	switch {
	case due.IsZero() && e.timer >= 0:
		heap.Remove(&t.timers, e.timer)
	case due.IsZero():
	case e.timer >= 0:
		e.due = due
		heap.Fix(&t.timers, e.timer)
	default:
		e.due = due
		heap.Push(&t.timers, e)
	}
}
