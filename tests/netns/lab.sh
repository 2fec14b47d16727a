#!/bin/bash
# The lab: client - gw - isp - server, real clients and servers in network namespaces of its own.
#
#   . tests/netns/lab.sh
#   lab_up                     # raises gw, isp and server with their daemons; sets LAB, LAB_DIR, ...
#   lab_client NAME NUMBER     # one more client behind gw: namespace $LAB-NAME
#   fault_on reset CLIENT_NUMBER 853
#   lab_down                   # also run by the EXIT trap
#
# The sensor belongs into namespace $LAB-gw, on interface lan0 (the clients' side). lan0 is a bridge,
# so that any number of clients stands behind one interface. Interference is nftables in $LAB-isp.

LAB_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_ROOT=$(cd "$LAB_HERE/../.." && pwd)

# Addresses. The server's are documentation addresses on its loopback: several "public resolvers" in one place.
readonly LAB_A4=203.0.113.53 LAB_A6=2001:db8:53::53        # the approved resolver
readonly LAB_B4=198.51.100.53 LAB_B6=2001:db8:54::53       # another resolver, not approved
readonly LAB_WEB4=192.0.2.80 LAB_WEB6=2001:db8:80::80      # what every other name leads to
readonly LAB_GW4=10.53.0.1 LAB_GW6=2001:db8:100::1
readonly LAB_A_NAME=dns.lab.example LAB_B_NAME=dns.other.example

. "$LAB_HERE/lab-servers.sh"
. "$LAB_HERE/lab-faults.sh"

lab_say() { printf '%s\n' "$*" >&2; }

lab_die() { lab_say "lab: $*"; exit 1; }

# Installs what packages.txt lists, and puts /etc/resolv.conf back if a package replaced it.
lab_install_packages() {
    local keep names
    names=$(sed 's/#.*//' "$LAB_HERE/packages.txt")
    keep=$(mktemp)
    cat /etc/resolv.conf >"$keep" 2>/dev/null
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $names >"$keep.log" 2>&1 ||
        { cat "$keep.log" >&2; rm -f "$keep" "$keep.log"; return 1; }
    if [ -L /etc/resolv.conf ] && ! cmp -s "$keep" /etc/resolv.conf; then
        rm -f /etc/resolv.conf
        cat "$keep" >/etc/resolv.conf
        chmod 644 /etc/resolv.conf
    fi
    rm -f "$keep" "$keep.log"
}

# Prints what is missing, one line each; true when nothing is.
lab_check_tools() {
    local tool missing=0
    for tool in ip nft ethtool unbound stubby kresd kdig dig tcpdump tshark openssl socat jq sqlite3 unshare \
        /lib/systemd/systemd-resolved; do
        command -v "$tool" >/dev/null || { lab_say "lab: $tool is missing, see tests/netns/packages.txt"; missing=1; }
    done
    [ "$(id -u)" = 0 ] || { lab_say "lab: namespaces need root"; missing=1; }
    return $missing
}

lab_in() {
    local where=$1
    shift
    ip netns exec "$LAB-$where" "$@"
}

# lab_daemon NAMESPACE LOGNAME COMMAND...: starts it in the background, sets LAB_PID.
lab_daemon() {
    local where=$1 log=$2
    shift 2
    ip netns exec "$LAB-$where" "$@" >"$LAB_DIR/$log.log" 2>&1 </dev/null &
    LAB_PID=$!
}

# lab_stop PID [SIGNAL]: ends one process that the lab started, waits at most 3 s before it insists.
lab_stop() {
    local pid=$1 i
    kill -"${2:-TERM}" "$pid" 2>/dev/null || return 0
    for i in $(seq 30); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    return 0
}

# lab_wait SECONDS COMMAND...: until the command is true.
lab_wait() {
    local until=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$until" ] || return 1
        sleep 0.1
    done
}

lab_namespace() {
    local ns=$LAB-$1
    ip netns add "$ns" || lab_die "cannot make the namespace $ns"
    ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.default.accept_ra=0 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \
        net.ipv4.icmp_msgs_per_sec=100000 2>/dev/null
    ip -n "$ns" link set lo up
}

# Offloads off, or captures hold merged segments and bad checksums.
lab_plain() {
    ip netns exec "$LAB-$1" ethtool -K "$2" tso off gso off gro off tx off rx off >/dev/null 2>&1
    ip -n "$LAB-$1" link set "$2" up
}

# lab_link NS IF V4 V6 NS IF V4 V6
lab_link() {
    ip link add "$2" netns "$LAB-$1" type veth peer name "$6" netns "$LAB-$5"
    lab_plain "$1" "$2"
    lab_plain "$5" "$6"
    ip -n "$LAB-$1" addr add "$3" dev "$2"
    ip -n "$LAB-$1" addr add "$4" dev "$2" nodad
    ip -n "$LAB-$5" addr add "$7" dev "$6"
    ip -n "$LAB-$5" addr add "$8" dev "$6" nodad
}

