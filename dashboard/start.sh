#!/usr/bin/env bash
# Sets everything up and opens the dashboard on the shipped runs. Words after the command go to Streamlit,
# for example: bash dashboard/start.sh --server.port 8600
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../.ci/environment"
cd "$project"
prepare requirements.txt
say "Opening the dashboard; stop it with Ctrl+C."
exec .venv/bin/python -m dashboard "$@"
