package experiment

import (
	"slices"
	"strings"
)

// ModelStatus is how a logged model stands.
type ModelStatus string

// The states of a logged model.
const (
	ModelUnspecified  ModelStatus = "LOGGED_MODEL_STATUS_UNSPECIFIED"
	ModelPending      ModelStatus = "LOGGED_MODEL_PENDING"
	ModelReady        ModelStatus = "LOGGED_MODEL_READY"
	ModelUploadFailed ModelStatus = "LOGGED_MODEL_UPLOAD_FAILED"
)

// ModelStatuses returns the states in MLflow's order: the first has number 0.
func ModelStatuses() []ModelStatus {
	return []ModelStatus{ModelUnspecified, ModelPending, ModelReady, ModelUploadFailed}
}

// LoggedModel is a model that a run made, with its files and scores.
type LoggedModel struct {
	// ID is "m-" and 32 hexadecimal digits.
	ID         string
	Experiment int64
	Name       string
	// Kind is what the client calls model_type, for instance "agent".
	Kind      string
	Run       string
	Status    ModelStatus
	Location  string
	CreatedAt int64
	UpdatedAt int64

	Tags   []Tag
	Params []Param
	Scores []Score
}

// Score is a metric of a logged model, the latest of its run and data set.
type Score struct {
	Metric
	Run string
}

// NewLoggedModel is what is told about a logged model at its begin.
type NewLoggedModel struct {
	Experiment int64
	Name       string
	Kind       string
	Run        string
	Params     []Param
	Tags       []Tag
}

func (n *NewLoggedModel) check() error {
	if strings.ContainsAny(n.Name, `/:.%"'`) {
		return invalid("name: %q may not hold any of / : . %% \" '", Cut(n.Name))
	}
	for i := range n.Params {
		p := n.Params[i]
		if err := CheckKey("param", p.Key); err != nil {
			return err
		}
		if slices.ContainsFunc(n.Params[:i], func(other Param) bool { return other.Key == p.Key }) {
			return Refuse(BadRequest, "params: the key %q is there twice", Cut(p.Key))
		}
	}
	return checkModelTags(n.Tags)
}

func checkModelTags(tags []Tag) error {
	for i := range tags {
		if err := CheckKey("tag", tags[i].Key); err != nil {
			return err
		}
		tags[i].Value = CutTo(tags[i].Value, maxTag)
	}
	return nil
}
