#!/usr/bin/env bash
# How well alerts become incidents on the recorded streams in $FAIRLEAD_DATA/alerts (some minutes). SCORER names the scorer,
# by default the one beside the data.
set -euo pipefail
command -v python3 >/dev/null || { echo 'score: python3 is missing; the scorer needs it'; exit 0; }
exec go run ./test/score -data "$FAIRLEAD_DATA" -scorer "${SCORER:-$FAIRLEAD_DATA/../score/alerts_score.py}"
