package incident

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// memoryKey is where the engine's memory is stored.
const memoryKey = "incident.engine"

// upsertIncident writes a whole row: bun would alias the table by its model in DO UPDATE, so it is written out.
const upsertIncident = `INSERT INTO incidents (number, grp, state, title, severity, started_at, last_seen_at, shown_at, ended_at,
	acknowledged_at, acknowledged_by, merged_into, root, owner, alerts, silenced, inhibited, flapping, own, total)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (number) DO UPDATE SET grp = excluded.grp, state = excluded.state, title = excluded.title,
	severity = excluded.severity, started_at = excluded.started_at, last_seen_at = excluded.last_seen_at,
	shown_at = excluded.shown_at, ended_at = excluded.ended_at, acknowledged_at = excluded.acknowledged_at,
	acknowledged_by = excluded.acknowledged_by, merged_into = excluded.merged_into, root = excluded.root,
	owner = excluded.owner, alerts = excluded.alerts, silenced = excluded.silenced, inhibited = excluded.inhibited, flapping = excluded.flapping,
	own = excluded.own, total = excluded.total`

// Save stores changes within tx, with one audit leaf for the automatic decisions of the batch and one for each step of a
// person.
func Save(ctx context.Context, tx store.Tx, c Changes) error {
	decisions, err := alert.Save(ctx, tx, c.Alerts)
	if err != nil {
		return err
	}
	for _, inc := range c.Incidents {
		if err := saveIncident(ctx, tx, inc); err != nil {
			return err
		}
	}
	leaves, decisions, err := saveSteps(ctx, tx, c.Steps, decisions)
	if err != nil {
		return err
	}
	for _, s := range c.Undone {
		if _, err := store.Exec(ctx, tx, `UPDATE steps SET undone_at = ?, undone_by = ? WHERE number = ?`, store.Millis(s.UndoneAt), s.UndoneBy, int64(s.Number)); err != nil { //nolint:gosec // as above
			return fmt.Errorf("mark step %s undone: %w", s.ID(), err)
		}
	}
	if len(decisions) > 0 {
		leaves = append(leaves, audit.Leaf{At: c.At, Actor: engineActor, Action: DecisionsAction, Data: decisions})
	}
	if _, err := audit.AppendAll(ctx, tx, leaves); err != nil {
		return fmt.Errorf("audit decisions: %w", err)
	}
	return nil
}

// saveSteps stores steps. It returns a leaf for each step of a person, and decisions with the hashes of the engine's added.
func saveSteps(ctx context.Context, tx store.Tx, steps []*Step, decisions []byte) (leaves []audit.Leaf, _ []byte, err error) {
	rows := make([][]any, len(steps))
	for i, s := range steps {
		body, err := json.Marshal(s)
		if err != nil {
			return nil, nil, fmt.Errorf("encode step %s: %w", s.ID(), err)
		}
		rows[i] = []any{int64(s.Number), int64(s.Incident), store.Millis(s.At), string(s.Kind), string(body), 0, ""} //nolint:gosec // numbers far below 2^63
		sum := sha256.Sum256(body)
		attested := append(append([]byte(s.ID()), 0), sum[:]...)
		if s.Actor == engineActor {
			decisions = append(decisions, attested...)
			continue
		}
		leaves = append(leaves, audit.Leaf{At: s.At, Actor: s.Actor, Action: "incident." + string(s.Kind), Object: ID(s.Incident), Reason: s.Text, Data: attested})
	}
	columns := []string{"number", "incident", "at", "kind", "body", "undone_at", "undone_by"}
	if err := store.Insert(ctx, tx, "steps", columns, "", rows); err != nil {
		return nil, nil, fmt.Errorf("insert %d steps: %w", len(rows), err)
	}
	if err := saveMentions(ctx, tx, steps); err != nil {
		return nil, nil, fmt.Errorf("store mentions: %w", err)
	}
	return leaves, decisions, nil
}

// DecisionsAction is the action of the audit leaves that hold hashes of automatic decisions: for each alert or step its
// id, a zero byte and 32 bytes of SHA-256.
const DecisionsAction = "decisions"

func saveIncident(ctx context.Context, tx store.Tx, inc *Incident) error {
	own, err := json.Marshal(&inc.Own)
	if err != nil {
		return fmt.Errorf("encode incident %s: %w", inc.ID(), err)
	}
	total := own
	if len(inc.merged) > 0 {
		if total, err = json.Marshal(&inc.Total); err != nil {
			return fmt.Errorf("encode incident %s: %w", inc.ID(), err)
		}
	}
	_, err = store.Exec(ctx, tx, upsertIncident, int64(inc.Number), int64(inc.Group), string(inc.State), inc.Title, int(inc.Severity), //nolint:gosec // as above
		store.Millis(inc.StartedAt), store.Millis(inc.LastSeenAt), store.Millis(inc.ShownAt), store.Millis(inc.EndedAt), store.Millis(inc.AcknowledgedAt), inc.AcknowledgedBy,
		int64(inc.MergedInto), int64(inc.Root), inc.Owner, inc.Total.Alerts, inc.Total.Silenced, inc.Total.Inhibited, inc.Total.Flapping, string(own), string(total)) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("store incident %s: %w", inc.ID(), err)
	}
	return nil
}

// SaveMemory stores the engine's memory within tx.
func SaveMemory(ctx context.Context, tx store.Tx, m Memory) error {
	data, err := m.Encode()
	if err != nil {
		return err
	}
	return store.SaveState(ctx, tx, memoryKey, data)
}

