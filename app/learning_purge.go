package app

import (
	"context"
	"encoding/json"
	"errors"
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
	// TracesKeptFor is how long traces are kept after they began, with their spans and files; then they are removed for
	// good. 0 keeps them until somebody deletes them.
	TracesKeptFor time.Duration `yaml:"traces_kept_for"`
	// Quota bounds the files.
	Quota LearningQuotaConfig `yaml:"quota"`
}

// LearningQuotaConfig bounds the files of runs, models and traces. A file for which there is no room is refused as a
// whole, and what is there stays.
type LearningQuotaConfig struct {
	// MaxBytes is how many bytes all files may have together; 0 is without bound.
	MaxBytes int64 `yaml:"max_bytes"`
	// MaxBytesPerExperiment is how many bytes the files of each experiment may have together; 0 is without bound.
	MaxBytesPerExperiment int64 `yaml:"max_bytes_per_experiment"`
}

func (q LearningQuotaConfig) bounds() artifact.Quota {
	return artifact.Quota{Total: q.MaxBytes, PerRoot: q.MaxBytesPerExperiment}
}

// validate says, by bad, what is wrong.
func (l *LearningConfig) validate(bad func(key, format string, args ...any) error) error {
	switch {
	case l.PurgeDeletedAfter < 0:
		return bad("learning.purge_deleted_after", "%s is negative; write 720h for 30 days, or 0 to keep everything", l.PurgeDeletedAfter)
	case l.TracesKeptFor < 0:
		return bad("learning.traces_kept_for", "%s is negative; write 720h for 30 days, or 0 to keep all", l.TracesKeptFor)
	case l.Quota.MaxBytes < 0:
		return bad("learning.quota.max_bytes", "%d is negative; write a number of bytes, or 0 for no bound", l.Quota.MaxBytes)
	case l.Quota.MaxBytesPerExperiment < 0:
		return bad("learning.quota.max_bytes_per_experiment", "%d is negative; write a number of bytes, or 0 for no bound", l.Quota.MaxBytesPerExperiment)
	}
	return nil
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

// keepRules applies the rules about what was deleted and how old traces may be until ctx ends.
func (a *App) keepRules(ctx context.Context) error {
	rules := a.cfg.Learning
	if rules.PurgeDeletedAfter == 0 && rules.TracesKeptFor == 0 {
		<-ctx.Done()
		return nil
	}
	ticker := time.NewTicker(purgeEvery)
	defer ticker.Stop()
	for {
		var deleted, old error
		if rules.PurgeDeletedAfter > 0 {
			deleted = a.purgeByRule(ctx, time.Now().Add(-rules.PurgeDeletedAfter))
		}
		if rules.TracesKeptFor > 0 {
			old = a.dropTraces(ctx, time.Now().Add(-rules.TracesKeptFor))
		}
		if err := errors.Join(deleted, old); err != nil && ctx.Err() == nil {
			a.part("experiments").Warn("a rule of retention could not be applied; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// purgeByRule purges what was deleted before a time.
func (a *App) purgeByRule(ctx context.Context, before time.Time) error {
	gone, err := a.learning.purge(ctx, before)
	if err != nil || gone.Experiments+gone.Runs+gone.Models == 0 {
		return err
	}
	return a.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return attestPurge(ctx, tx, a.clock.Now(), "engine", gone, "learning.purge_deleted_after")
	})
}

// dropTraces removes traces that began before a time.
func (a *App) dropTraces(ctx context.Context, before time.Time) error {
	gone, err := a.learning.traces.DeleteBefore(ctx, before.UnixMilli())
	if gone == 0 {
		return err
	}
	a.learning.files.Tidy()
	return errors.Join(err, a.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := audit.Append(ctx, tx, audit.Leaf{
			At: a.clock.Now(), Actor: "engine", Action: "traces.purge", Object: "traces", Reason: "learning.traces_kept_for", Data: fmt.Appendf(nil, "%d traces were removed that began before %s.", gone, before.UTC().Format(time.RFC3339)),
		})
		return err
	}))
}
