package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/integration"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/incident"
	"github.com/fairlead/fairlead/ops/notify"
	"github.com/fairlead/fairlead/web/api"
)

// ApprovalConfig says what it takes to do what cannot be undone.
type ApprovalConfig struct {
	// Needed is how many people other than the requester must approve, 1 to 5.
	Needed int `yaml:"needed"`
	// Expiry is how long a request waits, 1m to 2160h.
	Expiry time.Duration `yaml:"expiry"`
	// Solo lets a person confirm their own request while nobody else is approver or admin.
	Solo bool `yaml:"solo"`
}

func defaultApproval() ApprovalConfig { return ApprovalConfig(approval.DefaultConfig()) }

// openApprovals makes the board and says who executes what.
func (a *App) openApprovals() {
	a.approvals = approval.New(a.db, a.clock, approval.Config(a.cfg.Access.Approval), a.people.Deciders, a.part("approval"))
	a.approvals.Register(api.DeleteIntegration, deleter{a.integrations})
	a.approvals.Register(api.PurgeExperiments, learningPurger{a})
	a.approvals.Register(api.SetAlias, aliasSetter{a})
	a.approvals.Register(api.PurgeAlerts, purger{db: a.db, clock: a.clock, least: 2 * max(a.cfg.engine().Grouping.Forget, a.cfg.Alert.Remember)})
}

// deleter deletes integrations.
type deleter struct{ integrations *integration.Registry }

// Execute deletes the integration that the request is about, in one transaction with its note.
func (d deleter) Execute(ctx context.Context, r approval.Request, note approval.Note) error {
	var order api.IntegrationDeletion
	if err := json.Unmarshal(r.Payload, &order); err != nil {
		return fmt.Errorf("read what to delete: %w", err)
	}
	i, _, _, err := d.integrations.Find(order.Name)
	switch {
	case errors.Is(err, integration.ErrNotFound):
		return fmt.Errorf("the integration %q is gone already", order.Name)
	case err != nil:
		return err
	case i.Kind != order.Kind || !i.CreatedAt.Equal(order.CreatedAt):
		return fmt.Errorf("the integration %q is another one now", order.Name)
	}
	return d.integrations.Delete(ctx, order.Name, r.Requester, func(ctx context.Context, tx store.Tx) error {
		return note(ctx, tx, approval.Progress{Done: 1, Result: "The integration " + order.Name + " was deleted.", Finished: true})
	})
}

// purger purges incidents and alerts, a slice a transaction.
type purger struct {
	db    *store.DB
	clock clock.Clock
	least time.Duration // what ended less long ago is still in the engine's memory
}

// Execute purges slice by slice. Each slice is stored with how far it has come.
func (p purger) Execute(ctx context.Context, r approval.Request, note approval.Note) error {
	var order api.PurgeOrder
	if err := json.Unmarshal(r.Payload, &order); err != nil {
		return fmt.Errorf("read what to purge: %w", err)
	}
	purge, err := order.Purge()
	if err != nil {
		return err
	}
	if latest := p.clock.Now().Add(-p.least); purge.Before.After(latest) {
		purge.Before = latest
	}
	progress := approval.Progress{Done: r.Done, Cursor: r.Cursor}
	for !progress.Finished {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := p.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			slice, err := incident.PurgeSlice(ctx, tx, purge, progress.Cursor, r.Requester, r.ID, p.clock.Now())
			if err != nil {
				return err
			}
			if err := notify.Forget(ctx, tx, slice.Incidents, slice.Alerts); err != nil {
				return err
			}
			next := approval.Progress{Done: progress.Done + int64(len(slice.Alerts)), Cursor: slice.Cursor, Finished: slice.Finished}
			next.Result = fmt.Sprintf("%d alerts were removed.", next.Done)
			if err := note(ctx, tx, next); err != nil {
				return err
			}
			progress = next
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
