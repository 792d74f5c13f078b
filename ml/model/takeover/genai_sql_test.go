package takeover_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fairlead/fairlead/ml/model/takeover"
	"github.com/fairlead/fairlead/ml/trace"
)

const (
	loggedID = "m-0123456789abcdef0123456789abcdef"
	traceID  = "tr-000000000000000000000000000000a1"
)

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// newDatabase is database with what MLflow's version 3 adds.
func newDatabase(t *testing.T) string {
	t.Helper()
	file := database(t)
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"ALTER TABLE inputs ADD COLUMN step BIGINT NOT NULL DEFAULT 0",
		"CREATE TABLE logged_models (model_id TEXT, experiment_id INTEGER, name TEXT, artifact_location TEXT, creation_timestamp_ms BIGINT, last_updated_timestamp_ms BIGINT, status INTEGER, lifecycle_stage TEXT, model_type TEXT, source_run_id TEXT, status_message TEXT)",
		"CREATE TABLE logged_model_tags (model_id TEXT, experiment_id INTEGER, tag_key TEXT, tag_value TEXT)", "CREATE TABLE logged_model_params (model_id TEXT, experiment_id INTEGER, param_key TEXT, param_value TEXT)",
		"CREATE TABLE logged_model_metrics (model_id TEXT, metric_name TEXT, metric_timestamp_ms BIGINT, metric_step BIGINT, metric_value FLOAT, experiment_id INTEGER, run_id TEXT, dataset_uuid TEXT, dataset_name TEXT, dataset_digest TEXT)",
		"CREATE TABLE trace_info (request_id TEXT, experiment_id INTEGER, timestamp_ms BIGINT, execution_time_ms BIGINT, status TEXT, client_request_id TEXT, request_preview TEXT, response_preview TEXT)",
		"CREATE TABLE trace_tags (key TEXT, value TEXT, request_id TEXT)", "CREATE TABLE trace_request_metadata (key TEXT, value TEXT, request_id TEXT)",
		"CREATE TABLE assessments (assessment_id TEXT, trace_id TEXT, name TEXT, assessment_type TEXT, value TEXT, error TEXT, created_timestamp BIGINT, last_updated_timestamp BIGINT, source_type TEXT, source_id TEXT, run_id TEXT, span_id TEXT, rationale TEXT, overrides TEXT, valid BOOLEAN, assessment_metadata TEXT)",
		"CREATE TABLE spans (trace_id TEXT, experiment_id INTEGER, span_id TEXT, parent_span_id TEXT, name TEXT, type TEXT, status TEXT, start_time_unix_nano BIGINT, end_time_unix_nano BIGINT, content TEXT)",
		"CREATE TABLE entity_associations (association_id TEXT, source_type TEXT, source_id TEXT, destination_type TEXT, destination_id TEXT, created_time BIGINT)",
		"INSERT INTO logged_models VALUES ('" + loggedID + "', 4, 'net', 'mlflow-artifacts:/4/models/" + loggedID + "/artifacts', 5, 6, 2, 'active', 'agent', '" + firstRun + "', NULL)",
		"INSERT INTO logged_model_params VALUES ('" + loggedID + "', 4, 'depth', '3')", "INSERT INTO logged_model_tags VALUES ('" + loggedID + "', 4, 'team', 'risk')",
		"INSERT INTO logged_model_metrics VALUES ('" + loggedID + "', 'acc', 10, 1, 0.9, 4, '" + firstRun + "', NULL, 'test', 'abc')",
		"INSERT INTO inputs VALUES ('o1', 'RUN_OUTPUT', '" + firstRun + "', 'MODEL_OUTPUT', '" + loggedID + "', 2)",
		"INSERT INTO model_versions VALUES ('fraud', 3, 9, 9, NULL, 'None', 'models:/" + loggedID + "', '" + firstRun + "', NULL)",
		"INSERT INTO trace_info VALUES ('" + traceID + "', 4, 1700000000000, 250, 'OK', 'c1', '\"why?\"', '\"because\"')",
		"INSERT INTO trace_tags VALUES ('mlflow.traceName', 'answer', '" + traceID + "'), ('mlflow.artifactLocation', 'mlflow-artifacts:/4/traces/" + traceID + "/artifacts', '" + traceID + "')",
		"INSERT INTO trace_request_metadata VALUES ('mlflow.trace.session', 's1', '" + traceID + "')",
		"INSERT INTO assessments VALUES ('a-1', '" + traceID + "', 'correct', 'feedback', 'true', NULL, 1700000001000, 1700000001000, 'HUMAN', 'ann', NULL, NULL, 'I know', NULL, 1, '{\"k\": \"v\"}')",
		"INSERT INTO entity_associations VALUES ('x', 'trace', '" + traceID + "', 'run', '" + firstRun + "', 1)",
		`INSERT INTO spans VALUES ('` + traceID + `', 4, '00000000000000aa', NULL, 'answer', 'CHAIN', 'OK', 1700000000000000000, 1700000000250000000,
			'{"trace_id":"AAAAAAAAAAAAAAAAAAAAoQ==","span_id":"AAAAAAAAAKo=","parent_span_id":"","name":"answer","start_time_unix_nano":1700000000000000000,"end_time_unix_nano":1700000000250000000,"status":{"code":"STATUS_CODE_OK"},"attributes":{"mlflow.spanType":"\"CHAIN\"","mlflow.spanInputs":"{\"q\": \"why?\"}"},"events":[]}')`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(filepath.Dir(file), "mlartifacts", "4", "models", loggedID, "artifacts", "MLmodel"), "flavors: {}\n")
	return file
}

