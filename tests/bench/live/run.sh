#!/bin/bash
# The highest rate on a veth pair at which nothing is lost: the sensor against `tcpdump -w /dev/null`, each alone, in turns.
#
#   run.sh [--captures "A.pcap B.pcap"] [--rounds N] [--threads N]
#
# In network namespaces of its own (root, tcpreplay). A rate is lost when the kernel dropped a frame for want of room in a ring
# of 64 MiB, or the sensor an observation. Best of N rounds (3): other load on the machine only takes away. The sender needs
# a processor of its own, so on two of them a second capture thread has none. SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/../../netns/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
CAPTURES= ROUNDS=3 THREADS=1
while [ $# -gt 1 ]; do
    case $1 in
    --captures) CAPTURES=$2 ;;
    --rounds) ROUNDS=$2 ;;
    --threads) THREADS=$2 ;;
    *) lab_die "no such option: $1" ;;
    esac
    shift 2
done

# replay RATE FILE: prints the rate that was reached, in packets a second; RATE 0: as fast as it goes.
replay() {
    local how="--pps=$1"
    [ "$1" != 0 ] || how=--topspeed
    lab_in far tcpreplay -q "$how" --preload-pcap -i far0 "$2" 2>/dev/null | sed -n 's/.*bps, \([0-9]*\).* pps$/\1/p'
}

# lost_PROGRAM RATE FILE: sets REACHED, and LOST.
lost_sealdns() {
    local before
    before=$(sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq '.counters | .kernel_drops + .observations_dropped')
    REACHED=$(replay "$1" "$2")
    sleep 0.5
    LOST=$(($(sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq '.counters | .kernel_drops + .observations_dropped') - before))
}

lost_tcpdump() {
    local pid
    lab_daemon gw tcpdump tcpdump -i live0 -B 65536 -w /dev/null
    pid=$LAB_PID
    lab_wait 5 grep -q listening "$LAB_DIR/tcpdump.log"
    REACHED=$(replay "$1" "$2")
    sleep 0.3
    lab_stop "$pid" INT
    LOST=$(sed -n 's/^\([0-9]*\) packets dropped by kernel$/\1/p' "$LAB_DIR/tcpdump.log")
}

# highest PROGRAM FILE: sets BEST; by halves below what the sender reaches.
highest() {
    local step low=0 high rate=0
    BEST=0
    for step in 1 2 3 4; do
        "lost_$1" "$rate" "$2"
        [ $step != 1 ] || high=$REACHED
        if [ "$LOST" = 0 ]; then
            [ "$REACHED" -le $BEST ] || BEST=$REACHED
            [ $rate != 0 ] || return 0
            low=$rate
        else
            [ $rate = 0 ] || high=$rate
        fi
        rate=$(((low + high) / 2))
    done
}

main() {
    local round capture program best
    lab_named
    lab_namespace gw
    lab_namespace far
    ip link add live0 netns "$LAB-gw" type veth peer name far0 netns "$LAB-far"
    lab_plain gw live0
    lab_plain far far0
    printf 'sensor: {mode: monitor, preflight: false, capture: {threads: %s}}\nstore: {path: %s}\ncontrol: {socket: %s}\n' \
        "$THREADS" "$LAB_DIR/sealdns.db" "$LAB_DIR/sealdns.sock" >"$LAB_DIR/policy.yaml"
    for capture in $CAPTURES; do
        declare -A best=([tcpdump]=0 [sealdns]=0)
        for round in $(seq "$ROUNDS"); do
            for program in tcpdump sealdns; do
                [ $program = tcpdump ] || sensor_up monitor live0 || exit 1
                highest $program "$capture"
                [ $BEST -le "${best[$program]}" ] || best[$program]=$BEST
                [ $program = tcpdump ] || sensor_down
            done
        done
        echo "$(basename "$capture" .pcap): without loss tcpdump ${best[tcpdump]} packets/s, sealdns ${best[sealdns]}: $(jq -n "${best[sealdns]} / ([${best[tcpdump]}, 1] | max) * 100 | round / 100")"
    done
}
main
