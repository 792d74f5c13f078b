// Package takeover brings over what MLflow's own server or client has stored: a folder mlruns, or its SQLite database.
//
//	source, err := takeover.OpenFolder("mlruns")
//	counts, err := takeover.Import(ctx, source, target, progress)
//
// Runs, logged models and traces keep their ids, registered models the numbers of their versions. Experiments get numbers of their own, and are found
// by name. A run that is there already is left out, so that an import that was interrupted goes on where it ended. After each
// run what is stored is counted and compared with what the source has.
package takeover

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/ml/trace"
)

// Source is where MLflow has stored something.
type Source interface {
	// Experiments lists the experiments with the ids of their runs and traces.
	Experiments(ctx context.Context) ([]Experiment, error)
	// Run reads one run.
	Run(ctx context.Context, e Experiment, id string) (Run, error)
	// LoggedModels lists the logged models of an experiment.
	LoggedModels(ctx context.Context, e Experiment) ([]LoggedModel, error)
	// Trace reads one trace.
	Trace(ctx context.Context, e Experiment, id string) (Trace, error)
	// Models lists the registered models with their versions.
	Models(ctx context.Context) ([]Model, error)
	// Close ends reading.
	Close() error
}

// Experiment is one of the source's.
type Experiment struct {
	ID      string
	Name    string
	Deleted bool
	Tags    []experiment.Tag
	Runs    []string
	Traces  []string
}

// Run is one of the source's.
type Run struct {
	experiment.Run
	Histories []experiment.History
	// Folder holds the files; "" if they are not to be had.
	Folder string
}

// Model is one of the source's.
type Model struct {
	model.Model
	Versions []model.Version
}

// Target is where it goes.
type Target struct {
	Experiments *experiment.Store
	Files       *artifact.Files
	Models      *model.Registry
	Traces      *trace.Store
}

// Counts are what was brought over.
type Counts struct {
	Experiments, Runs, Present, Points, Params, Tags, Files, Models, Versions, LoggedModels, Traces, Spans int
	Bytes                                                                                                  int64
	// Without are runs whose files were not to be had.
	Without int
	// Problems name what is not the same on both sides.
	Problems []string
}

// Import brings everything over. It calls progress after each run and each trace, with how many there are of both.
func Import(ctx context.Context, source Source, target Target, progress func(done, total int)) (c Counts, err error) {
	experiments, err := source.Experiments(ctx)
	if err != nil {
		return c, err
	}
	total, done := 0, 0
	for _, e := range experiments {
		total += len(e.Runs) + len(e.Traces)
	}
	step := func() {
		done++
		progress(done, total)
	}
	for _, e := range experiments {
		into, err := target.Experiments.ImportExperiment(ctx, e.Name, e.Tags)
		if err != nil {
			return c, fmt.Errorf("experiment %q: %w", e.Name, err)
		}
		c.Experiments++
		if err := importLoggedModels(ctx, source, target, e, into.ID, &c); err != nil {
			return c, fmt.Errorf("experiment %q: %w", e.Name, err)
		}
		for _, id := range e.Runs {
			if err := ctx.Err(); err != nil {
				return c, err
			}
			if err := importRun(ctx, source, target, e, into.ID, id, &c); err != nil {
				return c, fmt.Errorf("run %s of experiment %q: %w", id, e.Name, err)
			}
			step()
		}
		if err := importTraces(ctx, source, target, e, into, step, &c); err != nil {
			return c, fmt.Errorf("experiment %q: %w", e.Name, err)
		}
		if e.Deleted && !into.Deleted {
			if err := target.Experiments.DeleteExperiment(ctx, into.ID); err != nil {
				return c, fmt.Errorf("experiment %q: %w", e.Name, err)
			}
		}
	}
	return c, importModels(ctx, source, target, &c)
}

