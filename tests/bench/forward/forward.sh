#!/bin/bash
# What the rules cost a gateway that forwards: CPU time a packet from one veth pair to another without any table, with a
# chain at our hook that has no rule, and with ours, in turns, on one core. Needs root and network namespaces.
#
#   forward.sh SEALDNS SENDER [ROUNDS]      called by run.sh --forward
#
# `bulk` is what a gateway mostly carries: half UDP to 443, half to ports that no rule names. `sealed` is port 853 of an
# approved resolver, through exceptions, zones and sets. Exit status 1: it could not be measured.
set -u
sealdns=$1 sender=$2 rounds=${3:-31}
LONG=0.15 TARGET=
ns=sdfw$$
work=$(mktemp -d) || exit 1
cleanup() {
    local n
    for n in c g s; do ip netns del $ns$n 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT

in_ns() { ip netns exec "$ns$1" "${@:2}"; }

topology() {
    local n
    for n in c g s; do ip netns add $ns$n && ip -n $ns$n link set lo up || exit 1; done
    ip link add lan0 netns ${ns}g type veth peer name eth0 netns ${ns}c
    ip link add wan0 netns ${ns}g type veth peer name eth0 netns ${ns}s
    in_ns g sysctl -qw net.ipv4.ip_forward=1
    ip -n ${ns}c addr add 10.20.0.2/16 dev eth0
    ip -n ${ns}g addr add 10.20.0.1/16 dev lan0
    ip -n ${ns}g addr add 192.0.2.1/24 dev wan0
    for n in "c eth0" "g lan0" "g wan0" "s eth0"; do ip -n $ns${n% *} link set "${n#* }" up; done
    ip -n ${ns}c route add default via 10.20.0.1
    # The far end has no address: it counts what arrives and answers nothing.
    ip -n ${ns}g neigh add 192.0.2.2 lladdr "$(in_ns s cat /sys/class/net/eth0/address)" dev wan0
    ip -n ${ns}g route add default via 192.0.2.2
}

# A large office: 200 zones, 1,000 exceptions, and all resolvers of the catalogue as unapproved ones.
policy() {
    local i
    echo "sensor: {mode: enforce}"
    echo "resolvers: [{id: corp, name: dns.corp.example, addresses: [203.0.113.53], transports: [dot, doq, doh2]}]"
    echo "zones:"
    for i in $(seq 0 199); do
        echo "  - {id: z$i, networks: [10.20.$i.0/24], approve: [corp], cleartext: reject, unapproved: reject, bootstrap: true}"
    done
    echo "exceptions:"
    for i in $(seq 0 999); do
        echo "  - {client: 10.40.$((i / 250)).$((i % 250 + 1)), until: 2099-12-31, owner: bench, reason: bench}"
    done
}

rulesets() {
    : >"$work/none"
    printf 'table inet bench {\n  chain forward {\n    type filter hook forward priority mangle;\n  }\n}\n' >"$work/empty"
    "$sealdns" rules show -c "$work/policy.yaml" >"$work/ours" 2>"$work/said" || { cat "$work/said"; exit 1; }
}

use() { { echo "flush ruleset"; cat "$work/$1"; } | in_ns g nft -f - || exit 1; }

# cost PORT...: hundredths of a nanosecond of CPU time a packet, from the sender through the gateway.
cost() { in_ns c taskset -c 0 "$sender" $LONG "$TARGET" "$@" | awk '{ printf "%d\n", $2 * 100 }'; }

# As many arrive as were sent, or it is no forwarding that is measured.
arrived() { in_ns s cat /sys/class/net/eth0/statistics/rx_packets; }
forwards() {
    local before sent
    before=$(arrived)
    sent=$(in_ns c taskset -c 0 "$sender" $LONG "$TARGET" "$@" | cut -d' ' -f1)
    [ $(($(arrived) - before)) -ge $((sent * 99 / 100)) ] || { echo "forward: $1: not all packets arrived" >&2; exit 1; }
}

# Other load makes a round slower, never faster: the lower quartile is what is compared.
quartile() { sort -n "$work/$1.cost" | awk '{ v[NR] = $1 } END { print v[int((NR + 3) / 4)] }'; }

row() { # NAME ADDRESS PORT...
    local name=$1 i ruleset
    TARGET=$2
    shift 2
    rm -f "$work"/*.cost
    for i in $(seq "$rounds"); do
        for ruleset in none empty ours; do
            use $ruleset
            [ "$i" = 1 ] && forwards "$@"
            cost "$@" >>"$work/$ruleset.cost"
        done
    done
    awk -v name="$name" -v none="$(quartile none)" -v empty="$(quartile empty)" -v ours="$(quartile ours)" 'BEGIN {
        printf "%-7s ns a packet: %.0f without a table, %.0f with an empty chain, %.0f with ours: %.1f %% over the one, %.1f %% over the other\n",
            name, none / 100, empty / 100, ours / 100, (ours / none - 1) * 100, (ours / empty - 1) * 100 }'
}

topology
policy >"$work/policy.yaml"
rulesets
row bulk 198.51.100.7 443 443 80 51820
row sealed 203.0.113.53 853
