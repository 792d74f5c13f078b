package incident

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

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
	if leaf.Action != DecisionsAction && !strings.HasPrefix(leaf.Action, "incident.") {
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
	rows, err := db.QueryContext(ctx, "SELECT number, body FROM steps ORDER BY number")
	if err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Step
		var body string
		if err := rows.Scan(&s.Number, &body); err != nil {
			return nil, fmt.Errorf("read step: %w", err)
		}
		compare(s.ID(), "text", sha256.Sum256([]byte(body)))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	for id := range c.attested {
		report(id, "it is attested but not stored any more")
	}
	return problems, nil
}
