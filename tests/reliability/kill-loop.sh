#!/usr/bin/env bash
# Kills two shard processes of one data set at random times, again and again, then lets them come to their end.
#
#     tests/reliability/kill-loop.sh [ROUNDS=20] [KILL|TERM] [PARTS=20] [LONGEST_MS=400]
#
# After each kill: every file of the data set is that of an undisturbed run, byte for byte, and every record has its file. After
# SIGTERM besides: exit code 143, no file without a record. At the end: the same data set as an undisturbed run's.
# A data set that is finished before the last round is compared and begun anew.
set -euo pipefail
# shellcheck source=tests/reliability/common.sh
source "$(dirname "$0")/common.sh"
rounds=${1:-20} signal=${2:-KILL} parts=${3:-20} longest=${4:-400}

reference "$parts"
kills=0 finished=0 slowest=0 early=0
while [ "$kills" -lt "$rounds" ]; do
    pids=()
    for shard in 1 2; do
        start out --shard "$shard/2" --threads 1
        pids+=("$pid")
    done
    sleep "$(printf '0.%06d' $((RANDOM * 30 % (longest * 1000))))"
    # Both at once, or one a little later.
    [ $((RANDOM % 2)) -eq 0 ] || pids=("${pids[1]}" "${pids[0]}")
    stopped=0
    for pid in "${pids[@]}"; do
        asked=$(now)
        kill "-$signal" "$pid" 2>/dev/null || true
        [ $((RANDOM % 3)) -eq 0 ] && sleep "0.0$((RANDOM % 10))"
        code=0
        [ "$signal" = TERM ] && { wait "$pid" 2>/dev/null || code=$?; }
        took=$(($(now) - asked))
        [ "$signal" = TERM ] && [ "$took" -gt "$slowest" ] && slowest=$took
        case $signal-$code in
        TERM-0) ;;
        TERM-143) stopped=$((stopped + 1)) ;;
        TERM-*) fail "exit code $code after SIGTERM: $(tail -3 messages)" ;;
        esac
    done
    if [ "$signal" = KILL ]; then
        for pid in "${pids[@]}"; do
            code=0
            wait "$pid" 2>/dev/null || code=$?
            case $code in
            0) ;;
            137) stopped=$((stopped + 1)) ;;
            *) fail "exit code $code before the kill: $(tail -3 messages)" ;;
            esac
        done
    fi
    sound out
    [ "$signal" = KILL ] || [ ! -d out/data ] || tidy out
    kills=$((kills + stopped))
    [ "$(count out/commits)" -gt 0 ] || early=$((early + 1))
    if [ "$stopped" -eq 0 ]; then
        same out
        finished=$((finished + 1))
        rm -rf out
    fi
done
done_before=$(count out/data)
for shard in 1 2; do
    start out --shard "$shard/2" --threads 1
    pids[shard - 1]=$pid
done
for pid in "${pids[@]}"; do wait "$pid" || fail "exit code $? of the last run: $(tail -3 messages)"; done
same out
run out
tidy out
same out
echo "$kills × SIG$signal on 2 shards of $parts parts ($finished data sets finished on the way, $early rounds without a part," \
    "$done_before parts there before the last run): the data set is that of an undisturbed run"
if [ "$signal" = TERM ]; then
    echo "longest from SIGTERM to the end: $((slowest / 1000)) ms"
    [ "$slowest" -lt 10000000 ] || fail "a stop took more than 10 s"
fi
if grep -E 'warning|error|panicked' messages | grep -v 'is being written'; then
    fail "a kill is no damage: there is nothing to warn of"
fi
