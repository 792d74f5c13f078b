package mlflow

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ml/experiment"
)

// The kinds of things that permissions are about.
const (
	kindExperiment = "experiment"
	kindModel      = "model"
)

func experimentThing(id int64) access.Thing {
	return access.Thing{Kind: kindExperiment, Object: strconv.FormatInt(id, 10)}
}

func modelThing(name string) access.Thing { return access.Thing{Kind: kindModel, Object: name} }

// target finds what a call is about. What does not exist is nothing: the call itself says so.
type target func(ctx context.Context, f *Face, in *object) ([]access.Thing, error)

func onExperiment(_ context.Context, _ *Face, in *object) ([]access.Thing, error) {
	return experimentIn(in), nil
}

// experimentIn returns the experiment that a message names; none if it names none, which the call refuses.
func experimentIn(o *object) []access.Thing {
	id, err := experiment.ParseExperimentID(o.peek("experiment_id"))
	if err != nil {
		return nil
	}
	return []access.Thing{experimentThing(id)}
}

func onExperimentNamed(ctx context.Context, f *Face, in *object) ([]access.Thing, error) {
	e, err := f.Experiments.ExperimentNamed(ctx, in.peek("experiment_name"))
	return found(experimentThing(e.ID), err)
}

func onRun(ctx context.Context, f *Face, in *object) ([]access.Thing, error) {
	id := in.peek("run_id")
	if id == "" {
		id = in.peek("run_uuid")
	}
	return f.runThing(ctx, id)
}

func (f *Face) runThing(ctx context.Context, id string) ([]access.Thing, error) {
	e, err := f.Experiments.ExperimentOf(ctx, id)
	return found(experimentThing(e), err)
}

func onRuns(ctx context.Context, f *Face, in *object) ([]access.Thing, error) {
	var things []access.Thing
	for _, field := range []string{"run_ids", "run_id"} {
		ids, _ := in.fields[field].(inQuery)
		for _, id := range ids {
			some, err := f.runThing(ctx, id)
			if err != nil {
				return nil, err
			}
			things = append(things, some...)
		}
	}
	return things, nil
}

func onModel(_ context.Context, _ *Face, in *object) ([]access.Thing, error) {
	if name := in.peek("name"); name != "" {
		return []access.Thing{modelThing(name)}, nil
	}
	return nil, nil // the call refuses it
}

func onLogged(ctx context.Context, f *Face, in *object) ([]access.Thing, error) {
	m, err := f.Experiments.LoggedModel(ctx, in.path("model_id"))
	return found(experimentThing(m.Experiment), err)
}

func onTrace(ctx context.Context, f *Face, in *object) ([]access.Thing, error) {
	id := in.path("trace_id")
	if id == "" {
		id = in.peek("trace_id")
	}
	info, err := f.Traces.Info(ctx, id)
	return found(experimentThing(info.Experiment), err)
}

func onNewTrace(_ context.Context, _ *Face, in *object) ([]access.Thing, error) {
	return experimentIn(in.object("trace").object("trace_info").object("trace_location").object("mlflow_experiment")), nil
}

func found(thing access.Thing, err error) ([]access.Thing, error) {
	if experiment.CodeOf(err) != "" {
		return nil, nil
	}
	return []access.Thing{thing}, err
}

// peek returns a text without minding what else it is.
func (o *object) peek(name string) string {
	switch value := o.fields[name].(type) {
	case string:
		return value
	case inQuery:
		return value[0]
	}
	return ""
}

// targetOf returns what a call is about; nil if it is about nothing that there is, or leaves out by itself what may not be
// read.
func targetOf(path, method string) target {
	area, call, _ := strings.Cut(path, "/")
	switch {
	case call == "create" && area != "runs" && area != "model-versions", call == "search", call == "search-datasets":
		return nil
	case path == "experiments/get-by-name":
		return onExperimentNamed
	case area == "experiments", path == "runs/create", path == "logged-models", path == "traces/delete-traces", area == "scorers":
		return onExperiment
	case strings.HasPrefix(path, "metrics/get-history-bulk"):
		return onRuns
	case area == "runs", area == "metrics", path == "artifacts/list":
		return onRun
	case area == "registered-models", area == "model-versions":
		return onModel
	case area == "logged-models":
		return onLogged
	case path == "traces" && method == http.MethodPost:
		return func(ctx context.Context, f *Face, in *object) ([]access.Thing, error) {
			if in.has("trace") {
				return onNewTrace(ctx, f, in)
			}
			return onExperiment(ctx, f, in)
		}
	case path == "traces/get", strings.HasPrefix(path, "traces/{trace_id}"):
		return onTrace
	}
	return nil
}

// levelOf returns what a call needs on what it is about.
func levelOf(r route) access.Level {
	switch {
	case r.right == Read:
		return access.MayRead
	case slices.Contains([]string{
		"experiments/delete", "experiments/restore", "runs/delete", "runs/restore", "registered-models/delete", "model-versions/delete", "traces/delete-traces", "scorers/delete",
	}, r.path), r.path == "logged-models/{model_id}" && r.method == http.MethodDelete:
		return access.MayManage
	case strings.Contains(r.path, "/permissions/"):
		return access.MayManage
	}
	return access.MayEdit
}

func denied(thing access.Thing, needed access.Level) error {
	return experiment.Refuse(permissionDenied, "You need the permission %s on the %s %s: ask who manages it.", needed, thing.Kind, experiment.Cut(thing.Object))
}

// allowed refuses a call whose sender may not do that with what it is about.
func (f *Face) allowed(ctx context.Context, things []access.Thing, needed access.Level) error {
	for _, thing := range things {
		level, err := f.People.LevelOn(ctx, access.From(ctx), thing)
		if err != nil {
			return err
		}
		if !level.Allows(needed) {
			return denied(thing, needed)
		}
	}
	return nil
}

// guard puts the permissions in front of a call.
func (f *Face) guard(r route) handler {
	on, needed, handle := targetOf(r.path, r.method), levelOf(r), r.handle
	if on == nil {
		return handle
	}
	return func(ctx context.Context, in *object) (any, error) {
		if access.From(ctx).Limited() {
			things, err := on(ctx, f, in)
			if err == nil {
				err = f.allowed(ctx, things, needed)
			}
			if err != nil {
				return nil, err
			}
		}
		return handle(ctx, in)
	}
}

// readable leaves out of experiments those that may not be read.
func (f *Face) readable(ctx context.Context, ids []int64) ([]int64, error) {
	hidden, err := f.hiddenExperiments(ctx)
	if err != nil || len(hidden) == 0 {
		return ids, err
	}
	return slices.DeleteFunc(ids, func(id int64) bool { return slices.Contains(hidden, id) }), nil
}

func (f *Face) hiddenExperiments(ctx context.Context) ([]int64, error) {
	names, err := f.People.Hidden(ctx, access.From(ctx), kindExperiment)
	ids := make([]int64, 0, len(names))
	for _, name := range names {
		if id, err := strconv.ParseInt(name, 10, 64); err == nil { // permissions on experiments hold numbers
			ids = append(ids, id)
		}
	}
	return ids, err
}

// filesAllowed refuses a request about files of an experiment, the first part of whose name it is.
func (f *Face) filesAllowed(r *http.Request, name string, needed access.Level) error {
	if !access.From(r.Context()).Limited() {
		return nil
	}
	id, _, _ := strings.Cut(name, "/")
	return f.allowed(r.Context(), []access.Thing{{Kind: kindExperiment, Object: id}}, needed)
}