// Load reads what Engine.Restore takes: the memory, incidents that are current or ended at or after since, and their and
// all firing alerts.
func Load(ctx context.Context, db store.Querier, since func(now time.Time) time.Time) (Memory, []*Incident, []Stored, error) {
	memory, err := loadMemory(ctx, db)
	if err != nil {
		return memory, nil, nil, err
	}
	from := since(memory.Now)
	incidents, err := load(ctx, db, `root IN (SELECT number FROM incidents WHERE state IN ('forming', 'open', 'acknowledged') OR ended_at >= ?)`, store.Millis(from))
	if err != nil {
		return memory, nil, nil, err
	}
	var current []uint64
	for _, inc := range incidents {
		current = append(current, inc.Number)
		memory.NextGroup = max(memory.NextGroup, inc.Group+1)
	}
	episodes, err := alert.Load(ctx, db, from, current, nil)
	if err != nil {
		return memory, nil, nil, err
	}
	return memory, incidents, stored(episodes), nil
}

func loadMemory(ctx context.Context, db store.Querier) (Memory, error) {
	var m Memory
	data, err := store.LoadState(ctx, db, memoryKey)
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return m, fmt.Errorf("load the engine's memory: %w", err)
	}
	// The memory is stored now and then, the rows at once: the rows know the numbers and the time better.
	var step, number, group, seq, seen sql.NullInt64
	row := db.QueryRowContext(ctx, `SELECT (SELECT max(number) FROM steps), (SELECT max(number) FROM incidents), (SELECT max(grp) FROM incidents), (SELECT max(seq) FROM alerts), (SELECT max(at) FROM steps)`)
	if err := row.Scan(&step, &number, &group, &seq, &seen); err != nil {
		return m, fmt.Errorf("load the last numbers: %w", err)
	}
	m.NextStep = max(m.NextStep, uint64(step.Int64)+1)           //nolint:gosec // never negative
	m.NextIncident = max(m.NextIncident, uint64(number.Int64)+1) //nolint:gosec // never negative
	m.NextGroup = max(m.NextGroup, GroupID(group.Int64)+1)       //nolint:gosec // never negative
	m.NextAlert = max(m.NextAlert, uint64(seq.Int64)+1)          //nolint:gosec // never negative
	m.Now = latest(m.Now, store.Time(seen.Int64))
	return m, nil
}

// LoadSome reads incidents, with those they were merged into or that were merged into them, and alerts, so that a person
// can work on old ones. All alerts of the incidents come too when whole is set.
func LoadSome(ctx context.Context, db store.Querier, numbers []uint64, alerts []string, whole bool) ([]*Incident, []Stored, error) {
	var incidents []*Incident
	var family []uint64
	if len(numbers) > 0 {
		var err error
		incidents, err = load(ctx, db, `root IN (SELECT root FROM incidents WHERE number IN (?))`, store.List(numbers))
		if err != nil {
			return nil, nil, err
		}
	}
	if whole {
		for _, inc := range incidents {
			family = append(family, inc.Number)
		}
	}
	if len(family) == 0 && len(alerts) == 0 {
		return incidents, nil, nil
	}
	episodes, err := alert.Load(ctx, db, time.Time{}, family, alerts)
	if err != nil {
		return nil, nil, err
	}
	return incidents, stored(episodes), nil
}

func stored(episodes []*alert.Episode) []Stored {
	out := make([]Stored, len(episodes))
	for i, e := range episodes {
		out[i] = Stored{Episode: e, Lines: e.DecisionLines()}
	}
	return out
}

const incidentColumns = `number, grp, state, title, severity, started_at, last_seen_at, shown_at, ended_at, acknowledged_at,
	acknowledged_by, merged_into, root, owner, own, total`

func load(ctx context.Context, db store.Querier, where string, args ...any) ([]*Incident, error) {
	rows, err := db.QueryContext(ctx, "SELECT "+incidentColumns+" FROM incidents WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("load incidents: %w", err)
	}
	defer rows.Close()
	var incidents []*Incident
	for rows.Next() {
		inc := &Incident{}
		var state, own, total string
		var severity int
		var started, seen, shown, ended, acknowledged int64
		if err := rows.Scan(&inc.Number, &inc.Group, &state, &inc.Title, &severity, &started, &seen, &shown, &ended, &acknowledged,
			&inc.AcknowledgedBy, &inc.MergedInto, &inc.Root, &inc.Owner, &own, &total); err != nil {
			return nil, fmt.Errorf("read incident: %w", err)
		}
		inc.State, inc.Severity = State(state), signal.Severity(severity) //nolint:gosec // stored from a Severity
		inc.StartedAt, inc.LastSeenAt, inc.ShownAt = store.Time(started), store.Time(seen), store.Time(shown)
		inc.EndedAt, inc.AcknowledgedAt = store.Time(ended), store.Time(acknowledged)
		if err := json.Unmarshal([]byte(own), &inc.Own); err != nil {
			return nil, fmt.Errorf("read incident %s: %w", inc.ID(), err)
		}
		if err := json.Unmarshal([]byte(total), &inc.Total); err != nil {
			return nil, fmt.Errorf("read incident %s: %w", inc.ID(), err)
		}
		incidents = append(incidents, inc)
	}
	return incidents, rows.Err()
}
