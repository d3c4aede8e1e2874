# Owns what the service scripts share: where things lie, packages, Python environments, ports, processes, waiting.
# Sourced, never run.

set -euo pipefail

me=$(basename "$0")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
state=$root/target/services # everything made here lies below; `cargo clean` removes it, so bring the services down first

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # a user's PATH often lacks the folders of the daemons

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() {
    say "$@"
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# quiet LOG COMMAND...: the output goes to LOG, and to the terminal (its end) only if the command fails.
quiet() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" </dev/null >"$log" 2>&1 && return
    show_end "$log"
    return 1
}

show_end() {
    [ -s "$1" ] || return 0
    say "the end of $1:"
    tail -n 20 "$1" >&2
}

# need_packages PACKAGE...: installs those that are missing, if we may; says what is needed if not.
need_packages() {
    local package missing=()
    for package in "$@"; do
        # The state, not the name alone: a removed package with leftover settings is still listed.
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    have apt-get || die "needs what Debian calls: ${missing[*]}; this is not Debian, so please install it yourself"
    [ "$(id -u)" = 0 ] || die "needs the packages: ${missing[*]}; as root: apt-get install ${missing[*]}"
    say "installing with apt-get: ${missing[*]}"
    # First with the package lists as they are (none in a fresh container, outdated in an old one), then with new ones.
    apt_install "${missing[@]}" >/dev/null 2>&1 && return
    quiet "$state/log/apt-update.log" apt-get update || die "apt-get update failed"
    quiet "$state/log/apt-install.log" apt_install "${missing[@]}" || die "apt-get install ${missing[*]} failed"
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@" </dev/null
}

# need_venv FOLDER PIP-ARGUMENTS...: a virtual environment with these packages, made anew when the list or the folder changed.
need_venv() {
    local folder=$1 wanted
    shift
    wanted="$folder: $*" # with the folder, because the programs of an environment that was moved do not run
    if [ "$(cat "$folder/made-from" 2>/dev/null)" = "$wanted" ] && "$folder/bin/python" -c '' 2>/dev/null; then
        return
    fi
    have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3 python3-venv
    say "installing with pip into target/services/${folder##*/}: $*"
    quiet "$state/log/venv.log" python3 -m venv --clear "$folder" || die "python3 -m venv failed"
    quiet "$state/log/pip.log" "$folder/bin/pip" install --no-input --disable-pip-version-check "$@" || die "pip install failed"
    printf '%s\n' "$wanted" >"$folder/made-from" # last: an interrupted installation is begun again
}

# keep_port FILE: a free port of 127.0.0.1; the one in FILE again if nobody took it, so that exported variables stay true.
keep_port() {
    local port
    port=$(cat "$1" 2>/dev/null) || port=
    rm -f "$1"
    # The ports next to it are of programs that start together with this one.
    while [ -z "$port" ] || port_is_taken "$port" || cat "${1%/*}"/*.port 2>/dev/null | grep -qx "$port"; do
        # Below the range from which Linux takes the ports of outgoing connections, and away from 27017 (MongoDB's own).
        port=$((20000 + RANDOM % 6000))
    done
    printf '%s\n' "$port" >"$1"
    printf '%s\n' "$port"
}

port_is_taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start LOG COMMAND...: a program that makes itself a daemon; it must hold neither our terminal nor our folder.
start() {
    local log=$1
    shift
    (cd / && LC_ALL=C exec "$@") </dev/null >>"$log" 2>&1
}

# pid_of FILE PROGRAM ARGUMENT: the process named in the pid file, if it is what we started: PROGRAM with ARGUMENT.
# A pid file survives kill -9 and a reboot, and its number may by then be somebody else's.
pid_of() {
    local file=$1 program=$2 argument=$3 pid argv arg
    pid=$(tr -dc 0-9 2>/dev/null <"$file") && [ -n "$pid" ] || return 1
    mapfile -d '' -t argv 2>/dev/null <"/proc/$pid/cmdline" || return 1
    [ ${#argv[@]} -gt 0 ] && [ "${argv[0]##*/}" = "$program" ] || return 1
    for arg in "${argv[@]}"; do
        if [ "$arg" = "$argument" ]; then
            printf '%s\n' "$pid"
            return
        fi
    done
    return 1
}

# stop FILE PROGRAM ARGUMENT: ends the process that pid_of finds; returns when it is gone.
stop() {
    local pid
    pid=$(pid_of "$@") || return 0
    kill "$pid" 2>/dev/null || true
    if ! wait_for 20 gone "$@"; then
        say "$2 (process $pid) does not end, killing it"
        kill -9 "$pid" 2>/dev/null || true
        wait_for 10 gone "$@" || die "cannot end $2 (process $pid)"
    fi
}

gone() { ! pid_of "$@" >/dev/null; }

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}
