#!/bin/bash
# Decided flows stay in the kernel, and nothing is told otherwise for it: three sensors on one interface see a gateway's mix, one
# with the shunt, one with the policy saying off, and one without the right to eBPF. Bare, and with VLAN tags, which the kernel takes out
# of a frame that comes in.
#
#   run-shunt.sh [--keep] [--packets N] [--rate N] [--transfer BYTES]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
PACKETS=70000 RATE=15000 TRANSFER=50000
while [ $# -gt 0 ]; do
    case $1 in
    --keep) LAB_KEEP=1 ;;
    --packets) PACKETS=$2 && shift ;;
    --rate) RATE=$2 && shift ;;
    --transfer) TRANSFER=$2 && shift ;;
    *) lab_die "no option $1" ;;
    esac
    shift
done
readonly KINDS='auto off poor'
declare -A PID=()

policy() { # KIND
    cat <<END
sensor: {name: $1, interfaces: [w0], shunt: $([ "$1" = off ] && echo off || echo auto)}
store: {path: $LAB_DIR/$1.db}
control: {socket: $LAB_DIR/$1.sock}
outputs:
  - {type: file, format: eve, path: $LAB_DIR/$1.eve}
END
}

status() { "$SEALDNS" status --socket "$LAB_DIR/$1.sock" --format json; }
# counter KIND EXPRESSION: of status.
counter() { status "$1" | jq -r "$2"; }

up() { # KIND [WRAPPER...]
    local kind=$1
    shift
    policy "$kind" >"$LAB_DIR/$kind.yaml"
    lab_daemon gw "$kind" "$@" "$SEALDNS" run -c "$LAB_DIR/$kind.yaml"
    PID[$kind]=$LAB_PID
    lab_wait 10 status "$kind" || { tail -n 5 "$LAB_DIR/$kind.log" >&2; lab_die "the sensor '$kind' did not start"; }
}

# frames KIND: all that its filter has taken, here or there.
frames() { counter "$1" '.counters | .packets + .shunted_packets'; }
all_read() {
    local before
    before=$(frames off)
    sleep 0.3
    [ "$before" != 0 ] && [ "$before" = "$(frames off)" ] && [ "$before" = "$(frames auto)" ] && [ "$before" = "$(frames poor)" ]
}

capture() { # SEED
    "$LAB_DIR/generate" mix "$LAB_DIR/mix-$1.pcap" --packets "$PACKETS" --seed "$1" --transfer "$TRANSFER" || lab_die "no capture"
}

replay() { # FILE
    lab_in far tcpreplay -q -p "$RATE" -i w1 "$1" >"$LAB_DIR/replay.log" 2>&1 || { cat "$LAB_DIR/replay.log" >&2; lab_die "tcpreplay"; }
    check "all sensors have read all of it" lab_wait 20 all_read
}

conversations() {
    sqlite3 "$LAB_DIR/$1.db" "SELECT client, server, server_port, transport, zone, name, identified_by, confidence, min(first), sum(flows), sum(flows_failed),
        sum(queries), sum(responses), sum(bytes_out), sum(bytes_in) FROM conversations GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
}
ends() { sqlite3 "$LAB_DIR/$1.db" "SELECT client, server, server_port, transport, max(last) / 1000000 FROM conversations GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"; }
# Times of the last packets: the kernel's are to a tick, a flow's to 34 ms.
ends_agree() {
    paste -d'|' <(ends auto) <(ends off) | awk -F'|' '{ d = $5 - $10 } d > 100 || d < -100 { bad++ } END { exit bad > 0 || NR == 0 }'
}
# The last word of each event that is not about the sensor itself.
events() {
    jq -rs '[.[] | select(.sealdns.kind? and .sealdns.kind != "sensor")] | group_by(.sealdns.id) | map(max_by(.sealdns.revision))
        | map([.sealdns.kind, .sealdns.rule, .sealdns.client, .sealdns.server, .sealdns.count, .sealdns.verdict, .alert.severity] | map(tostring)
        | join(" ")) | sort[]' "$LAB_DIR/$1.eve"
}
# same WHAT FUNCTION KIND
same() {
    "$2" off >"$LAB_DIR/$2.off"
    "$2" "$3" >"$LAB_DIR/$2.$3"
    if [ -s "$LAB_DIR/$2.off" ] && cmp -s "$LAB_DIR/$2.off" "$LAB_DIR/$2.$3"; then
        ok "$1 ($(wc -l <"$LAB_DIR/$2.off"))"
    else
        not_ok "$1" "$(diff "$LAB_DIR/$2.off" "$LAB_DIR/$2.$3" | head -n 4 | paste -sd';')"
    fi
}

begin() {
    local kind
    ${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE "$LAB_ROOT"/tests/bench/*.c -o "$LAB_DIR/generate" -lcrypto -lm || lab_die "no generator"
    lab_namespace gw
    lab_namespace far
    for kind in gw far; do # nothing of the kernel's own among the frames
        lab_in $kind sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    done
    ip link add w0 netns "$LAB-gw" type veth peer name w1 netns "$LAB-far"
    lab_plain gw w0
    lab_plain far w1
    up auto
    up off
    up poor setpriv --bounding-set=-bpf,-sys_admin,-perfmon
}

lab_named
begin
capture 1
capture 2
tcprewrite --enet-vlan=add --enet-vlan-tag=7 --enet-vlan-cfi=0 --enet-vlan-pri=0 -i "$LAB_DIR/mix-2.pcap" -o "$LAB_DIR/tagged.pcap" ||
    lab_die "no tags"
check "off is off" eval '[ "$(counter off ".interfaces[0].shunt | .active, .why" | paste -sd" ")" = "false off by the policy of the start" ]'
if [ "$(counter auto '.interfaces[0].shunt.active')" != true ] && [ "$(uname -r | cut -d. -f1)" -lt 6 ]; then
    skip "the shunt" "$(counter auto '.interfaces[0].shunt.why')"
    tally
    exit
fi
check "the shunt is there" eval '[ "$(counter auto .interfaces[0].shunt.active)" = true ]'
check "without the right to eBPF it is not, and says so" eval '[ "$(counter poor "[.interfaces[0].shunt.active, .counters.shunt_fallbacks] | @text")" = "[false,1]" ]'
check "... also in the log" grep -q 'w0: every packet on port 443 comes to the sensor: .*not permitted' "$LAB_DIR/poor.log"
replay "$LAB_DIR/mix-1.pcap"
bare=$(counter auto '.counters.shunted_packets')
replay "$LAB_DIR/tagged.pcap"
check "tags that are not in the frame: shunted too" eval '[ $(($(counter auto .counters.shunted_packets) - bare)) -gt $((PACKETS / 2)) ]'
share=$(counter auto '.interfaces[0].shunt.share_seen * 1000 | floor')
check "the sensor saw less than a quarter of the packets: $share in a thousand" [ "$share" -lt 250 ]
check "others saw all" [ "$(counter off '.counters.shunted_packets') $(counter poor '.counters.shunted_packets')" = "0 0" ]
check "nothing was refused, lost or dropped" [ "$(counter auto '.counters | .shunts_refused + .kernel_drops + .observations_dropped')" = 0 ]
for kind in $KINDS; do lab_stop "${PID[$kind]}"; done
same "the same conversations as without, with their bytes" conversations auto
same "the same events" events auto
check "the same ends" ends_agree
same "the same conversations without the right to it" conversations poor
tally
