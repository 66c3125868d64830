#!/usr/bin/env bash
# From nothing to answered requests, on a fresh Debian 12: installs packages, builds, starts the
# server on the embedded models, sends real digits and shows what happens.
#
#   bash deploy/quickstart.sh [--keep]
#
#   --keep   leave the server running at the end (its process id is printed)
set -euo pipefail

cd "$(dirname "$0")/.."
keep=0
case ${1:-} in
  '') ;;
  --keep) keep=1 ;;
  -h|--help) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
  *) echo "quickstart: unknown argument $1 (see --help)" >&2; exit 2 ;;
esac

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

say 'Packages'
bash deploy/install-dependencies.sh build

say 'Build (a few minutes the first time)'
cmake --preset release -DLAZYNET_TESTS=OFF -Wno-dev >/dev/null
cmake --build --preset release --parallel --target lazynet-server lazynet
client=build/release/service/cli/lazynet

say 'Start the server on deploy/models'
log=$(mktemp)
build/release/service/lazynet-server --model-repository deploy/models >"$log" 2>&1 &
server=$!
stop() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
}
trap stop EXIT
# A server of somebody else on the same port would answer as well: ours must still be there.
if ! "$client" wait --timeout 30 || ! kill -0 "$server" 2>/dev/null; then
  cat "$log" >&2
  exit 1
fi
cat "$log"
"$client" models

say 'A lazy network: its input sizes are not known yet'
"$client" describe lazy_mlp
say 'Its first request, 10 rows of 10 numbers, materializes it'
"$client" infer lazy_mlp --input random:10x10
"$client" describe lazy_mlp
say 'From now on other sizes are refused'
"$client" infer lazy_mlp --input random:4x7 || true

say 'Real digits, read by the mnist network'
"$client" infer mnist --input deploy/examples/mnist-digits.safetensors --json |
  python3 deploy/examples/show_digits.py deploy/examples/mnist-digits.safetensors

say 'Some metrics (http://127.0.0.1:8002/metrics)'
python3 - <<'PYTHON'
import urllib.request
text = urllib.request.urlopen("http://127.0.0.1:8002/metrics").read().decode()
wanted = ("lazynet_requests_total{", "lazynet_materializations_total{", "lazynet_network_state{",
          "lazynet_plan_cache_hits_total", "lazynet_compute_duration_seconds_sum")
for line in text.splitlines():
    if line.startswith(wanted) and not line.endswith(" 0"):
        print(line)
PYTHON

if [ "$keep" -eq 1 ]; then
  trap - EXIT
  say "The server runs on 127.0.0.1:8001 (process $server, log $log); stop it with: kill $server"
else
  say 'Stop'
  kill -TERM "$server"
  wait "$server"
  trap - EXIT
  tail -n 2 "$log"
  rm -f "$log"
fi
