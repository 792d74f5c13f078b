#!/usr/bin/env bash
# How well samples are judged: NAB's files in $FAIRLEAD_DATA by the scorer that comes with them, generated fleets of normal
# series with injected faults (two seeds), and what people would be told of a simulated system of 10,000 and 300,000 series.
set -euo pipefail
cd "$(dirname "$0")/../.."
scorers=${FAIRLEAD_SCORE:-$FAIRLEAD_DATA/../score}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=python3
for candidate in /usr/bin/python3 python3; do
	if "$candidate" -c 'import numpy' 2>/dev/null; then python=$candidate; break; fi
done
if ! "$python" -c 'import numpy' 2>/dev/null; then
	echo "score: the scorers of series need Python with numpy (Debian: python3-numpy)"
	exit 0
fi

if [ -d "$FAIRLEAD_DATA/anomaly/nab/data" ]; then
	bin/fairlead eval anomaly --in "$FAIRLEAD_DATA/anomaly/nab/data" --out "$work/nab"
	"$python" "$scorers/nab_score.py" "$work/nab" --nab "$FAIRLEAD_DATA/anomaly/nab"
else
	echo "no NAB in $FAIRLEAD_DATA/anomaly/nab"
fi

if [ -f "$scorers/fleet/gen.py" ]; then
	for seed in 11 12; do
		"$python" "$scorers/fleet/gen.py" "$work/fleet$seed" --seed "$seed" --weeks 4 --per-kind 20 --faulty-per-kind 8 --neutral-names
		bin/fairlead eval anomaly --in "$work/fleet$seed" --out "$work/judged$seed"
		"$python" "$scorers/fleet/score.py" "$work/fleet$seed" "$work/judged$seed"
	done
	"$python" "$scorers/fleet/prefix.py" "$work/fleet11" "$work/cut"
	bin/fairlead eval anomaly --in "$work/cut" --out "$work/judgedcut"
	"$python" "$scorers/fleet/score.py" "$work/fleet11" --causal "$work/judged11" "$work/judgedcut"
else
	echo "no generator of fleets in $scorers/fleet"
fi

go build -o "$work/simulate" ./test/fleet
"$work/simulate" -series 10000 -step 1m -weeks 4
"$work/simulate" -series 300000 -step 5m -weeks 1
