package anomaly

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

// Row is a group as it is kept.
type Row struct {
	Group
	// Feedback is what somebody said of it: normal, useful or "" for nothing; Judge who.
	Feedback, Judge string
}

// maxListed is how many rows one answer has at most.
const maxListed = 500

// findingRow is a finding in a row's body.
type findingRow struct {
	ID       string            `json:"id"`
	Labels   map[string]string `json:"labels"`
	Unit     string            `json:"unit,omitempty"`
	At       time.Time         `json:"at"`
	Since    time.Time         `json:"since"`
	Test     string            `json:"test"`
	Weekly   float64           `json:"weekly"`
	Value    float64           `json:"value"`
	Expected float64           `json:"expected"`
	Low      float64           `json:"low"`
	High     float64           `json:"high"`
	Hours    float64           `json:"hours"` // for how long the series had been watched
}

// rowBody is what is kept of a group beside its columns.
type rowBody struct {
	Rate     float64      `json:"rate"`
	Active   int          `json:"active"`
	Others   int          `json:"others"`
	Findings []findingRow `json:"findings"`
}

func (f *Finding) row() findingRow {
	v := &f.Verdict
	return findingRow{
		ID: f.ID.String(), Labels: f.Labels.Map(), Unit: f.Unit, At: f.At, Since: f.Since, Test: v.Test.String(),
		Weekly: v.Weekly, Value: v.Value, Expected: v.Expected, Low: v.Low, High: v.High, Hours: f.Age.Hours(),
	}
}

func (r *findingRow) finding() Finding {
	id, _ := strconv.ParseUint(r.ID, 16, 64) // what was written by row
	return Finding{
		ID: signal.SeriesID(id), Labels: signal.NewLabels(r.Labels), Unit: r.Unit, At: r.At, Since: r.Since,
		Age:     time.Duration(r.Hours * float64(time.Hour)),
		Verdict: Verdict{Test: parseTest(r.Test), Weekly: r.Weekly, Value: r.Value, Expected: r.Expected, Low: r.Low, High: r.High},
	}
}

// Save keeps groups, in place of what was kept of them; what was said of them stays.
func Save(ctx context.Context, tx store.Tx, groups []*Group) error {
	for _, g := range groups {
		body := rowBody{Rate: g.Rate, Active: g.Active, Others: g.Others, Findings: make([]findingRow, len(g.Findings))}
		for i := range g.Findings {
			body.Findings[i] = g.Findings[i].row()
		}
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("keep anomaly %s: %w", g.ID, err)
		}
		_, err = tx.NewRaw(`INSERT INTO anomalies (id, team, entity, since, last_at, ended_at, told_at, joined, evidence, series, feedback, judge, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?)
			ON CONFLICT (id) DO UPDATE SET last_at = excluded.last_at, ended_at = excluded.ended_at, told_at = excluded.told_at, joined = excluded.joined,
			evidence = excluded.evidence, series = excluded.series, body = excluded.body`,
			g.ID, g.Team, g.Entity, store.Millis(g.Since), store.Millis(g.Last), store.Millis(g.Ended), store.Millis(g.ToldAt), g.Joined, g.Evidence, g.Count, string(text)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("keep anomaly %s: %w", g.ID, store.Classify(err))
		}
	}
	return nil
}

// Filter says which groups are listed, newest first.
type Filter struct {
	// Since and Until bound the beginning; zero means no bound.
	Since, Until time.Time
	// Entity lists those of one entity, Metric those with this metric among the rarest, Told those that people were told of.
	Entity, Metric string
	Told           bool
	// Teams lists those of some teams; nil means all.
	Teams []string
	// Before and BeforeID are beginning and id of the last of the page before; zero begins.
	Before   time.Time
	BeforeID string
	// Limit is how many, at most 500; 0 means 100.
	Limit int
}

const rowColumns = "id, team, entity, since, last_at, ended_at, told_at, joined, evidence, series, feedback, judge, body"

// List returns groups, newest first.
func List(ctx context.Context, db store.Querier, f Filter) ([]Row, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if !f.Since.IsZero() {
		add("since >= ?", store.Millis(f.Since))
	}
	if !f.Until.IsZero() {
		add("since < ?", store.Millis(f.Until))
	}
	if f.Entity != "" {
		add("entity = ?", f.Entity)
	}
	if f.Metric != "" {
		add("body LIKE ? ESCAPE '!'", store.Contains(`"__name__":`+strconv.Quote(f.Metric)))
	}
	if f.Told {
		add("told_at > 0")
	}
	if f.Teams != nil {
		marks := make([]string, len(f.Teams))
		values := make([]any, len(f.Teams))
		for i, team := range f.Teams {
			marks[i], values[i] = "?", team
		}
		if len(marks) == 0 {
			return nil, nil
		}
		add("team IN ("+strings.Join(marks, ", ")+")", values...)
	}
	if !f.Before.IsZero() {
		millis := store.Millis(f.Before)
		add("(since < ? OR since = ? AND id < ?)", millis, millis, f.BeforeID)
	}
	limit := min(max(f.Limit, 0), maxListed)
	if limit == 0 {
		limit = 100
	}
	return query(ctx, db, "SELECT "+rowColumns+" FROM anomalies WHERE "+strings.Join(where, " AND ")+" ORDER BY since DESC, id DESC LIMIT "+strconv.Itoa(limit), args...)
}

// Load returns a group; an error that wraps store.ErrNotFound says that there is none of this id.
func Load(ctx context.Context, db store.Querier, id string) (Row, error) {
	rows, err := query(ctx, db, "SELECT "+rowColumns+" FROM anomalies WHERE id = ?", id)
	if err != nil {
		return Row{}, err
	}
	if len(rows) == 0 {
		return Row{}, fmt.Errorf("anomaly %s: %w", id, store.ErrNotFound)
	}
	return rows[0], nil
}

func query(ctx context.Context, db store.Querier, text string, args ...any) ([]Row, error) {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read anomalies: %w", store.Classify(err))
	}
	defer rows.Close()
	var list []Row
	for rows.Next() {
		var r Row
		var since, last, ended, told int64
		var text string
		if err := rows.Scan(&r.ID, &r.Team, &r.Entity, &since, &last, &ended, &told, &r.Joined, &r.Evidence, &r.Count, &r.Feedback, &r.Judge, &text); err != nil {
			return nil, fmt.Errorf("read anomaly: %w", err)
		}
		r.Since, r.Last, r.Ended, r.ToldAt = store.Time(since), store.Time(last), store.Time(ended), store.Time(told)
		var body rowBody
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			return nil, fmt.Errorf("read anomaly %s: %w", r.ID, err)
		}
		r.Rate, r.Active, r.Others = body.Rate, body.Active, body.Others
		for i := range body.Findings {
			r.Findings = append(r.Findings, body.Findings[i].finding())
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// Feedback keeps what somebody said of a group: normal, useful, or "" to take it back.
func Feedback(ctx context.Context, tx store.Tx, id, feedback, judge string) error {
	result, err := tx.NewRaw("UPDATE anomalies SET feedback = ?, judge = ? WHERE id = ?", feedback, judge, id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep what was said of anomaly %s: %w", id, store.Classify(err))
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("anomaly %s: %w", id, store.ErrNotFound)
	}
	return nil
}

// Prune removes groups that began before a time.
func Prune(ctx context.Context, tx store.Tx, before time.Time) error {
	if _, err := tx.NewRaw("DELETE FROM anomalies WHERE since < ?", store.Millis(before)).Exec(ctx); err != nil {
		return fmt.Errorf("remove old anomalies: %w", store.Classify(err))
	}
	return nil
}
