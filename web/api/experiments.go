package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ml/experiment"
)

// Experiment is a set of runs.
type Experiment struct {
	ID        string            `json:"id" example:"3"`
	Name      string            `json:"name"`
	Deleted   bool              `json:"deleted"`
	CreatedAt time.Time         `json:"createdAt"`
	UpdatedAt time.Time         `json:"updatedAt"`
	Tags      map[string]string `json:"tags"`
	Runs      int               `json:"runs" doc:"Those that are not deleted."`
	Running   int               `json:"running"`
	LastRunAt *time.Time        `json:"lastRunAt,omitempty"`
	Files     int64             `json:"files" doc:"Those of its runs, models and traces."`
	Bytes     int64             `json:"bytes" doc:"What those files take."`
	MaxBytes  int64             `json:"maxBytes" doc:"What they may take; 0 is without bound."`
}

// ExperimentPage is a page of experiments; next is the cursor of the following page, empty on the last.
type ExperimentPage struct {
	Items []Experiment `json:"items"`
	Next  string       `json:"next"`
}

// ExperimentKeys are the keys that runs of an experiment have.
type ExperimentKeys struct {
	Metrics []string `json:"metrics"`
	Params  []string `json:"params"`
	Tags    []string `json:"tags"`
}

type listExperiments struct {
	View   string `query:"view" enum:"active,deleted,all" default:"active"`
	Filter string `query:"filter" maxLength:"5000" doc:"In MLflow's grammar." example:"name LIKE 'churn%'"`
	Cursor string `query:"cursor" maxLength:"5000" doc:"next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type experimentPath struct {
	ID int64 `path:"id" minimum:"0"`
}

func (a *API) experimentRoutes() {
	route(a, http.MethodGet, "/experiments", "listExperiments", "List experiments, the newest first", a.listExperiments)
	route(a, http.MethodGet, "/experiments/{id}", "getExperiment", "Get an experiment", a.getExperiment)
	route(a, http.MethodGet, "/experiments/{id}/keys", "getExperimentKeys", "Which metrics, params and tags its runs have", a.getExperimentKeys)
}

// moment returns a time in milliseconds since 1970; nil for none.
func moment(millis int64) *time.Time {
	if millis == 0 {
		return nil
	}
	at := time.UnixMilli(millis).UTC()
	return &at
}

func viewOf(name string) experiment.View {
	return map[string]experiment.View{"deleted": experiment.DeletedOnly, "all": experiment.All}[name]
}

// readable refuses an experiment that may not be read.
func (a *API) readable(ctx context.Context, id int64) error {
	level, err := a.cfg.People.LevelOn(ctx, who(ctx), access.Thing{Kind: "experiment", Object: strconv.FormatInt(id, 10)})
	if err == nil && !level.Allows(access.MayRead) {
		err = filled(&Problem{Status: http.StatusForbidden, Detail: "You may not read this experiment: ask who manages it."})
	}
	return err
}

func (a *API) toExperiments(ctx context.Context, list []experiment.Experiment) ([]Experiment, error) {
	ids := make([]int64, len(list))
	for i, e := range list {
		ids[i] = e.ID
	}
	activities, err := a.cfg.Experiments.Activities(ctx, ids)
	if err != nil {
		return nil, err
	}
	roots := make([]string, len(list))
	for i := range list {
		roots[i] = experiment.PathOf(list[i].Location)
	}
	used, err := a.cfg.Files.Usage(ctx, roots...)
	if err != nil {
		return nil, err
	}
	views := make([]Experiment, len(list))
	for i, e := range list {
		activity := activities[e.ID]
		views[i] = Experiment{
			ID: strconv.FormatInt(e.ID, 10), Name: e.Name, Deleted: e.Deleted, CreatedAt: time.UnixMilli(e.CreatedAt).UTC(), UpdatedAt: time.UnixMilli(e.UpdatedAt).UTC(),
			Tags: tagMap(e.Tags), Runs: activity.Runs, Running: activity.Running, LastRunAt: moment(activity.LastAt),
			Files: used[roots[i]].Files, Bytes: used[roots[i]].Bytes, MaxBytes: a.cfg.Files.Quota().PerRoot,
		}
	}
	return views, nil
}

func (a *API) listExperiments(ctx context.Context, in *listExperiments) (*body[ExperimentPage], error) {
	search := experiment.Listing{Filter: in.Filter, View: viewOf(in.View), Most: in.Limit, Token: in.Cursor}
	hidden, err := a.cfg.People.Hidden(ctx, who(ctx), "experiment")
	if err != nil {
		return nil, err
	}
	for _, name := range hidden {
		if id, err := strconv.ParseInt(name, 10, 64); err == nil { // permissions on experiments hold numbers
			search.Hidden = append(search.Hidden, id)
		}
	}
	list, next, err := a.cfg.Experiments.SearchExperiments(ctx, search)
	if err != nil {
		return nil, learningError(err)
	}
	items, err := a.toExperiments(ctx, list)
	if err != nil {
		return nil, err
	}
	return answer(ExperimentPage{Items: items, Next: next}), nil
}

func (a *API) getExperiment(ctx context.Context, in *experimentPath) (*body[Experiment], error) {
	if err := a.readable(ctx, in.ID); err != nil {
		return nil, err
	}
	e, err := a.cfg.Experiments.Experiment(ctx, in.ID)
	if err != nil {
		return nil, learningError(err)
	}
	views, err := a.toExperiments(ctx, []experiment.Experiment{e})
	if err != nil {
		return nil, err
	}
	return answer(views[0]), nil
}

func (a *API) getExperimentKeys(ctx context.Context, in *experimentPath) (*body[ExperimentKeys], error) {
	if err := a.readable(ctx, in.ID); err != nil {
		return nil, err
	}
	k, err := a.cfg.Experiments.Keys(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list := func(keys []string) []string { return append([]string{}, keys...) }
	return answer(ExperimentKeys{Metrics: list(k.Metrics), Params: list(k.Params), Tags: list(k.Tags)}), nil
}
