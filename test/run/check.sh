#!/usr/bin/env bash
# Runs every static check that CI runs, in order, goes on after a failure, and says at the end how long each took.
# Long output goes to .cache/check/; its tail is shown when the check fails.
set -uo pipefail
cd "$(dirname "$0")/../.."
PATH=$PWD/.cache/bin:$PATH
out=.cache/check
mkdir -p $out
failed=()
begun=$SECONDS

check() { # check NAME COMMAND...
	local name=$1 start=$SECONDS
	shift
	if "$@" >"$out/$name.log" 2>&1; then
		printf 'ok    %-12s %4d s\n' "$name" $((SECONDS - start))
	else
		printf 'FAIL  %-12s %4d s  (%s/%s.log)\n' "$name" $((SECONDS - start)) $out "$name"
		tail -n 40 "$out/$name.log" | sed 's/^/      /'
		failed+=("$name")
	fi
}

skip() { # skip NAME WHY; with FAIRLEAD_REQUIRE_ALL=1 a failure
	if [ "${FAIRLEAD_REQUIRE_ALL:-}" = 1 ]; then
		printf 'FAIL  %-12s %s\n' "$1" "$2"
		failed+=("$1")
	else
		printf 'skip  %-12s %s\n' "$1" "$2"
	fi
}

# clean_diff NAME: prints what differs and fails when the formatter would change something.
format() {
	local diff
	diff=$(golangci-lint fmt --diff ./... 2>&1) || { echo "$diff"; return 1; }
	[ -z "$diff" ] || { echo "$diff"; return 1; }
}

shell_scripts() {
	local script status=0
	for script in .ci/run $(git ls-files '*.sh'); do bash -n "$script" || status=1; done
	if command -v shellcheck >/dev/null; then shellcheck -x .ci/run $(git ls-files '*.sh') || status=1; fi
	return $status
}

check layout go test -count=1 .
if command -v golangci-lint >/dev/null; then
	check format format
	check vet go vet ./...
	check lint golangci-lint run ./...
else
	check vet go vet ./...
	skip lint 'golangci-lint is not built; make setup says why'
fi
check docs go test -count=1 ./test/docs
check shell shell_scripts
if [ -e web/ui/node_modules ]; then
	check ui-lint npm --prefix web/ui run --silent lint
	check ui-types npm --prefix web/ui run --silent typecheck
elif [ -e web/ui/package.json ]; then
	skip ui-lint 'the npm packages of web/ui are not installed; make setup says why'
fi
check generated test/run/generate.sh --check

printf 'checks took %d s\n' $((SECONDS - begun))
[ ${#failed[@]} = 0 ] && echo 'all checks passed' && exit 0
echo "failed: ${failed[*]}"
exit 1
