package mlflow

import "net/http"

// The versions of the API that have a call: most stand in 2.0 only.
var (
	two   = []string{"2.0"}
	three = []string{"3.0"}
	// either is for what some clients call at the one and some at the other.
	either = []string{"2.0", "3.0"}
)

// routes lists the calls, by area. It is longer than other functions so that it can be read from top to bottom.
func (f *Face) routes() []route { //nolint:funlen // a table
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	return []route{
		{method: post, path: "experiments/create", right: Write, handle: f.createExperiment},
		{method: get, path: "experiments/get", right: Read, handle: f.getExperiment},
		{method: get, path: "experiments/get-by-name", right: Read, handle: f.getExperimentByName},
		{method: get, path: "experiments/search", right: Read, handle: f.searchExperiments},
		{method: post, path: "experiments/search", right: Read, handle: f.searchExperiments},
		{method: post, path: "experiments/update", right: Write, handle: f.updateExperiment},
		{method: post, path: "experiments/delete", right: Write, handle: f.deleteExperiment},
		{method: post, path: "experiments/restore", right: Write, handle: f.restoreExperiment},
		{method: post, path: "experiments/set-experiment-tag", right: Write, handle: f.setExperimentTag},
		{method: post, path: "experiments/delete-experiment-tag", right: Write, handle: f.deleteExperimentTag},
		{method: post, path: "experiments/search-datasets", right: Read, handle: f.searchDatasets},

		{method: post, path: "runs/create", right: Write, handle: f.createRun},
		{method: get, path: "runs/get", right: Read, handle: f.getRun},
		{method: post, path: "runs/update", right: Write, handle: f.updateRun},
		{method: post, path: "runs/delete", right: Write, handle: f.deleteRun},
		{method: post, path: "runs/restore", right: Write, handle: f.restoreRun},
		{method: post, path: "runs/search", right: Read, handle: f.searchRuns},
		{method: post, path: "runs/log-metric", right: Write, handle: f.logMetric},
		{method: post, path: "runs/log-parameter", right: Write, handle: f.logParam},
		{method: post, path: "runs/log-batch", right: Write, handle: f.logBatch},
		{method: post, path: "runs/set-tag", right: Write, handle: f.setTag},
		{method: post, path: "runs/delete-tag", right: Write, handle: f.deleteTag},
		{method: post, path: "runs/log-inputs", right: Write, handle: f.logInputs},
		{method: post, path: "runs/outputs", right: Write, handle: f.logOutputs},
		{method: post, path: "runs/log-model", right: Write, handle: f.logModel},
		{method: get, path: "metrics/get-history", right: Read, handle: f.metricHistory},
		{method: get, path: "metrics/get-history-bulk-interval", right: Read, handle: f.metricHistories},
		{method: get, path: "metrics/get-history-bulk", right: Read, handle: f.metricHistoryBulk},
		{method: get, path: "artifacts/list", right: Read, handle: f.listRunArtifacts},

		{method: post, path: "logged-models", right: Write, handle: f.createLoggedModel},
		{method: post, path: "logged-models/search", right: Read, handle: f.searchLoggedModels},
		{method: get, path: "logged-models/{model_id}", right: Read, handle: f.getLoggedModel},
		{method: patch, path: "logged-models/{model_id}", right: Write, handle: f.finalizeLoggedModel},
		{method: del, path: "logged-models/{model_id}", right: Write, handle: f.deleteLoggedModel},
		{method: post, path: "logged-models/{model_id}/params", right: Write, handle: f.logLoggedModelParams},
		{method: patch, path: "logged-models/{model_id}/tags", right: Write, handle: f.setLoggedModelTags},
		{method: del, path: "logged-models/{model_id}/tags/{tag_key}", right: Write, handle: f.deleteLoggedModelTag},
		{method: get, path: "logged-models/{model_id}/artifacts/directories", right: Read, handle: f.listModelArtifacts},

		{method: post, path: "registered-models/create", right: Write, handle: f.createModel},
		{method: get, path: "registered-models/get", right: Read, handle: f.getModel},
		{method: patch, path: "registered-models/update", right: Write, handle: f.updateModel},
		{method: post, path: "registered-models/rename", right: Write, handle: f.renameModel},
		{method: del, path: "registered-models/delete", right: Write, handle: f.deleteModel},
		{method: get, path: "registered-models/search", right: Read, handle: f.searchModels},
		{method: post, path: "registered-models/set-tag", right: Write, handle: f.setModelTag},
		{method: del, path: "registered-models/delete-tag", right: Write, handle: f.deleteModelTag},
		{method: post, path: "registered-models/alias", right: Write, handle: f.setAlias},
		{method: del, path: "registered-models/alias", right: Write, handle: f.deleteAlias},
		{method: get, path: "registered-models/alias", right: Read, handle: f.getByAlias},
		{method: get, path: "registered-models/get-latest-versions", right: Read, handle: f.latestVersions},
		{method: post, path: "registered-models/get-latest-versions", right: Read, handle: f.latestVersions},
		{method: post, path: "model-versions/create", right: Write, handle: f.createVersion},
		{method: get, path: "model-versions/get", right: Read, handle: f.getVersion},
		{method: patch, path: "model-versions/update", right: Write, handle: f.updateVersion},
		{method: post, path: "model-versions/transition-stage", right: Write, handle: f.transition},
		{method: del, path: "model-versions/delete", right: Write, handle: f.deleteVersion},
		{method: get, path: "model-versions/get-download-uri", right: Read, handle: f.downloadURI},
		{method: get, path: "model-versions/search", right: Read, handle: f.searchVersions},
		{method: post, path: "model-versions/set-tag", right: Write, handle: f.setVersionTag},
		{method: del, path: "model-versions/delete-tag", right: Write, handle: f.deleteVersionTag},

		{method: post, path: "traces", right: Write, handle: f.beginTrace},
		{method: get, path: "traces", right: Read, handle: f.searchOldTraces},
		{method: patch, path: "traces/{trace_id}", right: Write, handle: f.endTrace},
		{method: get, path: "traces/{trace_id}/info", right: Read, handle: f.oldTraceInfo},
		{method: post, path: "traces", versions: three, right: Write, handle: f.startTrace},
		{method: get, path: "traces/get", versions: three, right: Read, handle: f.fullTrace},
		{method: get, path: "traces/batchGet", versions: three, right: Read, handle: f.batchTraces},
		{method: post, path: "traces/batchGetInfos", versions: three, right: Read, handle: f.batchInfos},
		{method: post, path: "traces/search", versions: three, right: Read, handle: f.searchTraces},
		{method: get, path: "traces/{trace_id}", versions: three, right: Read, handle: f.traceInfo},
		{method: patch, path: "traces/{trace_id}/tags", versions: either, right: Write, handle: f.setTraceTag},
		{method: del, path: "traces/{trace_id}/tags", versions: either, right: Write, handle: f.deleteTraceTag},
		{method: post, path: "traces/link-to-run", versions: either, right: Write, handle: f.linkTraces},
		{method: post, path: "traces/delete-traces", versions: either, right: Write, handle: f.deleteTraces},
		{method: get, path: "get-trace-artifact", versions: either, right: Read, serve: f.getTraceArtifact},
		{method: post, path: "traces/{trace_id}/assessments", versions: three, right: Write, handle: f.createAssessment},
		{method: get, path: "traces/{trace_id}/assessments/{assessment_id}", versions: three, right: Read, handle: f.getAssessment},
		{method: patch, path: "traces/{trace_id}/assessments/{assessment_id}", versions: three, right: Write, handle: f.updateAssessment},
		{method: del, path: "traces/{trace_id}/assessments/{assessment_id}", versions: three, right: Write, handle: f.deleteAssessment},

		{method: post, path: "scorers/register", versions: three, right: Write, handle: f.registerScorer},
		{method: get, path: "scorers/list", versions: three, right: Read, handle: f.listScorers},
		{method: get, path: "scorers/versions", versions: three, right: Read, handle: f.scorerVersions},
		{method: get, path: "scorers/get", versions: three, right: Read, handle: f.getScorer},
		{method: del, path: "scorers/delete", versions: three, right: Write, handle: f.deleteScorer},
		{method: get, path: "scorers/online-configs", versions: three, right: Read, handle: f.scorerConfigs},
		{method: post, path: "datasets/create", versions: three, right: Write, handle: f.createEvaluation},
		{method: get, path: "datasets/search", versions: three, right: Read, handle: f.searchEvaluations},
		{method: post, path: "datasets/search", versions: three, right: Read, handle: f.searchEvaluations},
		{method: get, path: "datasets/{dataset_id}", versions: three, right: Read, handle: f.getEvaluation},
		{method: del, path: "datasets/{dataset_id}", versions: three, right: Write, handle: f.deleteEvaluation},
		{method: get, path: "datasets/{dataset_id}/experiment-ids", versions: three, right: Read, handle: f.evaluationExperiments},
		{method: post, path: "datasets/{dataset_id}/add-experiments", versions: three, right: Write, handle: f.moveEvaluation(true)},
		{method: post, path: "datasets/{dataset_id}/remove-experiments", versions: three, right: Write, handle: f.moveEvaluation(false)},
		{method: patch, path: "datasets/{dataset_id}/tags", versions: three, right: Write, handle: f.setEvaluationTags},
		{method: del, path: "datasets/{dataset_id}/tags/{key}", versions: three, right: Write, handle: f.deleteEvaluationTag},
		{method: post, path: "datasets/{dataset_id}/records", versions: three, right: Write, handle: f.upsertRecords},
		{method: get, path: "datasets/{dataset_id}/records", versions: three, right: Read, handle: f.evaluationRecords},
		{method: del, path: "datasets/{dataset_id}/records", versions: three, right: Write, handle: f.deleteRecords},

		{method: post, path: "webhooks", right: Manage, handle: f.createWebhook},
		{method: get, path: "webhooks", right: Manage, handle: f.listWebhooks},
		{method: get, path: "webhooks/{webhook_id}", right: Manage, handle: f.getWebhook},
		{method: patch, path: "webhooks/{webhook_id}", right: Manage, handle: f.updateWebhook},
		{method: del, path: "webhooks/{webhook_id}", right: Manage, handle: f.deleteWebhook},
		{method: post, path: "webhooks/{webhook_id}/test", right: Manage, handle: f.testWebhook},

		{method: post, path: "users/create", right: Accounts, handle: f.createUser},
		{method: get, path: "users/get", right: Account, handle: f.getUser},
		{method: get, path: "users/list", right: Accounts, handle: f.listUsers},
		{method: patch, path: "users/update-password", right: Account, handle: f.updatePassword},
		{method: patch, path: "users/update-admin", right: Accounts, handle: f.updateAdmin},
		{method: del, path: "users/delete", right: Accounts, handle: f.deleteUser},
		{method: post, path: "experiments/permissions/create", right: Account, handle: f.createPermission(kindExperiment)},
		{method: get, path: "experiments/permissions/get", right: Account, handle: f.getPermission(kindExperiment)},
		{method: patch, path: "experiments/permissions/update", right: Account, handle: f.updatePermission(kindExperiment)},
		{method: del, path: "experiments/permissions/delete", right: Account, handle: f.deletePermission(kindExperiment)},
		{method: post, path: "registered-models/permissions/create", right: Account, handle: f.createPermission(kindModel)},
		{method: get, path: "registered-models/permissions/get", right: Account, handle: f.getPermission(kindModel)},
		{method: patch, path: "registered-models/permissions/update", right: Account, handle: f.updatePermission(kindModel)},
		{method: del, path: "registered-models/permissions/delete", right: Account, handle: f.deletePermission(kindModel)},

		{method: get, path: "server-info", versions: three, right: Read, handle: f.serverInfo},
	}
}

// plain returns what stands outside the API's prefixes.
func (f *Face) plain() []pattern {
	list := []pattern{
		{"GET", "/health", Everybody, http.HandlerFunc(health)},
		{"GET", "/version", Read, http.HandlerFunc(version)},
		{"GET", "/get-artifact", Read, http.HandlerFunc(f.getArtifact)},
	}
	return append(list, f.artifactPatterns()...)
}

func health(w http.ResponseWriter, _ *http.Request)  { plainText(w, "OK") }
func version(w http.ResponseWriter, _ *http.Request) { plainText(w, Version) }

func plainText(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text)) // who asked may be gone
}
