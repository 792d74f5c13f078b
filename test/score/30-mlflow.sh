#!/usr/bin/env bash
# How much of what MLflow's clients were recorded to send is answered as MLflow answers: the recordings in $FAIRLEAD_DATA/mlflow,
# each against a server of its own. SCORER_MLFLOW names the replayer, by default the one beside the data.
set -euo pipefail
cd "$(dirname "$0")/../.."
replayer=${SCORER_MLFLOW:-$FAIRLEAD_DATA/../score/mlflow_replay.py}
if ! [ -f "$replayer" ] || ! [ -d "$FAIRLEAD_DATA/mlflow" ]; then
	echo "no recordings in $FAIRLEAD_DATA/mlflow, or no replayer at $replayer"
	exit 0
fi
work=$(mktemp -d)
server=
stop() {
	[ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
	server=
}
trap 'stop; rm -rf "$work"' EXIT
port=${FAIRLEAD_SCORE_PORT:-18470}
# The password with which the recordings log in.
printf password1234 >"$work/password"

for recording in client-2.22 client-3.11 auth-2.22 auth-3.11; do
	[ -f "$FAIRLEAD_DATA/mlflow/$recording.jsonl.gz" ] || continue
	access=()
	case $recording in
	auth-*) access=(env FAIRLEAD_ACCESS_ANONYMOUS_LOOPBACK=false FAIRLEAD_ACCESS_FIRST_ADMIN_NAME=admin FAIRLEAD_ACCESS_FIRST_ADMIN_PASSWORD_FILE="$work/password") ;;
	esac
	"${access[@]}" bin/fairlead serve --data.dir "$work/$recording" --http.listen "127.0.0.1:$port" \
		--otlp.grpc.listen "127.0.0.1:$((port + 1))" --otlp.http.listen "127.0.0.1:$((port + 2))" >"$work/log" 2>&1 &
	server=$!
	for _ in $(seq 100); do
		curl -fs -o /dev/null "http://127.0.0.1:$port/-/ready" && break
		sleep 0.1
	done
	echo "$recording:"
	python3 "$replayer" "http://127.0.0.1:$port" "$FAIRLEAD_DATA/mlflow/$recording.jsonl.gz" --max 3 || true
	stop
done
