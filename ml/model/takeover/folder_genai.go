package takeover

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/trace"
)

// traceFile is what says what a trace is.
const traceFile = "trace_info.yaml"

// LoggedModels lists the logged models of an experiment.
func (f *Folder) LoggedModels(_ context.Context, e Experiment) (list []LoggedModel, err error) {
	root := filepath.Join(f.folders[e.ID], "models")
	names, err := foldersIn(root)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		folder := filepath.Join(root, name)
		m, err := readMeta(folder)
		if err != nil {
			return nil, err
		}
		number, _ := m.Status.(int)
		one := LoggedModel{Deleted: m.Stage == "deleted", Folder: filepath.Join(folder, "artifacts")}
		one.LoggedModel = experiment.LoggedModel{ID: name, Name: m.Name, Kind: m.ModelType, Run: m.SourceRun, Status: modelStatus(number), CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt}
		if one.Tags, err = values(filepath.Join(folder, "tags")); err != nil {
			return nil, err
		}
		params, err := values(filepath.Join(folder, "params"))
		if err != nil {
			return nil, err
		}
		for _, p := range params {
			one.Params = append(one.Params, experiment.Param(p))
		}
		if one.Scores, err = scores(filepath.Join(folder, "metrics")); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// scores reads the metrics of a logged model: a file for each key with lines of time, value, step, run, and perhaps the name
// and digest of a data set.
func scores(folder string) (list []experiment.Score, err error) {
	files, err := values(folder)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		lines := bufio.NewScanner(strings.NewReader(file.Value))
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) < 4 {
				continue // nothing that names a run
			}
			s := experiment.Score{Run: fields[3]}
			s.Key = file.Key
			var wrong [3]error
			s.At, wrong[0] = strconv.ParseInt(fields[0], 10, 64)
			s.Value, wrong[1] = strconv.ParseFloat(fields[1], 64)
			s.Step, wrong[2] = strconv.ParseInt(fields[2], 10, 64)
			if errors.Join(wrong[:]...) != nil {
				continue
			}
			if len(fields) > 5 {
				s.Dataset, s.Digest = fields[4], fields[5]
			}
			list = append(list, s)
		}
	}
	return list, nil
}

// modelsMade lists the logged models that a run made.
func modelsMade(folder string) (list []experiment.ModelMade, err error) {
	names, err := foldersIn(filepath.Join(folder, "outputs"))
	for _, name := range names {
		if strings.HasPrefix(name, "m-") {
			list = append(list, experiment.ModelMade{Model: name})
		}
	}
	return list, err
}

// traces lists the ids of the traces of an experiment.
func (f *Folder) traces(id string) (list []string, err error) {
	entries, err := os.ReadDir(filepath.Join(f.folders[id], "traces"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		if _, missing := os.Stat(filepath.Join(f.folders[id], "traces", entry.Name(), traceFile)); missing == nil {
			list = append(list, entry.Name())
		}
	}
	return list, err
}

// Trace reads one trace, as version 2 or version 3 has written it.
func (f *Folder) Trace(_ context.Context, e Experiment, id string) (t Trace, err error) {
	folder := filepath.Join(f.folders[e.ID], "traces", id)
	data, err := os.ReadFile(filepath.Join(folder, traceFile))
	if err != nil {
		return t, err
	}
	var told struct {
		At       *int64 `yaml:"timestamp_ms"`
		Took     *int64 `yaml:"execution_time_ms"`
		Status   string `yaml:"status"`
		Time     any    `yaml:"request_time"`
		Duration *int64 `yaml:"execution_duration_ms"`
		State    string `yaml:"state"`
		Client   string `yaml:"client_request_id"`
		Request  string `yaml:"request_preview"`
		Response string `yaml:"response_preview"`
	}
	if err := yaml.Unmarshal(data, &told); err != nil {
		return t, err
	}
	t.ID, t.Client, t.Request, t.Response, t.Took, t.State = id, told.Client, told.Request, told.Response, told.Took, trace.State(told.Status)
	if told.At != nil {
		t.StartedAt = *told.At
	}
	switch at := told.Time.(type) {
	case time.Time:
		t.StartedAt = at.UnixMilli()
	case string:
		if parsed, err := time.Parse(time.RFC3339Nano, at); err == nil {
			t.StartedAt = parsed.UnixMilli()
		}
	}
	if told.Duration != nil {
		t.Took = told.Duration
	}
	if told.State != "" {
		t.State = trace.State(told.State)
	}
	if t.Tags, err = values(filepath.Join(folder, "tags")); err != nil {
		return t, err
	}
	if t.Metadata, err = values(filepath.Join(folder, "request_metadata")); err != nil {
		return t, err
	}
	t.Folder = filepath.Join(folder, "artifacts")
	return t, nil
}
