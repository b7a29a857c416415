#!/usr/bin/env bash
# `submit` against a real SLURM: an array of four tasks with its merge, a task that is cancelled and requeued, a time limit that
# requeues and resumes, pre-emption, arrays under a small MaxArraySize, and the scripts of jobs/slurm. What comes out must be
# the bytes of a local run.
#
#   tests/slurm/run.sh [PROGRAM]          default: target/debug/eigensweep
#
# Takes about four minutes on two idle cores. Without SLURM, and without the right to install it, it says so and succeeds. What it
# starts it stops, also when it fails; KEEP=1 leaves the directory behind.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
program=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/debug/eigensweep}") || exit 1
project=$PWD

SLURM_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/eigensweep-slurm.XXXXXX")
# Four tasks are one array; more are several.
SLURM_MAX_ARRAY_SIZE=4
. tests/slurm/cluster.sh

background=()
finish() {
    local code=$?
    trap - EXIT
    kill "${background[@]}" 2>/dev/null
    if [ "$code" -ne 0 ]; then slurm_logs; fi
    slurm_stop
    if [ -n "${KEEP:-}" ]; then echo "left behind: $SLURM_ROOT"; else rm -rf "$SLURM_ROOT"; fi
    exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "FAILED: $*" >&2
    squeue --array --states=all >&2
    for log in "$SLURM_ROOT"/work/*/*/logs/submit-*/*.out; do echo "== $log" && tail -n 8 "$log"; done >&2 2>/dev/null
    exit 1
}
step() { printf -- '-- %s (%s)\n' "$1" "$(date -u +%H:%M:%S)"; }

if ! slurm_have; then
    echo "SKIPPED: SLURM is not installed, and cannot be"
    exit 0
fi
if ! slurm_start; then
    # A sandbox may forbid what the daemons need; that says nothing about this program.
    slurm_logs
    echo "SKIPPED: SLURM does not start here"
    exit 0
fi

# --- a job of about 80 seconds on one core of this machine, and what a local run makes of it
# A directory that a careless script would take apart.
work="$SLURM_ROOT/work/it's \$HOME 100%A"
mkdir -p "$work"
job="$work/a job.toml"
cat >"$job" <<JOB
[job]
name = "slurm"
seed = 4
replicates = 60
[data]
components = 60
[corruption]
components = 60
scale = [10.0, 1e4]
[augmentation]
alignment = [0.1, 1.0, 10.0]
[grid]
samples = [100, 1000, 10000]
[model]
dimension = 20
[output]
part_rows = 540
JOB
# The best of three: a machine that is busy now may be idle later, and a job that is done within its limit shows nothing.
milliseconds=$(for _ in 1 2 3; do "$program" plan "$job" --threads 1; done |
    sed -n 's/^time .*(\([0-9.]*\) ms a row.*/\1/p' | sort -n | head -n 1)
replicates=$(awk -v ms="$milliseconds" 'BEGIN { n = int(80e3 / (54 * ms)); print (n < 200) ? 200 : ((n > 20000) ? 20000 : n) }')
sed -i "s/^replicates.*/replicates = $replicates/" "$job"
step "local run, $replicates replicates"
"$program" run "$job" --output "$work/local" --quiet >/dev/null || fail "the local run"

same() {
    local name
    for name in data commits; do
        diff -r "$work/local/$name" "$1/$name" || fail "$1/$name differs from the local run"
    done
    echo "same bytes in data/ and commits/: $1"
}
# State of a job, or of a task: state 12_3
state() { squeue --noheader --array --states=all --jobs="$1" --format=%T 2>/dev/null | head -n 1; }
is() { [ "$(state "$1")" = "$2" ]; }
# Elements that wait for their time after a requeue (two minutes) are started soon, as an administrator could; not at once, because
# slurmd refuses what it has killed in the same second.
declare -A waiting
hurry() {
    local id reason start key
    while read -r id reason start; do
        [ "$reason" = BeginTime ] || continue
        key="$id $start"
        [ -n "${waiting[$key]:-}" ] || waiting[$key]=$SECONDS
        if [ "$SECONDS" -ge $((${waiting[$key]} + 5)) ]; then scontrol update "JobId=$id" StartTime=now 2>/dev/null; fi
    done < <(squeue --noheader --array --states=PENDING --format='%i %r %S')
}
over() { case $(state "$1") in COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL | OUT_OF_MEMORY) ;; *) return 1 ;; esac; }
hurried_over() { hurry; over "$1"; }
numbers() { sed -n 's/^ *"job": \([0-9]*\),$/\1/p' "$1/logs/submitted.json"; }
merge_of() { sed -n 's/^ *"merge": \([0-9]*\)$/\1/p' "$1/logs/submitted.json" | tail -n 1; }
committed() { [ "$(find "$1/commits" -name '*.json' | wc -l)" -ge "$2" ]; }
shard_running() { grep -qs "\"shard\": \"$2\"" "$1"/logs/run-*.json; }

