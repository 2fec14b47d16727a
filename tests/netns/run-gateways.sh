#!/bin/bash
# Two gateways with one policy, of which one has the clients' address at a time, as VRRP moves it: after a switch an event goes
# on under its id, a client that was cut off a server stays cut off, and the exceptions of the policy hold.
#
#   run-gateways.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1
readonly VIP=10.53.0.254 DOH=doh.cdn.example
declare -A SENSOR

# The clients' network is a switch of its own; both gateways stand on it, and are joined by a link of theirs.
topology() {
    local ns
    lab_namespace gw2
    lab_namespace lan
    lab_router gw2
    ip -n "$LAB-lan" link add br0 type bridge mcast_snooping 0
    lab_plain lan br0
    ip link add p1 netns "$LAB-lan" type veth peer name lan1 netns "$LAB-gw"
    ip link add p2 netns "$LAB-lan" type veth peer name lan0 netns "$LAB-gw2"
    ip -n "$LAB-gw" link set lan1 master lan0
    for ns in "lan p1" "lan p2" "gw lan1" "gw2 lan0"; do
        # shellcheck disable=SC2086
        lab_plain $ns
    done
    ip -n "$LAB-lan" link set p1 master br0
    ip -n "$LAB-lan" link set p2 master br0
    ip -n "$LAB-gw2" addr add 10.53.0.2/16 dev lan0
    lab_link gw2 wan0 192.0.2.9/30 2001:db8:3::1/64 isp gw1 192.0.2.10/30 2001:db8:3::2/64
    ip -n "$LAB-gw2" route add default via 192.0.2.10
    lab_link gw sync0 10.99.0.1/30 2001:db8:4::1/64 gw2 sync0 10.99.0.2/30 2001:db8:4::2/64
}

# client NAME NUMBER: on the switch, by way of the address that moves.
client() {
    lab_namespace "$1"
    ip link add "c$2" netns "$LAB-lan" type veth peer name eth0 netns "$LAB-$1"
    lab_plain lan "c$2"
    ip -n "$LAB-lan" link set "c$2" master br0
    lab_plain "$1" eth0
    ip -n "$LAB-$1" addr add "$(lab_client4 "$2")/16" dev eth0
    ip -n "$LAB-$1" route add default via $VIP
}

# move_to GW: what keepalived would do.
move_to() {
    local other=gw2 hop=192.0.2.1
    [ "$1" = gw2 ] && other=gw hop=192.0.2.9
    ip -n "$LAB-$other" addr del $VIP/32 dev lan0 2>/dev/null
    ip -n "$LAB-$1" addr add $VIP/32 dev lan0
    ip -n "$LAB-isp" route replace 10.53.0.0/16 via $hop
    ip -n "$LAB-c1" neigh flush all
    ip -n "$LAB-c2" neigh flush all
}

