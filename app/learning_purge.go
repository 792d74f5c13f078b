package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/ml/trace"
	"github.com/fairlead/fairlead/web/api"
)

// LearningConfig is about what data scientists log.
type LearningConfig struct {
	// PurgeDeletedAfter is how long deleted experiments, runs and logged models can be restored; then they are removed for
	// good, with their files. 0 keeps them until somebody asks for a purge.
	PurgeDeletedAfter time.Duration `yaml:"purge_deleted_after"`
}

// purgeEvery is how often the rule is applied.
const purgeEvery = time.Hour

// purgeRule is what a purge of what was deleted before a time removes.
func purgeRule(before time.Time) experiment.PurgeRule {
	return experiment.PurgeRule{Before: before.UnixMilli(), KeepRuns: model.NeededRuns, KeepModels: model.NeededModels}
}

// PreviewPurge counts what a purge would remove.
func (l *learning) PreviewPurge(ctx context.Context, before time.Time) (p api.LearningPurgePreview, err error) {
	found, err := l.experiments.PreviewPurge(ctx, purgeRule(before))
	if err != nil {
		return p, err
	}
	p = api.LearningPurgePreview{Before: before, Experiments: found.Experiments, Runs: found.Runs, Models: found.Models}
	for _, folder := range found.Folders {
		files, bytes, err := l.files.Size(ctx, folder)
		if err != nil {
			return p, err
		}
		p.Files += files
		p.Bytes += bytes
	}
	return p, nil
}

// purge removes for good what was deleted before a time.
func (l *learning) purge(ctx context.Context, before time.Time) (experiment.Purged, error) {
	gone, err := l.experiments.PurgeDeleted(ctx, purgeRule(before), func(ctx context.Context, tx store.Tx, part experiment.Purged) error {
		for _, folder := range part.Folders {
			if err := artifact.Remove(ctx, tx, folder); err != nil {
				return err
			}
		}
		return trace.PurgeExperiments(ctx, tx, part.ExperimentIDs)
	})
	l.files.Tidy()
	return gone, err
}

// learningPurger purges what somebody asked for and somebody else approved.
type learningPurger struct{ app *App }

// Execute purges. One that was interrupted goes on with what is left.
func (p learningPurger) Execute(ctx context.Context, r approval.Request, note approval.Note) error {
	var order api.LearningPurgeOrder
	if err := json.Unmarshal(r.Payload, &order); err != nil {
		return fmt.Errorf("read what to purge: %w", err)
	}
	gone, err := p.app.learning.purge(ctx, order.Before)
	if err != nil {
		return err
	}
	return p.app.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := attestPurge(ctx, tx, p.app.clock.Now(), r.Requester, gone, "approval "+r.ID); err != nil {
			return err
		}
		return note(ctx, tx, approval.Progress{Done: int64(gone.Runs), Finished: true, Result: purgeText(gone)})
	})
}

func purgeText(gone experiment.Purged) string {
	return fmt.Sprintf("%d experiments, %d runs and %d logged models were removed.", gone.Experiments, gone.Runs, gone.Models)
}

func attestPurge(ctx context.Context, tx store.Tx, at time.Time, actor string, gone experiment.Purged, reason string) error {
	_, err := audit.Append(ctx, tx, audit.Leaf{At: at, Actor: actor, Action: "experiments.purge", Object: "experiments", Reason: reason, Data: []byte(purgeText(gone))})
	return err
}

// aliasSetter points aliases to versions when somebody approved it.
type aliasSetter struct{ app *App }

// Execute sets the alias; doing it twice is as good as once.
func (s aliasSetter) Execute(ctx context.Context, r approval.Request, note approval.Note) error {
	var order api.AliasOrder
	if err := json.Unmarshal(r.Payload, &order); err != nil {
		return fmt.Errorf("read which alias: %w", err)
	}
	if err := s.app.learning.models.SetAlias(ctx, order.Model, order.Alias, order.Version); err != nil {
		return err
	}
	return s.app.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return note(ctx, tx, approval.Progress{Done: 1, Finished: true, Result: fmt.Sprintf("%s of %s is version %d.", order.Alias, order.Model, order.Version)})
	})
}

// keepRule applies the rule about what was deleted until ctx ends.
func (a *App) keepRule(ctx context.Context) error {
	after := a.cfg.Learning.PurgeDeletedAfter
	if after <= 0 {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(purgeEvery)
	defer ticker.Stop()
	for {
		if err := a.applyRule(ctx, time.Now().Add(-after)); err != nil && ctx.Err() == nil {
			a.part("experiments").Warn("what was deleted could not be purged; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (a *App) applyRule(ctx context.Context, before time.Time) error {
	gone, err := a.learning.purge(ctx, before)
	if err != nil || gone.Experiments+gone.Runs+gone.Models == 0 {
		return err
	}
	return a.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return attestPurge(ctx, tx, a.clock.Now(), "engine", gone, "learning.purge_deleted_after")
	})
}
