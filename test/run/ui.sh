#!/usr/bin/env bash
# Builds the web page when its sources are newer than the last build. Without Node.js it says so and succeeds: the
# binary then serves a page that says how to build the real one.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! [ -e web/ui/package-lock.json ]; then
	echo 'ui: no page here yet'
	exit 0
fi
if ! command -v npm >/dev/null; then
	echo 'ui: not built, because Node.js (20 or newer) with npm is missing; the binary will say how to build it'
	exit 0
fi
test/setup/setup.sh ui
if [ -e web/ui/dist/index.html ] && [ -z "$(find web/ui -newer web/ui/dist/index.html -type f -not -path '*/dist/*' -not -path '*/node_modules/*' -print -quit)" ]; then
	exit 0
fi
mkdir -p .cache
echo 'ui: building web/ui/dist'
(cd web/ui && npm run build) >.cache/ui-build.log 2>&1 || {
	tail -n 30 .cache/ui-build.log
	exit 1
}
