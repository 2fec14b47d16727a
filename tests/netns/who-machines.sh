# shellcheck shell=bash
# The machines of run-who.sh: who gives leases and advertises, who takes them, and who stands behind whom. Sourced by it.
#
# Machine N has the link address 02:53:00:00:00:N and its port c<N> on lan0.

# Who is who. Names of namespaces, numbers of clients. `bare` ones get their addresses from the network.
MACHINES="house:47 wild:48 asker:49 single:51 counted:46 free:52 nat-ttl:53 nat-checks:54 nat-one:55"
BARE="laptop:40 guest:41 phone:42 six:43 tablet:44 rogue:50"
readonly LEASES=10.53.200 # .0/24 of it: what the DHCP server gives
readonly FREE4=10.53.250.1

number_of() {
    local m
    for m in $MACHINES $BARE; do [ "${m%:*}" = "$1" ] && echo "${m#*:}"; done
}
four_of() { lab_client4 "$(number_of "$1")"; }
six_of() { lab_client6 "$(number_of "$1")"; }
mac_of() { printf '02:53:00:00:00:%02x' "$(number_of "$1")"; }

# without_addresses NAME: a machine that waits for what the network gives it.
without_addresses() {
    lab_client "$1" "$(number_of "$1")"
    lab_in "$1" sysctl -qw net.ipv6.conf.eth0.router_solicitation_delay=0
    ip -n "$LAB-$1" addr flush dev eth0
}

raise_machines() {
    local m
    for m in $MACHINES; do lab_client "${m%:*}" "${m#*:}"; done
    for m in $BARE; do without_addresses "${m%:*}"; done
    ip -n "$LAB-free" addr add $FREE4/16 dev eth0
    ip -n "$LAB-rogue" addr add "$(four_of rogue)/16" dev eth0
    ip -n "$LAB-rogue" addr add fe80::50/64 dev eth0 nodad
    lab_router rogue
    behind nat-ttl 64 128 255
    behind nat-checks 64 64 64
    behind nat-one 64
}

# behind ROUTER TTL...: a client for each TTL, behind a router that translates addresses: ROUTER-1, ROUTER-2...
behind() {
    local router=$1 ttl i=0
    shift
    lab_router "$router"
    ip -n "$LAB-$router" link add in0 type bridge mcast_snooping 0
    ip -n "$LAB-$router" addr add 192.168.7.1/24 dev in0
    lab_plain "$router" in0
    lab_in "$router" nft -f - <<END
table ip nat {
    chain post {
        type nat hook postrouting priority 100
        oifname "eth0" masquerade
    }
}
END
    for ttl in "$@"; do
        i=$((i + 1))
        lab_namespace "$router-$i"
        ip link add "p$i" netns "$LAB-$router" type veth peer name eth0 netns "$LAB-$router-$i"
        ip -n "$LAB-$router" link set "p$i" master in0
        lab_plain "$router" "p$i"
        lab_plain "$router-$i" eth0
        ip -n "$LAB-$router-$i" addr add 192.168.7.$((1 + i))/24 dev eth0
        ip -n "$LAB-$router-$i" route add default via 192.168.7.1
        lab_in "$router-$i" sysctl -qw net.ipv4.ip_default_ttl="$ttl"
    done
}

# --- resolvers ---------------------------------------------------------------------------------------------------------

# inside_resolver NAME: Unbound on a machine of the LAN; standard input: what it answers beside any name.
inside_resolver() {
    {
        lab_unbound_head
        printf '  interface: %s\n  interface: %s\n' "$(four_of "$1")" "$(six_of "$1")"
        printf '  local-zone: "." redirect\n  local-data: ". 300 IN A 192.0.2.80"\n  local-zone: "resolver.arpa." static\n'
        cat
    } >"$LAB_DIR/$1.conf"
    lab_daemon "$1" "$1" unbound -d -c "$LAB_DIR/$1.conf"
    lab_wait 10 lab_listens "$1" 53 || lab_die "no resolver on $1: $(tail -n 1 "$LAB_DIR/$1.log")"
}

