package alert

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

const (
	summaryRows    = 20_000
	summaryPage    = 5_000
	summaryBuckets = 60
	summaryValues  = 20
)

// Count is a value and how many alerts have it.
type Count struct {
	Value string
	Count int
}

// Summary counts alerts by what they say and by when they began.
type Summary struct {
	// Alerts is how many were counted: the newest. Complete says that these are all.
	Alerts   int
	Complete bool
	// From is when the first bucket begins; Width is how long each of Buckets lasts. Both are zero without alerts.
	From    time.Time
	Width   time.Duration
	Buckets []int
	// Severities, States, Dispositions, Names, Services and Sources hold the most frequent values first.
	Severities, States, Dispositions, Names, Services, Sources []Count
}

// Summarise counts the alerts that q asks for, at most the newest 20,000 of them; q.Before and q.Limit do not count.
func Summarise(ctx context.Context, db store.Querier, q Query) (*Summary, error) {
	q.Before, q.Limit = 0, summaryPage
	s := &Summary{}
	var starts []time.Time
	counts := [6]map[string]int{}
	for i := range counts {
		counts[i] = map[string]int{}
	}
	for looked := 0; !s.Complete && s.Alerts < summaryRows && looked < summaryRows/summaryPage; looked++ {
		rows, next, err := Search(ctx, db, q)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			starts = append(starts, r.StartsAt)
			for i, value := range []string{r.Severity.String(), string(r.State), string(r.Disposition()), r.Name(), r.Service(), r.Source} {
				counts[i][value]++
			}
		}
		s.Alerts += len(rows)
		q.Before, s.Complete = next, next == 0
	}
	for i, into := range []*[]Count{&s.Severities, &s.States, &s.Dispositions, &s.Names, &s.Services, &s.Sources} {
		*into = top(counts[i])
	}
	s.spread(starts, q.Since, q.Until)
	return s, nil
}

func top(counts map[string]int) []Count {
	list := make([]Count, 0, len(counts))
	for _, value := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, Count{Value: value, Count: counts[value]})
	}
	slices.SortStableFunc(list, func(a, b Count) int { return cmp.Compare(b.Count, a.Count) })
	return list[:min(summaryValues, len(list))]
}

// widths are how long a bucket may last, so that its edges are round times.
var widths = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
}

// spread counts starts in at most about 60 buckets between since and until, where given, else between the first and the last.
func (s *Summary) spread(starts []time.Time, since, until time.Time) {
	if len(starts) == 0 {
		return
	}
	from, to := slices.MinFunc(starts, time.Time.Compare), slices.MaxFunc(starts, time.Time.Compare)
	if !since.IsZero() {
		from = since
	}
	if !until.IsZero() {
		to = until
	}
	span := to.Sub(from)
	s.Width = widths[len(widths)-1]
	for _, width := range widths {
		if span/width < summaryBuckets {
			s.Width = width
			break
		}
	}
	s.From = from.UTC().Truncate(s.Width)
	n := int(to.Sub(s.From)/s.Width) + 1
	if n > 10*summaryBuckets { // somebody's clock is decades off
		s.Width *= time.Duration(n/summaryBuckets + 1)
		s.From = from.UTC().Truncate(s.Width)
		n = int(to.Sub(s.From)/s.Width) + 1
	}
	s.Buckets = make([]int, n)
	for _, at := range starts {
		s.Buckets[min(max(int(at.Sub(s.From)/s.Width), 0), n-1)]++
	}
}
