#!/usr/bin/env bash
# Several writers at once on one directory, with and without locks, and a clock that goes wrong.
#
#     tests/reliability/writers.sh [ROUNDS=3]
set -euo pipefail
# shellcheck source=tests/reliability/common.sh
source "$(dirname "$0")/common.sh"
rounds=${1:-3}

reference 20
locks=kept
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    locks=refused
else
    echo "skipped: a file system without locks (no strace, or it may not trace)"
fi

ends() {
    for pid in "$@"; do wait "$pid" || fail "exit code $? of a writer: $(tail -3 messages)"; done
    sound out
}

for ((round = 0; round < rounds; round++)); do
    # The same shard twice: the second is told who has it, and the first goes on.
    rm -rf out
    start out --threads 1
    first=$pid
    wait_for_parts out 1
    code=0
    run out 2>stderr || code=$?
    [ "$code" -eq 1 ] || fail "exit code $code beside another writer"
    grep -q "^error: out is being written by another process (process $first on " stderr || fail "$(cat stderr)"
    code=0
    run out --fresh 2>stderr || code=$?
    [ "$code" -eq 1 ] && grep -q "(process $first on " stderr || fail "--fresh beside a writer: $code, $(cat stderr)"
    # A job that is another one.
    code=0
    run out --shard 1/2 --set job.seed=8 2>stderr || code=$?
    [ "$code" -eq 1 ] && grep -q "another job" stderr || fail "another job beside a writer: $code, $(cat stderr)"
    ends "$first"
    same out

    # The lock is gone with its process, however it ended.
    rm -rf out
    start out --threads 1
    wait_for_parts out 1
    kill -KILL "$pid"
    wait "$pid" || true
    run out || fail "a lock outlived its process"
    same out

    # Shards and the whole side by side.
    rm -rf out
    pids=()
    for shard in 1/3 2/3 3/3 1/1 2/2 1/2; do
        start out --shard "$shard" --threads 1
        pids+=("$pid")
    done
    ends "${pids[@]}"
    same out
    run out
    tidy out

    # The same on a file system that knows no locks, each twice: the first to commit wins, and the bytes are the same.
    if [ "$locks" = refused ]; then
        rm -rf out
        pids=()
        for shard in 1/3 2/3 3/3 1/1 1/3 2/3 3/3 1/1; do
            strace -f -qq -o /dev/null -e trace=flock -e inject=flock:error=ENOLCK \
                "$program" run job.toml --quiet --output out --shard "$shard" --threads 1 2>>messages &
            pids+=($!)
        done
        ends "${pids[@]}"
        same out
        run out
        tidy out
    fi

    # Locks deleted, so that a newcomer takes what others have in hand for remains of a kill; and some killed. A run may then end with an
    # error, but nothing that is wrong stays.
    rm -rf out
    for ((kill = 0; kill < 3; kill++)); do
        pids=()
        for ((writer = 0; writer < 3; writer++)); do
            start out --threads 1
            pids+=("$pid")
            sleep "0.0$((RANDOM % 10))"
            rm -f out/staging/*.lock
        done
        sleep "0.$((RANDOM % 3))"
        [ $((kill % 2)) -eq 0 ] || kill -KILL "${pids[@]}" 2>/dev/null || true
        for pid in "${pids[@]}"; do
            code=0
            wait "$pid" 2>/dev/null || code=$?
            case $code in 0 | 1 | 137) ;; *) fail "exit code $code: $(tail -3 messages)" ;; esac
        done
    done
    run out 2>>messages
    same out
    tidy out
done
echo "$rounds × writers side by side: refused where it is the same shard, otherwise the data set of one run"

# Times that make no sense: what is done is known by content, never by a clock.
rm -rf out
for stamp in 2099-01-01 1970-01-02 2038-01-20; do
    start out --threads 1
    wait_for_parts out $(($(count out/commits) + 1))
    kill -TERM "$pid"
    wait "$pid" || true
    find out -exec touch -h -d "$stamp" {} +
    for log in out/logs/*.json; do
        sed -i 's/"\(started\|updated\)": [0-9]*/"\1": 99999999999/' "$log"
    done
    sound out
done
if command -v faketime >/dev/null; then
    faketime '2001-02-03 04:05:06' "$program" run job.toml --quiet --output out
    how=", and a run in 2001"
fi
run out
same out
tidy out
echo "files and logs from 2099 and 1970${how:-}: the data set of an undisturbed run"
if grep panicked messages; then fail "a panic"; fi
