package alert

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

const (
	// searchWindow is how many sequence numbers one look-up of a search covers, so that its cost is bounded.
	searchWindow = 10_000
	// searchReach is how many of them one search covers; whoever wants more goes on from where it stopped.
	searchReach = 200_000
)

// Query asks for alerts by what they say. Its terms narrow Filter; several values of one term are alternatives.
type Query struct {
	Filter
	Severities   []signal.Severity
	Dispositions []Disposition
	// Services are names of what is hit, as Service tells it.
	Services []string
	// Matchers must all match the labels, in Alertmanager's syntax and meaning.
	Matchers Matchers
	// Since and Until bound when the alert began: at or after, before. Zero does not bound.
	Since, Until time.Time
}

// Service returns what the alert is about: the label service, service_name or service.name, its entity, or its job.
func (r *Row) Service() string {
	return cmp.Or(r.Labels.Get("service"), r.Labels.Get("service_name"), r.Labels.Get("service.name"), r.Entity().Name, r.Labels.Get("job"), "other")
}

// Search returns the alerts that q asks for, newest first, at most q.Limit. next is where to go on (Filter.Before); 0 says
// that there are no more. A search looks at a bounded number of alerts: it may return few rows, or none, and a next.
func Search(ctx context.Context, db store.Querier, q Query) (rows []*Row, next uint64, err error) {
	limit := q.Limit
	if !q.deep() {
		f := q.Filter
		f.Limit, f.where = limit+1, q.conditions()
		if rows, err = List(ctx, db, f); err != nil || len(rows) <= limit {
			return rows, 0, err
		}
		return rows[:limit], rows[limit-1].Seq, nil
	}
	high := q.Before
	if high == 0 {
		if err := db.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) + 1 FROM alerts").Scan(&high); err != nil {
			return nil, 0, fmt.Errorf("search alerts: %w", store.Classify(err))
		}
	}
	stop := high - min(high, searchReach)
	for high > 1 {
		low := high - min(high, searchWindow)
		found, err := q.window(ctx, db, low, high, limit+1-len(rows))
		if err != nil {
			return nil, 0, err
		}
		rows = append(rows, found...)
		if len(rows) > limit {
			return rows[:limit], rows[limit-1].Seq, nil
		}
		if high = low; low <= stop {
			break
		}
	}
	if high <= 1 {
		return rows, 0, nil
	}
	return rows, high, nil
}

// deep reports whether the newest alerts may all fail the terms, so that the search must be bounded.
func (q *Query) deep() bool {
	return q.Text != "" || len(q.Severities)+len(q.Services)+len(q.Matchers) > 0 || !q.Since.IsZero() || !q.Until.IsZero()
}

// window returns at most limit of the alerts from low on and before high.
func (q *Query) window(ctx context.Context, db store.Querier, low, high uint64, limit int) ([]*Row, error) {
	f := q.Filter
	f.Before, f.Limit = high, limit
	f.where = append([]condition{{"a.seq >= ?", []any{int64(low)}}}, q.conditions()...) //nolint:gosec // numbers far below 2^63
	judged := len(q.Services) > 0 || !q.plain()
	if judged {
		f.Limit = searchWindow // the rest is judged here
	}
	rows, err := List(ctx, db, f)
	if err != nil || !judged {
		return rows, err
	}
	rows = slices.DeleteFunc(rows, func(r *Row) bool {
		return !q.Matchers.Matches(r.Labels) || len(q.Services) > 0 && !slices.Contains(q.Services, r.Service())
	})
	return rows[:min(limit, len(rows))], nil
}

// plain reports whether conditions says all that the matchers say.
func (q *Query) plain() bool {
	return !slices.ContainsFunc(q.Matchers, func(m Matcher) bool { return m.Type != MatchEqual || m.Value == "" })
}

// conditions returns what the database can judge.
func (q *Query) conditions() (all []condition) {
	if len(q.Severities) > 0 {
		numbers := make([]int, len(q.Severities))
		for i, s := range q.Severities {
			numbers[i] = int(s)
		}
		all = append(all, condition{"a.severity IN (?)", []any{store.List(numbers)}})
	}
	var some []string
	for _, d := range q.Dispositions {
		if text, known := dispositions[d]; known {
			some = append(some, text)
		}
	}
	if len(some) > 0 {
		all = append(all, condition{"(" + strings.Join(some, " OR ") + ")", nil})
	}
	for _, m := range q.Matchers {
		if m.Type == MatchEqual && m.Value != "" {
			// Labels are stored as one writer writes them, so the pair stands in the text as it is.
			pair := encodeLabels(signal.Labels{{Name: m.Name, Value: m.Value}})
			all = append(all, condition{"replace(a.labels, ?, '') <> a.labels", []any{pair[1 : len(pair)-1]}})
		}
	}
	if !q.Since.IsZero() {
		all = append(all, condition{"a.starts_at >= ?", []any{store.Millis(q.Since)}})
	}
	if !q.Until.IsZero() {
		all = append(all, condition{"a.starts_at < ?", []any{store.Millis(q.Until)}})
	}
	return all
}
