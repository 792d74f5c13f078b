#!/usr/bin/env bash
# What samples cost: the detector over 300,000 series beside Prometheus' database; how many samples a second are taken, durable, by
# each protocol; and 300,000 series every 15 seconds, with a restart. FAIRLEAD_BENCH_PACE is how long the last goes on.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/samples" ./test/samples
"$work/samples" detector
for protocol in remote-write otlp; do "$work/samples" send -protocol "$protocol"; done
"$work/samples" pace -length "${FAIRLEAD_BENCH_PACE:-10m}"
