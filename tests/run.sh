#!/usr/bin/env bash
# Sets everything up, Chromium for the browser tests included, and passes the tests.
# Words after the command go to pytest, for example: bash tests/run.sh tests/engine
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/environment"
cd "$project"
prepare tests/requirements.txt
browser=
if ! command -v chromium chromium-browser google-chrome >/dev/null; then
    say "Installing Chromium for the browser tests ..."
    # Meanwhile the code is read: the one waits for the network and the disk, the other for one core.
    install_debian chromium fonts-noto-color-emoji &
    browser=$!
fi
# One thread per process: the tests run in parallel, and more threads would only fight for the cores.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
.venv/bin/python -m ruff check .
.venv/bin/python -m ruff format --check --quiet .
# Types are read beside the first tests, which wait for pages. Without the cache, which can report attributes as missing
# after a module of a package has changed.
.venv/bin/python -m mypy --no-incremental >.venv/types.txt 2>&1 &
checker=$!
[ -z "$browser" ] || wait "$browser" || say "Chromium cannot be installed; browser tests will be skipped."
status=0
# A file stays in one process, which keeps what its tests share; the longest come first (tests/conftest.py).
.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q "$@" || status=$?
wait "$checker" || { status=$?; cat .venv/types.txt >&2; }
exit "$status"
