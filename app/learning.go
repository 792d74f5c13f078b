package app

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/ml/model/webhook"
	"github.com/fairlead/fairlead/ml/trace"
	"github.com/fairlead/fairlead/receive/otlp"
	"github.com/fairlead/fairlead/web/mlflow"
)

// learning is the MLOps half: what data scientists log, and the files that belong to it.
type learning struct {
	db          *store.DB
	files       *artifact.Files
	experiments *experiment.Store
	models      *model.Registry
	traces      *trace.Store
	webhooks    *webhook.Hooks
	face        *mlflow.Face
}

// openLearning opens the database ml and what stands on it.
func (a *App) openLearning(ctx context.Context) (err error) {
	l := &a.learning
	if l.db, err = store.Open(ctx, a.cfg.store(), "ml", store.LearningSchema(), a.part("store")); err != nil {
		return fmt.Errorf("open the database of experiments: %w", err)
	}
	l.files = artifact.New(l.db, a.blobs, a.cfg.Learning.Quota.bounds(), a.part("artifact"))
	if l.experiments, err = experiment.Open(ctx, l.db); err != nil {
		return err
	}
	l.models = model.Open(l.db)
	l.webhooks = webhook.New(l.db, webhook.Config{}, a.part("webhook"))
	l.models.Watch(l.webhooks.Tell)
	l.traces = trace.Open(l.db, l.experiments)
	return nil
}

// openBlobs opens where files are kept.
func (a *App) openBlobs(ctx context.Context) (err error) {
	dir := filepath.Join(a.cfg.Data.Dir, "blobs")
	if a.blobs, err = blob.Open(ctx, blob.Config{Dir: dir}); err != nil {
		return fmt.Errorf("open the files in %s: %w", dir, err)
	}
	return nil
}

// learningRoutes puts MLflow's API on mux.
func (a *App) learningRoutes(mux *routes) {
	l := &a.learning
	l.face = mlflow.Routes(mux, mlflow.Config{
		Experiments: l.experiments, Files: l.files, Models: l.models, Traces: l.traces, Webhooks: l.webhooks, People: a.people, Logger: a.part("mlflow"),
	})
}

// orExperiment hands spans that name an experiment to MLflow's half, and all others to next.
func (a *App) orExperiment(next http.Handler) http.Handler {
	spans := a.guarded(mlflowRule(mlflow.Write), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.learning.face.Spans(w, r) }))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(mlflow.ExperimentHeader) != "" {
			spans.ServeHTTP(w, r)
			return
		}
		if r.Context().Value(ownPortKey{}) == nil {
			r = r.WithContext(otlp.WithTracking(r.Context()))
		}
		next.ServeHTTP(w, r)
	})
}

// mlflowRule says who may call what needs a right.
func mlflowRule(right mlflow.Right) access.Rule {
	switch right {
	case mlflow.Read:
		return access.Rule{Kind: access.Local, Roles: access.Roles()}
	case mlflow.Write:
		return access.Rule{Kind: access.Local, Roles: []access.Role{access.Researcher, access.Admin}}
	case mlflow.Manage:
		return access.Rule{Kind: access.Local, Roles: []access.Role{access.Admin}}
	case mlflow.Account:
		return access.Rule{Kind: access.Local, Roles: access.Roles(), Named: true}
	case mlflow.Accounts:
		return access.Rule{Kind: access.Local, Roles: []access.Role{access.Admin}, Named: true}
	default:
		return access.Rule{Kind: access.Open}
	}
}
