#!/usr/bin/env bash
# File systems without space, inodes or leave to write, files above a limit, and a directory that goes away during the run.
#
#     tests/reliability/space.sh
#
# Each time: a non-zero exit code, a message that names the path, no record without its file, what is there whole; and
# once there is space again, the data set of an undisturbed run. Needs root for its mounts; what needs them is skipped otherwise.
set -euo pipefail
# shellcheck source=tests/reliability/common.sh
source "$(dirname "$0")/common.sh"

reference 20

# A run that must fail with code 1, naming a path in the directory, for a reason; what it leaves must be sound.
refused() {
    local output=$1 reason=$2 code=0
    shift 2
    "$@" "$program" run job.toml --quiet --output "$output" --threads 2 2>stderr || code=$?
    [ "$code" -eq 1 ] || fail "$reason: exit code $code: $(cat stderr)"
    grep -q "^error: .*$output.*$reason" stderr || fail "no path or no \"$reason\" in: $(cat stderr)"
    ! grep -q panicked stderr || fail "$(cat stderr)"
    sound "$output"
}

# The next run finds nothing wrong and makes the data set that of an undisturbed run.
completes() {
    run "$1" --threads 2 2>stderr || fail "exit code $? of the next run: $(cat stderr)"
    ! grep -q warning stderr || fail "$(cat stderr)"
    same "$1"
    tidy "$1"
}

mounted() {
    mkdir -p "$1"
    mount -t tmpfs -o "$2" none "$1" || return 1
    mounts+=("$work/$1")
}

if [ "$(id -u)" -eq 0 ] && mounted small size=64k 2>/dev/null; then
    bytes=$(du -s --block-size=1024 whole | cut -f1)
    for share in 8 3 2; do
        mount -o "remount,size=$((bytes / share))k" small
        refused small/out "No space left" env
        echo "a disk of 1/$share of the data: $(count small/out/commits) of 20 parts, then full"
        # Full still: nothing gets worse.
        refused small/out "No space left" env
    done
    mount -o remount,size=64m small
    completes small/out

    mounted inodes size=64m,nr_inodes=8
    refused inodes/out "No space left" env
    for inodes in 14 20 40; do
        mount -o "remount,nr_inodes=$inodes" inodes
        refused inodes/out "No space left" env
        echo "$inodes inodes: $(count inodes/out/commits) of 20 parts, then none left"
    done
    mount -o remount,nr_inodes=1000 inodes
    completes inodes/out

    mounted readonly size=64m
    start readonly/out --threads 1
    wait_for_parts readonly/out 2
    kill -TERM "$pid"
    wait "$pid" || true
    mount -o remount,ro readonly
    refused readonly/out "Read-only file system" env
    mount -o remount,rw readonly
    completes readonly/out
    mount -o remount,ro readonly
    refused readonly/new "Read-only file system" env
    echo "a read-only file system: refused, before the first run and after some parts"

    # Mode bits stop everybody but root.
    mkdir closed && chown nobody closed && chmod 711 "$work"
    su nobody -s /bin/sh -c "cp '$work/job.toml' closed/ && cd closed && '$program' run job.toml --quiet --output out" \
        2>/dev/null && chmod 500 closed/out/data closed/out/commits && {
        rm closed/out/commits/000-000003.json
        code=0
        su nobody -s /bin/sh -c "cd closed && '$program' run job.toml --quiet --output out" 2>stderr || code=$?
        [ "$code" -eq 1 ] || fail "closed directory: exit code $code: $(cat stderr)"
        grep -q "^error: .*out.*Permission denied" stderr || fail "$(cat stderr)"
        sound closed/out
        chmod 755 closed/out/data closed/out/commits
        su nobody -s /bin/sh -c "cd closed && '$program' run job.toml --quiet --output out"
        same closed/out
        echo "a directory that may not be written: refused"
    }
else
    echo "skipped: full disk, inodes, read-only file system (they need root, to mount)"
fi

# A part above the shell's limit on files.
limit=$(($(stat -c %s whole/data/part-000-000000-*) / 2))
refused limited "File too large" prlimit "--fsize=$limit"
[ "$(count limited/data)" -eq 0 ] || fail "a part above the limit"
completes limited
echo "files limited to half a part: refused"

# Away under its hands; moved, since removing races with what is being written.
start gone --threads 1
wait_for_parts gone 2
mv gone elsewhere
code=0
wait "$pid" || code=$?
[ "$code" -eq 1 ] || fail "exit code $code of a run whose directory is gone: $(tail -3 messages)"
grep -q '^error: .*gone.*No such file' messages || fail "$(tail -3 messages)"
[ ! -e gone ] || fail "half a data set was begun in its place"
sound elsewhere
completes elsewhere
run gone
same gone
echo "a directory that goes away during the run: an error; both go on from what they have"

# Only a part of it away.
for lost in data staging commits; do
    rm -rf out
    start out --threads 1
    wait_for_parts out 2
    mv "out/$lost" lost
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 1 ] || fail "exit code $code of a run whose $lost is gone: $(tail -3 messages)"
    run out --threads 2 2>stderr
    same out
    rm -rf lost
done
echo "data, staging or commits gone during the run: an error, and the next run repairs it"
