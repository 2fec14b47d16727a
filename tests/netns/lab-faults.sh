# shellcheck shell=bash
# Interference on the path: nftables in isp (and in server for `refused` and `ownhello`). Sourced by lab.sh.
# A fault applies to one client and one destination port, so that many clients share one lab.

LAB_FAULTS="reset refused drop icmp nottls forged wrongname version alert mute hello ownhello"

# Sets of `client . port`, for each fault and family.
fault_sets() {
    local fault
    for fault in $LAB_FAULTS; do
        echo "  set ${fault}4 { type ipv4_addr . inet_service; }"
        echo "  set ${fault}6 { type ipv6_addr . inet_service; }"
    done
}

# fault_rule FAULT VERDICT [MATCH]: the same for both families.
fault_rule() {
    echo "    ip saddr . th dport @${1}4 ${3:-} $2"
    echo "    ip6 saddr . th dport @${1}6 ${3:-} $2"
}

fault_rules_isp() {
    local fault
    echo "  chain path {"
    echo "    type filter hook forward priority 0;"
    fault_rule drop drop
    fault_rule reset "reject with tcp reset" "meta l4proto tcp"
    fault_rule reset "reject with icmpx port-unreachable" "meta l4proto udp"
    fault_rule icmp "reject with icmpx admin-prohibited"
    fault_rule hello "reject with tcp reset" "tcp flags & psh == psh"
    # What is bent elsewhere must not go on over a connection that was made before.
    for fault in nottls forged wrongname version alert mute; do
        fault_rule "$fault" "reject with tcp reset" "meta l4proto tcp"
    done
    echo "  }"
    echo "  chain bend {"
    echo "    type nat hook prerouting priority -100;"
    fault_rule nottls "redirect to :8531" "meta l4proto tcp"
    fault_rule forged "redirect to :8532" "tcp dport 853"
    fault_rule forged "redirect to :8533" "tcp dport 443"
    fault_rule wrongname "redirect to :8534" "tcp dport 853"
    fault_rule wrongname "redirect to :8535" "tcp dport 443"
    fault_rule version "redirect to :8536" "meta l4proto tcp"
    fault_rule alert "redirect to :8537" "meta l4proto tcp"
    fault_rule mute "redirect to :8538" "meta l4proto tcp"
    echo "  }"
}

fault_rules_server() {
    echo "  chain own {"
    echo "    type filter hook input priority 0;"
    fault_rule refused "reject with tcp reset" "meta l4proto tcp"
    fault_rule refused "reject with icmpx port-unreachable" "meta l4proto udp"
    fault_rule ownhello "reject with tcp reset" "tcp flags & psh == psh"
    # Unbound opens these for UDP as well and would answer a QUIC Initial with an error of its own.
    echo "    udp dport { 443, 853 } reject with icmpx port-unreachable"
    echo "  }"
}

fault_table() {
    { echo "table inet fault {"; fault_sets; fault_rules_isp; echo "}"; } >"$LAB_DIR/isp.nft"
    { echo "table inet fault {"; fault_sets; fault_rules_server; echo "}"; } >"$LAB_DIR/server.nft"
    lab_in isp nft -f "$LAB_DIR/isp.nft" || lab_die "the kernel refused the interference of isp"
    lab_in server nft -f "$LAB_DIR/server.nft" || lab_die "the kernel refused the interference of server"
}

# Beside the path: forge-resets.py looks into this list.
fault_inject() {
    local list=$LAB_DIR/inject four six
    four="$(lab_client4 "$2") $3" six="$(lab_client6 "$2") $3"
    (
        flock 8
        case $4 in *4*) fault_list "$1" "$four" "$list" ;; esac
        case $4 in *6*) fault_list "$1" "$six" "$list" ;; esac
    ) 8>"$list.lock"
}

fault_list() {
    if [ "$1" = add ]; then echo "$2" >>"$3"; else sed -i "/^$2\$/d" "$3"; fi
}

# fault_on|fault_off FAULT CLIENT_NUMBER PORT [4|6]: for both families unless one is named.
fault_change() {
    local verb=$1 fault=$2 n=$3 port=$4 family=${5:-46} where=isp
    [ "$fault" = none ] && return 0
    case $fault in refused | ownhello) where=server ;; esac
    [ "$fault" = inject ] && { fault_inject "$verb" "$n" "$port" "$family"; return; }
    case $family in *4*) lab_in $where nft "$verb" element inet fault "${fault}4" "{ $(lab_client4 "$n") . $port }" ;; esac
    case $family in *6*) lab_in $where nft "$verb" element inet fault "${fault}6" "{ $(lab_client6 "$n") . $port }" ;; esac
}
fault_on() { fault_change add "$@"; }
fault_off() { fault_change delete "$@"; }

# What a fault is, in words, for the fixtures' `why`.
fault_words() {
    case $1 in
    none) echo "nothing interferes" ;;
    reset) echo "a forged reset on the path answers" ;;
    hello) echo "a forged reset on the path answers the ClientHello" ;;
    ownhello) echo "the server itself resets the connection at the ClientHello" ;;
    inject) echo "somebody beside the path answers the ClientHello with resets, and the server answers too" ;;
    refused) echo "the server itself refuses the port" ;;
    drop) echo "the path drops it in silence" ;;
    icmp) echo "the path answers ICMP administratively prohibited" ;;
    nottls) echo "the path bends it to a server that speaks no TLS" ;;
    forged) echo "the path bends it to a server with the right name under a forged CA" ;;
    wrongname) echo "the path bends it to a server with a certificate for another name" ;;
    version) echo "the path bends it to a server that only speaks TLS 1.1" ;;
    alert) echo "the path bends it to a server that answers every hello with handshake_failure" ;;
    mute) echo "the path bends it to a server that shakes hands and then never answers" ;;
    esac
}
