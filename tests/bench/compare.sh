#!/usr/bin/env bash
# Times lazynet against ONNX Runtime and PyTorch: installs them, builds the workers unless they are
# there, and writes a table and a plot into bench-results/. An hour or two for all; a minute with
#   bash tests/bench/compare.sh --quick
# Arguments go to compare.py; --help lists them. With --build-dir nothing is built.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
work=${TMPDIR:-/tmp}/lazynet-bench
build=

arguments=("$@")
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) exec /usr/bin/python3 "$here/compare.py" --help ;;
    --work-dir) work=${2:?"--work-dir wants a folder"}; shift ;;
    --work-dir=*) work=${1#*=} ;;
    --build-dir) build=${2:?"--build-dir wants a folder"}; shift ;;
    --build-dir=*) build=${1#*=} ;;
  esac
  shift
done

say() { printf 'compare: %s\n' "$*" >&2; }

# Installs the packages in "$@" that are missing.
install_packages() {
  local -a missing=() as_root=()
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get -qq update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
    "${missing[@]}" >&2
}

install_packages python3-torch python3-torchvision python3-onnx python3-numpy python3-matplotlib \
  libopenblas0-pthread
# Other sources than Debian have npm in their package of nodejs.
command -v npm >/dev/null || install_packages nodejs npm

mkdir -p "$work"
if ! compgen -G "$work/node_modules/onnxruntime-node/bin/*/linux/*/libonnxruntime.so.1" >/dev/null; then
  say "installing ONNX Runtime into $work"
  # Its script would fetch libraries for graphics cards.
  npm install --prefix "$work" --ignore-scripts --no-audit --no-fund --loglevel=error onnxruntime-node >&2
fi

workers=$root/build/release/tests/bench
if [ -z "$build" ] && { [ ! -x "$workers/lazynet_worker" ] || [ ! -x "$workers/ort_worker" ]; }; then
  say "building the workers"
  bash "$root/deploy/install-dependencies.sh" build >&2
  (cd "$root" && cmake --preset release -Wno-dev >/dev/null &&
    cmake --build --preset release --parallel --target lazynet_worker ort_worker >&2)
fi

exec /usr/bin/python3 "$here/compare.py" "${arguments[@]}"
