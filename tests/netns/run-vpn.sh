#!/bin/bash
# A client's encrypted DNS fails and it goes on in clear text while its VPN begins: that may be the VPN's doing, and is said
# without alarm. The same without a VPN is not.
#
#   run-vpn.sh [--record] [--keep]
#
# SEALDNS names the binary (build/sealdns); --record renews tests/pcap/vpn-*.
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
RECORD=0
for argument in "$@"; do
    case $argument in
    --record) RECORD=1 ;;
    --keep) LAB_KEEP=1 ;;
    *) echo "run-vpn.sh: no option $argument" >&2; exit 2 ;;
    esac
done
CELLS="31 wireguard
32 openvpn
33 none"

# wireguard-go names its socket by the interface, for all namespaces together: the lab's name is in it.
wireguard_peer() { # NAMESPACE INTERFACE ADDRESS KEY PEER-KEY MORE...
    local ns=$1 interface=$2 address=$3 key=$4 peer=$5
    shift 5
    lab_daemon "$ns" "wireguard-$ns" wireguard-go -f "$interface"
    lab_wait 5 lab_in "$ns" wg show "$interface" || lab_die "wireguard-go did not start: $(cat "$LAB_DIR/wireguard-$ns.log")"
    lab_in "$ns" wg set "$interface" private-key <(echo "$key") peer "$peer" "$@"
    ip -n "$LAB-$ns" addr add "$address" dev "$interface"
    ip -n "$LAB-$ns" link set "$interface" up
}

wireguard_begin() {
    local mine server
    mine=$(wg genkey) server=$(wg genkey)
    wireguard_peer server "${LAB}s" 10.8.0.1/24 "$server" "$(wg pubkey <<<"$mine")" allowed-ips 10.8.0.2/32
    lab_in server wg set "${LAB}s" listen-port 51820
    wireguard_peer c31 "${LAB}c" 10.8.0.2/24 "$mine" "$(wg pubkey <<<"$server")" allowed-ips 10.8.0.1/32 \
        endpoint "$LAB_B4:51820"
    lab_wait 5 lab_in c31 ping -c1 -W1 10.8.0.1
}

openvpn_peer() { # NAMESPACE INTERFACE OWN OTHER MORE...
    local ns=$1 interface=$2 own=$3 other=$4
    shift 4
    lab_daemon "$ns" "openvpn-$ns" openvpn --dev "$interface" --dev-type tun --proto udp --ifconfig "$own" "$other" \
        --ca "$LAB_CA" --cert "$LAB_DIR/b.pem" --key "$LAB_DIR/b.key" --data-ciphers AES-256-GCM "$@"
}

openvpn_begin() {
    openvpn_peer server "${LAB}o" 10.9.0.1 10.9.0.2 --tls-server --dh none --local $LAB_B4 --port 1194
    openvpn_peer c32 "${LAB}p" 10.9.0.2 10.9.0.1 --tls-client --remote $LAB_B4 1194 --nobind
    lab_wait 15 lab_in c32 ping -c1 -W1 10.9.0.1
}

none_begin() { :; }

# dot CLIENT NAME
dot() {
    lab_in "c$1" kdig +short +retry=0 +time=2 @$LAB_A4 +tls-ca="$LAB_CA" +tls-hostname=$LAB_A_NAME "$2" A >"$LAB_DIR/dot$1" 2>&1
}

run_cell() {
    local client=$1 vpn=$2 i
    [ $RECORD = 0 ] || lab_daemon gw "capture$client" tcpdump -i lan0 --immediate-mode -U -w "$LAB_DIR/$vpn.pcap" \
        "host $(lab_client4 "$client") and not icmp"
    local capture=$LAB_PID
    [ $RECORD = 0 ] || lab_wait 5 test -s "$LAB_DIR/$vpn.pcap"
    for i in 1 2 3 4; do dot "$client" "works$i.example.org"; done
    fault_on refused "$client" 853
    "${vpn}_begin" || not_ok "$vpn begins" "$(tail -n 3 "$LAB_DIR/$vpn-c$client.log")"
    dot "$client" fails.example.org
    for i in 1 2 3; do lab_in "c$client" dig +short +tries=1 +time=2 @$LAB_A4 "clear$i.example.org" A >"$LAB_DIR/clear$client"; done
    sleep 2
    [ $RECORD = 0 ] || lab_stop "$capture" INT
}

# The downgrades of a client, as a list.
downgrades() {
    jq -cs --arg client "$(lab_client4 "$1")" '[flatten[] | select(.sealdns.kind? == "downgrade" and .sealdns.client == $client)]
        | group_by(.sealdns.id) | map(max_by(.sealdns.revision) | {severity: .alert.severity, vpn: .sealdns.evidence.vpn,
            cause: .sealdns.evidence.cause})' "$LAB_DIR/eve.json"
}

# shows VPN CLIENT
shows() {
    local got expected='[{"severity":4,"vpn":"'$1'","cause":"reset"}]'
    got=$(downgrades "$2")
    [ "$1" = none ] && expected='[{"severity":1,"vpn":null,"cause":"reset"}]'
    if [ "$got" = "$expected" ]; then ok "$1: $expected"; else not_ok "$1: $expected" "$got"; fi
}

record() {
    local vpn=$1 client=$2 case=$LAB_ROOT/tests/pcap/vpn-$1
    mkdir -p "$case"
    cp "$LAB_DIR/$vpn.pcap" "$case/capture.pcap"
    sensor_policy alert alert | grep -vE '^(store|control|outputs|  - \{type)' >"$case/policy.yaml"
    jq -n --argjson events "$(downgrades "$client")" --arg client "$(lab_client4 "$client")" '{kinds: ["downgrade"],
        events: ($events | map({kind: "downgrade", rule: "downgrade", client: $client, severity: .severity,
            evidence: ({cause: .cause} + (if .vpn then {vpn: .vpn} else {} end))}))}' >"$case/expected.json"
    if [ "$vpn" = none ]; then
        echo "Encrypted DNS that worked is refused by the server and the client goes on in clear text: a downgrade." >"$case/why"
    else
        echo "The same as vpn-none while a VPN ($vpn) of the client begins: without alarm, for it may be its doing." >"$case/why"
    fi
}

main() {
    local client vpn
    for vpn in wireguard-go wg openvpn; do
        command -v $vpn >/dev/null || { lab_say "lab: $vpn is missing, see tests/netns/packages.txt"; exit 1; }
    done
    lab_up || exit 1
    sensor_policy alert alert >"$LAB_DIR/policy.yaml"
    while read -r client _; do lab_client "c$client" "$client"; done <<<"$CELLS"
    sensor_up monitor || lab_die "the sensor did not start"
    while read -r client vpn; do run_cell "$client" "$vpn"; done <<<"$CELLS"
    check "both beginnings are counted, and nothing else" test 2 = \
        "$(sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq '[.. | objects | .vpns? // empty] | first')"
    sensor_down
    while read -r client vpn; do
        shows "$vpn" "$client"
        [ $RECORD = 0 ] || record "$vpn" "$client"
    done <<<"$CELLS"
    tally
}
main
