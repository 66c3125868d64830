#!/usr/bin/env bash
# Installs the Debian 12 packages that lazynet is built, run and tested with.
#
#   install-dependencies.sh [build|test|bench|lint]
#   install-dependencies.sh --list [build|test|bench|lint]
#
#   build   (default) what building and running the server and the client takes
#   test    that, and what the tests take beside it: about 1.7 GB, half of it PyTorch, the oracle of many
#   bench   build, and what tests/bench measures with; compare.sh there installs its peers itself
#   lint    only the tools that check the style of the sources
#   --list  print the packages and what each is for, and change nothing
#
# Runs as root, or as a user who may use sudo. Nothing is done for packages that are installed already, so that it may
# be run again at any time.
#
# Exit status: 0 all is installed, 1 something could not be installed, 2 wrong use.
set -euo pipefail

# set | package | why. Only what our own files name: what these packages depend on comes with them.
packages() {
  sed -E '/^ *(#|$)/d; s/ *\| */|/g; s/^ +| +$//g' <<'TABLE'
    build | g++                    | compiler (C++20; version 12 is what we test with)
    build | cmake                  | builds the tree, from 3.25 on
    build | ninja-build            | the generator that CMakePresets.json names
    build | ccache                 | makes second builds fast; found by itself, not required
    build | libgrpc++-dev          | gRPC server and client, health service, reflection
    build | protobuf-compiler      | protoc: makes C++ of proto/
    build | protobuf-compiler-grpc | protoc's plugin for services
    build | libprotobuf-dev        | messages, text format and JSON of definitions
    build | libabsl-dev            | Status and StatusOr
    build | libdnnl-dev            | oneDNN: the CPU kernels
    build | libblas-dev            | BLAS: matrix products of FP64
    build | ocl-icd-opencl-dev     | never used, but find_package(dnnl) asks for OpenCL
    build | liblapack-dev          | QR decomposition of orthogonal initial values
    build | prometheus-cpp-dev     | the data model and text format of metrics
    build | libssl-dev             | SHA-256 of parameters and definitions, certificates, tokens
    build | zlib1g-dev             | compressed requests
    build | libspdlog-dev          | logging
    build | libfmt-dev             | text of errors and logs
    build | libcli11-dev           | command lines
    build | nlohmann-json3-dev     | headers of safetensors files, JSON output
    build | python3                | quickstart.sh shows the digits with it; end-to-end tests
    test  | libgtest-dev           | GoogleTest
    test  | libgmock-dev           | its matchers
    bench | libbenchmark-dev       | Google Benchmark, of tests/bench/lazynet_bench.cc
    test  | python3-grpcio         | a gRPC client that is not ours
    test  | python3-protobuf       | its messages
    test  | python3-numpy          | arrays of requests and golden values
    test  | python3-onnx           | reads a network of ../shared/data
    test  | python3-torch          | PyTorch: the oracle for values and lazy semantics
    test  | python3-torchvision    | networks to export, and PyTorch's outputs for them
    test  | openssl                | makes certificates for tests of TLS
    test  | prometheus             | promtool checks metrics and alerts; a server scrapes ours
    lint  | clang-format           | .clang-format
    lint  | clang-tidy             | .clang-tidy
    lint  | shellcheck             | shell scripts
TABLE
}

say() { printf 'install-dependencies: %s\n' "$*"; }
die() { local status=$1; shift; say "error: $*" >&2; exit "$status"; }
usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

# Prints the rows of the sets in "$@".
rows_of() {
  packages | awk -F'|' -v sets=" $* " 'index(sets, " " $1 " ")'
}

# Prints the packages of the sets in "$@" that are not installed.
missing_of() {
  local name
  rows_of "$@" | cut -d'|' -f2 | while read -r name; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
  done
}

# The release is checked by name only to warn: apt itself says which package another one lacks.
check_system() {
  local tool release
  for tool in apt-get dpkg-query; do
    command -v "$tool" >/dev/null ||
      die 1 "this is not Debian: $tool is not here. Install by other means what --list prints."
  done
  # shellcheck source=/dev/null
  release=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-}" "${VERSION_ID:-}") || release=unknown
  [ "$release" = "debian 12" ] ||
    say "warning: this is ${release:-unknown}, not Debian 12: packages may be missing or of other versions" >&2
}

# Runs apt-get "$@" as root, silently but for one line per wanted package that is set up; shows the end of what it
# said if it fails.
apt_get() {
  local -a as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die 1 "this needs root: run it as root, or install sudo"
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" \
    </dev/null 2>&1 | tee "$log" | awk -v wanted=" ${missing[*]} " '
      /^Setting up / { name = $3; sub(/:.*/, "", name)
        if (index(wanted, " " name " ")) { print "  " name " " $4; fflush() } }' || {
    tail -n 20 "$log" >&2
    die 1 "apt-get $1 failed (its last lines are above)"
  }
}

main() {
  local list=0 wanted=''
  while [ $# -gt 0 ]; do
    case $1 in
      --list) list=1 ;;
      -h | --help) usage; exit 0 ;;
      build | test | bench | lint) [ -z "$wanted" ] || die 2 "more than one set: $wanted and $1"; wanted=$1 ;;
      *) die 2 "unknown argument '$1' (see --help)" ;;
    esac
    shift
  done

  local -a sets
  case $wanted in
    test) sets=(build test) ;;
    bench) sets=(build bench) ;;
    lint) sets=(lint) ;;
    build) sets=(build) ;;
    '') if [ $list -eq 1 ]; then sets=(build test bench lint); else sets=(build); fi ;;
  esac
  if [ $list -eq 1 ]; then
    rows_of "${sets[@]}" | awk -F'|' '{ printf "%-5s  %-22s  %s\n", $1, $2, $3 }'
    exit 0
  fi

  check_system
  missing=()
  mapfile -t missing < <(missing_of "${sets[@]}")
  local count
  count=$(rows_of "${sets[@]}" | wc -l)
  if [ ${#missing[@]} -eq 0 ]; then
    say "all $count packages for '${wanted:-build}' are installed"
    exit 0
  fi

  log=$(mktemp)
  trap 'rm -f -- "$log"' EXIT
  say "${#missing[@]} of $count packages for '${wanted:-build}' are missing: ${missing[*]}"
  say "reading the package lists"
  apt_get update
  say "downloading and installing"
  apt_get install -y --no-install-recommends "${missing[@]}"
  mapfile -t missing < <(missing_of "${sets[@]}")
  [ ${#missing[@]} -eq 0 ] || die 1 "still not installed: ${missing[*]}"
  say "done"
}

main "$@"
