#!/bin/bash
# The gateway as a transparent bridge: client - bridge - server, in one network. What it cuts and leaves alone; and a tap.
#
#   run-bridge.sh
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"

readonly CLIENT4=10.53.0.5 CLIENT6=2001:db8:100::5 MARKED4=10.53.0.6 EXCEPTED4=10.53.0.7
P=''

bridge_up() {
    local ns
    lab_check_tools || return 1
    lab_named
    for ns in client gw server; do lab_namespace "$ns"; done
    ip -n "$LAB-gw" link add br0 type bridge mcast_snooping 0
    for ns in client server; do
        ip link add "to-$ns" netns "$LAB-gw" type veth peer name eth0 netns "$LAB-$ns"
        ip -n "$LAB-gw" link set "to-$ns" master br0
        lab_plain gw "to-$ns"
        lab_plain "$ns" eth0
    done
    ip -n "$LAB-client" link set eth0 address 02:53:00:00:00:05
    lab_plain gw br0
    ip -n "$LAB-gw" addr add 10.53.0.2/16 dev br0
    for ns in $CLIENT4/16 $MARKED4/16 $EXCEPTED4/16; do ip -n "$LAB-client" addr add "$ns" dev eth0; done
    ip -n "$LAB-client" addr add $CLIENT6/64 dev eth0 nodad
    ip -n "$LAB-server" addr add 10.53.0.1/16 dev eth0
    ip -n "$LAB-server" addr add 2001:db8:100::1/64 dev eth0 nodad
    for ns in $LAB_A4/32 $LAB_B4/32 $LAB_WEB4/32; do ip -n "$LAB-server" addr add "$ns" dev lo; done
    for ns in $LAB_A6/128 $LAB_B6/128 $LAB_WEB6/128; do ip -n "$LAB-server" addr add "$ns" dev lo nodad; done
    ip -n "$LAB-client" route add default via 10.53.0.1
    ip -n "$LAB-client" -6 route add default via 2001:db8:100::1
    ip -n "$LAB-gw" route add default via 10.53.0.1
    lab_certificates
    lab_resolver resolver-a a $LAB_A4 $LAB_A6
    lab_resolver resolver-b b $LAB_B4 $LAB_B6
    lab_wait 10 eval 'lab_in client dig +tries=1 +time=1 @$LAB_A4 . && lab_in client dig +tries=1 +time=1 @$LAB_B4 .' || lab_die "no resolver"
}

policy() { # MORE
    cat <<END
sensor: {name: bridge, interfaces: [br0], place: bridge, preflight: false, on_exit: keep$1}
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
resolvers:
  - {id: lab, name: $LAB_A_NAME, addresses: [$LAB_A4, "$LAB_A6"], transports: [dot, doh2]}
zones:
  - {id: lab, networks: [10.53.0.0/16, "2001:db8:100::/64"], approve: [lab], cleartext: drop, unapproved: drop}
exceptions:
  - {client: $EXCEPTED4, until: 2099-12-31, owner: lab, reason: "the printer"}
END
}

