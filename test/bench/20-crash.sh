#!/usr/bin/env bash
# Fifty kills under load, of the server alone, of PostgreSQL and of NATS behind it (some minutes).
set -euo pipefail
go test -count=1 -timeout 30m -v -run 'Nothing|Early|Sample' ./test/crash -kills 50 | grep -v 'embedded NATS'
