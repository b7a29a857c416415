# A SLURM of one node for tests, to be sourced: private daemons, private directory, private ports; nothing under /etc.
#
#   slurm_have       whether the programs are there (installs Debian's packages where it may)
#   slurm_start      starts munged, slurmctld and slurmd, and sets SLURM_CONF
#   slurm_stop       cancels all jobs of this cluster and stops the three, by the process numbers that were started
#
# Everything lives in $SLURM_ROOT, which the caller makes and removes.
# shellcheck shell=bash

slurm_pids=()

slurm_have() {
    local program missing=()
    for program in munged munge slurmctld slurmd sbatch scontrol squeue scancel; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "installing slurm-wlm and munge"
        # A chroot or container without an init system: the packages must not start their daemons.
        { apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends slurm-wlm munge
        } >"$SLURM_ROOT/apt.log" 2>&1 && return 0
        tail -n 5 "$SLURM_ROOT/apt.log" >&2
    fi
    echo "not there: ${missing[*]}" >&2
    return 1
}

# Two neighbouring ports that nobody listens on.
slurm_free_ports() {
    local port
    for port in $(shuf -i 20000-30000 -n 50); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null &&
            ! (exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    return 1
}

# What kind of control groups this user may write: v1, v2 or none.
slurm_cgroups() {
    if [ "$(id -u)" -ne 0 ]; then echo none
    elif [ -w /sys/fs/cgroup/freezer ] && [ -w /sys/fs/cgroup/memory ] && [ -w /sys/fs/cgroup/cpuset ]; then echo v1
    elif [ -f /sys/fs/cgroup/cgroup.controllers ] && [ -d /run/systemd/system ]; then echo v2
    else echo none
    fi
}

slurm_configure() {
    local port=$1 cgroups=$2 user host memory tracking plugin=$2
    user=$(id -un) host=$(hostname -s)
    memory=$(awk '/MemTotal/ { printf "%d", $2 / 1024 * 0.8 }' /proc/meminfo)
    if [ "$cgroups" = none ]; then
        # slurmd loads a plugin even where nothing uses it, and a name that it does not know ends it.
        plugin=v1
        tracking=$'ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none'
    else
        tracking=$'ProctrackType=proctrack/cgroup\nTaskPlugin=task/cgroup,task/affinity'
    fi
    cat >"$SLURM_ROOT/slurm.conf" <<CONF
ClusterName=eigensweep
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$SLURM_ROOT/munge/socket
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$SLURM_ROOT/state
SlurmdSpoolDir=$SLURM_ROOT/spool
SlurmctldPidFile=$SLURM_ROOT/slurmctld.pid
SlurmdPidFile=$SLURM_ROOT/slurmd.pid
SlurmctldLogFile=$SLURM_ROOT/slurmctld.log
SlurmdLogFile=$SLURM_ROOT/slurmd.log
$tracking
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MailProg=/bin/true
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=1,requeue_delay=1
ReturnToService=2
KillWait=10
MinJobAge=600
MaxArraySize=${SLURM_MAX_ARRAY_SIZE:-1001}
JobRequeue=1
DefMemPerCPU=512
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES PriorityTier=5 PreemptMode=OFF MaxTime=INFINITE State=UP
PartitionName=idle Nodes=ALL PriorityTier=1 GraceTime=30 PreemptMode=REQUEUE MaxTime=INFINITE State=UP
CONF
    cat >"$SLURM_ROOT/cgroup.conf" <<CONF
CgroupPlugin=cgroup/$plugin
CgroupMountpoint=/sys/fs/cgroup
ConstrainCores=yes
ConstrainRAMSpace=yes
ConstrainSwapSpace=no
CONF
}

# Waits until a command succeeds: slurm_wait SECONDS COMMAND…
slurm_wait() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

slurm_start() {
    local cgroups port
    cgroups=${CGROUP:-$(slurm_cgroups)}
    port=$(slurm_free_ports)
    mkdir -p "$SLURM_ROOT"/{munge,state,spool}
    chmod 0755 "$SLURM_ROOT" "$SLURM_ROOT/munge"
    chmod 0700 "$SLURM_ROOT/state"
    (umask 077 && head -c 1024 /dev/urandom >"$SLURM_ROOT/munge/key")
    slurm_configure "$port" "$cgroups"
    export SLURM_CONF=$SLURM_ROOT/slurm.conf
    munged --force --foreground --key-file="$SLURM_ROOT/munge/key" --socket="$SLURM_ROOT/munge/socket" \
        --pid-file="$SLURM_ROOT/munge/pid" --log-file="$SLURM_ROOT/munge/log" --seed-file="$SLURM_ROOT/munge/seed" \
        >"$SLURM_ROOT/munge/output" 2>&1 &
    slurm_pids+=($!)
    slurm_wait 20 test -S "$SLURM_ROOT/munge/socket" || return 1
    slurmctld -D -c >"$SLURM_ROOT/slurmctld.output" 2>&1 &
    slurm_pids+=($!)
    # slurmd gives up for a while where nobody answers.
    slurm_wait 30 slurm_answers || return 1
    slurmd -D >"$SLURM_ROOT/slurmd.output" 2>&1 &
    slurm_pids+=($!)
    slurm_wait 60 slurm_idle || return 1
    echo "SLURM $(sbatch --version | cut -d' ' -f2) on port $port, control groups: $cgroups"
}

slurm_answers() { scontrol ping 2>/dev/null | grep -q 'is UP'; }
slurm_idle() { sinfo --noheader --format=%T 2>/dev/null | grep -q idle; }

slurm_stop() {
    local at pid
    [ ${#slurm_pids[@]} -eq 3 ] && scancel --user="$(id -un)" 2>/dev/null && slurm_wait 20 slurm_empty
    # The node's daemon first, munged last.
    for ((at = ${#slurm_pids[@]} - 1; at >= 0; at--)); do
        pid=${slurm_pids[at]}
        kill "$pid" 2>/dev/null || continue
        # slurmd and slurmctld write their state down; then they are gone, or are made to go.
        slurm_wait 15 slurm_gone "$pid" || kill -9 "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    slurm_pids=()
    return 0
}

slurm_empty() { [ -z "$(squeue --noheader 2>/dev/null)" ]; }
# A child that has ended and was not waited for counts as gone.
slurm_gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null; }

slurm_logs() {
    local log
    for log in "$SLURM_ROOT"/*.output "$SLURM_ROOT"/*.log "$SLURM_ROOT"/munge/output; do
        [ -s "$log" ] && echo "== $log" && tail -n 15 "$log"
    done
}
