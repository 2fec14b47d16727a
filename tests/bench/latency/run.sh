#!/bin/bash
# How long it takes from the packet by which a resolver is known to the pair in the kernel, while the sensor has other work; or from
# a client's first packet in clear text to the alert's line in eve.json, while it has none.
#
#   run.sh [--of pairs|alerts] [--count N] [--rate N] [--load QPS] [--limit MS]
#
# In the lab of tests/netns (root). The packet's time is the wall clock's before it is sent, the element's that of nf_tables' notice
# in another process: both are on the safe side. The capture ring's own delay is in it (sensor/capture/live.c).
# --load: queries a second of dnsperf, past the sensor (5000). SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/../../netns/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
PIECES=$(cd "$(dirname "$0")" && pwd)/latency.py
OF=pairs COUNT=1000 RATE=50 LOAD=5000 LIMIT=5
if [ "${1:-} ${2:-}" = "--of alerts" ]; then COUNT=500 LOAD=0 LIMIT=20; fi
while [ $# -gt 1 ]; do
    case $1 in
    --of) OF=$2 ;;
    --count) COUNT=$2 ;;
    --rate) RATE=$2 ;;
    --load) LOAD=$2 ;;
    --limit) LIMIT=$2 ;;
    *) lab_die "no such option: $1" ;;
    esac
    shift 2
done

sources() { local n; for n in $(seq 10 29); do echo "10.53.200.$n"; done; }

# ticks: processor time of all the sensor's processes.
ticks() {
    local pid
    for pid in $(sensor_processes "$SENSOR_PID"); do cat "/proc/$pid/stat"; done | awk '{ sum += $14 + $15 } END { print sum }'
}

hear() {
    if [ $OF = alerts ]; then lab_in gw "$PIECES" lines "$LAB_DIR/eve.json"; else lab_in gw "$PIECES" hear; fi
}

send() {
    # shellcheck disable=SC2046
    if [ $OF = alerts ]; then lab_in c1 "$PIECES" ask "$COUNT" "$RATE" $LAB_B4; else lab_in c1 "$PIECES" hello "$COUNT" "$RATE" $(sources); fi
}

main() {
    local n status before begin
    lab_up || exit 1
    lab_client c1 1
    lab_client c2 2
    for n in $(sources); do ip -n "$LAB-c1" addr add "$n/16" dev eth0; done
    lab_namespace cdn
    lab_link isp cdn0 192.0.2.9/30 2001:db8:3::1/64 cdn eth0 192.0.2.10/30 2001:db8:3::2/64
    ip -n "$LAB-cdn" route add default via 192.0.2.9
    ip -n "$LAB-cdn" route add local 198.18.0.0/16 dev lo
    ip -n "$LAB-isp" route add 198.18.0.0/16 via 192.0.2.10
    lab_daemon cdn sink "$PIECES" sink
    sensor_policy alert reject | sed "s|^resolvers:|&\n  - {id: hidden, name: doh.cdn.example}|; s|mode: monitor}|mode: monitor, preflight: false}|" >"$LAB_DIR/policy.yaml"
    sensor_up enforce || exit 1
    seq 2000 | sed 's/.*/host&.example.org A/' >"$LAB_DIR/queries"
    mkfifo "$LAB_DIR/end"
    hear <"$LAB_DIR/end" >"$LAB_DIR/heard" &
    exec 9>"$LAB_DIR/end"
    [ "$LOAD" = 0 ] || lab_daemon c2 dnsperf dnsperf -s $LAB_B4 -d "$LAB_DIR/queries" -Q "$LOAD" -l 3600
    sleep 1
    before=$(ticks) begin=$EPOCHREALTIME
    send >"$LAB_DIR/sent"
    n=$(($(ticks) - before)) begin=$((${EPOCHREALTIME/./} - ${begin/./}))
    sleep 0.5
    exec 9>&-
    [ "$LOAD" = 0 ] || lab_stop "$LAB_PID" INT
    [ "$LOAD" = 0 ] || echo "load: $(sed -n 's/ *Queries per second: *//p' "$LAB_DIR/dnsperf.log") queries a second; the sensor's processor time: $((n * 1000000 / begin)) % of one core"
    "$PIECES" judge "$LAB_DIR/sent" "$LAB_DIR/heard" "$LIMIT"
    status=$?
    sensor_down
    exit $status
}
main
