#!/bin/bash
# Redirection in the lab: clear text to anybody is answered by the resolver of the policy, in the name of who was asked.
#
#   run-redirect.sh [--keep]
#
# The gateway's resolver alone knows files.corp.example (LOCAL below), so who has answered is seen by the answer. A second
# resolver stands among the clients (hairpin), a third is one of them and forwards in clear text (loop).
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

GATEWAY=10.53.0.20     # what the gateway's resolver says of files.corp.example
NEIGHBOUR=10.53.9.9    # what the resolver among the clients says of it
PUBLIC=$LAB_WEB4       # what everybody else says of it

# What CLIENT gets for files.corp.example: an answer that dig took, so that it came from the address that was asked.
gets() { # CLIENT udp|tcp SERVER [OPTIONS]
    local client=$1 tcp=
    [ "$2" = tcp ] && tcp=+tcp
    # shellcheck disable=SC2086
    lab_in "$client" dig +short $tcp +tries=1 +time=2 "@$3" "${@:4}" files.corp.example A 2>&1 | tail -n 1
}
# answered WHAT EXPECTED CLIENT SERVER: by UDP and by TCP.
answered() {
    local t got
    for t in udp tcp; do
        got=$(gets "$3" $t "$4")
        [ "$got" = "$2" ] && ok "$1, $t" || not_ok "$1, $t" "expected $2, got '$got'"
    done
}
refused() {
    local t got
    for t in udp tcp; do
        got=$(gets "$2" $t "$3")
        case $got in 10.* | "$PUBLIC") not_ok "$1, $t" "answered $got" ;; *) ok "$1, $t" ;; esac
    done
}

client_mac() { printf '02:53:00:00:00:%02x' "$1"; } # of lab_client NUMBER
# redirect_policy TO: zones for the office (most), guests, and the gateway itself as it is without being named.
redirect_policy() {
    cat <<EOF
sensor: {name: lab, interfaces: [lan0], mode: monitor}
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
resolvers:
  - {id: lab, name: $LAB_A_NAME, addresses: [$LAB_A4, "$LAB_A6"], transports: [do53, dot]}
  - {id: forwarder, addresses: [$(lab_client4 6), "$(lab_client6 6)"], transports: [do53]}
zones:
  - id: office
    networks: [10.53.0.0/16, "2001:db8:100::/64"]
    approve: [lab]
    cleartext: redirect
    redirect_to: $1
    unapproved: reject
  - {id: guest, networks: [$(lab_client4 3)/32, "$(lab_client6 3)/128"], approve: [lab], cleartext: reject, unapproved: reject}
exceptions:
  - {client: $(lab_client4 2), until: 2099-12-31, owner: lab, reason: "the printer, change 1"}
  - {client: "$(lab_client6 2)", until: 2099-12-31, owner: lab, reason: "the printer, change 1"}
  - {mac: "$(client_mac 8)", until: 2099-12-31, owner: lab, reason: "a phone, change 2"}
outputs:
  - {type: file, format: eve, path: $LAB_DIR/eve.json}
EOF
}

# A resolver in a client's namespace: `own` answers files.corp.example itself, `forward` asks the unapproved B in clear text.
client_resolver() { # CLIENT NUMBER own|forward
    {
        lab_unbound_head
        printf '  interface: %s@53\n  interface: %s@53\n' "$(lab_client4 "$2")" "$(lab_client6 "$2")"
        if [ "$3" = own ]; then
            printf '  local-zone: "." redirect\n  local-data: ". 300 IN A %s"\n' $NEIGHBOUR
        else
            printf 'forward-zone:\n  name: "."\n  forward-addr: %s\n  forward-addr: %s\n' $LAB_B4 $LAB_B6
        fi
    } >"$LAB_DIR/$1.conf"
    lab_daemon "$1" "resolver-$1" unbound -d -c "$LAB_DIR/$1.conf"
    lab_wait 10 lab_listens "$1" 53
}

apply() { # MODE POLICY-ARGUMENTS
    redirect_policy "${@:2}" | sed "s/mode: monitor/mode: $1/" >"$LAB_DIR/policy.yaml"
    sealdns rules apply -c "$LAB_DIR/policy.yaml"
}
shown_parses() { sealdns rules show -c "$LAB_DIR/policy.yaml" >"$LAB_DIR/shown.nft" && lab_in isp nft -c -f "$LAB_DIR/shown.nft"; }
counted() { # RULE-ID: packets
    lab_in gw nft -j list table inet sealdns | jq --arg id "sealdns: $1" '[.nftables[].rule | select(. != null and .comment == $id)
        | .expr[].counter.packets? // empty] | add // 0'
}
counts() { [ "$(counted "$1")" -gt 0 ]; }
verdict_is() { # CLIENT VERDICT
    sealdns events --db "$LAB_DIR/sealdns.db" --format json | jq -es --arg client "$1" --arg verdict "$2" \
        'any(flatten[]; .sealdns.kind == "cleartext" and .sealdns.client == $client and .sealdns.verdict == $verdict)'
}

# A connection that was open before the rules, and a socket that goes on with the port it had.
before_rules() {
    lab_in c5 python3 "$LAB_HERE/enforce-peer.py" keep "$(lab_client4 5)" $LAB_B4 "$LAB_DIR/kept" >"$LAB_DIR/kept.out" 2>&1 &
    KEPT_PID=$!
    lab_wait 5 test -e "$LAB_DIR/kept.open"
}
after_rules() {
    touch "$LAB_DIR/kept.go"
    wait $KEPT_PID
    check "established: a TCP connection and a UDP flow from before go on undisturbed" \
        test "$(cat "$LAB_DIR/kept.out")" = "tcp answered udp answered"
}

