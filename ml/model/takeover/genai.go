package takeover

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/ml/trace"
)

// LoggedModel is one of the source's.
type LoggedModel struct {
	experiment.LoggedModel
	Deleted bool
	// Folder holds the files; "" if they are not to be had.
	Folder string
}

// Trace is one of the source's.
type Trace struct {
	trace.Imported
	// Folder holds files beside it, such as its spans; "" if there are none to be had.
	Folder string
}

// importLoggedModels brings over the logged models of an experiment.
func importLoggedModels(ctx context.Context, source Source, target Target, e Experiment, into int64, c *Counts) error {
	models, err := source.LoggedModels(ctx, e)
	if err != nil {
		return err
	}
	for i := range models {
		m := &models[i]
		m.Experiment, m.Location = into, ""
		root := fmt.Sprintf("%d/models/%s/artifacts", into, m.ID)
		if err := importLoggedModel(ctx, target, m, root, c); err != nil {
			return fmt.Errorf("logged model %s: %w", m.ID, err)
		}
	}
	return nil
}

func importLoggedModel(ctx context.Context, target Target, m *LoggedModel, root string, c *Counts) error {
	switch _, err := target.Experiments.LoggedModel(ctx, m.ID); {
	case err == nil:
		return nil // the model is stored behind its files: one that is here is whole
	case experiment.CodeOf(err) != experiment.DoesNotExist:
		return err
	}
	files, bytes, err := copyFiles(ctx, target.Files, m.Folder, root)
	if err != nil {
		return err
	}
	imported, err := target.Experiments.ImportLoggedModel(ctx, m.LoggedModel)
	if err != nil || !imported {
		return err // one that is here and deleted stays so
	}
	c.LoggedModels++
	c.Files += files
	c.Bytes += bytes
	stored, err := target.Experiments.LoggedModel(ctx, m.ID)
	if err != nil {
		return err
	}
	n, _, err := target.Files.Size(ctx, root)
	if err != nil {
		return err
	}
	for _, what := range []struct {
		name      string
		want, got int
	}{{"params", len(m.Params), len(stored.Params)}, {"tags", len(m.Tags), len(stored.Tags)}, {"files", files, int(n)}} {
		if what.want != what.got {
			c.Problems = append(c.Problems, fmt.Sprintf("the logged model %s has %d %s, and had %d", m.ID, what.got, what.name, what.want))
		}
	}
	if m.Deleted {
		return target.Experiments.DeleteLoggedModel(ctx, m.ID)
	}
	return nil
}

// importTraces brings over the traces of an experiment.
func importTraces(ctx context.Context, source Source, target Target, e Experiment, into experiment.Experiment, step func(), c *Counts) error {
	for _, id := range e.Traces {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !into.Deleted { // in one that is deleted here they are all
			if err := importTrace(ctx, source, target, e, into.ID, id, c); err != nil {
				return fmt.Errorf("trace %s: %w", id, err)
			}
		}
		step()
	}
	return nil
}

func importTrace(ctx context.Context, source Source, target Target, e Experiment, into int64, id string, c *Counts) error {
	t, err := source.Trace(ctx, e, id)
	if err != nil {
		return err
	}
	if there, err := target.Traces.Has(ctx, id, len(t.Spans), len(t.Said)); err != nil || there {
		return err
	}
	t.Experiment = into
	files, bytes, err := copyFiles(ctx, target.Files, t.Folder, fmt.Sprintf("%d/traces/%s/artifacts", into, id))
	if err != nil {
		return err
	}
	if err := target.Traces.Import(ctx, &t.Imported); err != nil {
		refusal, ok := errors.AsType[*experiment.Error](err)
		if !ok {
			return err
		}
		c.Problems = append(c.Problems, fmt.Sprintf("the trace %s could not be brought over: %s", id, refusal.Message)) // the others can
		return nil
	}
	c.Traces++
	c.Spans += len(t.Spans)
	c.Files += files
	c.Bytes += bytes
	if there, err := target.Traces.Has(ctx, id, len(t.Spans), len(t.Said)); err != nil || there {
		return err
	}
	c.Problems = append(c.Problems, fmt.Sprintf("the trace %s has not all of %d spans and %d assessments", id, len(t.Spans), len(t.Said)))
	return nil
}

// movedLogged fills in where the files of a version are now that was made from a logged model, and reports whether it was.
func movedLogged(ctx context.Context, target Target, v *model.Version) bool {
	id := strings.TrimPrefix(v.Source, "models:/")
	if id == v.Source {
		_, rest, found := strings.Cut(v.Source, "/models/m-") // or by where they were
		if !found {
			return false
		}
		id, _, _ = strings.Cut("m-"+rest, "/")
	}
	m, err := target.Experiments.LoggedModel(ctx, id)
	if err != nil {
		return false // it is not here: the source stays as it is
	}
	_, below, _ := strings.Cut(v.Source, "/"+id+"/artifacts")
	v.Logged, v.Location = id, m.Location
	if v.Source = "models:/" + id; below != "" && path.Clean(below) != "/" {
		v.Location += path.Clean(below)
		v.Source = v.Location
	}
	return true
}
