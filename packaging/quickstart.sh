#!/bin/bash
# From a fresh checkout to a running sensor: installs Debian's packages, builds, and shows live, in plain words, what DNS
# leaves this machine. It only watches: no rule is installed, nothing is kept outside the checkout's build/ but a scratch
# directory that goes when it ends.
#
#   packaging/quickstart.sh [IFACE...]       watch these interfaces (default: that of the default route); Ctrl-C ends it
#   packaging/quickstart.sh --lab [--stay]   a walk through a lab of network namespaces, in mode enforce: a downgrade, a
#                                            blocked clear-text query, an approved one, and what the sensor says of them
#
#   --policy FILE   with this policy, its store and its control socket
#   --seconds N     end after N seconds
#   --build-only    packages and build, nothing else
#   --help
#
# Needs Debian 12, and root for packages, capture and namespaces.
set -u
PACKAGES_ROOT=$(cd "$(dirname "$0")/.." && pwd)
SEALDNS=$PACKAGES_ROOT/build/sealdns
. "$PACKAGES_ROOT/packaging/packages.sh"

usage() { sed -n '2,16s/^# \{0,1\}//p' "$0"; }
die() { echo "quickstart: $*" >&2; exit "${2:-1}"; }
wrong() { echo "quickstart: $*; see --help" >&2; exit 2; }

DO=watch POLICY='' SECONDS_LONG='' INTERFACES=() LAB_OPTIONS=()
while [ $# -gt 0 ]; do
    case $1 in
    --lab) DO=lab ;;
    --stay) LAB_OPTIONS=(--stay) ;;
    --build-only) DO=build ;;
    --policy) POLICY=${2:-} && [ -n "$POLICY" ] && shift || wrong "--policy needs a file" ;;
    --seconds) [[ ${2:-} =~ ^[0-9]+$ ]] && SECONDS_LONG=$2 && shift || wrong "--seconds needs a number" ;;
    --help | -h) usage; exit 0 ;;
    -*) wrong "no option $1" ;;
    *) INTERFACES+=("$1") ;;
    esac
    shift
done
[ -z "$POLICY" ] || [ -r "$POLICY" ] || wrong "cannot read $POLICY"

build() {
    local log=$PACKAGES_ROOT/build/quickstart.log generator=()
    mkdir -p "$PACKAGES_ROOT/build" || exit 1
    [ -e "$PACKAGES_ROOT/build/CMakeCache.txt" ] || generator=(-G Ninja)
    echo "Building build/sealdns (a minute or two the first time)"
    if ! { cmake -S "$PACKAGES_ROOT" -B "$PACKAGES_ROOT/build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
        -DSEALDNS_TESTS=OFF && cmake --build "$PACKAGES_ROOT/build" -j "$(nproc)"; } >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        die "the build failed, see $log"
    fi
}

default_interface() {
    local found
    found=$(ip -o route show default | grep -o 'dev [^ ]*' | head -1)
    [ -n "$found" ] || found=$(ip -o -6 route show default | grep -o 'dev [^ ]*' | head -1)
    echo "${found#dev }"
}

# The policy of a first look: nobody is approved, everything is told, nothing is cut.
first_policy() {
    cat <<END
sensor: {mode: monitor}
store: {path: $SCRATCH/sealdns.db}
control: {socket: $SCRATCH/sealdns.sock}
END
}

# policy_word SECTION KEY: what the policy in use says, as the program reads it.
policy_word() { "$SEALDNS" check -c "$POLICY" | sed -nE "s/^$1: \{(.*, )?$2: \"?([^,\"}]*).*/\2/p"; }

SENSOR= SHOWN= PAUSE= SCRATCH=
finish() {
    trap - EXIT
    trap '' INT TERM HUP
    # shellcheck disable=SC2086
    { kill $SHOWN $PAUSE; wait $SHOWN $PAUSE; } 2>/dev/null
    if [ -n "$SENSOR" ]; then
        echo
        "$SEALDNS" status --socket "$SOCKET" 2>/dev/null | sed -n '/^interface/p; /^ *dns_queries/p; /^ *conversations /p'
        kill -TERM "$SENSOR" 2>/dev/null
        wait "$SENSOR"
        STATUS=$?
    fi
    if [ -n "$SCRATCH" ]; then
        # The sensor keeps a copy of each good policy; that of the scratch directory is of no use any more.
        grep -lsF "$SCRATCH" /var/lib/sealdns/last-good-*.yaml | xargs -r rm -f
        rm -rf "$SCRATCH"
    fi
    exit "${STATUS:-$1}"
}

start() {
    local options=() interface
    for interface in "${INTERFACES[@]}"; do options+=(-i "$interface"); done
    # Out of the terminal's reach: Ctrl-C comes to this script, which asks the sensor for its counts before it ends it.
    setsid "$SEALDNS" run -c "$POLICY" --mode monitor "${options[@]}" &
    SENSOR=$!
    for _ in $(seq 100); do
        "$SEALDNS" status --socket "$SOCKET" >/dev/null 2>&1 && [ -e "$DB" ] && return 0
        kill -0 "$SENSOR" 2>/dev/null || break
        sleep 0.1
    done
    kill -0 "$SENSOR" 2>/dev/null && die "the sensor does not answer on $SOCKET"
    wait "$SENSOR"
    STATUS=$?
    SENSOR=
    exit "$STATUS"
}

watch() {
    [ "$(id -u)" = 0 ] || die "capturing needs root: sudo $0"
    [ ${#INTERFACES[@]} -gt 0 ] || INTERFACES=($(default_interface))
    [ ${#INTERFACES[@]} -gt 0 ] || die "there is no default route: name the interface to watch"
    trap 'finish $?' EXIT
    trap 'exit 0' INT TERM HUP
    SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/sealdns-quickstart.XXXXXX") || exit 1
    if [ -z "$POLICY" ]; then
        POLICY=$SCRATCH/policy.yaml
        first_policy >"$POLICY"
    fi
    "$SEALDNS" check -c "$POLICY" >/dev/null || { STATUS=$?; exit "$STATUS"; }
    DB=$(policy_word store path) SOCKET=$(policy_word control socket)
    start
    echo "Watching ${INTERFACES[*]}. Nothing is blocked. Try: dig @9.9.9.9 example.org; kdig +tls @9.9.9.9 example.org."
    echo "The dashboard: http://127.0.0.1:8053/. Ctrl-C ends it."
    "$SEALDNS" events --follow --db "$DB" --format text &
    SHOWN=$!
    [ -z "$SECONDS_LONG" ] || { sleep "$SECONDS_LONG" & PAUSE=$!; }
    wait -n "$SENSOR" $PAUSE # either it was long enough, or the sensor ended by itself
}

if [ $DO = lab ]; then packages_install $BUILD_PACKAGES $LAB_PACKAGES; else packages_install $BUILD_PACKAGES; fi ||
    die "packages are missing"
build
case $DO in
build) ls -l "$SEALDNS" ;;
lab) exec env SEALDNS="$SEALDNS" "$PACKAGES_ROOT/tests/netns/demo.sh" "${LAB_OPTIONS[@]}" ;;
watch) watch ;;
esac
