package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fairlead/fairlead/base/approval"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
)

// Learning is the MLOps half, as the API shows it.
type Learning interface {
	// PreviewPurge counts what a purge of what was deleted before a time would remove.
	PreviewPurge(ctx context.Context, before time.Time) (LearningPurgePreview, error)
}

// The kinds of requests of the MLOps half.
const (
	// PurgeExperiments removes deleted experiments, runs and logged models for good; its payload is a LearningPurgeOrder.
	PurgeExperiments = "experiments.purge"
	// SetAlias points an alias to a version; its payload is an AliasOrder.
	SetAlias = "model.alias"
)

// LearningPurgeOrder is what to purge of the MLOps half.
type LearningPurgeOrder struct {
	// Before is when it must have been deleted.
	Before time.Time `json:"before"`
}

// AliasOrder is where an alias shall point.
type AliasOrder struct {
	Model   string `json:"model"`
	Alias   string `json:"alias"`
	Version int64  `json:"version"`
}

// LearningPurgePreview is what a purge would remove for good.
type LearningPurgePreview struct {
	Before      time.Time `json:"before"`
	Experiments int       `json:"experiments"`
	Runs        int       `json:"runs"`
	Models      int       `json:"models" doc:"Logged models."`
	Files       int64     `json:"files"`
	Bytes       int64     `json:"bytes"`
}

// LearningPurgeQuestion says what to purge.
type LearningPurgeQuestion struct {
	DeletedDaysAgo int `json:"deletedDaysAgo" minimum:"0" maximum:"36500" doc:"Only what was deleted so long ago; 0 is all that is deleted."`
}

type previewLearningPurge struct{ Body LearningPurgeQuestion }

type askLearningPurge struct {
	Body struct {
		LearningPurgeQuestion
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"Why, for who decides."`
	}
}

type askAlias struct {
	Name  string `path:"name" maxLength:"500" doc:"The registered model."`
	Alias string `path:"alias" maxLength:"255" example:"champion"`
	Body  struct {
		Version int64  `json:"version" minimum:"1"`
		Reason  string `json:"reason" minLength:"1" maxLength:"1000" doc:"Why, for who decides."`
	}
}

func (a *API) learningRoutes() {
	route(a, http.MethodPost, "/experiments/purges/preview", "previewExperimentPurge", "What a purge of deleted experiments, runs and logged models would remove", a.previewLearningPurge)
	route(a, http.MethodPost, "/experiments/purges", "askExperimentPurge", "Ask to remove deleted experiments, runs and logged models for good; another person approves", a.askLearningPurge)
	route(a, http.MethodPut, "/models/{name}/aliases/{alias}", "askModelAlias", "Ask to point an alias to a version of a registered model; another person approves", a.askAlias)
}

func (q LearningPurgeQuestion) before() time.Time {
	return time.Now().UTC().Add(-time.Duration(q.DeletedDaysAgo) * 24 * time.Hour).Truncate(time.Second)
}

func (a *API) previewLearningPurge(ctx context.Context, in *previewLearningPurge) (*body[LearningPurgePreview], error) {
	p, err := a.cfg.Learning.PreviewPurge(ctx, in.Body.before())
	if err != nil {
		return nil, err
	}
	return answer(p), nil
}

func (a *API) askLearningPurge(ctx context.Context, in *askLearningPurge) (*accepted, error) {
	order := LearningPurgeOrder{Before: in.Body.before()}
	p, err := a.cfg.Learning.PreviewPurge(ctx, order.Before)
	if err != nil {
		return nil, err
	}
	return a.ask(ctx, approval.Question{
		Kind: PurgeExperiments, Object: "experiments", Reason: in.Body.Reason, Payload: order,
		Summary: fmt.Sprintf("Remove for good %d experiments, %d runs and %d logged models that were deleted before %s, with %d files (%d MB). Those whose files a registered model needs stay.",
			p.Experiments, p.Runs, p.Models, order.Before.Format(time.RFC3339), p.Files, p.Bytes>>20),
	})
}

func (a *API) askAlias(ctx context.Context, in *askAlias) (*accepted, error) {
	if err := model.CheckAlias(in.Alias); err != nil {
		return nil, learningError(err)
	}
	if err := a.mayReadModel(ctx, in.Name); err != nil {
		return nil, err
	}
	v, err := a.cfg.Models.Version(ctx, in.Name, in.Body.Version)
	if err != nil {
		return nil, learningError(err)
	}
	summary := fmt.Sprintf("Point the alias %s of the model %s to version %d", in.Alias, in.Name, v.Number)
	if v.Run != "" {
		summary += ", made by run " + v.Run
	}
	return a.ask(ctx, approval.Question{
		Kind: SetAlias, Object: in.Name + " " + in.Alias, Summary: summary + ".", Reason: in.Body.Reason, Payload: AliasOrder{Model: in.Name, Alias: in.Alias, Version: v.Number},
	})
}

// learningError turns a refusal of the MLOps half into an answer.
func learningError(err error) error {
	refusal, ok := errors.AsType[*experiment.Error](err)
	if !ok {
		return err
	}
	status := http.StatusUnprocessableEntity
	if refusal.Code == experiment.DoesNotExist {
		status = http.StatusNotFound
	}
	return filled(&Problem{Status: status, Detail: refusal.Message})
}