// bring imports a source twice: the second time there is nothing left to do.
func bring(t *testing.T, source takeover.Source, to takeover.Target) takeover.Counts {
	t.Helper()
	steps := 0
	counts, err := takeover.Import(t.Context(), source, to, func(int, int) { steps++ })
	if err != nil || len(counts.Problems) > 0 {
		t.Fatalf("import: %+v %v", counts, err)
	}
	if steps != counts.Runs+counts.Traces {
		t.Errorf("%d steps were told, of %d runs and %d traces", steps, counts.Runs, counts.Traces)
	}
	again, err := takeover.Import(t.Context(), source, to, func(int, int) {})
	if err != nil || again.LoggedModels+again.Traces+again.Runs > 0 || len(again.Problems) > 0 {
		t.Errorf("the second import: %+v %v", again, err)
	}
	return counts
}

// checkGenAI compares the logged model and the trace that both sources have.
func checkGenAI(t *testing.T, to takeover.Target, experimentID int64) {
	t.Helper()
	m, err := to.Experiments.LoggedModel(t.Context(), loggedID)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "net" || m.Kind != "agent" || m.Status != "LOGGED_MODEL_READY" || m.Run != firstRun || len(m.Params) != 1 || len(m.Tags) != 1 || len(m.Scores) != 1 || m.Scores[0].Value != 0.9 || m.Scores[0].Dataset != "test" {
		t.Errorf("the logged model: %+v", m)
	}
	if files, err := to.Files.List(t.Context(), strings.TrimPrefix(m.Location, "mlflow-artifacts:/")); err != nil || len(files) != 1 || files[0].Name() != "MLmodel" {
		t.Errorf("its files below %s: %v %v", m.Location, files, err)
	}
	run, err := to.Experiments.Run(t.Context(), firstRun)
	if err != nil || len(run.ModelsMade) != 1 || run.ModelsMade[0].Model != loggedID {
		t.Errorf("the run made %v %v", run.ModelsMade, err)
	}
	info, err := to.Traces.Info(t.Context(), traceID)
	if err != nil {
		t.Fatal(err)
	}
	if info.Experiment != experimentID || info.StartedAt != 1700000000000 || *info.Took != 250 || info.State != trace.OK || info.Request != `"why?"` || len(info.Metadata) < 1 {
		t.Errorf("the trace: %+v", info)
	}
	spans, err := to.Traces.Spans(t.Context(), to.Files, traceID)
	if err != nil || len(spans) != 1 || spans[0].Name != "answer" || spans[0].Kind != "CHAIN" {
		t.Errorf("its spans: %+v %v", spans, err)
	}
}

