package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/ops/incident"
)

// shownIncident is an incident that people were told of, or would have been.
type shownIncident struct {
	number                      uint64
	startedAt, shownAt, endedAt time.Time
	state                       incident.State
	alerts                      int
	firstAt                     time.Time // when a person first acknowledged it; zero if nobody did
	touched                     bool      // a person did something before it ended
}

func (s *shownIncident) ended() bool { return s.state == incident.Resolved && !s.endedAt.IsZero() }

func (s *shownIncident) add(t *tally) {
	t.Incidents++
	t.Alerts += s.alerts
	if !s.firstAt.IsZero() {
		t.acknowledge = append(t.acknowledge, max(0, s.firstAt.Sub(s.shownAt)))
	}
	if s.ended() {
		t.Ended++
		t.resolve = append(t.resolve, max(0, s.endedAt.Sub(s.startedAt)))
		if !s.touched {
			t.Idle++
		}
	}
}

// loadShown reads the incidents that were shown in the time.
func loadShown(ctx context.Context, db store.Querier, q *FigureQuery) ([]*shownIncident, error) {
	where, args := "merged_into = 0 AND shown_at >= ? AND shown_at < ?", []any{store.Millis(q.From), store.Millis(q.To)}
	where, args = q.scoped(where, args, "incidents.number")
	rows, err := db.QueryContext(ctx, "SELECT number, state, started_at, shown_at, ended_at FROM incidents WHERE "+where+" ORDER BY shown_at", args...)
	if err != nil {
		return nil, fmt.Errorf("read the incidents of a time: %w", store.Classify(err))
	}
	defer rows.Close()
	var list []*shownIncident
	for rows.Next() {
		s := &shownIncident{}
		var started, shown, ended int64
		if err := rows.Scan(&s.number, &s.state, &started, &shown, &ended); err != nil {
			return nil, fmt.Errorf("read the incidents of a time: %w", err)
		}
		s.startedAt, s.shownAt, s.endedAt = store.Time(started), store.Time(shown), store.Time(ended)
		list = append(list, s)
	}
	return list, rows.Err()
}

// scoped adds to a condition what limits incidents to those of the query's teams.
func (q *FigureQuery) scoped(where string, args []any, number string) (string, []any) {
	if q.Teams == nil {
		return where, args
	}
	condition, values := alert.SeenBy(number, q.Teams)
	return where + " AND " + condition, append(args, values...)
}

// act is something that a person did to an incident.
type act struct {
	incident uint64 // the root
	at       time.Time
	kind     incident.StepKind
	actor    string
	first    bool // the first to acknowledge
}

func (a *act) acknowledges() bool {
	return a.kind == incident.StepAcknowledge || a.kind == incident.StepResolve
}

// loadActs reads what people did, and did not take back, from the beginning of the time on; what was done after its end tells
// how incidents of the time went on. They are ordered by time.
func loadActs(ctx context.Context, db store.Querier, q *FigureQuery) ([]act, error) {
	actor := store.Member(db, "s.body", "actor")
	where, args := "s.at >= ? AND s.undone_at = 0 AND s.kind <> 'undo' AND "+actor+" <> 'engine'", []any{store.Millis(q.From)}
	where, args = q.scoped(where, args, "i.root")
	rows, err := db.QueryContext(ctx, "SELECT i.root, s.at, s.kind, "+actor+" FROM steps s JOIN incidents i ON i.number = s.incident WHERE "+where+" ORDER BY s.at, s.number", args...)
	if err != nil {
		return nil, fmt.Errorf("read what people did: %w", store.Classify(err))
	}
	defer rows.Close()
	var list []act
	for rows.Next() {
		var a act
		var at int64
		if err := rows.Scan(&a.incident, &at, &a.kind, &a.actor); err != nil {
			return nil, fmt.Errorf("read what people did: %w", err)
		}
		a.at = store.Time(at)
		list = append(list, a)
	}
	return list, rows.Err()
}

// page is a notification that something fires, however many integrations of the receiver it went through.
type page struct {
	receiver string
	at       time.Time
	incident uint64 // the root; 0 when it is gone
}

// loadPages reads the notifications of the time that were sent, ordered by time.
func loadPages(ctx context.Context, db store.Querier, q *FigureQuery) ([]page, error) {
	where, args := "d.at >= ? AND d.at < ? AND d.state = 'sent' AND d.why IN ('first', 'new alerts', 'repeat')", []any{store.Millis(q.From), store.Millis(q.To)}
	where, args = q.scoped(where, args, "i.root")
	rows, err := db.QueryContext(ctx, "SELECT DISTINCT d.at, d.receiver, d.grp, coalesce(i.root, 0) FROM deliveries d LEFT JOIN incidents i ON i.number = d.incident WHERE "+
		where+" ORDER BY 1, 2, 3", args...)
	if err != nil {
		return nil, fmt.Errorf("read the notifications of a time: %w", store.Classify(err))
	}
	defer rows.Close()
	var list []page
	for rows.Next() {
		var p page
		var at int64
		var group string
		if err := rows.Scan(&at, &p.receiver, &group, &p.incident); err != nil {
			return nil, fmt.Errorf("read the notifications of a time: %w", err)
		}
		p.at = store.Time(at)
		list = append(list, p)
	}
	return list, rows.Err()
}
