package takeover

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
)

// Folder is a folder mlruns, as MLflow's client writes it without a server.
type Folder struct {
	root string
	// folders are those of experiments, by id: active ones lie in the root, deleted ones in .trash.
	folders map[string]string
}

// OpenFolder opens a folder mlruns.
func OpenFolder(root string) (*Folder, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder; name the one that MLflow calls mlruns", root)
	}
	return &Folder{root: root, folders: map[string]string{}}, nil
}

// Close ends reading.
func (f *Folder) Close() error { return nil }

// meta is what meta.yaml says of experiments, runs, data sets, models and versions.
type meta struct {
	Experiment  string            `yaml:"experiment_id"`
	Name        string            `yaml:"name"`
	Stage       string            `yaml:"lifecycle_stage"`
	Run         string            `yaml:"run_id"`
	UUID        string            `yaml:"run_uuid"`
	RunName     string            `yaml:"run_name"`
	User        string            `yaml:"user_id"`
	Status      any               `yaml:"status"`
	StartedAt   *int64            `yaml:"start_time"`
	EndedAt     *int64            `yaml:"end_time"`
	Artifacts   string            `yaml:"artifact_uri"`
	Digest      string            `yaml:"digest"`
	SourceType  string            `yaml:"source_type"`
	Source      string            `yaml:"source"`
	Schema      string            `yaml:"schema"`
	Profile     string            `yaml:"profile"`
	SourceID    string            `yaml:"source_id"`
	Tags        map[string]string `yaml:"tags"`
	CreatedAt   int64             `yaml:"creation_timestamp"`
	UpdatedAt   int64             `yaml:"last_updated_timestamp"`
	Description string            `yaml:"description"`
	Version     any               `yaml:"version"`
	CurrentStep string            `yaml:"current_stage"`
	RunLink     string            `yaml:"run_link"`
	ModelType   string            `yaml:"model_type"`
	SourceRun   string            `yaml:"source_run_id"`
}

// readMeta reads the meta.yaml of a folder. Fields of another kind than usual are left out.
func readMeta(folder string) (m meta, err error) {
	data, err := os.ReadFile(filepath.Join(folder, "meta.yaml"))
	if err != nil {
		return m, err
	}
	err = yaml.Unmarshal(data, &m)
	if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
		_ = wrong // tags of a run are a list there, and of an input an object
		err = nil
	}
	if err != nil {
		return m, fmt.Errorf("read %s/meta.yaml: %w", folder, err)
	}
	return m, nil
}

// values reads a folder in which each file is a key, "/" in it a folder, and its content the value.
func values(folder string) (tags []experiment.Tag, err error) {
	err = filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == folder {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		tags = append(tags, experiment.Tag{Key: filepath.ToSlash(key), Value: strings.TrimSuffix(string(data), "\n")})
		return nil
	})
	return tags, err
}

// folders lists the folders in a folder that have a meta.yaml.
func foldersIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []string
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, entry.Name(), "meta.yaml")); err == nil {
			list = append(list, entry.Name())
		}
	}
	return list, err
}

// Experiments lists the experiments.
func (f *Folder) Experiments(context.Context) ([]Experiment, error) {
	var list []Experiment
	for _, place := range []string{f.root, filepath.Join(f.root, ".trash")} {
		names, err := foldersIn(place)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if name == "models" || name == ".trash" {
				continue
			}
			folder := filepath.Join(place, name)
			m, err := readMeta(folder)
			if err != nil {
				return nil, err
			}
			e := Experiment{ID: name, Name: m.Name, Deleted: m.Stage == "deleted"}
			if e.Tags, err = values(filepath.Join(folder, "tags")); err != nil {
				return nil, err
			}
			if e.Runs, err = foldersIn(folder); err != nil {
				return nil, err
			}
			e.Runs = slices.DeleteFunc(e.Runs, func(id string) bool { return id == "tags" || id == "datasets" || id == "models" || id == "traces" })
			f.folders[e.ID] = folder
			if e.Traces, err = f.traces(e.ID); err != nil {
				return nil, err
			}
			list = append(list, e)
		}
	}
	return list, nil
}

// Run reads one run.
func (f *Folder) Run(_ context.Context, e Experiment, id string) (Run, error) {
	folder := filepath.Join(f.folders[e.ID], id)
	m, err := readMeta(folder)
	if err != nil {
		return Run{}, err
	}
	run := Run{Run: experiment.Run{ID: id, Name: m.RunName, User: m.User, Status: status(m.Status), EndedAt: m.EndedAt, Deleted: m.Stage == "deleted"}}
	if m.StartedAt != nil {
		run.StartedAt = *m.StartedAt
	}
	params, err := values(filepath.Join(folder, "params"))
	if err != nil {
		return run, err
	}
	for _, p := range params {
		run.Params = append(run.Params, experiment.Param(p))
	}
	if run.Tags, err = values(filepath.Join(folder, "tags")); err != nil {
		return run, err
	}
	nameRun(&run.Run)
	if run.Histories, err = histories(filepath.Join(folder, "metrics")); err != nil {
		return run, err
	}
	if run.Datasets, err = f.inputs(e, folder); err != nil {
		return run, err
	}
	if run.ModelsMade, err = modelsMade(folder); err != nil {
		return run, err
	}
	run.Folder = filepath.Join(folder, "artifacts")
	return run, nil
}

