#!/usr/bin/env bash
# Checks what packaging/build.sh left in dist/, as a machine would that has never seen it.
#
#     packaging/check.sh          everything, on each Python from 3.11 that there is, oldest and newest libraries
#     packaging/check.sh quick    the same on one Python with the newest libraries
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
extent=${1:-full}
tools=$root/target/packaging/bin
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
say() { printf '\n-- %s\n' "$*"; }
fail() { echo "packaging/check.sh: $*" >&2; exit 1; }
# A Python by its number, on PATH or pyenv's, that can make environments.
interpreter() {
    for python in "python$1" ~/.pyenv/versions/"$1".*/bin/python; do
        "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
            echo "$python" && return
    done
    return 1
}
no_newer_than_2_17() { [ "$(objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | { cat; echo GLIBC_2.17; } | sort -uV | tail -1)" = GLIBC_2.17 ]; }
smaller() { [ "$(stat -c %s "$1")" -lt "$2" ] || fail "$1 has more than $2 bytes"; }

say "checksums"
(cd dist && sha256sum --check SHA256SUMS)

shopt -s nullglob
wheels=(dist/eigensweep-*.whl)
for wheel in dist/*.whl; do
    say "$wheel: tag"
    "$tools/auditwheel" show "$wheel" | tee "$place/audit"
    kept=$(tr -s '\n' ' ' <"$place/audit" | sed -n 's/.*consistent with the following platform tag: "\([^"]*\)".*/\1/p')
    case $wheel in *"$kept"[.]*) ;; *) fail "$wheel is $kept, and says otherwise" ;; esac
done
for wheel in dist/eigensweep_query-*.whl; do
    smaller "$wheel" 60000000
done
for archive in dist/*.tar.gz; do
    say "$archive"
    smaller "$archive" 14000000
    [ "$(tar -tf "$archive")" = eigensweep ] || fail "$archive is not the program alone"
done
[ ${#wheels[@]} -eq 0 ] && exit
[ ${#wheels[@]} -eq 1 ] || fail "dist/ has ${#wheels[@]} wheels of eigensweep"
wheel=$root/${wheels[0]}

say "contents"
smaller "$wheel" 27000000
"$tools/python" -m zipfile -e "$wheel" "$place/wheel"
"$tools/python" packaging/check_wheel.py "$place/wheel"
module=$place/wheel/eigensweep/_core.abi3.so
program=$(echo "$place"/wheel/*.data/scripts/eigensweep)
no_newer_than_2_17 "$module" || fail "the module needs a newer glibc than 2.17"
[ "$(nm -D --defined-only "$module" | cut -d' ' -f3)" = PyInit__core ] || fail "the module exports more than PyInit__core"
# The program has an allocator of its own. In a module it would be that of the whole process.
grep -q mimalloc "$program" || fail "the program is without mimalloc: the next check would show nothing"
! grep -q mimalloc "$module" || fail "mimalloc is in the module"
! objdump -p "$program" | grep NEEDED || fail "the program needs libraries"
"$tools/abi3audit" --strict --verbose "$wheel"

# What installs beside the wheel, and what the tests need.
with="pytest scipy scikit-learn polars pandas pyarrow tqdm"
environment() {
    local python=$1 name=$2
    shift 2
    "$python" -m venv "$place/$name"
    "$place/$name/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "$wheel" "$@"
}
tests() {
    say "tests: $("$place/$1/bin/python" -V), $("$place/$1/bin/pip" list --disable-pip-version-check 2>/dev/null |
        grep -E '^(numpy|scikit-learn|scipy|polars|pandas|pyarrow) ' | tr -s ' ' | paste -sd, | sed 's/,/, /g')"
    # From elsewhere, so that nothing but what is installed is found.
    (cd "$place" && EIGENSWEEP_BIN="$place/$1/bin" "$place/$1/bin/python" -m pytest -q -p no:cacheprovider \
        "$root/crates/python/tests" && "$place/$1/bin/python" -m pytest -q -p no:cacheprovider --doctest-modules \
        "$place/$1"/lib/python3*/site-packages/eigensweep)
}

