#!/usr/bin/env bash
# Start-up time: the median of 21 runs of `BINARY --version`, in milliseconds.
# usage: bench/startup.sh BINARY [BAR_MS]     exits 1 above the bar (30 ms)
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
binary=$1
bar=${2:-30}

times=$(for _ in $(seq 21); do
  start=$(date +%s%N)
  "$binary" --version >/dev/null
  end=$(date +%s%N)
  echo $(((end - start) / 1000))
done | sort -n)
median=$(sed -n 11p <<<"$times")
printf 'start-up: median %d.%03d ms, best %d.%03d ms, bar %s ms\n' $((median / 1000)) $((median % 1000)) \
  $(($(head -1 <<<"$times") / 1000)) $(($(head -1 <<<"$times") % 1000)) "$bar"
[ "$median" -le $((bar * 1000)) ]
