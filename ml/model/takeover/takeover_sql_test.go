package takeover_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/base/blob"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
	"github.com/fairlead/fairlead/ml/model/takeover"
	"github.com/fairlead/fairlead/ml/trace"
	"github.com/fairlead/fairlead/test/postgres"
)

func target(t *testing.T) takeover.Target {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), postgres.Config(t), "ml", store.LearningSchema(), logger)
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(t.Context(), blob.Config{Dir: filepath.Join(t.TempDir(), "blobs")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.Close(), blobs.Close()); err != nil {
			t.Error(err)
		}
	})
	experiments, err := experiment.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return takeover.Target{Experiments: experiments, Files: artifact.New(db, blobs, artifact.Quota{}, logger), Models: model.Open(db), Traces: trace.Open(db, experiments)}
}

const (
	firstRun  = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	secondRun = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	goneRun   = "cccccccccccccccccccccccccccccccc"
)

// folder writes what MLflow's client writes without a server.
func folder(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "mlruns")
	files := map[string]string{
		"0/meta.yaml":                                  "experiment_id: '0'\nname: Default\nlifecycle_stage: active\n",
		"812/meta.yaml":                                "experiment_id: '812'\nname: churn\nlifecycle_stage: active\ncreation_time: 5\n",
		"812/tags/team":                                "growth",
		"812/" + firstRun + "/meta.yaml":               "run_id: " + firstRun + "\nrun_name: one\nstatus: 3\nstart_time: 1000\nend_time: 2000\nlifecycle_stage: active\nuser_id: ann\ntags: []\nartifact_uri: file:///x\n",
		"812/" + firstRun + "/params/lr":               "0.1",
		"812/" + firstRun + "/params/net/dim":          "8",
		"812/" + firstRun + "/tags/mlflow.runName":     "one",
		"812/" + firstRun + "/tags/note":               "two\nlines\n",
		"812/" + firstRun + "/metrics/loss":            "10 0.5 0\n20 0.25 1\n20 0.25 1\n30 nan 2\n",
		"812/" + firstRun + "/metrics/val/acc":         "40 0.9 7\n",
		"812/" + firstRun + "/artifacts/model/MLmodel": "flavors: {}\n",
		"812/" + firstRun + "/artifacts/plot #1.txt":   "x",
		"812/" + firstRun + "/inputs/i1/meta.yaml":     "source_type: DATASET\nsource_id: d1\ntags:\n  mlflow.data.context: training\n",
		"812/datasets/d1/meta.yaml":                    "name: train\ndigest: abc\nsource_type: s3\nsource: s3://b\nschema: s\nprofile: p\n",
		"812/" + goneRun + "/meta.yaml":                "run_id: " + goneRun + "\nrun_name: gone\nstatus: 4\nstart_time: 1\nlifecycle_stage: deleted\n",
		"models/fraud/meta.yaml":                       "name: fraud\ndescription: finds it\ncreation_timestamp: 7\nlast_updated_timestamp: 8\n",
		"models/fraud/tags/owner":                      "ann",
		"models/fraud/aliases/champion":                "3",
		"models/fraud/version-3/meta.yaml":             "name: fraud\nversion: 3\ncurrent_stage: Production\nsource: file:///home/ann/mlruns/812/" + firstRun + "/artifacts/model\nrun_id: " + firstRun + "\ncreation_timestamp: 9\nlast_updated_timestamp: 9\n",
		"models/fraud/version-3/tags/ok":               "yes",
		".trash/5/meta.yaml":                           "experiment_id: '5'\nname: old\nlifecycle_stage: deleted\n",
		".trash/5/" + secondRun + "/meta.yaml":         "run_id: " + secondRun + "\nrun_name: two\nstatus: FINISHED\nstart_time: 3\nlifecycle_stage: active\n",
	}
	for name, content := range files {
		write(t, filepath.Join(root, filepath.FromSlash(name)), content)
	}
	return root
}