// nameRun makes name and tag of a run the same.
func nameRun(run *experiment.Run) {
	const tag = "mlflow.runName"
	for i := range run.Tags {
		if run.Tags[i].Key == tag {
			if run.Name == "" {
				run.Name = run.Tags[i].Value
			}
			run.Tags[i].Value = run.Name
			return
		}
	}
	if run.Name == "" {
		run.Name = experiment.RandomName()
	}
	run.Tags = append(run.Tags, experiment.Tag{Key: tag, Value: run.Name})
}

// status reads a status by name or number.
func status(value any) experiment.Status {
	text := fmt.Sprint(value)
	for i, s := range experiment.Statuses() {
		if text == string(s) || text == strconv.Itoa(i+1) {
			return s
		}
	}
	return experiment.Finished
}

// histories reads the metrics of a run: each a file with lines of time, value and step.
func histories(folder string) (list []experiment.History, err error) {
	err = filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == folder {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		key, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		points, err := points(name)
		if len(points) > 0 {
			list = append(list, experiment.History{Key: filepath.ToSlash(key), Points: points})
		}
		return err
	})
	return list, err
}

func points(name string) (list []experiment.Metric, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 2 {
			return list, fmt.Errorf("%s: line %d is not a time, a value and a step", name, n)
		}
		var m experiment.Metric
		var bad error
		m.At, err = strconv.ParseInt(fields[0], 10, 64)
		bad = errors.Join(bad, err)
		m.Value, err = strconv.ParseFloat(fields[1], 64)
		bad = errors.Join(bad, err)
		if len(fields) > 2 {
			m.Step, err = strconv.ParseInt(fields[2], 10, 64)
			bad = errors.Join(bad, err)
		}
		if bad != nil {
			return list, fmt.Errorf("%s: line %d: %w", name, n, bad)
		}
		list = append(list, m)
	}
	return list, lines.Err()
}

// inputs reads the data sets that a run read.
func (f *Folder) inputs(e Experiment, folder string) (list []experiment.Input, err error) {
	names, err := foldersIn(filepath.Join(folder, "inputs"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		in, err := readMeta(filepath.Join(folder, "inputs", name))
		if err != nil {
			return nil, err
		}
		d, err := readMeta(filepath.Join(f.folders[e.ID], "datasets", in.SourceID))
		if err != nil {
			continue // an input that is no data set
		}
		one := experiment.Input{Dataset: experiment.Dataset{Name: d.Name, Digest: d.Digest, SourceType: d.SourceType, Source: d.Source, Schema: d.Schema, Profile: d.Profile}}
		for key, value := range in.Tags {
			one.Tags = append(one.Tags, experiment.Tag{Key: key, Value: value})
		}
		list = append(list, one)
	}
	return list, nil
}

// Models lists the registered models.
func (f *Folder) Models(context.Context) ([]Model, error) {
	root := filepath.Join(f.root, "models")
	names, err := foldersIn(root)
	if err != nil {
		return nil, err
	}
	var list []Model
	for _, name := range names {
		folder := filepath.Join(root, name)
		m, err := readMeta(folder)
		if err != nil {
			return nil, err
		}
		one := Model{Model: model.Model{Name: m.Name, Description: m.Description, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt}}
		if one.Tags, err = values(filepath.Join(folder, "tags")); err != nil {
			return nil, err
		}
		aliases, err := values(filepath.Join(folder, "aliases"))
		if err != nil {
			return nil, err
		}
		for _, alias := range aliases {
			if n, err := strconv.ParseInt(strings.TrimSpace(alias.Value), 10, 64); err == nil { // anything else points nowhere
				one.Aliases = append(one.Aliases, model.Alias{Name: alias.Key, Version: n})
			}
		}
		versions, err := foldersIn(folder)
		if err != nil {
			return nil, err
		}
		for _, version := range versions {
			v, err := readMeta(filepath.Join(folder, version))
			if err != nil {
				return nil, err
			}
			number, err := strconv.ParseInt(fmt.Sprint(v.Version), 10, 64)
			if err != nil {
				continue // a folder of something else
			}
			tags, err := values(filepath.Join(folder, version, "tags"))
			if err != nil {
				return nil, err
			}
			one.Versions = append(one.Versions, model.Version{
				Number: number, CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt, Stage: v.CurrentStep, Description: v.Description, Source: v.Source, Run: v.Run, RunLink: v.RunLink, Tags: tags,
			})
		}
		list = append(list, one)
	}
	return list, nil
}
