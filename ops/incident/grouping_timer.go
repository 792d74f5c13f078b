package incident

import (
	"container/heap"
	"time"
)

// timerQueue is a heap of the times at which groups wait for something. Entries that a group no longer waits for stay
// in it and are skipped by their reader.
type timerQueue struct{ heap timerHeap }

type timer struct {
	at    time.Time
	group GroupID
}

type timerHeap []timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].group < h[j].group
	}
	return h[i].at.Before(h[j].at)
}
func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is heap.Interface's.
func (h *timerHeap) Push(x any) { *h = append(*h, x.(timer)) } //nolint:errcheck,forcetypeassert // only this file pushes

// Pop is heap.Interface's.
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	*h = (*h)[:last]
	return t
}

func (q *timerQueue) push(at time.Time, group GroupID) { heap.Push(&q.heap, timer{at, group}) }

func (q *timerQueue) pop() { heap.Pop(&q.heap) }

func (q *timerQueue) peek() (time.Time, GroupID) {
	if len(q.heap) == 0 {
		return time.Time{}, 0
	}
	return q.heap[0].at, q.heap[0].group
}
