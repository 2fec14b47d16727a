#!/bin/bash
# Real tunnels through real resolvers: iodine in four record types and dns2tcp in two, each behind Unbound, dnsmasq or BIND.
# Each is found within a minute of its first query, as one event; a client that asks what clients ask beside them is not. The same
# within DNS over TLS, where only the lengths of records show.
#
#   run-tunnel.sh [--record] [--keep] [PATTERN]
#
# PATTERN is an extended regular expression over the names of the cells. --record renews tests/pcap/tunnel-*/.
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"

RECORD=0 PATTERN=.
for argument in "$@"; do
    case $argument in
    --record) RECORD=1 ;;
    --keep) export LAB_KEEP=1 ;;
    --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "run-tunnel.sh: unknown option $argument" >&2; exit 2 ;;
    *) PATTERN=$argument ;;
    esac
done

SECONDS_OF_USE=12 SECONDS_SEALED=25
readonly UNBOUND=203.0.113.71 DNSMASQ=203.0.113.72 BIND=203.0.113.73

# The cells: number, name, tool and record type, the resolver in between.
cells() {
    cat <<END | grep -E -- "^[0-9]+ [^ ]*($PATTERN)"
1 iodine-null iodine:NULL $UNBOUND
2 iodine-txt iodine:TXT $DNSMASQ
3 iodine-cname iodine:CNAME $BIND
4 iodine-a iodine:A $DNSMASQ
5 dns2tcp-txt dns2tcp:TXT $BIND
6 dns2tcp-key dns2tcp:KEY $UNBOUND
7 innocent innocent:- $UNBOUND
8 sealed-iodine iodine:NULL dot
9 sealed-iodine-txt iodine:TXT dot
10 sealed-innocent innocent:- dot
END
}

domain_of() { echo "net$1.example"; } # its name server listens on port 5300 + number

unbound_up() {
    local number rest
    {
        lab_unbound_head
        printf '  interface: %s@%s\n' $UNBOUND 53 $UNBOUND 853
        printf '  do-not-query-localhost: no\n  msg-cache-size: 8m\n  tls-service-key: "%s"\n  tls-service-pem: "%s"\n' \
            "$LAB_DIR/a.key" "$LAB_DIR/a.pem"
        lab_zone
        while read -r number rest; do echo "  local-zone: \"$(domain_of "$number").\" transparent"; done < <(cells)
        while read -r number rest; do
            printf 'forward-zone:\n  name: "%s."\n  forward-addr: 127.0.0.1@%s\n' "$(domain_of "$number")" $((5300 + number))
        done < <(cells)
    } >"$LAB_DIR/tunnel-unbound.conf"
    lab_daemon server tunnel-unbound unbound -d -c "$LAB_DIR/tunnel-unbound.conf"
}

dnsmasq_up() {
    local number rest servers=()
    while read -r number rest; do servers+=("--server=/$(domain_of "$number")/127.0.0.1#$((5300 + number))"); done < <(cells)
    lab_daemon server tunnel-dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --pid-file= \
        --user=root --bind-interfaces --listen-address=$DNSMASQ --except-interface=lo0 "${servers[@]}"
}

bind_up() {
    local number rest
    {
        echo "options { directory \"$LAB_DIR\"; listen-on { $BIND; }; listen-on-v6 { none; }; pid-file none; recursion yes;"
        echo "  allow-query { any; }; allow-recursion { any; }; dnssec-validation no; session-keyfile none; };"
        echo "controls { };"
        while read -r number rest; do
            echo "zone \"$(domain_of "$number")\" { type forward; forward only; forwarders { 127.0.0.1 port $((5300 + number)); }; };"
        done < <(cells)
    } >"$LAB_DIR/tunnel-bind.conf"
    lab_daemon server tunnel-bind named -g -c "$LAB_DIR/tunnel-bind.conf"
}

answers() { lab_in server ss -Hlnu | grep -q " $1:53 "; }

resolvers_up() {
    local address
    for address in $UNBOUND $DNSMASQ $BIND; do ip -n "$LAB-server" addr add "$address/32" dev lo; done
    unbound_up
    dnsmasq_up
    bind_up
    for address in $UNBOUND $DNSMASQ $BIND; do
        lab_wait 10 answers "$address" || lab_die "no resolver at $address"
    done
}

# The far ends, each an authoritative server of its domain.
far_end_up() {
    local number=$1 tool=$2 port=$((5300 + $1))
    case $tool in
    iodine:*)
        lab_daemon server "far$number" iodined -f -c -P lab -l 127.0.0.1 -p $port -d "far$number" "10.99.$number.1/24" "$(domain_of "$number")"
        ;;
    dns2tcp:*)
        cat >"$LAB_DIR/far$number.conf" <<EOF
