package alert

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

// Disposition says what became of an alert: was anybody told?
type Disposition string

// The dispositions.
const (
	Told       Disposition = "told"
	Held       Disposition = "held"
	Silenced   Disposition = "silenced"
	Inhibited  Disposition = "inhibited"
	Flapping   Disposition = "flapping"
	Suppressed Disposition = "suppressed"
)

// Disposition returns what became of the alert, given the state of its incident.
func (r *Row) Disposition() Disposition {
	switch {
	case len(r.SilencedBy) > 0:
		return Silenced
	case len(r.InhibitedBy) > 0:
		return Inhibited
	case r.Flapping:
		return Flapping
	case r.IncidentState == "forming":
		return Held
	case r.IncidentState == "suppressed" || r.IncidentState == "":
		return Suppressed
	}
	return Told
}

// Filter selects stored alerts. Zero fields select everything.
type Filter struct {
	State State
	// Told is "yes" or "no".
	Told string
	// Disposition selects one.
	Disposition Disposition
	// Incident selects the alerts of an incident and of those merged into it.
	Incident uint64
	// Source selects the alerts of an integration; with Key only those whose sender's key has this fingerprint.
	Source string
	Key    signal.Fingerprint
	// Text is looked for in the name, the entity, the labels and the annotations.
	Text string
	// Teams selects what people of these teams see; nil what everybody together sees, an empty list what belongs to no team.
	Teams []string
	// Numbers selects the alerts with these numbers; nil selects any.
	Numbers []uint64
	// Before is the cursor: only alerts with a smaller number.
	Before uint64
	Limit  int
	// Decision also reads the decision record.
	Decision bool

	where []condition
}

// condition is SQL with its arguments.
type condition struct {
	text string
	args []any
}

const told = `(a.silenced_by = '' AND a.inhibited_by = '' AND a.flapping = 0 AND r.state IN ('open', 'acknowledged', 'resolved'))`

var dispositions = map[Disposition]string{
	Told:       told,
	Held:       `(a.silenced_by = '' AND a.inhibited_by = '' AND a.flapping = 0 AND r.state = 'forming')`,
	Silenced:   `a.silenced_by <> ''`,
	Inhibited:  `(a.silenced_by = '' AND a.inhibited_by <> '')`,
	Flapping:   `(a.silenced_by = '' AND a.inhibited_by = '' AND a.flapping = 1)`,
	Suppressed: `(a.silenced_by = '' AND a.inhibited_by = '' AND a.flapping = 0 AND (r.state IS NULL OR r.state = 'suppressed'))`,
}

// List returns stored alerts, newest first.
func List(ctx context.Context, db store.Querier, f Filter) ([]*Row, error) {
	if f.Incident == 0 {
		return listHome(ctx, db, f, 0)
	}
	homes, err := homes(ctx, db, f.Incident)
	if err != nil {
		return nil, err
	}
	// One look-up in order for each home: together they would make the database sort all alerts of a large incident.
	var rows []*Row
	for _, home := range homes {
		part, err := listHome(ctx, db, f, home)
		if err != nil {
			return nil, err
		}
		rows = append(rows, part...)
	}
	slices.SortFunc(rows, func(a, b *Row) int { return cmp.Compare(b.Seq, a.Seq) })
	return rows[:min(f.Limit, len(rows))], nil
}

// homes returns the numbers of an incident and of those merged into it.
func homes(ctx context.Context, db store.Querier, incident uint64) ([]int64, error) {
	rows, err := db.QueryContext(ctx, "SELECT number FROM incidents WHERE root = ?", int64(incident)) //nolint:gosec // numbers far below 2^63
	if err != nil {
		return nil, fmt.Errorf("list the parts of an incident: %w", err)
	}
	defer rows.Close()
	var numbers []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("list the parts of an incident: %w", err)
		}
		numbers = append(numbers, n)
	}
	return numbers, rows.Err()
}

