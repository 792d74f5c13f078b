package incident

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// Erased says what an erasure changed.
type Erased struct {
	// Pseudonym stands in place of the name from now on.
	Pseudonym string
	// Steps and Alerts count the steps and decision records that held the name.
	Steps, Alerts int
}

// Erase replaces a person's name by the pseudonym of the audit log in all steps, decision records and incidents, lets the
// log forget the person (audit.Erase), and attests what the rows are from then on, all in one transaction; also is done in
// it too. by gives Actor and Reason. The error wraps store.ErrNotFound if the log knows nobody of this name.
func (d *Desk) Erase(ctx context.Context, now time.Time, name string, by audit.Leaf, also func(ctx context.Context, tx store.Tx, pseudonym string) error) (Erased, error) {
	var out Erased
	if err := d.take(ctx); err != nil {
		return out, err
	}
	defer d.give()
	if err := d.catchUp(ctx, now); err != nil {
		return out, err
	}
	if err := d.commit(ctx, d.position.Sequence, nil); err != nil { // from here on memory and rows say the same
		return out, err
	}
	var err error
	if out.Pseudonym, err = audit.Pseudonym(ctx, d.db.Read(), name); err != nil {
		return out, err
	}
	e := eraser{name: name, id: out.Pseudonym}
	if err := e.read(ctx, d.db.Read()); err != nil {
		return out, err
	}
	out.Steps, out.Alerts = len(e.steps), len(e.records)
	by.At = now
	err = d.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		by.Data = nil
		if err := e.write(ctx, tx, &by); err != nil {
			return err
		}
		if err := also(ctx, tx, out.Pseudonym); err != nil {
			return err
		}
		_, err := audit.Erase(ctx, tx, name, by)
		return err
	})
	if err != nil {
		return out, err
	}
	for _, r := range e.records {
		if a := d.engine.tracker.Episode(r.ID); a != nil {
			a.Chain = r.Chain
		}
	}
	for _, inc := range d.engine.incidents {
		inc.AcknowledgedBy, inc.Owner = e.mask(inc.AcknowledgedBy), e.mask(inc.Owner)
	}
	return out, nil
}

// eraser is one erasure.
type eraser struct {
	name, id string
	steps    []erasedStep
	records  []alert.Record
}

type erasedStep struct {
	number   int64
	body, by string
}

func (e *eraser) mask(text string) string { return audit.Mask(text, e.name, e.id) }

// read finds what holds the name.
func (e *eraser) read(ctx context.Context, db store.Querier) error {
	pattern := store.Contains(e.name)
	rows, err := db.QueryContext(ctx, "SELECT number, body, undone_by FROM steps WHERE body LIKE ? ESCAPE '!' OR undone_by = ? ORDER BY number", pattern, e.name)
	if err != nil {
		return fmt.Errorf("find steps of a person: %w", store.Classify(err))
	}
	defer rows.Close()
	for rows.Next() {
		var s erasedStep
		if err := rows.Scan(&s.number, &s.body, &s.by); err != nil {
			return fmt.Errorf("find steps of a person: %w", err)
		}
		if body, by := e.mask(s.body), e.mask(s.by); body != s.body || by != s.by {
			e.steps = append(e.steps, erasedStep{s.number, body, by})
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("find steps of a person: %w", store.Classify(err))
	}
	e.records, err = alert.RecordsOf(ctx, db, e.name, e.mask)
	return err
}

// write stores what the rows are from now on, and adds to the leaf what attests them.
func (e *eraser) write(ctx context.Context, tx store.Tx, leaf *audit.Leaf) error {
	for _, s := range e.steps {
		if !json.Valid([]byte(s.body)) {
			return fmt.Errorf("erase %q: step S%d would be damaged", e.name, s.number)
		}
		if _, err := store.Exec(ctx, tx, "UPDATE steps SET body = ?, undone_by = ? WHERE number = ?", s.body, s.by, s.number); err != nil {
			return fmt.Errorf("erase %q in step S%d: %w", e.name, s.number, err)
		}
		sum := sha256.Sum256([]byte(s.body))
		step := Step{Number: uint64(s.number)} //nolint:gosec // never negative
		leaf.Data = append(append(append(leaf.Data, step.ID()...), 0), sum[:]...)
	}
	data, err := alert.Rewrite(ctx, tx, e.records)
	if err != nil {
		return err
	}
	leaf.Data = append(leaf.Data, data...)
	if _, err := tx.NewRaw("DELETE FROM mentions WHERE name = ?", e.name).Exec(ctx); err != nil {
		return fmt.Errorf("erase mentions of %q: %w", e.name, err)
	}
	return e.incidents(ctx, tx)
}

func (e *eraser) incidents(ctx context.Context, tx store.Tx) error {
	list, err := load(ctx, tx, "owner = ? OR acknowledged_by LIKE ? ESCAPE '!'", e.name, store.Contains(e.name))
	if err != nil {
		return err
	}
	for _, inc := range list {
		if _, err := store.Exec(ctx, tx, "UPDATE incidents SET owner = ?, acknowledged_by = ? WHERE number = ?", e.mask(inc.Owner), e.mask(inc.AcknowledgedBy), int64(inc.Number)); err != nil { //nolint:gosec // numbers far below 2^63
			return fmt.Errorf("erase %q in %s: %w", e.name, inc.ID(), err)
		}
	}
	return nil
}