listen = 127.0.0.1
port = $port
domain = $(domain_of "$number")
key = lab
resources = echo:127.0.0.1:$((9000 + number))
EOF
        lab_daemon server "echo$number" socat "TCP-LISTEN:$((9000 + number)),bind=127.0.0.1,reuseaddr,fork" EXEC:cat
        lab_daemon server "far$number" dns2tcpd -F -f "$LAB_DIR/far$number.conf"
        lab_wait 20 far_end_answers "$number" || lab_die "no dns2tcp: $(tail -n1 "$LAB_DIR/far$number.log")"
        ;;
    innocent:*) return ;;
    esac
    lab_wait 10 far_end_listens $port || lab_die "nothing on port $port: $(tail -n1 "$LAB_DIR/far$number.log")"
}
far_end_answers() {
    lab_in server dig +tries=1 +time=1 @127.0.0.1 -p $((5300 + $1)) TXT "AAAAAEtAAA.=auth.$(domain_of "$1")" | grep -q NOERROR
}
far_end_listens() { lab_in server ss -Hlnu | grep -q ":$1 "; }

use_iodine() {
    lab_daemon "c$1" "iodine$1" iodine -f -r -4 -P lab -T "$3" -d "near$1" "$4" "$(domain_of "$1")"
    lab_wait 20 lab_in "c$1" ping -c 1 -W 1 "10.99.$1.1" || return 1
    lab_in "c$1" ping -q -i 0.25 -s 120 -w $SECONDS_OF_USE "10.99.$1.1"
}

use_dns2tcp() {
    # It reads its standard input for ever, also when that has ended.
    # shellcheck disable=SC2016
    lab_daemon "c$1" "dns2tcp$1" bash -c 'sleep 600 | dns2tcpc -z "$1" -k lab -T "$2" -l 2222 -r echo "$3"' bash \
        "$(domain_of "$1")" "$3" "$4"
    lab_wait 10 lab_listens "c$1" 2222 || return 1
    { for i in $(seq $SECONDS_OF_USE); do head -c 90 /dev/urandom | base64 -w0; sleep 1; done; echo "$i"; } |
        lab_in "c$1" timeout $((SECONDS_OF_USE + 5)) socat -t 2 - TCP:127.0.0.1:2222 | grep -q .
}

# Content deliveries, block lists, mail, telemetry, what a page asks at once; made by the generator of the soak.
use_innocent() {
    "$LAB_HERE/../pcap/soak.py" --names 3000 >"$LAB_DIR/innocent.names" || return 1
    lab_in "c$1" dnsperf -s "$4" -d "$LAB_DIR/innocent.names" -l $((SECONDS_OF_USE + 3)) -Q 200 | grep -q 'Queries sent'
}

# The client's own resolver, which asks onward over TLS and pads.
seal() {
    {
        lab_unbound_head
        printf '  interface: 127.0.0.1@53\n  msg-cache-size: 1m\n  tls-cert-bundle: "%s"\n' "$LAB_CA"
        printf 'forward-zone:\n  name: "."\n  forward-tls-upstream: yes\n  forward-addr: %s@853#%s\n' $UNBOUND $LAB_A_NAME
    } >"$LAB_DIR/seal$1.conf"
    lab_daemon "c$1" "seal$1" unbound -d -c "$LAB_DIR/seal$1.conf"
    lab_wait 10 lab_in "c$1" dig +tries=1 +time=1 @127.0.0.1 www.example.org
}

# run_cell NUMBER NAME TOOL:TYPE RESOLVER
run_cell() {
    local resolver=$4
    lab_client "c$1" "$1"
    if [ "$resolver" = dot ]; then
        resolver=127.0.0.1 SECONDS_OF_USE=$SECONDS_SEALED
        seal "$1" || return
    fi
    date +%s.%N >"$LAB_DIR/c$1.began"
    "use_${3%%:*}" "$1" "$2" "${3#*:}" "$resolver" >"$LAB_DIR/c$1.out" 2>&1 && touch "$LAB_DIR/c$1.used"
}

tunnel_policy() {
    cat <<EOF
sensor: {name: lab, interfaces: [lan0], mode: monitor}
resolvers:
  - {id: lab, name: $LAB_A_NAME, addresses: [$UNBOUND, $DNSMASQ, $BIND], transports: [do53, dot]}
zones:
  - {id: lab, networks: [10.53.0.0/16], approve: [lab], cleartext: alert, unapproved: alert}
EOF
}

live_policy() {
    tunnel_policy
    cat <<EOF
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
outputs:
  - {type: file, format: eve, path: $LAB_DIR/eve.json}
EOF
}

