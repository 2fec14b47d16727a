#!/bin/bash
# The whole table: {do53-udp, do53-tcp, dot, doq, doh2, doh3} x {approved, unapproved} x {IPv4, IPv6} x {zone strict, zone
# guest, exception, the gateway itself} x {monitor, shadow, enforce, redirect}: who answers each client, and what the
# events say. And strict clients, which ask for their resolver's name first. Real clients: dig, kdig, gtlsclient; real servers: Unbound, knotd (DoQ, over XDP), gtlsserver (HTTP/3).
#
#   run-table.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

TRANSPORTS="do53-udp do53-tcp dot doq doh2 doh3"
WHO="strict guest exception gateway"
declare -A CLIENT=([strict]=c1 [guest]=c3 [exception]=c2 [gateway]=gw)
GATEWAY=10.53.0.20 PUBLIC=$LAB_WEB4 # what the gateway's resolver, and everybody else, says of files.corp.example

server_of() { # approved|unapproved 4|6
    case $1$2 in approved4) echo $LAB_A4 ;; approved6) echo $LAB_A6 ;; unapproved4) echo $LAB_B4 ;; *) echo $LAB_B6 ;; esac
}
name_of() { [ "$1" = approved ] && echo $LAB_A_NAME || echo $LAB_B_NAME; }

# Clear text: approved for A alone. Guests may use any encrypted DNS. The gateway's own zone only alerts.
table_policy() { # CLEARTEXT-OF-STRICT CLEARTEXT-OF-GUEST BOOTSTRAP-OF-STRICT
    local services='transports: [do53, dot, doq, doh2, doh3]'
    cat <<EOF
sensor: {name: lab, interfaces: [lan0, wan0], mode: monitor}
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
resolvers:
  - {id: lab, name: $LAB_A_NAME, addresses: [$LAB_A4, "$LAB_A6"], $services}
  - {id: other, name: $LAB_B_NAME, addresses: [$LAB_B4, "$LAB_B6"], $services}
zones:
  - {id: strict, networks: [10.53.0.0/16, "2001:db8:100::/64"], approve: [lab], $1, unapproved: reject, bootstrap: $3}
  - {id: gateway, approve: [lab]}
  - {id: guest, networks: [$(lab_client4 3)/32, "$(lab_client6 3)/128"], approve: [lab], $2, unapproved: allow}
exceptions:
  - {client: $(lab_client4 2), until: 2099-12-31, owner: lab, reason: "the printer, change 1"}
  - {client: "$(lab_client6 2)", until: 2099-12-31, owner: lab, reason: "the printer, change 1"}
outputs:
  - {type: file, format: eve, path: $LAB_DIR/eve.json}
EOF
}

# DoQ for both resolvers; port 53 is Unbound's.
doq_up() {
    lab_doq server knotd both 5353 "* 300 A $PUBLIC"
    lab_doq_wait knotd
    ! grep -qE "$NO_XDP" "$LAB_DIR/knotd.log"
}

# HTTP/3: a document at the path of RFC 8484; what matters to the gateway is the QUIC connection and its names. Unbound has
# UDP port 443 too, so what comes to that is led to another.
doh3_up() {
    local address
    mkdir -p "$LAB_DIR/htdocs"
    echo $PUBLIC >"$LAB_DIR/htdocs/dns-query"
    lab_in server nft -f - <<EOF
table inet doh3 {
  chain prerouting { type nat hook prerouting priority dstnat; udp dport 443 dnat to :8443; }
}
EOF
    for address in $LAB_A4 $LAB_A6 $LAB_B4 $LAB_B6; do
        lab_daemon server "doh3-$address" gtlsserver -q -d "$LAB_DIR/htdocs" "$address" 8443 "$LAB_DIR/both.key" "$LAB_DIR/both.pem"
        lab_wait 10 quic_listens "$address" || lab_die "no HTTP/3 server at $address"
    done
}
quic_listens() { lab_in server ss -Hlnu | grep ':8443 ' | grep -qF "$1"; }

servers_up() {
    lab_leaf both lab-ca "DNS:$LAB_A_NAME" "DNS:$LAB_B_NAME"
    doh3_up
    doq_up || TRANSPORTS=${TRANSPORTS/doq /}
}