lab_router() {
    lab_in "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

lab_topology() {
    local ns
    for ns in gw isp server; do lab_namespace "$ns"; done
    lab_router gw
    lab_router isp
    # A bridge without an address of its own changes it with its ports, and clients would talk to the old one.
    ip -n "$LAB-gw" link add lan0 address 02:53:00:01:00:01 type bridge mcast_snooping 0
    ip -n "$LAB-gw" addr add $LAB_GW4/16 dev lan0
    lab_plain gw lan0
    ip -n "$LAB-gw" addr add $LAB_GW6/64 dev lan0 nodad
    lab_link gw wan0 192.0.2.1/30 2001:db8:1::1/64 isp gw0 192.0.2.2/30 2001:db8:1::2/64
    lab_link isp srv0 192.0.2.5/30 2001:db8:2::1/64 server eth0 192.0.2.6/30 2001:db8:2::2/64
    # The server is far away: more routers than isp, by which its packets are told from those of isp.
    lab_in server sysctl -qw net.ipv4.ip_default_ttl=57 net.ipv6.conf.all.hop_limit=57 \
        net.ipv6.conf.default.hop_limit=57 net.ipv6.conf.eth0.hop_limit=57
    ip -n "$LAB-gw" route add default via 192.0.2.2
    ip -n "$LAB-gw" -6 route add default via 2001:db8:1::2
    ip -n "$LAB-isp" route add 10.53.0.0/16 via 192.0.2.1
    ip -n "$LAB-isp" -6 route add 2001:db8:100::/64 via 2001:db8:1::1
    ip -n "$LAB-isp" route add default via 192.0.2.6
    ip -n "$LAB-isp" -6 route add default via 2001:db8:2::2
    ip -n "$LAB-server" route add default via 192.0.2.5
    ip -n "$LAB-server" -6 route add default via 2001:db8:2::1
    for ns in $LAB_A4/32 $LAB_B4/32 $LAB_WEB4/32; do ip -n "$LAB-server" addr add "$ns" dev lo; done
    for ns in $LAB_A6/128 $LAB_B6/128 $LAB_WEB6/128; do ip -n "$LAB-server" addr add "$ns" dev lo nodad; done
}

# Its prefix and folder, and that it goes with who raised it.
lab_named() {
    LAB=sd$(od -An -N3 -tx1 /dev/urandom | tr -d ' ')
    LAB_DIR=$(mktemp -d "/tmp/$LAB.XXXXXX")
    chmod 755 "$LAB_DIR"
    trap lab_down EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

lab_up() {
    lab_check_tools || return 1
    lab_named
    lab_topology
    lab_certificates
    lab_servers
    fault_table
}

# The addresses of client number N: outside any table, so that a fixture's addresses stay the same.
lab_client4() { echo "10.53.$((1 + $1 / 200)).$((1 + $1 % 200))"; }
lab_client6() { printf '2001:db8:100::%x\n' $((4096 + $1)); }

# lab_client NAME NUMBER: a client with both families behind lan0.
lab_client() {
    local ns=$1 n=$2
    lab_namespace "$ns"
    ip link add "c$n" netns "$LAB-gw" type veth peer name eth0 netns "$LAB-$ns"
    ip -n "$LAB-gw" link set "c$n" master lan0
    lab_plain gw "c$n"
    ip -n "$LAB-$ns" link set eth0 address "$(printf '02:53:00:00:%02x:%02x' $((n / 256)) $((n % 256)))"
    lab_plain "$ns" eth0
    ip -n "$LAB-$ns" addr add "$(lab_client4 "$n")/16" dev eth0
    ip -n "$LAB-$ns" addr add "$(lab_client6 "$n")/64" dev eth0 nodad
    ip -n "$LAB-$ns" route add default via $LAB_GW4
    ip -n "$LAB-$ns" -6 route add default via $LAB_GW6
}

# Removes one of the lab's own namespaces; what still runs in it was started by the lab, and ends.
lab_remove_namespace() {
    local pid
    for pid in $(ip netns pids "$1" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null; done
    ip netns del "$1" 2>/dev/null
}

lab_client_down() { lab_remove_namespace "$LAB-$1"; }

lab_namespaces() { ip netns list | awk -v p="$LAB-" 'index($1, p) == 1 { print $1 }'; }

lab_down() {
    local ns pid
    trap '' INT TERM
    trap - EXIT
    [ -n "${LAB:-}" ] || return 0
    for ns in $(lab_namespaces); do
        for pid in $(ip netns pids "$ns"); do kill -TERM "$pid" 2>/dev/null; done
    done
    sleep 0.3
    for ns in $(lab_namespaces); do lab_remove_namespace "$ns"; done
    [ -n "${LAB_KEEP:-}" ] && lab_say "lab: kept $LAB_DIR" || rm -rf "$LAB_DIR"
    wait 2>/dev/null
    LAB=
}