# The tunnels of a client: for each event domain, tool and the seconds from the beginning until it was told.
told() {
    jq -rs --arg client "$1" --argjson began "$2" '[.[] | select(.sealdns.kind? == "tunnel" and .sealdns.client == $client)]
        | group_by(.sealdns.id) | map(min_by(.sealdns.revision) as $first | max_by(.sealdns.revision).sealdns.evidence
            + {after: (($first.timestamp | sub("\\.[0-9]+"; "") | strptime("%Y-%m-%dT%H:%M:%S%z") | mktime) + 1 - $began)})
        | map("\(.domain) \(.tool) \(.after | ceil)") | join(";")' "$LAB_DIR/eve.json"
}

# What is said of a client's encrypted DNS: rule and families, and the seconds until then.
told_sealed() {
    jq -rs --arg client "$1" --argjson began "$2" '[.[] | select(.sealdns.kind? == "tunnel" and .sealdns.client == $client)]
        | group_by(.sealdns.id) | map(min_by(.sealdns.revision))
        | map("\(.sealdns.rule) \((.timestamp | sub("\\.[0-9]+"; "") | strptime("%Y-%m-%dT%H:%M:%S%z") | mktime) + 1 - $began | ceil)")
        | join(";")' "$LAB_DIR/eve.json"
}

check_sealed() {
    local got rule after
    got=$(told_sealed "$(lab_client4 "$1")" "$(cat "$LAB_DIR/c$1.began")")
    if [ "$2" = sealed-innocent ]; then
        [ -z "$got" ] && ok "$2: no tunnel" || not_ok "$2: no tunnel" "$got"
        return
    fi
    read -r rule after <<<"$got"
    [ "$rule" = sealed-tunnel ] && ok "$2: one tunnel, by its records" || not_ok "$2: one tunnel, by its records" "'$got'"
    [ "${after:-999}" -le 60 ] && ok "$2: within a minute ($after s)" || not_ok "$2: within a minute" "after '$after' s"
}

# check_cell NUMBER NAME TOOL:TYPE RESOLVER
check_cell() {
    local got client domain tool after
    client=$(lab_client4 "$1")
    if [ ! -e "$LAB_DIR/c$1.used" ]; then not_ok "$2" "it did not work: $(tail -n1 "$LAB_DIR/c$1.out")"; return; fi
    if [ "$4" = dot ]; then check_sealed "$@"; return; fi
    got=$(told "$client" "$(cat "$LAB_DIR/c$1.began")")
    if [ "$2" = innocent ]; then
        [ -z "$got" ] && ok "$2: no tunnel" || not_ok "$2: no tunnel" "$got"
        return
    fi
    read -r domain tool after <<<"$got"
    [ "$domain $tool" = "$(domain_of "$1") ${3%%:*}" ] && ok "$2: one tunnel, by name" || not_ok "$2: one tunnel, by name" "'$got'"
    [ "${after:-999}" -le 60 ] && ok "$2: within a minute ($after s)" || not_ok "$2: within a minute" "after '$after' s"
    [ $RECORD = 0 ] || record "$@"
}

record() {
    local case=$LAB_ROOT/tests/pcap/tunnel-$2 client
    client=$(lab_client4 "$1")
    mkdir -p "$case"
    tcpdump -nn -c 300 -r "$LAB_DIR/lan0.pcap" -w "$case/capture.pcap" "host $client and udp port 53" 2>/dev/null
    tunnel_policy >"$case/policy.yaml"
    jq -n --arg client "$client" --arg domain "$(domain_of "$1")" --arg tool "${3%%:*}" --arg type "${3#*:}" \
        '{kinds: ["tunnel"], events: [{kind: "tunnel", rule: "tunnel", client: $client, severity: 1,
            evidence: {domain: $domain, tool: $tool, types: $type}}]}' >"$case/expected.json"
    echo "${3%%:*} in records of type ${3#*:} through a resolver: the first 300 packets, from its first query on." >"$case/why"
}

main() {
    local number name tool resolver
    lab_up || exit 1
    resolvers_up
    while read -r number name tool resolver; do far_end_up "$number" "$tool"; done < <(cells)
    lab_daemon gw tcpdump tcpdump --immediate-mode -U -nn -s 0 -i lan0 -w "$LAB_DIR/lan0.pcap" "udp port 53 or tcp port 853"
    local tcpdump=$LAB_PID
    lab_wait 5 test -s "$LAB_DIR/lan0.pcap"
    live_policy >"$LAB_DIR/policy.yaml"
    sensor_up monitor || exit 1
    while read -r number name tool resolver; do
        (trap - EXIT INT TERM; run_cell "$number" "$name" "$tool" "$resolver") &
        CELLS="${CELLS:-} $!"
    done < <(cells)
    # shellcheck disable=SC2086
    wait $CELLS
    sleep 1
    lab_stop "$tcpdump" INT
    sensor_down
    while read -r number name tool resolver; do check_cell "$number" "$name" "$tool" "$resolver"; done < <(cells)
    tally
}
main