func importRun(ctx context.Context, source Source, target Target, e Experiment, into int64, id string, c *Counts) error {
	there, err := target.Experiments.Run(ctx, id)
	switch {
	case experiment.CodeOf(err) == experiment.DoesNotExist:
	case err != nil:
		return err
	case !there.Deleted:
		c.Present++
		return nil
	}
	run, err := source.Run(ctx, e, id)
	if err != nil {
		return err
	}
	if there != nil && there.Deleted {
		if (run.Deleted || e.Deleted) && len(there.Params) == len(run.Params) && len(there.Metrics) == len(run.Histories) {
			c.Present++
			return nil
		}
		if err := target.Experiments.PurgeRun(ctx, id); err != nil { // what an interrupted import has left
			return err
		}
	}
	run.Experiment, run.Location = into, ""
	root := fmt.Sprintf("%d/%s/artifacts", into, id)
	files, bytes, err := copyFiles(ctx, target.Files, run.Folder, root)
	if err != nil {
		return err
	}
	if run.Folder == "" {
		c.Without++
	}
	if err := target.Experiments.ImportRun(ctx, run.Run, run.Histories); err != nil {
		return err
	}
	c.Runs++
	c.Files += files
	c.Bytes += bytes
	return verify(ctx, target, run, root, files, c)
}

// verify compares what is stored with what the source has.
func verify(ctx context.Context, target Target, run Run, root string, files int, c *Counts) error {
	stored, err := target.Experiments.Run(ctx, run.ID)
	if err != nil {
		return err
	}
	differs := func(what string, want, got int) {
		if want != got {
			c.Problems = append(c.Problems, fmt.Sprintf("run %s has %d %s, and had %d", run.ID, got, what, want))
		}
	}
	differs("params", len(run.Params), len(stored.Params))
	differs("metrics", len(run.Histories), len(stored.Metrics))
	c.Params += len(stored.Params)
	c.Tags += len(stored.Tags)
	for _, h := range run.Histories {
		points, err := target.Experiments.History(ctx, run.ID, h.Key)
		if err != nil {
			return err
		}
		differs("points of "+h.Key, distinct(h.Points), len(points))
		c.Points += len(points)
	}
	n, _, err := target.Files.Size(ctx, root)
	differs("files", files, int(n))
	return err
}

// distinct counts the points that are not there twice.
func distinct(points []experiment.Metric) int {
	type key struct {
		at, step int64
		value    string
	}
	seen := map[key]struct{}{}
	for _, p := range points {
		seen[key{p.At, p.Step, fmt.Sprint(p.Value)}] = struct{}{}
	}
	return len(seen)
}

// copyFiles copies a folder to the artifacts below root.
func copyFiles(ctx context.Context, files *artifact.Files, folder, root string) (n int, bytes int64, err error) {
	if folder == "" {
		return 0, 0, nil
	}
	err = filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) && name == folder {
			return nil // a run without files
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		relative, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		content, err := os.Open(name)
		if err != nil {
			return err
		}
		file, err := files.Put(ctx, root+"/"+filepath.ToSlash(relative), content)
		if closing := content.Close(); err == nil {
			err = closing
		}
		n++
		bytes += file.Size
		return err
	})
	return n, bytes, err
}

func importModels(ctx context.Context, source Source, target Target, c *Counts) error {
	models, err := source.Models(ctx)
	if err != nil {
		return err
	}
	for _, m := range models {
		for i := range m.Versions {
			v := &m.Versions[i]
			if !movedLogged(ctx, target, v) {
				v.Source = moved(ctx, target, *v)
				v.Location = v.Source
			}
		}
		if err := target.Models.Import(ctx, m.Model, m.Versions); err != nil {
			return fmt.Errorf("registered model %q: %w", m.Name, err)
		}
		c.Models++
		c.Versions += len(m.Versions)
		stored, _, err := target.Models.SearchVersions(ctx, model.Search{Filter: "name = '" + strings.ReplaceAll(m.Name, "'", "_") + "'", Most: model.MaxVersions})
		if err == nil && !strings.Contains(m.Name, "'") && len(stored) < len(m.Versions) {
			c.Problems = append(c.Problems, fmt.Sprintf("the model %s has %d versions, and had %d", m.Name, len(stored), len(m.Versions)))
		}
	}
	return nil
}

// moved returns where the files of a version are now, if they were those of a run that was brought over.
func moved(ctx context.Context, target Target, v model.Version) string {
	if v.Run == "" {
		return v.Source
	}
	_, rest, found := strings.Cut(v.Source, "/"+v.Run+"/artifacts")
	if !found {
		return v.Source
	}
	run, err := target.Experiments.Run(ctx, v.Run)
	if err != nil {
		return v.Source
	}
	return run.Location + rest
}
