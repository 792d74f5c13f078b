package app

import (
	"context"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/receive"
	"github.com/fairlead/fairlead/receive/opsgenie"
)

// Bounds of looking through an integration's alerts.
const (
	lookupPage = 500
	lookupMost = 20_000
	// lookupWait is how long a look-up waits for what was accepted before it.
	lookupWait = 5 * time.Second
)

// lookup finds alerts for Opsgenie's clients.
type lookup struct{ app *App }

// settle waits, but not for ever, until what was accepted has been applied.
func (l lookup) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookupWait)
	defer cancel()
	if err := l.app.settled(ctx); err != nil {
		return fmt.Errorf("%w: %w", receive.ErrUnavailable, err)
	}
	return nil
}

// ByKey implements opsgenie.Lookup.
func (l lookup) ByKey(ctx context.Context, integration string, f signal.Fingerprint) (*opsgenie.Alert, error) {
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	return l.one(ctx, alert.Filter{Source: integration, Key: f, Limit: 1, Decision: true})
}

// ByNumber implements opsgenie.Lookup.
func (l lookup) ByNumber(ctx context.Context, integration string, number uint64) (*opsgenie.Alert, error) {
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	return l.one(ctx, alert.Filter{Source: integration, Before: number + 1, Limit: 1, Decision: true}, number)
}

// one returns the first alert of a filter, if it is one of numbers; none accepts any.
func (l lookup) one(ctx context.Context, filter alert.Filter, numbers ...uint64) (*opsgenie.Alert, error) {
	rows, err := alert.List(ctx, l.app.db.Read(), filter)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || len(numbers) > 0 && rows[0].Seq != numbers[0] {
		return nil, fmt.Errorf("look up an alert of %s: %w", filter.Source, opsgenie.ErrNotFound)
	}
	return toOpsgenie(rows[0]), nil
}

// Newest implements opsgenie.Lookup: it looks at the newest 20,000.
func (l lookup) Newest(ctx context.Context, integration string, visit func(a *opsgenie.Alert) bool) error {
	if err := l.settle(ctx); err != nil {
		return err
	}
	filter := alert.Filter{Source: integration, Limit: lookupPage}
	for seen := 0; seen < lookupMost; seen += lookupPage {
		rows, err := alert.List(ctx, l.app.db.Read(), filter)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if !visit(toOpsgenie(row)) {
				return nil
			}
			filter.Before = row.Seq
		}
		if len(rows) < lookupPage {
			return nil
		}
	}
	return nil
}

func toOpsgenie(r *alert.Row) *opsgenie.Alert {
	a := &opsgenie.Alert{
		Number: r.Seq, Identity: r.Identity, Labels: r.Labels, Annotations: r.Annotations, GeneratorURL: r.GeneratorURL, Severity: r.Severity,
		Firing: r.State == alert.Firing, Acknowledged: r.IncidentState == "acknowledged", Reports: r.Reports,
		CreatedAt: r.ReceivedAt, UpdatedAt: r.LastReceivedAt, EndedAt: r.EndsAt,
	}
	for _, line := range r.Decision {
		a.Lines = append(a.Lines, opsgenie.Line{At: line.At, Comment: line.Outcome == "commented", Text: line.Reason})
	}
	return a
}
