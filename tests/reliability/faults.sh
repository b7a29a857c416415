#!/usr/bin/env bash
# Faults at every step of a commit, injected by strace: killed there, or refused by the operating system.
#
#     tests/reliability/faults.sh [EVERY=1]
#
# For each system call that a commit rests on and k = 1, 1 + EVERY, … until a run gets by: a run that is killed at its k-th such call, or
# whose k-th fails with ENOSPC or EIO. Then: what is there is whole, every record has its file, an error is told with the path
# that it is about and is no success, and the next run makes the data set that of an undisturbed one.
# Skipped where strace is absent or may not trace.
set -euo pipefail
# shellcheck source=tests/reliability/common.sh
source "$(dirname "$0")/common.sh"
every=${1:-1}

if ! command -v strace >/dev/null || ! strace -o /dev/null true 2>/dev/null; then
    echo "skipped: no strace, or it may not trace"
    exit 0
fi

reference 4
# The same job, and then a larger one.
larger=(--set job.replicates=300 --set 'grid.samples=[20, 50, 100]')
cp -a whole grown
run grown "${larger[@]}"

# Where a run begins: with nothing; after a kill and damage, with an incomplete data set that is to be put right; with a finished one that
# is to be replaced; with a smaller one that is to grow.
begin() {
    rm -rf out
    options=() extra=() whole=whole
    case $1 in
    smaller)
        cp -a whole out
        extra=("${larger[@]}")
        whole=grown
        ;;
    nothing) ;;
    remains)
        cp -a whole out
        rm out/commits/000-000000.json
        truncate -s -1 out/data/part-000-000001-*
        echo torn | tee out/staging/part-000002.aBcDeF >out/data/part-000-000002-00000000.parquet
        ;;
    finished)
        cp -a whole out
        options=(--fresh)
        ;;
    esac
}

# Runs with a fault at the k-th call of a kind; the exit code is in $code.
injected() {
    code=0
    # A name with a question mark may be unknown on this machine.
    strace -f -qq -o trace -e "trace=?$1" -e "inject=?$1:$2:when=$3" "$program" run job.toml --quiet --output out \
        --threads 1 "${extra[@]}" "${options[@]}" >stdout 2>stderr || code=$?
}

# What must hold after any fault, and that the next run puts it right.
recovers() {
    if [ "$state" = nothing ] || [ "$state" = smaller ]; then
        sound out
    fi
    run out --threads 1 "${extra[@]}" "${options[@]}" 2>repair || fail "$1: exit code $? of the next run: $(cat repair)"
    # The damage was there before, and a removal that was killed looks like damage; the fault itself leaves none.
    case $state in nothing | smaller) ! grep -q warning repair || fail "$1: $(cat repair)" ;; esac
    same out
    tidy out
}

# A run that is killed at its k-th call, for every k.
killed() {
    local call=$2 killed=0 k=1
    state=$1
    while :; do
        begin "$state"
        injected "$call" signal=KILL "$k"
        [ "$code" -eq 137 ] || break
        killed=$((killed + 1))
        [ "$state" = finished ] && [ $((k % 2)) -eq 0 ] && options=()
        recovers "killed at $call $k of a run that found $state"
        k=$((k + every))
    done
    [ "$code" -eq 0 ] || fail "exit code $code at $call $k: $(cat stderr)"
    same out
    [ "$killed" -eq 0 ] || echo "found $state, killed at $call: recovered $killed times"
    kills=$((kills + killed))
}

# A call that fails. Runs get by where the loss is none: logs are written if possible, what is left in staging may stay.
refused() {
    local call=$2 error=$3 told=0 passed=0 k=1
    state=$1
    while :; do
        begin "$state"
        injected "$call" "error=$error" "$k"
        grep -q INJECTED trace || break
        if [ "$code" -eq 0 ]; then
            same out
            passed=$((passed + 1))
        else
            [ "$code" -eq 1 ] || fail "exit code $code after $error of $call $k: $(cat stderr)"
            # The k-th call of each thread fails: of the one that would tell, the very line may.
            grep -q '^error: .*out' stderr || grep -q 'write(2, .*INJECTED' trace || fail "$error of $call $k: no path in: $(cat stderr)"
            ! grep -q panicked stderr || fail "$error of $call $k: $(cat stderr)"
            told=$((told + 1))
        fi
        recovers "$error of $call $k of a run that found $state"
        k=$((k + every))
    done
    [ "$code" -eq 0 ] || fail "exit code $code without a fault: $(cat stderr)"
    [ $((told + passed)) -eq 0 ] || echo "found $state, $error of $call: told $told times, without effect $passed times"
    errors=$((errors + told)) ignored=$((ignored + passed))
}

kills=0 errors=0 ignored=0
for state in nothing remains finished smaller; do
    for call in rename renameat renameat2 link linkat fsync fdatasync unlink unlinkat rmdir mkdir mkdirat write ftruncate; do
        killed "$state" "$call"
    done
done
for call in write fsync rename renameat renameat2 link linkat mkdir mkdirat; do
    refused nothing "$call" ENOSPC
    refused nothing "$call" EIO
done
for call in write fsync renameat renameat2; do refused smaller "$call" EIO; done
refused remains unlink EIO
refused remains fsync EIO
refused finished unlinkat EIO
refused finished rmdir EIO
# Of a file, whatever refuses the sync; of a directory, what is not an answer for want of an operation.
refused nothing fsync EINVAL

# A file system that cannot sync directories (CIFS, some of FUSE) answers so for every one of them: the run gets by, and says so once.
# Where the disk is at fault it does not.
directories=()
for path in . out out/{data,commits,sections,summary,logs,staging}; do directories+=(-P "$(realpath -m "$path")"); done
for error in EINVAL EOPNOTSUPP EIO; do
    begin nothing
    code=0
    strace -f -qq -o trace "${directories[@]}" -e trace=fsync -e "inject=fsync:error=$error" \
        "$program" run job.toml --quiet --output out --threads 1 >stdout 2>stderr || code=$?
    grep -q INJECTED trace || fail "no directory was synced"
    if [ "$error" = EIO ]; then
        [ "$code" -eq 1 ] && grep -q '^error: cannot sync .*out' stderr || fail "exit code $code where no directory can be synced for $error: $(cat stderr)"
        state=nothing
        recovers "$error of every directory"
    else
        [ "$code" -eq 0 ] || fail "exit code $code where directories answer $error: $(cat stderr)"
        [ "$(grep -c '^warning' stderr)" -eq 1 ] || fail "$error of every directory is told other than once: $(cat stderr)"
        same out
        tidy out
    fi
done
echo "directories that cannot be synced: EINVAL and EOPNOTSUPP passed over, EIO told"

if [ "$kills" -lt 10 ] || [ "$errors" -lt 10 ]; then fail "$kills kills and $errors errors: the faults did not take"; fi
echo "$kills kills and $((errors + ignored)) errors ($errors told, $ignored without effect): recovered from each"
