#!/usr/bin/env bash
# Runs the browser tests (some minutes) and ends with the line "N passed, N failed".
#   FAIRLEAD_URL  test this server instead of starting one (its incidents are touched)
#   FAIRLEAD      the binary to start (default bin/fairlead)
set -uo pipefail
cd "$(dirname "$0")/../.."
export FAIRLEAD="${FAIRLEAD:-$PWD/bin/fairlead}"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
node --test --test-concurrency=2 --test-timeout=300000 --test-reporter=tap test/browser/*.test.mjs >"$out"
code=$?
grep -v '^ *---$\|^ *\.\.\.$\|duration_ms\|^ *type:' "$out"
passed=$(sed -n 's/^# pass //p' "$out")
failed=$(sed -n 's/^# fail //p' "$out")
skipped=$(sed -n 's/^# skipped //p' "$out")
echo "${passed:-0} passed, ${failed:-1} failed$([ "${skipped:-0}" = 0 ] || echo ", $skipped skipped")"
exit $code
