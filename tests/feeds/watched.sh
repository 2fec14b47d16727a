# shellcheck shell=bash
# A sensor that watches lan0 of a namespace, and the clients behind it. Sourced by the runners of this folder.
NS=sdfeeds$$ SCRATCH=$(mktemp -d) PID=
chmod 755 "$SCRATCH"
cleanup() {
    [ -z "$PID" ] || { kill -KILL "$PID" && wait "$PID"; } 2>/dev/null
    kill_receivers
    ip netns del $NS 2>/dev/null
    grep -lsF "$SCRATCH" /var/lib/sealdns/last-good-*.yaml | xargs -r rm -f
    rm -rf "$SCRATCH"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
inside() { ip netns exec $NS "$@"; }
soon() {
    local i
    for i in $(seq "${SOON:-150}"); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
    return 1
}
ask() { inside "$SEALDNS" status --socket "$SCRATCH/sock" "$@"; }

start() {
    ip netns exec $NS "$SEALDNS" run -c "$SCRATCH/policy.yaml" >>"$SCRATCH/log" 2>&1 &
    PID=$!
    soon ask
}
# burst FIRST COUNT RATE [DELAY]
burst() { inside python3 "$HERE/queries.py" lan1 "$@"; }

ends() {
    local status
    kill -TERM "$PID"
    wait "$PID"
    status=$?
    PID=
    [ $status = 0 ] && ! grep -qE 'Sanitizer|runtime error:' "$SCRATCH/log"
}

make_lab() {
    ip netns add $NS && ip -n $NS link set lo up && ip -n $NS link add lan0 type veth peer name lan1 &&
        ip -n $NS link set lan0 up && ip -n $NS link set lan1 up &&
        ip -n $NS address add 198.51.100.1/24 dev lan1 && make_certificates || return 1
}
