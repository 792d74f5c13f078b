#!/usr/bin/env bash
# First load and interactions of the page with 10,000 alerts, and an experiment with 10,000 runs, in Chromium (two minutes).
set -euo pipefail
if ! command -v chromium >/dev/null || ! [ -d web/ui/node_modules ]; then
	echo "the page is not measured: it takes chromium and the npm packages of web/ui; make setup installs them"
	exit 0
fi
node test/browser/speed.mjs
node test/browser/runs.mjs
