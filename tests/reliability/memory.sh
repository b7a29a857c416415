#!/usr/bin/env bash
# Too little memory: every run ends by itself, with a code, and leaves parts that the next run goes on from.
#
#     tests/reliability/memory.sh [rounds]
#
# Limits of the address space, from too little to be loaded to enough, so that each kind of request fails somewhere: a
# vector's, a matrix's, a thread's stack. With backtraces, which need memory in the moment that there is none.
set -euo pipefail
# shellcheck source=tests/reliability/common.sh
source "$(dirname "$0")/common.sh"

rounds=${1:-3}
reference 8
export RUST_BACKTRACE=1

short=0 done=0 told=0
for round in $(seq "$rounds"); do
    for limit in $(seq $((40000 + 1000 * round)) 7000 180000); do
        code=0
        (ulimit -v "$limit" && exec timeout --signal=KILL 60 "$program" run job.toml --quiet --output out --threads 2) \
            2>stderr || code=$?
        [ "$code" -ne 137 ] || fail "a limit of $limit kB: it does not end: $(cat stderr)"
        sound out
        if [ "$code" -eq 0 ]; then
            done=$((done + 1))
            same out
            rm -rf out
            continue
        fi
        short=$((short + 1))
        # What the loader or the kernel ends has no words of its own.
        if [ "$code" -eq 1 ]; then
            told=$((told + 1))
            grep -q '^error: ' stderr || fail "a limit of $limit kB: code 1 without a word"
        fi
    done
done
[ "$done" -gt 0 ] && [ "$told" -gt 0 ] || fail "limits that are all too small or all too large: $short, $done done"
run out --threads 2
same out
tidy out
# A size that a file asks for is a fact about the file: an error that names it. The array is 400 MB of nothing.
{
    printf '\223NUMPY\001\000\166\000'
    printf '%-117s\n' "{'descr': '<f8', 'fortran_order': False, 'shape': (50000000, 1), }"
} >large.npy
truncate -s $((128 + 400000000)) large.npy
code=0
(ulimit -v 200000 && exec timeout --signal=KILL 60 "$program" solve --inputs large.npy --targets large.npy --dimension 1) \
    2>stderr || code=$?
[ "$code" -eq 1 ] || fail "exit code $code of a file that is too large: $(cat stderr)"
grep -q '^error: cannot hold in memory large.npy' stderr || fail "$(cat stderr)"

echo "$((short + done)) runs with little memory: $short ended for want of it, $told of them with a word; none hung"