newest=
for number in 3.14 3.13 3.12 3.11 3; do
    python=$(interpreter $number) || continue
    environment "$python" newest $with mypy pandas-stubs nbclient ipykernel matplotlib duckdb &&
        newest=$number && break
done
[ -n "$newest" ] || fail "there is no Python 3.11 or later with venv"
export PATH="$place/newest/bin:$PATH"

say "NumPy alone"
environment "$(interpreter $newest)" alone
"$place/alone/bin/python" - <<'PYTHON'
import sys

import eigensweep

loaded = {"sklearn", "polars", "pandas", "pyarrow", "tqdm", "scipy"} & set(sys.modules)
assert not loaded, loaded
print(eigensweep.__version__)
PYTHON
[ "$("$place/alone/bin/eigensweep" --version)" = "eigensweep $("$place/alone/bin/python" -c 'import eigensweep; print(eigensweep.__version__)')" ]

tests newest

say "types"
(cd "$place" && python -m mypy --strict "$root/packaging/user.py")
python packaging/user.py

say "beside pyarrow and polars, in any order"
for order in "eigensweep pyarrow polars" "pyarrow polars eigensweep" "polars eigensweep pyarrow"; do
    python packaging/together.py $order
done

say "the same bytes: the program by itself in an empty directory, the module, and a build for this machine"
small=(--set job.replicates=3 --set grid.samples=100)
eigensweep run jobs/quickstart.toml "${small[@]}" --output "$place/program" --quiet
python - "$place/module" <<'PYTHON'
import sys

import eigensweep as es

es.run(
    "jobs/quickstart.toml",
    set={"job.replicates": 3, "grid.samples": 100},
    output=sys.argv[1],
    progress=False,
)
PYTHON
diff -r "$place/program/data" "$place/module/data"
if [ -x target/debug/eigensweep ]; then
    target/debug/eigensweep run jobs/quickstart.toml "${small[@]}" --output "$place/dynamic" --quiet
    diff -r "$place/program/data" "$place/dynamic/data"
fi
if [ "$(id -u)" -eq 0 ]; then
    mkdir -p "$place/empty/dev"
    # Containers have these, too: hash tables draw their seeds from them.
    mknod -m 444 "$place/empty/dev/random" c 1 8
    mknod -m 444 "$place/empty/dev/urandom" c 1 9
    # What was unpacked by hand is not executable yet.
    install -m 755 "$program" "$place/empty/eigensweep"
    cp jobs/quickstart.toml "$place/empty"
    chroot "$place/empty" /eigensweep run /quickstart.toml "${small[@]}" --output /set --quiet
    diff -r "$place/program/data" "$place/empty/set/data"
else
    echo "not root: not tried in an empty root directory"
fi

say "documents"
eigensweep run jobs/quickstart.toml --output "$place/quickstart" --quiet
python docs/check_snippets.py "$place/quickstart" README.md docs/python.md crates/python/README.md
python docs/run_notebook.py docs/tour.ipynb

if [ "$extent" != quick ]; then
    for number in 3.11 3.12 3.13 3.14; do
        if ! python=$(interpreter $number); then
            say "Python $number: not here, not tried"
            continue
        fi
        # pyarrow 26 needs NumPy 2, and does not say so where it is installed.
        for libraries in "numpy==1.26.4 scikit-learn==1.6.1 pyarrow<26" "numpy==2.1.0 scikit-learn==1.6.1" ""; do
            # The oldest that has wheels for this Python.
            case "$number $libraries" in
            3.11\ numpy==2.1* | 3.12\ numpy==2.1* | 3.13\ numpy==1* | 3.14\ numpy* | "$newest ") continue ;;
            esac
            environment "$python" "of-$number" $with $libraries
            tests "of-$number"
            rm -r "${place:?}/of-$number"
        done
    done
fi
say "dist/ is fine"