// listHome lists the alerts whose home is an incident; 0 means any.
func listHome(ctx context.Context, db store.Querier, f Filter, home int64) ([]*Row, error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if f.State != "" {
		add("a.state = ?", string(f.State))
	}
	switch f.Told {
	case "yes":
		add(told)
	case "no":
		add("NOT coalesce(" + told + ", 1 = 0)")
	}
	if condition, known := dispositions[f.Disposition]; known {
		add(condition)
	}
	if home != 0 {
		add("a.incident = ?", home)
	}
	if f.Source != "" {
		add("a.source = ?", f.Source)
	}
	if f.Key != 0 {
		add("a.fingerprint = ? AND a.identity <> a.fingerprint", f.Key.String()) // as the index alerts_keyed says it
	}
	if f.Text != "" {
		pattern := "%" + escapeLike(f.Text) + "%"
		like := store.Like(db)
		add("(a.name "+like+" ? ESCAPE '!' OR a.entity "+like+" ? ESCAPE '!' OR a.labels "+like+" ? ESCAPE '!' OR a.annotations "+like+" ? ESCAPE '!')", pattern, pattern, pattern, pattern)
	}
	if f.Teams != nil {
		condition, values := seenAlert(f.Teams)
		add(condition, values...)
	}
	if f.Numbers != nil {
		add("a.seq IN (?)", store.List(f.Numbers))
	}
	for _, more := range f.where {
		add(more.text, more.args...)
	}
	if f.Before != 0 {
		add("a.seq < ?", int64(f.Before)) //nolint:gosec // as above
	}
	return query(ctx, db, strings.Join(where, " AND ")+" ORDER BY a.seq DESC LIMIT ?", append(args, f.Limit), f.Decision)
}

// Find returns one stored alert with its decision record; store.ErrNotFound when there is none.
func Find(ctx context.Context, db store.Querier, id string) (*Row, error) {
	n, err := ParseID(id)
	if err != nil {
		return nil, fmt.Errorf("alert %s: %w", id, store.ErrNotFound)
	}
	rows, err := query(ctx, db, "a.seq = ?", []any{int64(n)}, true) //nolint:gosec // as above
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("alert %s: %w", id, store.ErrNotFound)
	}
	return rows[0], nil
}

func query(ctx context.Context, db store.Querier, where string, args []any, decision bool) ([]*Row, error) {
	record := "''"
	if decision {
		record = "a.decision"
	}
	rows, err := db.QueryContext(ctx, "SELECT "+selectColumns+", "+record+", r.state, r.number FROM alerts a"+
		" LEFT JOIN incidents h ON h.number = a.incident LEFT JOIN incidents r ON r.number = h.root WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	defer rows.Close()
	var out []*Row
	for rows.Next() {
		var lines string
		var state sql.NullString
		var root sql.NullInt64
		e, err := scan(rows, &lines, &state, &root)
		if err != nil {
			return nil, err
		}
		r := &Row{Episode: *e, IncidentState: state.String, Root: uint64(root.Int64)} //nolint:gosec // never negative
		if r.Decision, err = decodeLines(lines); err != nil {
			return nil, fmt.Errorf("decision record of %s: %w", e.ID, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func decodeLines(text string) ([]Line, error) {
	var lines []Line
	for part := range strings.Lines(text) {
		var line Line
		if err := json.Unmarshal([]byte(part), &line); err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func escapeLike(text string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text)
}

// EachDecision reads every stored decision record and calls visit with the alert's id and the hash over its lines, for
// comparing with the audit log; err says that the record cannot be read, or that it says the same in other bytes.
func EachDecision(ctx context.Context, db store.Querier, visit func(id string, chain [sha256.Size]byte, err error)) error {
	rows, err := db.QueryContext(ctx, "SELECT seq, decision FROM alerts ORDER BY seq")
	if err != nil {
		return fmt.Errorf("read decision records: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq uint64
		var text string
		if err := rows.Scan(&seq, &text); err != nil {
			return fmt.Errorf("read decision record: %w", err)
		}
		chain, err := chainOf(text)
		visit("A"+strconv.FormatUint(seq, 10), chain, err)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read decision records: %w", err)
	}
	return nil
}

// chainOf returns the hash over the lines of a stored decision record; an error unless text is byte for byte what Fairlead
// writes for them.
func chainOf(text string) (chain [sha256.Size]byte, err error) {
	lines, err := decodeLines(text)
	if err != nil {
		return chain, err
	}
	for _, line := range lines {
		chain = Extend(chain, line)
	}
	if encodeLines(lines) != text {
		return chain, errors.New("it is not written as Fairlead writes it")
	}
	return chain, nil
}
