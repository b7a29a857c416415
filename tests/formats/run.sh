#!/usr/bin/env bash
# Makes files of every format × element type × compression with the libraries that people write them with, reads each, and
# compares every value and label with what those libraries read. Prints the table of docs/data.md.
# usage: tests/formats/run.sh [PYTHON]         (needs python3 with venv, and pip's index; else it says so and succeeds)
#        PYTHON is one that has the packages already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python=${1:-$work/venv/bin/python}
if [ $# -eq 0 ]; then
    if ! command -v python3 >/dev/null || ! python3 -m venv "$work/venv" 2>/dev/null; then
        echo "SKIPPED: no python3 with venv"
        exit 0
    fi
    if ! "$python" -m pip install --quiet --disable-pip-version-check \
        numpy scipy pandas polars pyarrow duckdb anndata scanpy 2>"$work/pip.log"; then
        echo "SKIPPED: packages cannot be installed: $(tail -n 1 "$work/pip.log")"
        exit 0
    fi
fi

cd "$here/../.."
cargo build --package eigensweep-inputs --example read --features hdf5
"$python" "$here/make.py" "$work/files"
"$python" "$here/compare.py" "$work/files" "${CARGO_TARGET_DIR:-target}/debug/examples/read"
