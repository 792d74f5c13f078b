#!/usr/bin/env bash
# MLflow's API with 8 clients: runs, metrics and batches a second, search among 5,000 and 100,000 runs, artifacts, and memory
# (some minutes).
set -euo pipefail
exec go run ./test/mlflow -binary bin/fairlead