step "--dry-run submits and writes nothing"
"$program" submit "$job" --shards 4 --time 10m --output "$work/array" --dry-run >"$work/dry-run" || fail "--dry-run"
grep -q '^#SBATCH --array=0-3$' "$work/dry-run" || fail "--dry-run shows no array"
grep -q -- '--dependency=afterany:' "$work/dry-run" || fail "--dry-run shows no dependent job"
[ ! -e "$work/array" ] || fail "--dry-run wrote"
[ -z "$(squeue --noheader)" ] || fail "--dry-run submitted"

step "an array of four tasks and its merge; a task is cancelled while it runs, and requeued"
"$program" submit "$job" --shards 4 --time 10m --output "$work/array" || fail "submit"
array=$(numbers "$work/array") merge=$(merge_of "$work/array")
slurm_wait 120 shard_running "$work/array" 2/4 || fail "task 1 does not start"
slurm_wait 120 committed "$work/array" 3 || fail "no part is committed"
"$program" submit "$job" --shards 4 --output "$work/array" 2>"$work/refused" && fail "a second array was submitted"
grep -q "scancel $array" "$work/refused" || fail "the refusal does not name the jobs"
is "${array}_1" RUNNING || fail "task 1 was done before it could be cancelled"
scancel "${array}_1"
slurm_wait 30 is "${array}_1" CANCELLED || fail "task 1 is not cancelled"
log="$work/array/logs/submit-1/${array}_1.out"
grep -q '^stopped' "$log" || fail "the cancelled task did not stop by itself"
"$program" status "$work/array" | tee "$work/status" | tail -n 9
grep -q '1 CANCELLED' "$work/status" || fail "status does not show the cancelled task"
scontrol requeue "${array}_1" || fail "scontrol requeue"
slurm_wait 300 hurried_over "$merge" || fail "the merge did not run"
for task in 0 1 2 3; do is "${array}_$task" COMPLETED || fail "task $task is $(state "${array}_$task")"; done
is "$merge" COMPLETED || fail "the merge is $(state "$merge")"
same "$work/array"
"$program" status "$work/array" | grep -q 'array job .*4 COMPLETED' || fail "status does not show what became of the array"

step "a limit of a minute stops, requeues and resumes"
"$program" submit "$job" --shards 1 --time 1m --output "$work/limit" --quiet || fail "submit"
array=$(numbers "$work/limit") merge=$(merge_of "$work/limit")
slurm_wait 900 hurried_over "$merge" || fail "the merge did not run"
is "${array}_0" COMPLETED || fail "the task is $(state "${array}_0")"
is "$merge" COMPLETED || fail "the merge is $(state "$merge")"
restarts=$(scontrol show job "${array}_0" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p')
grep -q 'back in the queue' "$work/limit/logs/submit-1/${array}_0.out" || fail "the task did not requeue itself"
[ "$restarts" -ge 1 ] || fail "the task was not run again"
echo "$restarts restarts"
same "$work/limit"

step "pre-emption stops at once, requeues and resumes"
"$program" submit "$job" --shards 2 --partition idle --time 20m --output "$work/preempted" --quiet || fail "submit"
array=$(numbers "$work/preempted") merge=$(merge_of "$work/preempted")
slurm_wait 120 committed "$work/preempted" 2 || fail "no part is committed"
urgent=$(sbatch --parsable --partition=main --exclusive --output=/dev/null --wrap 'sleep 2')
slurm_wait 25 over "$urgent" || fail "the urgent job had to wait"
slurm_wait 300 hurried_over "$merge" || fail "the merge did not run"
is "$merge" COMPLETED || fail "the merge is $(state "$merge")"
grep -q 'back in the queue' "$work/preempted/logs/submit-1/${array}_"*.out || fail "no task requeued itself"
same "$work/preempted"

step "six shards where an array may have four tasks; then the scripts of jobs/slurm"
small=(--set job.replicates=40 --set output.part_rows=54)
"$program" run "$job" "${small[@]}" --output "$work/small" --quiet >/dev/null || fail "the small local run"
"$program" submit "$job" "${small[@]}" --shards 6 --concurrent 2 --output "$work/arrays" || fail "submit"
[ "$(numbers "$work/arrays" | wc -l)" -eq 2 ] || fail "not two arrays"
slurm_wait 180 over "$(merge_of "$work/arrays")" || fail "the merge did not run"
diff -r "$work/small/data" "$work/arrays/data" || fail "two arrays differ from the local run"
is "$(merge_of "$work/arrays")" COMPLETED || fail "the merge failed"
export EIGENSWEEP=$program
# Not below $work: SLURM replaces %A in the working directory, too, where --output is relative.
mkdir "$SLURM_ROOT/by-hand" && cd "$SLURM_ROOT/by-hand" || exit 1
array=$(sbatch --parsable --mem=500M --array=0-2 "$project/jobs/slurm/array.sbatch" "$job" "$work/by-hand" "${small[@]}")
merge=$(sbatch --parsable --mem=500M --dependency="afterany:$array" "$project/jobs/slurm/merge.sbatch" "$work/by-hand")
slurm_wait 180 over "$merge" || fail "the merge did not run"
is "$merge" COMPLETED || { cat ./*.out; fail "the merge by hand failed"; }
diff -r "$work/small/data" "$work/by-hand/data" || fail "the array by hand differs from the local run"
step "SLURM: all as it should be"
