#!/usr/bin/env bash
# Alerts a second end to end beside Alertmanager, then a million stored alerts (some minutes).
set -euo pipefail
exec go run ./test/bench