# Who has answered CLIENT, in the words of the answer; nothing when nobody has.
ask() { # CLIENT TRANSPORT SERVER NAME SCRATCH
    local query=(files.corp.example A) kdig=(kdig +short +retry=0 +time=2 "@$3")
    case $2 in
    do53-udp) lab_in "$1" dig +short +tries=1 +time=2 "@$3" "${query[@]}" ;;
    do53-tcp) lab_in "$1" dig +short +tcp +tries=1 +time=2 "@$3" "${query[@]}" ;;
    dot) lab_in "$1" "${kdig[@]}" "+tls-ca=$LAB_CA" "+tls-hostname=$4" "${query[@]}" ;;
    doq) lab_in "$1" "${kdig[@]}" "+tls-ca=$LAB_CA" "+tls-hostname=$4" +quic "${query[@]}" ;;
    doh2) lab_in "$1" "${kdig[@]}" +https "+tls-ca=$LAB_CA" "+tls-hostname=$4" "${query[@]}" ;;
    doh3)
        lab_in "$1" gtlsclient -q --exit-on-all-streams-close --handshake-timeout=2s --timeout=2s --download="$5" "--sni=$4" \
            "$3" 443 "https://$4/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA29yZwAAAQAB" >"$5/out"
        cat "$5"/dns-query*
        ;;
    esac 2>/dev/null | tail -n 1
}

who_answers() {
    local answer scratch
    scratch=$(mktemp -d "$LAB_DIR/ask.XXXXXX")
    answer=$(ask "$@" "$scratch")
    case $answer in "$PUBLIC") echo asked ;; "$GATEWAY") echo gateway ;; *) echo nobody ;; esac
}

# What is to happen: the server that was asked answers, the gateway's resolver, or nobody.
wanted() { # MODE WHO SERVER TRANSPORT
    case $1:$2:$3:$4 in
    enforce:strict:unapproved:* | enforce:guest:unapproved:do53-*) echo nobody ;;
    redirect:strict:unapproved:do53-* | redirect:guest:unapproved:do53-*) echo gateway ;;
    redirect:strict:unapproved:*) echo nobody ;;
    *) echo asked ;;
    esac
}

# One line a cell. What ought to be answered is asked a second time on a busy machine; what ought not to be is asked once.
column() { # MODE WHO
    local transport server family address got want
    for transport in $TRANSPORTS; do
        for server in approved unapproved; do
            want=$(wanted "$1" "$2" $server "$transport")
            for family in 4 6; do
                address=$(server_of $server $family)
                got=$(who_answers "${CLIENT[$2]}" "$transport" "$address" "$(name_of $server)")
                [ "$got" = nobody ] && [ "$want" != nobody ] &&
                    got=$(who_answers "${CLIENT[$2]}" "$transport" "$address" "$(name_of $server)")
                echo "$1: $2, $transport, $server, IPv$family: $want answers|$want|$got"
            done
        done
    done
}

cells() { # MODE: all clients at a time
    local who pids=() name want got count=0
    for who in $WHO; do
        column "$1" "$who" >"$LAB_DIR/cells.$1.$who" &
        pids+=($!)
    done
    wait "${pids[@]}"
    while IFS='|' read -r name want got; do
        [ "$got" = "$want" ] && ok "$name" || not_ok "$name" "it was answered by: $got"
        count=$((count + 1))
    done < <(for who in $WHO; do cat "$LAB_DIR/cells.$1.$who"; done)
    # shellcheck disable=SC2086
    check "$1: no cell is missing" test $count = $(($(wc -w <<<"$TRANSPORTS") * 2 * 2 * $(wc -w <<<"$WHO")))
}

address_of() { # WHO 4|6: as the sensor sees it
    case $1$2 in
    gateway4) echo 192.0.2.1 ;;
    gateway6) echo 2001:db8:1::1 ;;
    exception*) "lab_client$2" 2 ;;
    guest*) "lab_client$2" 3 ;;
    *) "lab_client$2" 1 ;;
    esac
}

# The verdict of the event, none where nothing is to be said.
verdict_wanted() { # MODE WHO KIND
    case $2:$3:$1 in
    exception:*) echo excepted ;;
    gateway:*) echo allowed ;;
    guest:unapproved-resolver:*) echo none ;;
    *:cleartext:redirect) echo redirected ;;
    *:enforce | *:redirect) echo blocked ;;
    *) echo would-block ;;
    esac
}

verdict_of() { # CLIENT SERVER KIND
    jq -rs --arg client "$1" --arg server "$2" --arg kind "$3" '[.[] | select(.sealdns.kind == $kind and .sealdns.client == $client and
        .sealdns.server == $server) | .sealdns.verdict] | unique | if . == [] then "none" else join(",") end' "$LAB_DIR/eve.json"
}

verdict_is() { [ "$(verdict_of "$2" "$3" "$4")" = "$1" ]; }

verdicts() { # MODE
    local who kind family client want
    for who in $WHO; do
        for family in 4 6; do
            client=$(address_of "$who" $family)
            for kind in cleartext unapproved-resolver; do
                want=$(verdict_wanted "$1" "$who" $kind)
                check "$1: $who, IPv$family: $kind of the unapproved resolver: $want" \
                    lab_wait 5 verdict_is "$want" "$client" "$(server_of unapproved $family)" $kind
                check "$1: $who, IPv$family: $kind of the approved resolver: none" \
                    verdict_is none "$client" "$(server_of approved $family)" $kind
            done
        done
    done
}

