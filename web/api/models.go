package api

import (
	"context"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
)

// RegisteredModel is a name under which versions of a model are kept.
type RegisteredModel struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	CreatedAt   time.Time         `json:"createdAt"`
	UpdatedAt   time.Time         `json:"updatedAt"`
	Tags        map[string]string `json:"tags"`
	Aliases     map[string]int64  `json:"aliases" doc:"The version that each alias points to."`
	Latest      int64             `json:"latest" doc:"The highest version; 0 without any."`
}

// RegisteredModelPage is a page of registered models; next is the cursor of the following page, empty on the last.
type RegisteredModelPage struct {
	Items []RegisteredModel `json:"items"`
	Next  string            `json:"next"`
}

// ModelVersion is one version of a registered model.
type ModelVersion struct {
	Model       string            `json:"model"`
	Version     int64             `json:"version"`
	CreatedAt   time.Time         `json:"createdAt"`
	UpdatedAt   time.Time         `json:"updatedAt"`
	Stage       string            `json:"stage" doc:"MLflow's older way to say what a version is for; None without."`
	Description string            `json:"description"`
	Source      string            `json:"source" doc:"What was registered."`
	Run         string            `json:"run" doc:"The run that made it; empty if none is known."`
	Logged      string            `json:"logged" doc:"The logged model that was registered; empty if it was none."`
	Tags        map[string]string `json:"tags"`
	Aliases     []string          `json:"aliases"`
}

// ModelVersionPage is a page of versions; next is the cursor of the following page, empty on the last.
type ModelVersionPage struct {
	Items []ModelVersion `json:"items"`
	Next  string         `json:"next"`
}

type listModels struct {
	Filter string `query:"filter" maxLength:"5000" doc:"In MLflow's grammar." example:"name LIKE 'churn%'"`
	Cursor string `query:"cursor" maxLength:"5000" doc:"next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type modelPath struct {
	Name string `path:"name" maxLength:"500" doc:"The registered model."`
}

type listVersions struct {
	Name   string `path:"name" maxLength:"500" doc:"The registered model."`
	Cursor string `query:"cursor" maxLength:"5000" doc:"next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (a *API) modelRoutes() {
	route(a, http.MethodGet, "/models", "listModels", "List registered models", a.listModels)
	route(a, http.MethodGet, "/models/{name}", "getModel", "Get a registered model", a.getModel)
	route(a, http.MethodGet, "/models/{name}/versions", "listModelVersions", "List the versions of a registered model, the newest first", a.listVersions)
}

func tagMap(tags []experiment.Tag) map[string]string {
	of := make(map[string]string, len(tags))
	for _, tag := range tags {
		of[tag.Key] = tag.Value
	}
	return of
}

func toModel(m *model.Model) RegisteredModel {
	v := RegisteredModel{
		Name: m.Name, Description: m.Description, CreatedAt: time.UnixMilli(m.CreatedAt).UTC(), UpdatedAt: time.UnixMilli(m.UpdatedAt).UTC(),
		Tags: tagMap(m.Tags), Aliases: map[string]int64{},
	}
	for _, alias := range m.Aliases {
		v.Aliases[alias.Name] = alias.Version
	}
	for i := range m.Latest {
		v.Latest = max(v.Latest, m.Latest[i].Number)
	}
	return v
}

func toVersion(v *model.Version) ModelVersion {
	return ModelVersion{
		Model: v.Model, Version: v.Number, CreatedAt: time.UnixMilli(v.CreatedAt).UTC(), UpdatedAt: time.UnixMilli(v.UpdatedAt).UTC(), Stage: v.Stage,
		Description: v.Description, Source: v.Source, Run: v.Run, Logged: v.Logged, Tags: tagMap(v.Tags), Aliases: append([]string{}, v.Aliases...),
	}
}

func (a *API) listModels(ctx context.Context, in *listModels) (*body[RegisteredModelPage], error) {
	hidden, err := a.cfg.People.Hidden(ctx, who(ctx), "model")
	if err != nil {
		return nil, err
	}
	list, next, err := a.cfg.Models.SearchModels(ctx, model.Search{Filter: in.Filter, Most: in.Limit, Token: in.Cursor, Hidden: hidden})
	if err != nil {
		return nil, learningError(err)
	}
	page := RegisteredModelPage{Items: make([]RegisteredModel, len(list)), Next: next}
	for i := range list {
		page.Items[i] = toModel(&list[i])
	}
	return answer(page), nil
}

// mayReadModel refuses a model that may not be read.
func (a *API) mayReadModel(ctx context.Context, name string) error {
	level, err := a.cfg.People.LevelOn(ctx, who(ctx), access.Thing{Kind: "model", Object: name})
	if err == nil && !level.Allows(access.MayRead) {
		err = filled(&Problem{Status: http.StatusForbidden, Detail: "You may not read this model: ask who manages it."})
	}
	return err
}

func (a *API) findModel(ctx context.Context, name string) (m model.Model, err error) {
	if err = a.mayReadModel(ctx, name); err == nil {
		m, err = a.cfg.Models.Model(ctx, name)
	}
	return m, learningError(err)
}

func (a *API) getModel(ctx context.Context, in *modelPath) (*body[RegisteredModel], error) {
	m, err := a.findModel(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return answer(toModel(&m)), nil
}

func (a *API) listVersions(ctx context.Context, in *listVersions) (*body[ModelVersionPage], error) {
	if _, err := a.findModel(ctx, in.Name); err != nil {
		return nil, err
	}
	list, next, err := a.cfg.Models.SearchVersions(ctx, model.Search{Of: in.Name, Order: []string{"version_number DESC"}, Most: in.Limit, Token: in.Cursor})
	if err != nil {
		return nil, learningError(err)
	}
	page := ModelVersionPage{Items: make([]ModelVersion, len(list)), Next: next}
	for i := range list {
		page.Items[i] = toVersion(&list[i])
	}
	return answer(page), nil
}
