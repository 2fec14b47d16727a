#!/bin/bash
# The small profile: the sensor, all its processes, in 128 MB, with 1,000 clients, and under a flood in which a downgrade
# still shows.
#
#   run-small.sh [--keep]
#
# SEALDNS names the binary (build/sealdns). Held by a memory cgroup where there is one that may be written, and measured
# by the proportional set size of its processes in any case.
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

readonly MOST_KB=$((128 * 1024)) CASE=$LAB_ROOT/tests/pcap/downgrade-kdig-dot-clear-reset-v4-after

captures() {
    ${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE "$LAB_ROOT"/tests/bench/*.c -o "$LAB_DIR/generate" -lcrypto -lm &&
        "$LAB_DIR/generate" dns "$LAB_DIR/dns.pcap" --packets 80000 --clients 1000 --rate 4000 &&
        "$LAB_DIR/generate" mix "$LAB_DIR/mix.pcap" --packets 120000 --clients 1000 &&
        "$LAB_DIR/generate" flood "$LAB_DIR/flood.pcap" --packets 160000
}

wire() {
    lab_namespace gw
    lab_namespace net
    ip link add lan0 netns "$LAB-gw" type veth peer name eth0 netns "$LAB-net"
    ip -n "$LAB-gw" addr add 10.53.0.1/16 dev lan0
    lab_plain gw lan0
    lab_plain net eth0
}

# cage: a memory cgroup of the lab's own, as CAGE; "" where there is none. Of either version.
cage() {
    local root
    CAGE=
    for root in /sys/fs/cgroup /sys/fs/cgroup/memory; do
        mkdir "$root/$LAB" 2>/dev/null || continue
        CAGE=$root/$LAB
        if [ -w "$CAGE/memory.max" ]; then
            echo "${MOST_KB}K" >"$CAGE/memory.max" && return
        elif [ -w "$CAGE/memory.limit_in_bytes" ]; then
            echo "${MOST_KB}K" >"$CAGE/memory.limit_in_bytes" && return
        fi
        rmdir "$CAGE"
        CAGE=
    done
}

uncage() {
    [ -z "$CAGE" ] || lab_wait 5 rmdir "$CAGE"
}

# Starts the sensor in the cage; children are born in it.
start() {
    lab_daemon gw sensor bash -c '[ -z "$1" ] || echo $$ >"$1/cgroup.procs"; shift; exec "$@"' cage "$CAGE" \
        "$SEALDNS" run -c "$LAB_DIR/policy.yaml" --profile small
    SENSOR_PID=$LAB_PID
    lab_wait 10 sealdns status --socket "$LAB_DIR/sealdns.sock"
}

replay() { lab_in net tcpreplay -q -i eth0 "$@" >>"$LAB_DIR/replay.log" 2>&1; }

pss() {
    local pid sum=0
    for pid in $(sensor_processes "$SENSOR_PID"); do
        sum=$((sum + $(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")))
    done
    echo "$sum"
}

fits() {
    local now
    now=$(pss)
    if [ "$now" -le $MOST_KB ] && [ "$now" -gt 10000 ]; then ok "$1: $((now / 1024)) MB of 128"; else not_ok "$1" "$now kB"; fi
}

status_is() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq -e "$1"; }
# seen WORKLOAD...: all the queries that were sent in them.
seen() {
    local sent
    sent=$(jq -s '[.[].dns.queries] | add' $(printf "$LAB_DIR/%s.pcap.json " "$@"))
    lab_wait 10 status_is ".counters.dns_queries >= $sent"
}
nothing_lost() { status_is '.interfaces[0].kernel_drops == 0 and .interfaces[0].observations_dropped == 0'; }
downgrades() { jq -es '[.[] | select(.sealdns.kind? == "downgrade" and .sealdns.client == "10.53.1.149")] | length > 0' "$LAB_DIR/eve.json"; }
not_killed() { kill -0 "$SENSOR_PID" && [ "$(sensor_processes "$SENSOR_PID" | wc -l)" = 3 ]; }

usual_traffic() {
    replay --pps 10000 "$LAB_DIR/mix.pcap" &
    replay --pps 8000 "$LAB_DIR/dns.pcap"
    wait $!
    check "1,000 clients: all of it is seen" seen mix dns
    check "1,000 clients: nothing is lost" nothing_lost
    check "1,000 clients: nothing is folded or forgotten" \
        status_is '.counters | .conversations_folded == 0 and .flows_evicted == 0 and .flows_undecided == 0 and .records_dropped == 0'
    fits "1,000 clients"
}

under_flood() {
    replay --pps 20000 "$LAB_DIR/flood.pcap" &
    sleep 1
    replay "$CASE/capture.pcap"
    wait $!
    check "a flood: all of it is seen" seen mix dns flood
    check "a flood: no packet and no observation is lost" nothing_lost
    check "a flood: a downgrade in the middle is told" lab_wait 5 downgrades
    fits "a flood"
    check "nobody was killed for memory" not_killed
}

lab_named
cage
if [ -n "$CAGE" ]; then echo "held by $CAGE"; else skip "a memory cgroup" "none that may be written here"; fi
wire
captures || lab_die "cannot make the captures"
sed "/^sensor:/d" "$CASE/policy.yaml" >"$LAB_DIR/policy.yaml"
cat >>"$LAB_DIR/policy.yaml" <<END
sensor: {name: lab, interfaces: [lan0], mode: monitor, profile: small}
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
outputs: [{type: file, format: eve, path: $LAB_DIR/eve.json}]
END
check "check prints the profile" grep -q 'profile: small' <("$SEALDNS" check -c "$LAB_DIR/policy.yaml")
check "the sensor starts" start
check "status has the profile" status_is '.profile == "small" and .max_flows == 32768'
usual_traffic
under_flood
sensor_down
uncage
tally
