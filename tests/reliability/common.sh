# Sourced by the scripts beside it: the program, a directory of their own, a small job, and what a data set must be.
# They run from the checkout. EIGENSWEEP names the program, by default the one that `cargo build -p eigensweep-cli` built.
# shellcheck shell=bash
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=$(realpath -m "${EIGENSWEEP:-${CARGO_TARGET_DIR:-target}/debug/eigensweep}")
if [ ! -x "$program" ]; then
    echo "$program is not there: cargo build -p eigensweep-cli, or name a program in EIGENSWEEP" >&2
    exit 2
fi

work=$(mktemp -d)
cd "$work"
mounts=()
# The shell tells of every process that was killed: that goes to a file, and is shown if the script fails.
exec 3>&2 2>shell-messages

# Ends what this script started, by process number, and leaves nothing behind.
clean() {
    local status=$? pids mount
    [ "$status" -eq 0 ] || grep -v ' Killed ' "$work/shell-messages" >&3 || true
    pids=$(jobs -p)
    # Word splitting is wanted: a number each.
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill -KILL $pids 2>/dev/null || true
    wait 2>/dev/null || true
    for mount in "${mounts[@]}"; do umount "$mount" 2>/dev/null || true; done
    cd / && rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "FAILED: $*" >&3
    exit 1
}

# A job of so many parts, a multiple of its four columns, of 4320 rows of the smallest problems: parts are cheap, and what is tested is how they are written.
write_job() {
    cat >job.toml <<JOB
[job]
name = "reliability"
seed = 7
replicates = $((60 * $1))
[data]
components = [2, 4]
label_count = 2
[corruption]
components = 2
scale = [1, 10]
[augmentation]
alignment = [0.1, 1, 10]
[model]
dimension = 2
[grid]
samples = [20, 100]
[output]
part_rows = 4320
JOB
}

run() {
    local output=$1
    shift
    "$program" run job.toml --quiet --output "$output" "$@"
}

# Starts the program itself (not a shell around it) in the background; its process number is in $pid.
start() {
    local output=$1
    shift
    "$program" run job.toml --quiet --output "$output" "$@" 2>>messages &
    pid=$!
}

# Number of files in a directory that may not be there.
count() { { ls "$1" 2>/dev/null || true; } | wc -l; }

# Waits until the run that was started last has committed so many parts.
wait_for_parts() {
    while [ "$(count "$1/commits")" -lt "$2" ]; do
        kill -0 "$pid" 2>/dev/null || [ "$(count "$1/commits")" -ge "$2" ] || fail "it ended early: $(tail -3 messages)"
        sleep 0.01
    done
}

# The data set of a run that nobody disturbed.
reference() {
    write_job "$1"
    run whole --threads 2
    [ "$(count whole/data)" -eq "$1" ] || fail "the job has other than $1 parts"
}

# The data set that others are compared with.
whole=whole

# A data set is the undisturbed one, byte for byte.
same() {
    local kind
    for kind in data commits sections; do
        diff -rq "$1/$kind" "$whole/$kind" || fail "$1/$kind is not that of an undisturbed run"
    done
}

# What is there of a data set is whole, and every record has its file: at any instant, whatever happened.
sound() {
    local kind other
    for kind in data commits sections; do
        [ -d "$1/$kind" ] || continue
        other=$(diff -rq "$1/$kind" "$whole/$kind" | grep -v "^Only in $whole/$kind" || true)
        [ -z "$other" ] || fail "$other"
    done
    other=$(comm -23 <(recorded "$1") <(ls "$1/data" 2>/dev/null))
    [ -z "$other" ] || fail "recorded, but not there: $other"
}

# Files that the commit records name.
recorded() {
    { cat "$1"/commits/*.json 2>/dev/null || true; } | sed -n 's/^ *"file": "\(.*\)",$/\1/p' | sort
}

# Nothing but locks in staging, and nothing in data without a record: of a run that ended by itself.
tidy() {
    local other
    other=$(find "$1/staging" -type f ! -name '*.lock')
    [ -z "$other" ] || fail "left in $1/staging: $other"
    other=$(comm -13 <(recorded "$1") <(ls "$1/data"))
    [ -z "$other" ] || fail "not recorded: $other"
}

# Seconds since the epoch in microseconds, for differences.
now() { echo "${EPOCHREALTIME/[.,]/}"; }
