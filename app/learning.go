package app

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/web/mlflow"
)

// learning is the MLOps half: what data scientists log, and the files that belong to it.
type learning struct {
	db          *store.DB
	files       *artifact.Files
	experiments *experiment.Store
	models      *model.Registry
}

// openLearning opens the database ml and what stands on it.
func (a *App) openLearning(ctx context.Context) (err error) {
	l := &a.learning
	if l.db, err = store.Open(ctx, a.cfg.store(), "ml", store.LearningSchema(), a.part("store")); err != nil {
		return fmt.Errorf("open the database of experiments: %w", err)
	}
	l.files = artifact.New(l.db, a.blobs, a.part("artifact"))
	if l.experiments, err = experiment.Open(ctx, l.db); err != nil {
		return err
	}
	l.models = model.Open(l.db)
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

func (a *App) learningRoutes(mux *routes) {
	mlflow.Routes(mux, mlflow.Config{Experiments: a.learning.experiments, Files: a.learning.files, Models: a.learning.models, Logger: a.part("mlflow")})
}