func TestAFolderComesOverWholeAndOnce(t *testing.T) {
	source, err := takeover.OpenFolder(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	to := target(t)
	var seen []int
	counts, err := takeover.Import(t.Context(), source, to, func(done, total int) { seen = append(seen, done, total) })
	if err != nil || len(counts.Problems) > 0 {
		t.Fatalf("import: %v %v", err, counts.Problems)
	}
	if counts.Runs != 3 || counts.Points != 4 || counts.Params != 2 || counts.Files != 2 || counts.Models != 1 || counts.Versions != 1 || counts.Experiments != 3 {
		t.Errorf("counted %+v", counts)
	}
	if len(seen) != 6 || seen[4] != 3 || seen[5] != 3 {
		t.Errorf("progress %v", seen)
	}
	checkFirst(t, to)
	old, err := to.Experiments.ExperimentNamed(t.Context(), "old")
	if err != nil || !old.Deleted {
		t.Errorf("the deleted experiment: %+v %v", old, err)
	}
	if gone, err := to.Experiments.Run(t.Context(), goneRun); err != nil || !gone.Deleted || gone.Status != experiment.Failed {
		t.Errorf("the deleted run: %+v %v", gone, err)
	}
	v, err := to.Models.ByAlias(t.Context(), "fraud", "champion")
	if err != nil || v.Number != 3 || v.Stage != model.StageProduction || !strings.HasSuffix(v.Source, "/"+firstRun+"/artifacts/model") || !strings.HasPrefix(v.Source, "mlflow-artifacts:/") {
		t.Errorf("the champion: %+v %v", v, err)
	}
	if next, err := to.Models.CreateVersion(t.Context(), model.NewVersion{Model: "fraud", Source: "s3://b/x"}); err != nil || next.Number != 4 {
		t.Errorf("the next version: %+v %v", next, err)
	}
	again, err := takeover.Import(t.Context(), source, to, func(int, int) {})
	if err != nil || again.Runs != 0 || again.Present != 3 || len(again.Problems) > 0 {
		t.Errorf("a second import: %+v %v", again, err)
	}
}

// checkFirst compares the first run with what was stored.
func checkFirst(t *testing.T, to takeover.Target) {
	t.Helper()
	run, err := to.Experiments.Run(t.Context(), firstRun)
	if err != nil {
		t.Fatal(err)
	}
	if run.Name != "one" || run.User != "ann" || run.Status != experiment.Finished || run.StartedAt != 1000 || run.EndedAt == nil || *run.EndedAt != 2000 || run.Deleted {
		t.Errorf("the run is %+v", run)
	}
	if len(run.Params) != 2 || len(run.Metrics) != 2 || len(run.Datasets) != 1 || len(run.Datasets[0].Tags) != 1 {
		t.Errorf("the run has %+v", run)
	}
	points, err := to.Experiments.History(t.Context(), firstRun, "loss")
	if err != nil || len(points) != 3 || points[1].Value != 0.25 || points[1].Step != 1 {
		t.Errorf("the history is %+v %v", points, err)
	}
	path := experiment.PathOf(run.Location)
	if file, err := to.Files.Stat(t.Context(), path+"/model/MLmodel"); err != nil || file.Size != 12 {
		t.Errorf("the file: %+v %v", file, err)
	}
}

// database writes what MLflow's server writes, as far as it is read.
func database(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "mlflow.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT, lifecycle_stage TEXT, creation_time BIGINT, last_update_time BIGINT)",
		"CREATE TABLE experiment_tags (key TEXT, value TEXT, experiment_id INTEGER)",
		"CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time BIGINT, end_time BIGINT, lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER)",
		"CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan BOOLEAN)",
		"CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT)", "CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT)",
		"CREATE TABLE datasets (dataset_uuid TEXT, experiment_id INTEGER, name TEXT, digest TEXT, dataset_source_type TEXT, dataset_source TEXT, dataset_schema TEXT, dataset_profile TEXT)",
		"CREATE TABLE inputs (input_uuid TEXT, source_type TEXT, source_id TEXT, destination_type TEXT, destination_id TEXT)", "CREATE TABLE input_tags (input_uuid TEXT, name TEXT, value TEXT)",
		"CREATE TABLE registered_models (name TEXT, creation_time BIGINT, last_updated_time BIGINT, description TEXT)", "CREATE TABLE registered_model_tags (key TEXT, value TEXT, name TEXT)",
		"CREATE TABLE registered_model_aliases (alias TEXT, version INTEGER, name TEXT)",
		"CREATE TABLE model_versions (name TEXT, version INTEGER, creation_time BIGINT, last_updated_time BIGINT, description TEXT, current_stage TEXT, source TEXT, run_id TEXT, run_link TEXT)",
		"CREATE TABLE model_version_tags (key TEXT, value TEXT, name TEXT, version INTEGER)",
		"INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active', 1, 1), (4, 'churn', 'mlflow-artifacts:/4', 'active', 1, 1)",
		"INSERT INTO runs VALUES ('" + firstRun + "', 'one', 'ann', 'FINISHED', 1000, 2000, 'active', 'mlflow-artifacts:/4/" + firstRun + "/artifacts', 4)",
		"INSERT INTO metrics VALUES ('loss', 0.5, 10, '" + firstRun + "', 0, 0), ('loss', 0.25, 20, '" + firstRun + "', 1, 0), ('loss', 0, 30, '" + firstRun + "', 2, 1), ('val/acc', 0.9, 40, '" + firstRun + "', 7, 0)",
		"INSERT INTO params VALUES ('lr', '0.1', '" + firstRun + "'), ('net/dim', '8', '" + firstRun + "')",
		"INSERT INTO datasets VALUES ('d1', 4, 'train', 'abc', 's3', 's3://b', NULL, NULL)", "INSERT INTO inputs VALUES ('i1', 'DATASET', 'd1', 'RUN', '" + firstRun + "')",
		"INSERT INTO input_tags VALUES ('i1', 'mlflow.data.context', 'training')",
		"INSERT INTO registered_models VALUES ('fraud', 7, 8, NULL)",
		"INSERT INTO model_versions VALUES ('fraud', 1, 9, 9, NULL, 'Deleted_Internal', '', NULL, NULL), ('fraud', 2, 9, 9, 'd', 'None', 'mlflow-artifacts:/4/" + firstRun + "/artifacts/model', '" + firstRun + "', NULL)",
		"INSERT INTO registered_model_aliases VALUES ('champion', 2, 'fraud')",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "mlartifacts", "4", firstRun, "artifacts", "model", "MLmodel"), "flavors: {}\n")
	return file
}