# policy GW: the same of both but for names, files and the ends of their link.
policy() {
    local own=10.99.0.1 other=10.99.0.2
    [ "$1" = gw2 ] && own=10.99.0.2 other=10.99.0.1
    sensor_policy reject reject | sed "s|$LAB_DIR/|$LAB_DIR/$1.|
        s|^resolvers:|&\n  - {id: hidden, name: $DOH}|
        s|^sensor: {.*|sensor: {name: $1, interfaces: [lan0], mode: enforce, preflight: false, on_exit: keep, pairs: {timeout: 60s}, peer: {listen: $own, address: $other, key: $LAB_DIR/$2}}|"
}

on() { # GW COMMAND...
    local where=$1
    shift
    lab_in "$where" "$SEALDNS" "$@"
}
status_of() { on "$1" status --socket "$LAB_DIR/$1.sealdns.sock" --format json; }
# up GW KEY
up() {
    policy "$1" "$2" >"$LAB_DIR/$1.policy.yaml"
    lab_daemon "$1" "$1.sensor" "$SEALDNS" run -c "$LAB_DIR/$1.policy.yaml"
    SENSOR[$1]=$LAB_PID
    lab_wait 10 status_of "$1"
}
killed() { sensor_processes "${SENSOR[$1]}" | xargs kill -KILL; wait "${SENSOR[$1]}"; } 2>/dev/null
heard() { [ "$(status_of "$1" | jq -r .peer.heard)" != null ]; }

asks() { lab_in "$1" dig +tries=1 +time=2 "@$LAB_B4" www.example.org A 2>/dev/null | grep -q 'status: NOERROR'; }
refused() { ! asks "$1"; }
# event GW: the last revision of what c1 asked B in clear text, as its feed has it: ID REVISION COUNT
event() {
    jq -rs --arg c "$(lab_client4 1)" --arg s $LAB_B4 '[.[] | select(.sealdns.kind == "cleartext" and .sealdns.client == $c and .sealdns.server == $s)] |
        last | select(.) | "\(.sealdns.id) \(.sealdns.revision) \(.sealdns.count)"' "$LAB_DIR/$1.eve.json"
}
has_event() { [ -n "$(event "$1")" ]; }
revision_above() { [ "$(event "$1" | cut -d' ' -f2)" -gt "$2" ] 2>/dev/null; }
ids() { jq -r --arg c "$(lab_client4 1)" 'select(.sealdns.kind == "cleartext" and .sealdns.client == $c).sealdns.id' "$LAB_DIR"/gw*.eve.json | sort -u | wc -l; }
paired() { lab_in "$1" nft list set inet sealdns paired_ip4 | grep -q "$(lab_client4 1) . $LAB_B4"; }

first_switch() {
    local id revision count now
    check "gw: c1 is refused" refused c1
    check "gw: an event" lab_wait 10 has_event gw
    read -r id revision count <<<"$(event gw)"
    lab_in c1 kdig +https +short +retry=0 +time=1 +tls-sni=$DOH "@$LAB_B4" www.example.org A >/dev/null 2>&1
    check "gw: c1 named a resolver that nobody approved: a pair" lab_wait 8 paired gw
    check "gw2 has the pair before any traffic" lab_wait 10 paired gw2
    lab_wait 8 heard gw2
    move_to gw2
    check "gw2: c1 is refused" refused c1
    check "gw2: the exception of c2 holds" asks c2
    check "gw2: the event goes on" lab_wait 10 revision_above gw2 "$revision"
    now=$(event gw2)
    [ "${now%% *}" = "$id" ] && ok "gw2: under the same id" || not_ok "gw2: under the same id" "$id, then $now"
    [ "${now##* }" -gt "$count" ] && ok "gw2: it counts on" || not_ok "gw2: it counts on" "$count, then $now"
}

# The first gateway died and comes back, and gets the address again.
back_again() {
    local revision
    killed gw
    refused c1
    revision=$(event gw2 | cut -d' ' -f2)
    check "gw starts anew" up gw key
    check "gw hears gw2" lab_wait 10 heard gw
    sleep 1.2 # a round of what gw2 has open
    check "gw has the pair again" lab_wait 10 paired gw
    move_to gw
    check "gw: c1 is refused again" refused c1
    check "gw: the event goes on" lab_wait 10 revision_above gw "$revision"
    [ "$(ids)" = 1 ] && ok "one event, not two, in both feeds" || not_ok "one event, not two, in both feeds" "$(ids)"
}

# Who has another key tells nothing.
another_key() {
    killed gw2
    check "a gateway with another key starts" up gw2 other-key
    check "it is refused" lab_wait 10 eval '[ "$(status_of gw | jq .peer.refused)" -gt 0 ] && [ "$(status_of gw2 | jq .peer.refused)" -gt 0 ]'
    heard gw2 && not_ok "and has heard nothing" "$(status_of gw2 | jq -c .peer)" || ok "and has heard nothing"
    head -c 5 /dev/urandom >"$LAB_DIR/short"
    killed gw2
    policy gw2 short >"$LAB_DIR/gw2.policy.yaml"
    on gw2 run -c "$LAB_DIR/gw2.policy.yaml" >"$LAB_DIR/short.log" 2>&1 && not_ok "a short key" "it starts"
    grep -q 'too short' "$LAB_DIR/short.log" && ok "a key that is too short is refused" || not_ok "a key that is too short is refused" "$(cat "$LAB_DIR/short.log")"
}

main() {
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    topology
    client c1 1
    client c2 2
    head -c 32 /dev/urandom >"$LAB_DIR/key"
    head -c 32 /dev/urandom >"$LAB_DIR/other-key"
    move_to gw
    check "gw starts" up gw key
    check "gw2 starts" up gw2 key
    check "they hear each other" eval 'lab_wait 10 heard gw && lab_wait 10 heard gw2'
    first_switch
    back_again
    another_key
    lab_stop "${SENSOR[gw]}"
    tally
}
main
