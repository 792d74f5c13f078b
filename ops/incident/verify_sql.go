package incident

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// Check compares decision records and steps with what the audit log attests of them. It remembers one hash for each alert
// and step.
type Check struct {
	attested map[string]attestation
}

type attestation struct {
	leaf int64
	sum  [sha256.Size]byte
}

// NewCheck returns a Check for one run of audit.Verify.
func NewCheck() *Check { return &Check{attested: map[string]attestation{}} }

// Leaf is audit.Check's: it takes over what the leaf attests.
func (c *Check) Leaf(_ context.Context, _ store.Querier, n int64, leaf audit.Leaf) (string, error) {
	if leaf.Action == PurgeAction {
		for id := range strings.SplitSeq(strings.TrimSpace(string(leaf.Data)), "\n") {
			delete(c.attested, id)
		}
		return "", nil
	}
	if leaf.Action != DecisionsAction && leaf.Action != audit.EraseAction && !strings.HasPrefix(leaf.Action, "incident.") {
		return "", nil
	}
	if !alert.DecisionEntries(leaf.Data, func(id string, sum [sha256.Size]byte) { c.attested[id] = attestation{n, sum} }) {
		return "its list of decisions is damaged", nil
	}
	return "", nil
}

// Done is audit.Check's: it reads every alert and step and names those that differ from what was attested.
func (c *Check) Done(ctx context.Context, db store.Querier) ([]audit.Problem, error) {
	var problems []audit.Problem
	report := func(id, detail string) {
		problems = append(problems, audit.Problem{Leaf: c.attested[id].leaf, Name: id, Detail: detail})
	}
	compare := func(id, what string, sum [sha256.Size]byte) {
		switch known, found := c.attested[id]; {
		case !found:
			report(id, "no leaf attests its "+what)
		case known.sum != sum:
			report(id, "its "+what+" is not the one that leaf attests")
		}
		delete(c.attested, id)
	}
	err := alert.EachDecision(ctx, db, func(id string, chain [sha256.Size]byte, err error) {
		if err != nil {
			report(id, fmt.Sprintf("its decision record cannot be read: %v", err))
			delete(c.attested, id)
			return
		}
		compare(id, "decision record", chain)
	})
	if err != nil {
		return nil, err
	}
	if err := eachStepRow(ctx, db, func(row *stepRow) {
		id := row.step.ID()
		detail := row.wrong()
		if detail == "" {
			compare(id, "text", sha256.Sum256([]byte(row.body)))
			return
		}
		report(id, detail)
		delete(c.attested, id)
	}); err != nil {
		return nil, err
	}
	for id := range c.attested {
		report(id, "it is attested but not stored any more")
	}
	return problems, nil
}

// stepRow is a step as it is stored: what its body says, and its columns.
type stepRow struct {
	step                Step
	body, kind, by      string
	incident, at, undid int64
	undone              *Step // the step that undid it; nil if none did
	err                 error // the body cannot be read
}

// wrong says in what the columns are not what the body, and the step that undid it, say; "" if in nothing.
func (r *stepRow) wrong() string {
	var undoneAt time.Time
	undoneBy := ""
	if r.undone != nil {
		undoneAt, undoneBy = r.undone.At, r.undone.Actor
	}
	said := r.step
	switch {
	case r.err != nil:
		return fmt.Sprintf("its text cannot be read: %v", r.err)
	case r.kind != string(said.Kind) || r.incident != int64(said.Incident) || r.at != store.Millis(said.At): //nolint:gosec // numbers far below 2^63
		return "kind, incident or time is not the one in its text"
	case r.undid != store.Millis(undoneAt) || r.by != undoneBy:
		return "it is not undone by whom, or when, the step that undid it says"
	}
	return ""
}

// eachStepRow visits all steps in order.
func eachStepRow(ctx context.Context, db store.Querier, visit func(*stepRow)) error {
	undoing := map[uint64]*Step{}
	for _, pass := range []struct {
		where string
		visit func(*stepRow)
	}{
		{" WHERE kind = 'undo'", func(r *stepRow) { undoing[r.step.Undoes] = &r.step }},
		{"", func(r *stepRow) {
			r.undone = undoing[r.step.Number]
			visit(r)
		}},
	} {
		if err := scanSteps(ctx, db, pass.where, pass.visit); err != nil {
			return fmt.Errorf("read steps: %w", err)
		}
	}
	return nil
}

func scanSteps(ctx context.Context, db store.Querier, where string, visit func(*stepRow)) error {
	rows, err := db.QueryContext(ctx, "SELECT number, incident, at, kind, body, undone_at, undone_by FROM steps"+where+" ORDER BY number")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r := &stepRow{}
		var number uint64
		if err := rows.Scan(&number, &r.incident, &r.at, &r.kind, &r.body, &r.undid, &r.by); err != nil {
			return err
		}
		r.err = json.Unmarshal([]byte(r.body), &r.step)
		r.step.Number = number
		visit(r)
	}
	return rows.Err()
}
