# Owns how a private Slurm runs on this machine: munged, slurmctld, and a slurmd for each node.
# Sourced by the scripts of the single clusters, which set `name` and `nodes`, and define `own_conf` (lines of slurm.conf).
# Each has its own configuration, ports, munge key and socket, so a real Slurm on this machine is not touched.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

dir=$state/$name
conf=$dir/slurm.conf
export SLURM_CONF=$conf

host=$(uname -n)
host=${host%%.*}

# What a cluster may define anew: what runs before there is a slurm.conf, what is done before the controller starts, and what ends after it.
packages=(slurmctld slurmd slurm-client munge)
programs=(slurmctld slurmd sinfo munged)
own_up() { :; }
own_open() { :; }
own_is_up() { :; }
own_down() { :; }
own_processes() { :; }

# Sockets allow paths of about 100 characters, and Slurm's settings no blanks; where the checkout's path is neither,
# Slurm comes by a short symbolic link.
short=$dir
if [ ${#dir} -gt 60 ] || [[ $dir =~ [^A-Za-z0-9/._-] ]]; then
    short=$(cat "$dir/link" 2>/dev/null)/$name || short=
fi

munged=("$dir/munged.pid" munged "--key-file=$short/munge.key") # for pid_of and stop
slurmctld=("$dir/slurmctld.pid" slurmctld "$conf")

runs() { pid_of "$@" >/dev/null; }

slurmd_runs() { runs "$dir/slurmd.$1.pid" slurmd "$conf"; }

slurmds_run() {
    local node
    for node in "${nodes[@]}"; do slurmd_runs "$node" || return 1; done
}

nodes_are_ready() {
    # A star after the state (idle*) means that the node does not answer.
    local ready
    ready=$(timeout 5 sinfo -h -N -o %T 2>/dev/null | grep -cxE 'idle|mixed|allocated|completing')
    [ "$ready" = ${#nodes[@]} ]
}

is_up() { runs "${munged[@]}" && own_is_up && runs "${slurmctld[@]}" && slurmds_run && nodes_are_ready; }

make_link() {
    [ -e "$short" ] && return
    local folder
    folder=$(mktemp -d "${TMPDIR:-/tmp}/volley-XXXXXX") # a fresh name, so nobody else can have put it there
    chmod 755 "$folder"
    ln -s "$dir" "$folder/$name"
    printf '%s\n' "$folder" >"$dir/link"
    short=$folder/$name
    munged[2]=--key-file=$short/munge.key
}

write_conf() {
    local user
    user=$(id -un)
    # As many CPUs as we say on any box (config_overrides): the tests queue jobs that mostly sleep.
    cat >"$conf" <<CONF
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(keep_port "$dir/slurmctld.port")
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$short/munge.socket
StateSaveLocation=$short/state
SlurmdSpoolDir=$short/spool/%n
SlurmctldPidFile=$short/slurmctld.pid
SlurmdPidFile=$short/slurmd.%n.pid
SlurmctldLogFile=$short/slurmctld.log
SlurmdLogFile=$short/slurmd.%n.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=5
SelectType=select/cons_tres
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=5
$(own_conf)
CONF
}

# node NAME SETTINGS: its line of slurm.conf.
node() { printf 'NodeName=%s NodeHostname=%s NodeAddr=127.0.0.1 Port=%s %s State=UNKNOWN\n' "$1" "$host" "$(keep_port "$dir/slurmd.$1.port")" "$2"; }

a_slurmd_runs() {
    local node
    for node in "${nodes[@]}"; do slurmd_runs "$node" && return; done
    return 1
}

start_slurmd() {
    slurmd_runs "$1" || start "$dir/start.log" slurmd -N "$1" -f "$conf" || fail slurmd "slurmd.$1.log"
}

start_munged() {
    [ -s "$dir/munge.key" ] || (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
    # --force: munged would otherwise refuse a checkout below a folder that a group may write to, or that others may not enter.
    start "$dir/start.log" munged --force --key-file="$short/munge.key" --socket="$short/munge.socket" \
        --pid-file="$short/munged.pid" --seed-file="$short/munge.seed" --log-file="$short/munged.log" || fail munged
    wait_for 20 munge_answers || fail munged
}

munge_answers() { munge --no-input --socket="$short/munge.socket" 2>/dev/null | unmunge --socket="$short/munge.socket" >/dev/null 2>&1; }

fail() {
    show_end "$dir/start.log"
    show_end "$dir/${2:-$1.log}"
    die "$1 did not start"
}

up() {
    [ "$(uname -s)" = Linux ] || die "Slurm runs on Linux only"
    have_all "${programs[@]}" || need_packages "${packages[@]}"
    mkdir -p "$dir/state" "$dir/spool"
    make_link
    : >"$dir/start.log"
    local node
    runs "${munged[@]}" || start_munged
    own_up
    # Whoever still runs knows the ports of the old file.
    runs "${slurmctld[@]}" || a_slurmd_runs || write_conf
    own_open
    runs "${slurmctld[@]}" || start "$dir/start.log" slurmctld -f "$conf" || fail slurmctld
    for node in "${nodes[@]}"; do start_slurmd "$node"; done
    wait_for 60 is_up || {
        show_end "$dir/start.log"
        show_end "$dir/slurmctld.log"
        for node in "${nodes[@]}"; do slurmd_runs "$node" || show_end "$dir/slurmd.$node.log"; done
        die "the nodes of the private Slurm do not become ready; sinfo says: $(timeout 5 sinfo -h -N -o '%N %T %E' 2>&1)"
    }
}

have_all() {
    local program
    for program in "$@"; do have "$program" || return 1; done
}

queue_is_empty() { [ -z "$(timeout 5 squeue -h -o %A 2>/dev/null)" ]; }

down() {
    # The processes of jobs outlive the daemons, so end the jobs while Slurm can still do it.
    if runs "${slurmctld[@]}" && ! queue_is_empty; then
        squeue -h -o %A | sort -u | xargs scancel --quiet || true
        wait_for 20 queue_is_empty || say "some jobs do not end"
    fi
    local file
    for file in "$dir"/slurmd*.pid; do stop "$file" slurmd "$conf"; done
    stop "${slurmctld[@]}"
    own_down
    stop "${munged[@]}"
    rm -rf "$dir/state" "$dir/spool" # the queue; the logs stay
    [ "$short" = "$dir" ] || rm -rf "${short%/"$name"}" "$dir/link"
}

status() {
    is_up && printf '%-7s up    %s  processes %s\n' "$name" "$conf" \
        "$(echo $(pid_of "${munged[@]}") $(own_processes) $(pid_of "${slurmctld[@]}") $(cat "$dir"/slurmd.*.pid))" && return
    printf '%-7s down\n' "$name"
    return 1
}

env() {
    is_up || return 1
    printf 'export VOLLEY_TEST_%s_CONF=%q\n' "$1" "$conf"
}
