#!/usr/bin/env bash
# Reads a data set with old and new versions of the programs that people use, and compares counts and sums with each other.
# usage: tests/readers/run.sh DATASET          (needs python3 with venv, and pip's index; else it says so and succeeds)
set -euo pipefail
set=${1:?usage: run.sh DATASET}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! command -v python3 >/dev/null || ! python3 -m venv "$work/probe" 2>/dev/null; then
    echo "SKIPPED: no python3 with venv"
    exit 0
fi

# Of each line: a name, and what pip installs. The oldest that are in use, those that refused files of parquet 60, and the current ones.
expected=
while read -r name packages; do
    python3 -m venv "$work/$name"
    # shellcheck disable=SC2086
    if ! "$work/$name/bin/pip" install --quiet --disable-pip-version-check $packages 2>"$work/$name.log"; then
        echo "SKIPPED: $name cannot be installed: $(tail -n 1 "$work/$name.log")"
        continue
    fi
    found=$("$work/$name/bin/python" "$here/read.py" "${name%%-*}" "$set")
    echo "$name: $found"
    : "${expected:=$found}"
    if [ "$found" != "$expected" ]; then
        echo "$name reads other rows than the first of them: $expected" >&2
        exit 1
    fi
done <<'READERS'
polars-1.9 polars==1.9.0
polars-1.22 polars==1.22.0
polars-1.44 polars==1.44.2
polars-current polars
pyarrow-14 pyarrow==14.0.2 numpy<2
pyarrow-current pyarrow
pandas-current pandas pyarrow
duckdb-1.0 duckdb==1.0.0
duckdb-current duckdb
READERS
