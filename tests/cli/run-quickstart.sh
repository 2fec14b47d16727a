#!/bin/bash
# packaging/quickstart.sh in a network namespace of its own: it builds, watches, shows what leaves in clear text, and ends
# by itself, on Ctrl-C's signal, and with one line where it cannot.
#
#   run-quickstart.sh
#
# Needs root.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/expect.sh"
NS=sdquick$$ SCRATCH=$(mktemp -d) QUICK=$LAB_ROOT/packaging/quickstart.sh
PID=
cleanup() {
    [ -z "$PID" ] || kill -TERM "$PID" 2>/dev/null
    [ -z "$PID" ] || wait "$PID"
    ip netns del $NS 2>/dev/null
    rm -rf "$SCRATCH"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
ip netns add $NS && ip -n $NS link set lo up || exit 1
inside() { ip netns exec $NS "$@"; }
export TMPDIR=$SCRATCH
soon() {
    local i
    for i in $(seq 100); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
    return 1
}
left_nothing() { ! ls -d "$SCRATCH"/sealdns-quickstart.* 2>/dev/null; }

watches() {
        ip netns exec $NS "$QUICK" --seconds 5 lo >"$SCRATCH/shown" 2>&1 &
    PID=$!
    check "it watches" soon grep -q '^Watching lo' "$SCRATCH/shown"
    inside dig +tries=1 +time=1 @127.0.0.1 www.example.org >/dev/null 2>&1
    check "it shows a clear-text query live" soon grep -q 'cleartext.*127.0.0.1' "$SCRATCH/shown"
    wait $PID && ok "it ends after its seconds" || not_ok "it ends after its seconds" "$(tail -n 2 "$SCRATCH/shown" | paste -sd' ')"
    PID=
    check "it says what it counted" grep -qE 'dns_queries +[1-9]' "$SCRATCH/shown"
    check "it leaves nothing behind" left_nothing
    check "it has installed no rule" eval '! inside nft list ruleset | grep -q .'
}

# As a terminal does it: to the whole group.
interrupted() {
    local status
    ip netns exec $NS setsid python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$QUICK" lo >"$SCRATCH/shown" 2>&1 &
    PID=$!
    check "without --seconds it goes on" soon grep -q '^Watching lo' "$SCRATCH/shown"
    kill -INT -- -$PID
    wait $PID
    status=$? PID=
    [ $status = 0 ] && ok "Ctrl-C ends it cleanly" || not_ok "Ctrl-C ends it cleanly" "exit status $status: $(tail -n 2 "$SCRATCH/shown" | paste -sd' ')"
    check "and leaves nothing behind" left_nothing
}

cannot() {
    expect "--help" 0 out 'packaging/quickstart.sh' "$QUICK" --help
    expect "an unknown option" 2 err 'no option --frobnicate' "$QUICK" --frobnicate
    expect "a policy that is not there" 2 err 'cannot read' "$QUICK" --policy "$SCRATCH/nowhere"
    inside "$QUICK" nosuch0 >"$SCRATCH/out" 2>&1
    [ $? = 1 ] && grep -q 'nosuch0: no such interface' "$SCRATCH/out" && ok "no such interface" || not_ok "no such interface" "$(head -c 200 "$SCRATCH/out" | paste -sd' ')"
    inside "$QUICK" >"$SCRATCH/out" 2>&1
    [ $? = 1 ] && grep -q 'no default route' "$SCRATCH/out" && ok "no default route" || not_ok "no default route" "$(head -c 200 "$SCRATCH/out" | paste -sd' ')"
}

check "it builds" "$QUICK" --build-only
watches
interrupted
cannot
tally