func TestADatabaseComesOverAndAnInterruptedImportGoesOn(t *testing.T) {
	source, err := takeover.OpenDatabase(t.Context(), database(t), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.Close() }()
	to := target(t)
	// What an import that was cut has left: the run, without its metrics, not yet to be seen.
	e, err := to.Experiments.ImportExperiment(t.Context(), "churn", nil)
	if err != nil {
		t.Fatal(err)
	}
	half := experiment.Run{ID: firstRun, Experiment: e.ID, Name: "one", Status: experiment.Running, Deleted: true}
	if err := to.Experiments.ImportRun(t.Context(), half, nil); err != nil {
		t.Fatal(err)
	}
	counts, err := takeover.Import(t.Context(), source, to, func(int, int) {})
	if err != nil || len(counts.Problems) > 0 || counts.Runs != 1 || counts.Points != 4 || counts.Files != 1 || counts.Versions != 1 {
		t.Fatalf("import: %+v %v", counts, err)
	}
	checkFirst(t, to)
	v, err := to.Models.ByAlias(t.Context(), "fraud", "champion")
	if err != nil || v.Number != 2 {
		t.Errorf("the champion: %+v %v", v, err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := takeover.Import(stopped, source, target(t), func(int, int) {}); err == nil {
		t.Error("an import that is stopped says nothing")
	}
}

func TestWhatIsNoSourceIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(file, []byte("no database at all, but long enough to be read as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := takeover.OpenDatabase(t.Context(), file, ""); err == nil {
		t.Error("a text was opened as a database")
	}
	if _, err := takeover.OpenFolder(file); err == nil {
		t.Error("a file was opened as a folder")
	}
}