# One does what the policy wants, the other moves everybody elsewhere. Both may be asked.
inside_resolvers() {
    inside_resolver house <<END
  local-data: "_dns.resolver.arpa. 300 IN SVCB 1 $LAB_A_NAME. alpn=dot port=853 ipv4hint=$LAB_A4"
  local-zone: "use-application-dns.net." always_nxdomain
  local-zone: "mask.icloud.com." always_nxdomain
  local-zone: "mask-h2.icloud.com." always_nodata
END
    inside_resolver wild <<END
  local-data: "_dns.resolver.arpa. 300 IN SVCB 1 $LAB_B_NAME. alpn=dot port=853 ipv4hint=$LAB_B4"
END
}

# --- who gives leases --------------------------------------------------------------------------------------------------

# hex BYTES-AS-PRINTF: with colons, as dnsmasq reads it.
hex() { printf "$1" | od -An -v -tx1 | tr -s ' \n' ':' | sed 's/^://; s/:$//'; }

# A name in wire form, for printf.
wire_name() {
    local label
    for label in ${1//./ }; do printf '\\x%02x%s' ${#label} "$label"; done
    printf '\\x00'
}

# An option of one instance (RFC 9463 5.1): priority, name, one address, alpn=dot.
dnr_option() {
    local name length address
    name=$(wire_name "$1") length=$((${#1} + 2))
    # shellcheck disable=SC2046
    address=$(printf '\\x%02x' $(tr . ' ' <<<"$2"))
    hex "$(printf '\\x00\\x%02x\\x00\\x01\\x%02x%s\\x04%s\\x00\\x01\\x00\\x04\\x03dot' $((2 + 1 + length + 5 + 8)) "$length" "$name" "$address")"
}

# dhcp_server NAMESPACE INTERFACE FIRST LAST RESOLVER [DNR]: dnsmasq; sets LAB_PID.
dhcp_server() {
    local where=$1 interface=$2 more=()
    [ -z "${6:-}" ] || more=("--dhcp-option-force=162,$6")
    : >>"$LAB_DIR/$where.hosts"
    lab_daemon "$where" "dhcp-$where" dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root --pid-file= \
        --interface="$interface" --bind-interfaces --no-ping --log-facility=- --log-dhcp --dhcp-authoritative \
        --dhcp-range="$3,$4,255.255.0.0,10m" --dhcp-hostsfile="$LAB_DIR/$where.hosts" --dhcp-leasefile="$LAB_DIR/$where.leases" \
        --dhcp-option=3,$LAB_GW4 --dhcp-option=6,"$5" "${more[@]}"
    lab_wait 5 grep -q 'sockets bound\|DHCP, IP range' "$LAB_DIR/dhcp-$where.log" || lab_die "no DHCP server: $(tail -n 1 "$LAB_DIR/dhcp-$where.log")"
}

# the_house_gives [RESOLVER [DNR]]: the DHCP server of the gateway, in place of the one before.
the_house_gives() {
    [ -z "${HOUSE_DHCP:-}" ] || lab_stop "$HOUSE_DHCP"
    dhcp_server gw lan0 $LEASES.100 $LEASES.199 "${1:-$(four_of house)}" "${2:-}"
    HOUSE_DHCP=$LAB_PID
}

# reserve NAME ADDRESS: what that machine gets from the house from now on.
reserve() {
    sed -i "/$(mac_of "$1")/d; /,$2\$/d" "$LAB_DIR/gw.hosts"
    echo "$(mac_of "$1"),$2" >>"$LAB_DIR/gw.hosts"
    kill -HUP "$HOUSE_DHCP"
    sleep 0.3
}

# advertiser NAMESPACE INTERFACE RESOLVER: radvd with prefix and RDNSS; sets LAB_PID.
advertiser() {
    cat >"$LAB_DIR/radvd-$1.conf" <<END
interface $2 {
    AdvSendAdvert on;
    MinRtrAdvInterval 3;
    MaxRtrAdvInterval 4;
    prefix 2001:db8:100::/64 { AdvOnLink on; AdvAutonomous on; AdvValidLifetime 3600; AdvPreferredLifetime 1800; };
    RDNSS $3 { AdvRDNSSLifetime 1200; };
};
END
    lab_daemon "$1" "radvd-$1" radvd -n -m stderr -C "$LAB_DIR/radvd-$1.conf" -p "$LAB_DIR/radvd-$1.pid"
}

the_house_advertises() {
    [ -z "${HOUSE_RADVD:-}" ] || lab_stop "$HOUSE_RADVD"
    advertiser gw lan0 "$1"
    HOUSE_RADVD=$LAB_PID
}

# --- who takes them ----------------------------------------------------------------------------------------------------

# What udhcpc (an argument) and dhclient ($reason) call: the address and nothing else of the machine.
lease_script() {
    cat >"$LAB_DIR/lease" <<'END'
#!/bin/sh
case ${1:-${reason:-}} in
deconfig | PREINIT | EXPIRE | RELEASE | STOP) ip -4 addr flush dev eth0 ;;
bound | renew | BOUND | RENEW | REBIND | REBOOT)
    ip -4 addr flush dev eth0
    ip addr add "${ip:-${new_ip_address:-}}/16" dev eth0
    ip route replace default via 10.53.0.1
    ;;
esac
ip link set eth0 up
END
    chmod 755 "$LAB_DIR/lease"
}

# takes_a_lease NAME [OPTION...]: udhcpc, which says its name; it gives the lease back when it is ended.
takes_a_lease() {
    local name=$1
    shift
    lab_daemon "$name" "udhcpc-$name" busybox udhcpc -f -R -i eth0 -s "$LAB_DIR/lease" -t 5 -T 1 -x "hostname:$name" "$@"
    echo "$LAB_PID" >"$LAB_DIR/udhcpc-$name.pid"
    lab_wait 10 has_four "$name"
}

gives_it_back() { lab_stop "$(cat "$LAB_DIR/udhcpc-$1.pid")"; }

# takes_a_lease_as NAME FQDN: dhclient, which says a whole name (RFC 4702).
takes_a_lease_as() {
    printf 'send fqdn.fqdn "%s.";\nsend fqdn.encoded on;\nsend fqdn.server-update on;\n' "$2" >"$LAB_DIR/dhclient.conf"
    lab_in "$1" timeout 20 dhclient -4 -1 -q -cf "$LAB_DIR/dhclient.conf" -sf "$LAB_DIR/lease" -lf "$LAB_DIR/dhclient.leases" \
        -pf "$LAB_DIR/dhclient.pid" eth0 >"$LAB_DIR/dhclient.log" 2>&1
    lab_wait 10 has_four "$1"
}

has_four() { [ -n "$(leased_to "$1")" ]; }
leased_to() { ip -n "$LAB-$1" -4 -o addr show dev eth0 | awk '{ sub("/.*", "", $4); print $4; exit }'; }

# Global addresses of a machine, the temporary one first.
sixes_of() { ip -n "$LAB-$1" -6 -o addr show dev eth0 scope global | grep -v deprecated | sort -t' ' -k 9r | awk '{ sub("/.*", "", $4); print $4 }'; }

# configures_itself NAME: SLAAC with privacy addresses (RFC 8981).
configures_itself() {
    lab_in "$1" sysctl -qw net.ipv6.conf.eth0.use_tempaddr=2 net.ipv6.conf.eth0.accept_ra=1
    new_sixes "$1"
}

# Leaves the link and comes back: other temporary addresses.
new_sixes() {
    ip -n "$LAB-$1" link set eth0 down
    ip -n "$LAB-$1" -6 addr flush dev eth0
    ip -n "$LAB-$1" link set eth0 up
    lab_wait 10 has_two_sixes "$1"
}
has_two_sixes() { [ "$(sixes_of "$1" | wc -l)" -ge 2 ]; }
