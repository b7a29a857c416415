#!/usr/bin/env bash
# What a power cut could lose, from the order of system calls: nothing that is recorded.
#
#     tests/reliability/durability.sh
#
# In a trace of a run: a file is fsynced after its last write and before it is renamed into place; the directory of a part is fsynced
# before its record is put into place; and at the end every directory into which something was renamed has been fsynced.
# Skipped where strace is absent or may not trace.
set -euo pipefail
# shellcheck source=tests/reliability/common.sh
source "$(dirname "$0")/common.sh"

if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
    echo "skipped: no strace, or it may not trace"
    exit 0
fi

check() {
    strace -f -y -qq -s 0 -o trace -e 'trace=write,pwrite64,ftruncate,fsync,fdatasync,?rename,?renameat,?renameat2,?link,?linkat' \
        "$program" run job.toml --quiet --output out --threads 1
    # Paths as the program gave them to rename begin with out/, those of descriptors with the directory's own path.
    awk -v root="$(pwd -P)/" '
        function whole(path) { return substr(path, 1, 1) == "/" ? path : root path }
        function directory(path) { sub("/[^/]*$", "", path); return path }
        function wrong(what) { print what ": " $0; failures++ }
        / <unfinished|resumed>/ { wrong("not one call a line") }
        {
            descriptor = $0
            sub(/^[^<]*</, "", descriptor)
            sub(/>.*$/, "", descriptor)
        }
        / (write|pwrite64|ftruncate)\(/ { dirty[descriptor] = 1 }
        / (fsync|fdatasync)\(/ { delete dirty[descriptor]; delete moved[descriptor]; synced++ }
        / (rename|renameat|renameat2|link|linkat)\(/ {
            split($0, texts, "\"")
            from = whole(texts[2])
            to = whole(texts[4])
            if (from in dirty) wrong("renamed before it was synced")
            if (to ~ "/commits/" && (root "out/data") in moved) wrong("recorded before its part is in place for good")
            moved[directory(to)] = 1
            renamed[directory(to)]++
        }
        END {
            for (path in moved) { print "not synced at the end: " path; failures++ }
            parts = renamed[root "out/data"]
            if (parts != renamed[root "out/commits"] || parts != expected) { print parts " parts renamed"; failures++ }
            print synced " fsyncs, " parts " parts: each was synced, put into place and synced there before it was recorded"
            exit failures > 0
        }' expected="$expected" trace >&3 || fail "the order of system calls"
}

reference 4
expected=4
check
same out
# The same of a run that repairs.
truncate -s -1 out/data/part-000-000001-*
rm out/commits/000-000003.json
expected=2
check 2>/dev/null
same out
