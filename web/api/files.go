package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
)

// RunFile is a file or folder of a run or of a logged model.
type RunFile struct {
	Path   string     `json:"path" doc:"Below the files of the run or model."`
	Folder bool       `json:"folder"`
	Size   int64      `json:"size"`
	Digest string     `json:"digest" doc:"SHA-256, in hexadecimal."`
	At     *time.Time `json:"at,omitempty"`
}

// RunFiles is what is in a folder.
type RunFiles struct {
	Items []RunFile `json:"items"`
}

// LoggedModel is a model that a run has made, with what was measured of it.
type LoggedModel struct {
	ID         string             `json:"id" example:"m-0123456789abcdef0123456789abcdef"`
	Name       string             `json:"name"`
	Experiment string             `json:"experiment"`
	Run        string             `json:"run" doc:"The run that made it, or empty."`
	Status     string             `json:"status" example:"READY"`
	Kind       string             `json:"kind" doc:"What its client calls model_type."`
	CreatedAt  time.Time          `json:"createdAt"`
	Params     map[string]string  `json:"params"`
	Tags       map[string]string  `json:"tags"`
	Scores     []LoggedModelScore `json:"scores"`
	Location   string             `json:"location" doc:"Where its files are."`
}

// LoggedModelScore is a metric of a logged model, the latest of its run and data set.
type LoggedModelScore struct {
	Key     string   `json:"key"`
	Value   *float64 `json:"value" doc:"null is NaN or without bound."`
	Step    int64    `json:"step"`
	Dataset string   `json:"dataset" doc:"Empty if it is about none."`
	Run     string   `json:"run"`
}

type folderOf struct {
	ID   string `path:"id" maxLength:"100"`
	Path string `query:"path" maxLength:"4096"`
}

type loggedModelPath struct {
	ID string `path:"id" maxLength:"100"`
}

func (a *API) fileRoutes() {
	route(a, http.MethodGet, "/runs/{id}/files", "listRunFiles", "What is in a folder of a run", a.listRunFiles)
	route(a, http.MethodGet, "/logged-models/{id}", "getLoggedModel", "Get a logged model", a.getLoggedModel)
	route(a, http.MethodGet, "/logged-models/{id}/files", "listLoggedModelFiles", "What is in a folder of a logged model", a.listLoggedModelFiles)
}

func (a *API) listRunFiles(ctx context.Context, in *folderOf) (*body[RunFiles], error) {
	r, err := a.findRun(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.filesBelow(ctx, r.Location, in.Path)
}

func (a *API) listLoggedModelFiles(ctx context.Context, in *folderOf) (*body[RunFiles], error) {
	m, err := a.findLoggedModel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.filesBelow(ctx, m.Location, in.Path)
}

// filesBelow answers with what is in a folder below a root; nothing if that is kept elsewhere.
func (a *API) filesBelow(ctx context.Context, location, name string) (*body[RunFiles], error) {
	files := RunFiles{Items: []RunFile{}}
	root := experiment.PathOf(location)
	if root == "" {
		return answer(files), nil
	}
	folder, err := artifact.Clean(name)
	if err != nil {
		return nil, invalid("query.path", name, fmt.Sprint(err))
	}
	list, err := a.cfg.Files.List(ctx, root+"/"+folder)
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		files.Items = append(files.Items, RunFile{Path: f.Path[len(root)+1:], Folder: f.Folder, Size: f.Size, Digest: f.Digest, At: moment(f.AddedAt)})
	}
	return answer(files), nil
}

// findLoggedModel returns a logged model that may be read.
func (a *API) findLoggedModel(ctx context.Context, id string) (experiment.LoggedModel, error) {
	m, err := a.cfg.Experiments.LoggedModel(ctx, id)
	if err != nil {
		return m, learningError(err)
	}
	return m, a.readable(ctx, m.Experiment)
}

func (a *API) getLoggedModel(ctx context.Context, in *loggedModelPath) (*body[LoggedModel], error) {
	m, err := a.findLoggedModel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	v := LoggedModel{
		ID: m.ID, Name: m.Name, Experiment: strconv.FormatInt(m.Experiment, 10), Run: m.Run, Status: strings.TrimPrefix(string(m.Status), "LOGGED_MODEL_"), Kind: m.Kind, CreatedAt: time.UnixMilli(m.CreatedAt).UTC(),
		Params: map[string]string{}, Tags: tagMap(m.Tags), Scores: []LoggedModelScore{}, Location: m.Location,
	}
	for _, p := range m.Params {
		v.Params[p.Key] = p.Value
	}
	for _, s := range m.Scores {
		v.Scores = append(v.Scores, LoggedModelScore{Key: s.Key, Value: finite(s.Value), Step: s.Step, Dataset: s.Dataset, Run: s.Run})
	}
	return answer(v), nil
}