func TestLoggedModelsAndTracesOfADatabaseComeOver(t *testing.T) {
	source, err := takeover.OpenDatabase(t.Context(), newDatabase(t), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.Close() }()
	to := target(t)
	if counts := bring(t, source, to); counts.LoggedModels != 1 || counts.Traces != 1 || counts.Spans != 1 || counts.Files != 2 {
		t.Errorf("counted: %+v", counts)
	}
	e, err := to.Experiments.ExperimentNamed(t.Context(), "churn")
	if err != nil {
		t.Fatal(err)
	}
	checkGenAI(t, to, e.ID)
	said, err := to.Traces.Assessment(t.Context(), traceID, "a-1")
	if err != nil || said.Name != "correct" || string(said.Feedback) != `{"value":true}` || said.Metadata["k"] != "v" || said.CreatedAt != "2023-11-14T22:13:21.000Z" {
		t.Errorf("the assessment: %+v %v", said, err)
	}
	found, _, err := to.Traces.Search(t.Context(), trace.Search{Experiments: []int64{e.ID}, Filter: "attributes.run_id = '" + firstRun + "' AND span.name = 'answer'", Most: 5})
	if err != nil || len(found) != 1 {
		t.Errorf("searched by run and span: %v %v", found, err)
	}
	v, err := to.Models.Version(t.Context(), "fraud", 3)
	if err != nil || v.Logged != loggedID || !strings.HasSuffix(v.Location, "/models/"+loggedID+"/artifacts") {
		t.Errorf("the version of the logged model: %+v %v", v, err)
	}
}

func TestLoggedModelsAndTracesOfAFolderComeOver(t *testing.T) {
	root := folder(t)
	source, err := takeover.OpenFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	experiments, err := source.Experiments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var of takeover.Experiment
	for _, e := range experiments {
		for _, run := range e.Runs {
			if run == firstRun {
				of = e
			}
		}
	}
	in := func(parts ...string) string { return filepath.Join(append([]string{root, of.ID}, parts...)...) }
	write(t, in("models", loggedID, "meta.yaml"), "model_id: "+loggedID+"\nname: net\nstatus: 2\nmodel_type: agent\nsource_run_id: "+firstRun+"\ncreation_timestamp: 5\nlast_updated_timestamp: 6\nlifecycle_stage: active\n")
	write(t, in("models", loggedID, "params", "depth"), "3")
	write(t, in("models", loggedID, "tags", "team"), "risk")
	write(t, in("models", loggedID, "metrics", "acc"), "10 0.9 1 "+firstRun+" test abc\n")
	write(t, in("models", loggedID, "artifacts", "MLmodel"), "flavors: {}\n")
	write(t, in(firstRun, "outputs", loggedID, "meta.yaml"), "source_type: RUN_OUTPUT\ndestination_type: MODEL_OUTPUT\n")
	write(t, in("traces", traceID, "trace_info.yaml"), "trace_id: "+traceID+"\nrequest_time: '2023-11-14T22:13:20Z'\nexecution_duration_ms: 250\nstate: OK\nrequest_preview: '\"why?\"'\n")
	write(t, in("traces", traceID, "request_metadata", "mlflow.trace.session"), "s1")
	write(t, in("traces", traceID, "artifacts", "traces.json"), `{"spans":[{"span_id":"AAAAAAAAAKo=","name":"answer","start_time_unix_nano":1700000000000000000,"end_time_unix_nano":1700000000250000000,"attributes":{"mlflow.spanType":"\"CHAIN\""}}]}`)
	to := target(t)
	if counts := bring(t, source, to); counts.LoggedModels != 1 || counts.Traces != 1 {
		t.Errorf("counted: %+v", counts)
	}
	e, err := to.Experiments.ExperimentNamed(t.Context(), of.Name)
	if err != nil {
		t.Fatal(err)
	}
	checkGenAI(t, to, e.ID)
}