to_the_gateway() {
    local to="[$LAB_GW4, \"$LAB_GW6\"]" s
    before_rules
    check "gateway: applied" apply enforce "$to"
    after_rules
    check "gateway: rules show prints what nft can read" shown_parses
    check "gateway: rules diff finds nothing" sealdns rules diff -c "$LAB_DIR/policy.yaml"
    for s in $LAB_B4 $LAB_B6 $LAB_WEB4 $LAB_WEB6; do answered "gateway: $s is answered by the gateway's resolver" $GATEWAY c1 $s; done
    for s in $LAB_A4 $LAB_A6; do answered "gateway: the approved $s answers itself" $PUBLIC c1 $s; done
    for s in $LAB_GW4 $LAB_GW6; do answered "gateway: $s is asked as ever" $GATEWAY c1 $s; done
    for s in $LAB_B4 $LAB_B6; do
        answered "gateway: exception: $s answers itself" $PUBLIC c2 $s
        answered "gateway: exception by link address: $s answers itself" $PUBLIC c8 $s
        refused "gateway: zone guest: $s is rejected" c3 $s
        answered "gateway: the gateway itself asks $s" $PUBLIC gw $s
    done
    check "gateway: the rules have counted" counts office/redirect-udp-ip4
}

to_the_outside() {
    check "outside: applied" apply enforce "[$LAB_A4, \"$LAB_A6\"]"
    local s
    for s in $LAB_WEB4 $LAB_WEB6; do answered "outside: nobody at $s, the approved resolver answers" $PUBLIC c1 $s; done
    check "outside: one family, applied" apply enforce $LAB_A4
    answered "outside: the family with a target is redirected" $PUBLIC c1 $LAB_WEB4
    refused "outside: the other family is rejected" c1 $LAB_WEB6
    answered "outside: the other family, approved, passes" $PUBLIC c1 $LAB_A6
}

# An ICMP redirect that a client believed would lead it past the gateway from then on.
goes_by_gateway() { lab_in c1 ip route get $LAB_B4 | grep -q "via $LAB_GW4" && lab_in c1 ip route get $LAB_B6 | grep -q "via $LAB_GW6"; }

hairpin() {
    local s t
    check "hairpin: applied" apply enforce "[$(lab_client4 4), \"$(lab_client6 4)\"]"
    check "hairpin: rules show prints what nft can read" shown_parses
    check "hairpin: rules diff finds nothing" sealdns rules diff -c "$LAB_DIR/policy.yaml"
    for t in 1 2; do
        for s in $LAB_B4 $LAB_B6; do answered "hairpin: $s is answered by the resolver among the clients ($t)" $NEIGHBOUR c1 $s; done
    done
    answered "hairpin: the resolver asked directly" $NEIGHBOUR c1 "$(lab_client4 4)"
    for s in $LAB_B4 $LAB_B6; do answered "hairpin: what that resolver asks itself is not redirected, $s" $PUBLIC c4 $s; done
    check "hairpin: the client still goes by the gateway" goes_by_gateway
}

loop() {
    check "loop: applied" apply enforce "[$(lab_client4 6), \"$(lab_client6 6)\"]"
    local s
    for s in $LAB_WEB4 $LAB_WEB6; do answered "loop: a target that forwards in clear text answers for $s" $PUBLIC c1 $s; done
}

# The sensor's own view: in enforce the event says redirected, in shadow that it would be, and nothing is.
seen() {
    redirect_policy "[$LAB_GW4, \"$LAB_GW6\"]" >"$LAB_DIR/policy.yaml"
    check "seen: the sensor starts" sensor_up enforce
    lab_wait 5 table_present
    answered "seen: redirected" $GATEWAY c1 $LAB_B4
    answered "seen: excepted by link address" $PUBLIC c8 $LAB_B6
    check "seen: the event says so" lab_wait 8 verdict_is "$(lab_client6 8)" excepted
    check "seen: the event says redirected" lab_wait 8 verdict_is "$(lab_client4 1)" redirected
    sensor_down
    check "shadow: the sensor starts" sensor_up shadow
    lab_wait 5 table_present
    answered "shadow: who is asked answers, IPv4" $PUBLIC c7 $LAB_B4
    answered "shadow: who is asked answers, IPv6" $PUBLIC c7 $LAB_B6
    for s in udp-ip4 tcp-ip4 udp-ip6 tcp-ip6; do check "shadow: office/redirect-$s has counted" counts "office/redirect-$s"; done
    check "shadow: the event says what would be" lab_wait 8 verdict_is "$(lab_client4 7)" would-redirect
    sensor_down
}

main() {
    local n
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_up || exit 1
    # With br_netfilter a bridge translates what comes in by a port before lan0 sees it: the sensor would see the target.
    lab_in gw sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 2>/dev/null
    for n in 1 2 3 4 5 6 7 8; do lab_client c$n $n; done
    client_resolver c4 4 own
    client_resolver c6 6 forward
    answered "without rules: who is asked answers" "$PUBLIC" c1 $LAB_B4
    to_the_gateway
    to_the_outside
    hairpin
    loop
    sealdns rules remove -c "$LAB_DIR/policy.yaml" >/dev/null
    answered "removed: who is asked answers" "$PUBLIC" c1 $LAB_B4
    seen
    tally
}
main