# Strict clients that know their resolver by its name. The one they ask for its address is B, which the zone cuts off for
# all else: Stubby, started with what that said, and dnss, which asks before each connection.
strict_clients() {
    check "strict: the name of the approved resolver is answered in clear text" bootstrapped
    check "strict: Stubby starts, and answers" lab_wait 6 stub_answers 5301
    check "strict: dnss starts, and answers" lab_wait 6 stub_answers 5302
    check "strict: what else the client asks in clear text is not answered" \
        test "$(who_answers c4 do53-udp $LAB_B4 -)$(who_answers c4 do53-tcp $LAB_B4 -)$(who_answers c4 do53-udp $LAB_B6 -)" = nobodynobodynobody
    table_policy "cleartext: reject" "cleartext: drop" false >"$LAB_DIR/policy.yaml"
    check "strict: the policy without bootstrap is read" sealdns status reload --socket "$LAB_DIR/sealdns.sock"
    check "strict: another dnss starts" dnss_up 5303
    check "strict: and cannot find its resolver, so it was the bootstrap" stub_fails 5303
}

bootstrapped() {
    local address
    address=$(lab_in c4 dig +short +tries=1 +time=2 "@$LAB_B4" $LAB_A_NAME A)
    [ "$address" = $LAB_A4 ] || return 1
    printf '%s\n' 'resolution_type: GETDNS_RESOLUTION_STUB' 'dns_transport_list: [GETDNS_TRANSPORT_TLS]' \
        'tls_authentication: GETDNS_AUTHENTICATION_REQUIRED' "tls_ca_file: \"$LAB_CA\"" "appdata_dir: \"$LAB_DIR\"" \
        'listen_addresses: [127.0.0.1@5301]' 'upstream_recursive_servers:' "  - {address_data: $address, tls_auth_name: \"$LAB_A_NAME\"}" \
        >"$LAB_DIR/stubby.yml"
    lab_daemon c4 stubby stubby -C "$LAB_DIR/stubby.yml"
    dnss_up 5302
}

dnss_up() { # PORT
    lab_daemon c4 "dnss-$1" dnss -enable_dns_to_https -enable_cache=false -https_client_cafile "$LAB_CA" \
        -https_upstream "https://$LAB_A_NAME/dns-query" -fallback_upstream "$LAB_B4:53" -dns_listen_addr "127.0.0.1:$1"
    lab_wait 5 stub_listens "$1"
}
stub_listens() { lab_in c4 ss -Hlnu | grep -q "127.0.0.1:$1 "; }

stub_answers() { [ "$(lab_in c4 dig +short +tries=1 +time=3 -p "$1" @127.0.0.1 www.example.org A)" = "$PUBLIC" ]; }
stub_fails() { ! stub_answers "$1"; }

# Where no XDP is, DoQ's cells are skipped and counted so.
skip_doq() {
    [[ $TRANSPORTS = *doq* ]] || skip "$1: 16 cells of DoQ" "no XDP sockets, without which knotd speaks no QUIC"
}

played() { # MODE-OF-THE-TABLE MODE-OF-THE-SENSOR CLEARTEXT-OF-STRICT CLEARTEXT-OF-GUEST
    rm -f "$LAB_DIR"/sealdns.db* "$LAB_DIR/eve.json"
    table_policy "$3" "$4" true >"$LAB_DIR/policy.yaml"
    check "$1: the sensor starts" sensor_up "$2" lan0 wan0 # or it would not see what the gateway sends
    [ "$2" = monitor ] || check "$1: the rules are in the kernel" lab_wait 5 table_present
    skip_doq "$1"
    cells "$1"
    verdicts "$1"
    [ "$1" = enforce ] && strict_clients
    sensor_down
    sealdns rules remove -c "$LAB_DIR/policy.yaml" >/dev/null 2>&1
}

main() {
    local to="cleartext: redirect, redirect_to: [$LAB_GW4, \"$LAB_GW6\"]" n
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_up || exit 1
    # With br_netfilter a bridge translates what comes in by a port before lan0 sees it: the sensor would see the target.
    lab_in gw sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 2>/dev/null
    for n in 1 2 3 4; do lab_client c$n $n; done
    servers_up
    played monitor monitor "cleartext: reject" "cleartext: drop"
    played shadow shadow "cleartext: reject" "cleartext: drop"
    played enforce enforce "cleartext: reject" "cleartext: drop"
    played redirect enforce "$to" "$to"
    tally
}
main
