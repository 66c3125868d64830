#!/usr/bin/env bash
# Installs what is needed, builds everything and runs all tests. Arguments go to ctest, such as
#   bash tests/run.sh -R Inference
# LAZYNET_PRESET chooses another preset of CMakePresets.json: dev, asan-ubsan, tsan, coverage.
set -euo pipefail

cd "$(dirname "$0")/.."
preset=${LAZYNET_PRESET:-release}
bash deploy/install-dependencies.sh test
cmake --preset "$preset" -DLAZYNET_TESTS=ON
cmake --build --preset "$preset" --parallel
ctest --preset "$preset" --parallel "$(nproc)" "$@"
