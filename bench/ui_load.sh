#!/usr/bin/env bash
# Load on `headroom ui`: `check` of the campus by many connections, by wrk (Debian's package).
# usage: bench/ui_load.sh BINARY [CONNECTIONS] [SECONDS]     50 connections, 10 s
# Prints wrk's latencies, answers that were not 200, and the server's peak memory.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
command -v wrk >/dev/null || { echo "wrk is not installed (apt-get install wrk)" >&2; exit 77; }
binary=$1
connections=${2:-50}
seconds=${3:-10}
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
export HEADROOM_TOKEN=a-token-of-the-benchmark

"$binary" ui "$root/scenarios/campus-100k.yaml" --no-open >"$folder/out" &
server=$!
trap 'kill -INT $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 100); do [ -s "$folder/out" ] && break; sleep 0.05; done
url=$(sed -n '1s/\/?token.*//p' "$folder/out")

python3 - "$root/scenarios/campus-100k.yaml" >"$folder/post.lua" <<'PY'
import json, sys
body = json.dumps({"verb": "check", "options": [], "name": "x.yaml", "text": open(sys.argv[1]).read()})
print('wrk.method = "POST"')
print("wrk.body = [==[" + body + "]==]")
print('wrk.headers["Content-Type"] = "application/json"')
print('wrk.headers["X-Headroom-Token"] = "a-token-of-the-benchmark"')
PY

echo "one connection:"
wrk -t1 -c1 -d3s --latency -s "$folder/post.lua" "$url/api/run" | grep -E '50%|99%|requests in|Non-2xx|Socket errors'
echo "$connections connections:"
wrk -t2 -c"$connections" -d"${seconds}s" --timeout 30s --latency -s "$folder/post.lua" "$url/api/run" |
  grep -E '50%|99%|requests in|Requests/sec|Non-2xx|Socket errors'
echo "page and catalogue:"
wrk -t2 -c"$connections" -d3s --latency -H "X-Headroom-Token: $HEADROOM_TOKEN" "$url/api/catalog" |
  grep -E '99%|Requests/sec|Non-2xx|Socket errors'
awk '/VmHWM/ {printf "peak memory %.0f MiB\n", $2 / 1024}' "/proc/$server/status"
