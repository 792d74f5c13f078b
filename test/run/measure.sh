#!/usr/bin/env bash
# Runs the measurements of one kind, "bench" or "score": every script in test/KIND, in the order of names. They read
# data sets from $FAIRLEAD_DATA; a script whose data are absent says so and exits 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=$1

if [ "$kind" = score ] && ! [ -d "$FAIRLEAD_DATA" ]; then
	echo "score: no data sets in $FAIRLEAD_DATA; set FAIRLEAD_DATA to the folder that holds them"
	exit 0
fi
status=0
shopt -s nullglob
for script in test/"$kind"/*.sh; do
	echo "== $script"
	bash "$script" || { status=1; echo "$script failed"; }
done
exit $status