nft() { lab_in gw nft "$@"; }
status_of() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json; }
rules_say() { [ "$(status_of | jq "$1")" = true ]; }
events_of() { sealdns events --db "$LAB_DIR/sealdns.db" --format json | jq -s "[flatten[] | select($1)] | length"; }
events_there() { [ "$(events_of "$1")" -ge 1 ]; }
clear_text() { lab_in client dig +tries=1 +time=1 "$@" www.example.org A 2>/dev/null | grep -q 'status: NOERROR'; }
over_tls() { lab_in client kdig +tls +retry=0 +timeout=2 "$@" www.example.org A 2>/dev/null | grep -q 'status: NOERROR'; }
silent() { ! "$@"; }
counted() { [ "$(nft list chain bridge sealdns zone_lab | sed -n "s|.*counter packets \([0-9]*\) .*lab/$1\".*|\1|p" | sort -n | tail -1)" -ge "$2" ]; }
bridge_sensor() {
    lab_daemon gw "sensor-$1" "$SEALDNS" run -c "$P" --mode "$1"
    SENSOR_PID=$LAB_PID
    lab_wait 10 sealdns status --socket "$LAB_DIR/sealdns.sock"
}
all_works() {
    check "$1: clear text, IPv4" clear_text @$LAB_B4
    check "$1: clear text, IPv6" clear_text @$LAB_B6
    check "$1: DoT to nobody's, IPv4" over_tls @$LAB_B4
}

shadow() {
    check "the sensor starts, shadow" bridge_sensor shadow
    all_works shadow
    check "shadow: it is counted" counted cleartext-udp 2
    check "shadow: ... and seen" lab_wait 5 events_there '.sealdns.kind == "cleartext" and .sealdns.verdict == "would-block"'
    lab_stop "$SENSOR_PID"
}

enforce() {
    check "the sensor starts, enforce" bridge_sensor enforce
    check "its table is of the family bridge, and no other" eval '[ "$(nft list tables)" = "table bridge sealdns" ]'
    check "clear text over UDP is dropped, IPv4" silent clear_text @$LAB_B4
    check "clear text over UDP is dropped, IPv6" silent clear_text @$LAB_B6
    check "clear text over TCP is dropped" silent clear_text +tcp @$LAB_B4
    check "DoT to the approved resolver, IPv4" over_tls @$LAB_A4
    check "DoT to the approved resolver, IPv6" over_tls @$LAB_A6
    check "DoT to nobody's is dropped, IPv4" silent over_tls @$LAB_B4
    check "DoT to nobody's is dropped, IPv6" silent over_tls @$LAB_B6
    check "an exception passes" clear_text -b $EXCEPTED4 @$LAB_B4
    ip -n "$LAB-client" neigh flush dev eth0
    check "ARP and other traffic, IPv4" lab_in client ping -c 1 -W 2 10.53.0.1
    check "neighbour discovery and other traffic, IPv6" lab_in client ping -c 1 -W 2 2001:db8:100::1
    check "the bridge itself asks in clear text" eval 'lab_in gw dig +tries=1 +time=2 @$LAB_B4 www.example.org A | grep -q "status: NOERROR"'
    check "an event: blocked" lab_wait 5 events_there '.sealdns.kind == "cleartext" and .sealdns.verdict == "blocked"'
    check "status: desired is installed" rules_say '.rules | .installed and (.drifted | not) and .digest == .digest_wanted'
    check "rules diff agrees" eval '[ -z "$(sealdns rules diff -c "$P" --mode enforce)" ]'
    check "nft takes the text" eval 'sealdns rules show -c "$P" --mode enforce | nft -c -f -'
    nft flush chain bridge sealdns zone_lab
    check "a flushed chain is put back" lab_wait 2 counted cleartext-udp 0
    check "... and told" lab_wait 3 events_there '.sealdns.evidence.what == "healed"'
    check "... and cuts again" silent clear_text @$LAB_B4
    nft delete table bridge sealdns
    check "a deleted table is put back" lab_wait 2 nft list table bridge sealdns
}

# What has a VLAN tag is cut by what is inside.
tagged() {
    local mac pid
    mac=$(ip -n "$LAB-server" -j link show eth0 | jq -r '.[0].address')
    lab_in server python3 "$LAB_HERE/tagged.py" hear "$LAB_DIR/heard" 3 &
    pid=$!
    lab_wait 3 grep -q ready "$LAB_DIR/heard"
    lab_in client python3 "$LAB_HERE/tagged.py" send "$mac" $CLIENT4 $LAB_B4 53 853 5300
    wait $pid
    [ "$(paste -sd' ' "$LAB_DIR/heard")" = "ready 5300" ] && ok "a VLAN tag: clear text and DoQ are dropped, the rest passes" ||
        not_ok "a VLAN tag: clear text and DoQ are dropped, the rest passes" "$(paste -sd' ' "$LAB_DIR/heard")"
}

# Everything that has to be put back comes back in its family.
trial() {
    local before
    before=$(nft -s list table bridge sealdns)
    sed -i 's/^exceptions:/&\n  - {mac: "02:53:00:00:00:05", until: 2099-12-31, owner: lab, reason: "by its MAC"}/' "$P"
    sealdns rules apply --confirm 2 -c "$P" </dev/null >"$LAB_DIR/trial" 2>&1 &
    check "on trial: an exception by MAC passes" lab_wait 2 clear_text @$LAB_B4
    check "on trial: what the kernel holds is the model" eval '[ -z "$(sealdns rules diff -c "$P" --mode enforce)" ]'
    wait $!
    check "not confirmed: the old table is back" eval '[ "$(nft -s list table bridge sealdns)" = "$before" ]'
    check "not confirmed: it cuts again" silent clear_text @$LAB_B4
    sed -i '/mac:/d' "$P"
}

# Where it stands is changed by a reload, and the other family's table goes.
moved() {
    sed -i 's/place: bridge/place: gateway/' "$P"
    check "moved to a gateway: reload" sealdns status reload --socket "$LAB_DIR/sealdns.sock"
    check "moved to a gateway: one table" eval '[ "$(nft list tables)" = "table inet sealdns" ]'
    sed -i 's/place: gateway/place: bridge/' "$P"
    check "moved back: reload" sealdns status reload --socket "$LAB_DIR/sealdns.sock"
    check "moved back: one table" eval '[ "$(nft list tables)" = "table bridge sealdns" ]'
}

break_glass() {
    lab_stop "$SENSOR_PID" KILL 2>/dev/null
    check "killed: it cuts on" silent clear_text @$LAB_B4
    check "rules remove" sealdns rules remove -c "$P"
    check "rules remove: no table" eval '[ -z "$(nft list tables)" ]'
    check "rules remove: answered" clear_text @$LAB_B4
}

says() { grep -q "$1" "$LAB_DIR/said"; }
tap() {
    sed -i "s/place: bridge/place: tap/; s/cleartext: drop, unapproved: drop/cleartext: reject, unapproved: reject/" "$P"
    lab_in gw timeout 10 "$SEALDNS" run -c "$P" --mode enforce >"$LAB_DIR/said" 2>&1
    [ $? = 2 ] && says 'a tap gets copies' && ok "tap: mode enforce is refused" || not_ok "tap: mode enforce is refused" "$(cat "$LAB_DIR/said")"
    sealdns rules apply -c "$P" >"$LAB_DIR/said" 2>&1
    [ $? = 1 ] && says 'from `sealdns rules show`' && ok "tap: rules apply is refused" || not_ok "tap: rules apply is refused" "$(cat "$LAB_DIR/said")"
    check "tap: rules show exports the rules" eval 'sealdns rules show -c "$P" | nft -c -f -'
    check "tap: it watches" bridge_sensor monitor
    sealdns rules apply -c "$P" >"$LAB_DIR/said" 2>&1
    [ $? = 1 ] && says 'a tap gets copies' && ok "tap: its sensor refuses to apply" || not_ok "tap: its sensor refuses to apply" "$(cat "$LAB_DIR/said")"
    check "tap: clear text is answered" clear_text @$LAB_B4
    check "tap: would be blocked, says the event" lab_wait 5 events_there '.sealdns.kind == "cleartext" and .sealdns.verdict == "would-block"'
    lab_stop "$SENSOR_PID"
    sed -i 's/place: tap/place: gateway/' "$P"
    ip link add mirror netns "$LAB-gw" type veth peer name mirrored netns "$LAB-server" && ip -n "$LAB-gw" link set mirror up
    sed -i 's/interfaces: \[br0\]/interfaces: [mirror]/' "$P"
    check "a gateway on an interface without an address: it starts" bridge_sensor monitor
    check "... and warns" grep -q 'mirror has no address' "$LAB_DIR/sensor-monitor.log"
    lab_stop "$SENSOR_PID"
}

main() {
    bridge_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    P=$LAB_DIR/policy.yaml
    policy "" >"$P"
    shadow
    enforce
    tagged
    trial
    moved
    break_glass
    tap
    tally
}
main
