#!/usr/bin/env bash
# Writes the generated files: the reference in docs/reference and the UI's API types. With --check it writes nothing and
# fails when one of them is not what it would write.
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=${1:-}
status=0

# generate FILE COMMAND...: the command's output is the file.
generate() {
	local file=$1 fresh
	shift
	fresh=$(mktemp)
	"$@" >"$fresh"
	if cmp -s "$fresh" "$file"; then
		rm -f "$fresh"
	elif [ "$mode" = --check ]; then
		echo "$file is not up to date; write it with test/run/generate.sh"
		diff -u "$file" "$fresh" | head -n 40 || true
		rm -f "$fresh"
		status=1
	else
		mkdir -p "$(dirname "$file")"
		chmod 644 "$fresh"
		mv "$fresh" "$file"
		echo "wrote $file"
	fi
}

reference=$(mktemp -d)/reference
trap 'rm -rf "$(dirname "$reference")"' EXIT
go build -o "$reference" ./test/reference
for page in cli config api metrics; do
	generate docs/reference/$page.md "$reference" $page
done

# The page's types follow from the API's description.
generate web/ui/openapi.json "$reference" openapi
if [ -e web/ui/node_modules ]; then
	if [ "$mode" = --check ]; then
		npm --prefix web/ui run --silent gen:check || status=1
	else
		npm --prefix web/ui run --silent gen
	fi
fi
exit $status
