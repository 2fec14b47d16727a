#!/bin/bash
# `sealdns plan` against what enforcement then does to the same traffic: what is recorded in mode monitor, judged under a
# strict policy, and asked again, query for query, while that policy is enforced. The same clients lose the same servers.
#
#   run-plan.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

# Two zones inside the zone `lab`, by longest prefix in both families: 200 to 207 are guests, 208 to 215 are closed.
# Of c9's addresses one keeps working, so the machine does not go dark. One client may use the other resolver alone.
readonly PRINTER=2 PARTNER=10 GUEST=201 CLOSED=209
CLIENTS="1 $PRINTER 3 4 5 6 7 8 9 $PARTNER $GUEST $CLOSED"

# The other resolver is known, so that its DNS over HTTPS is cut by its address; when it was recorded, nobody knew it.
strict_policy() {
    sensor_policy reject reject | sed "/^zones:/i\\
  - {id: other, name: $LAB_B_NAME, addresses: [$LAB_B4, \"$LAB_B6\"], transports: [dot, doh2]}
/^outputs:/i\\
  - {client: \"$(lab_client6 $PARTNER)\", resolver: other, until: 2099-12-31, owner: lab, reason: \"a partner\"}\\
  - {client: $(lab_client4 3), until: 2020-12-31, owner: lab, reason: \"has ended\"}
/^exceptions:/i\\
  - {id: guest, networks: [10.53.2.0/29, \"2001:db8:100::10c8/125\"], cleartext: alert, unapproved: alert}\\
  - {id: closed, networks: [10.53.2.8/29, \"2001:db8:100::10d0/125\"], approve: [lab], cleartext: drop, unapproved: drop, bootstrap: false}"
}

# Who asks whom over what: client, transport, server, port. A stub's client asks its own daemon, which asks the server.
traffic() {
    cat <<END
1 udp $LAB_B4 53
1 tcp $LAB_B6 53
1 dot $LAB_A4 853
1 udp $LAB_GW4 53
$PRINTER udp $LAB_B4 53
$PRINTER tcp $LAB_B6 53
$PRINTER dot $LAB_B4 853
3 udp $LAB_A4 53
3 udp $LAB_B6 53
4 strict $LAB_A4 853
5 dot $LAB_B6 853
5 dot $LAB_B4 853
5 doh $LAB_A6 443
6 doh $LAB_A4 443
6 udp $LAB_GW6 53
7 opportunistic $LAB_B4 853
8 doh $LAB_B4 443
8 doh $LAB_B6 443
9 udp $LAB_B4 53
9 dot $LAB_A6 853
$PARTNER doh $LAB_B6 443
$PARTNER udp $LAB_A6 53
$GUEST udp $LAB_B4 53
$GUEST doh $LAB_B6 443
$GUEST dot $LAB_B6 853
$CLOSED udp $LAB_B4 53
$CLOSED tcp $LAB_B6 53
END
}

server_name() { case $1 in "$LAB_B4" | "$LAB_B6") echo $LAB_B_NAME ;; *) echo $LAB_A_NAME ;; esac; }

# Everybody whom a stub's daemon asks, and how. It has until its time to fall back on clear text.
stub_start() {
    local where=$1 transports=$2 authentication=$3 server=$4
    mkdir -p "$LAB_DIR/$where"
    cat >"$LAB_DIR/$where/stubby.yml" <<END
resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list: [$transports]
tls_authentication: $authentication
idle_timeout: 1000
timeout: 2000
appdata_dir: "$LAB_DIR/$where"
tls_ca_file: "$LAB_CA"
listen_addresses: [127.0.0.1@53]
upstream_recursive_servers:
  - {address_data: $server, tls_auth_name: "$(server_name "$server")"}
END
    lab_daemon "$where" "$where/stubby" stubby -C "$LAB_DIR/$where/stubby.yml"
    lab_wait 5 lab_listens "$where" 53
}

# ask CLIENT TRANSPORT SERVER: prints the answer.
ask() {
    local in=c$1 server=$3 name
    name=$(server_name "$server")
    case $2 in
    udp) lab_in "$in" dig +short +tries=1 +time=2 "@$server" www.example.org A ;;
    tcp) lab_in "$in" dig +short +tcp +tries=1 +time=2 "@$server" www.example.org A ;;
    dot) lab_in "$in" kdig +short +retry=0 +time=2 "@$server" +tls-ca="$LAB_CA" +tls-hostname="$name" www.example.org A ;;
    doh) lab_in "$in" kdig +short +retry=0 +time=2 "@$server" +https +tls-ca="$LAB_CA" +tls-hostname="$name" www.example.org A ;;
    *) lab_in "$in" dig +short +tries=1 +time=4 @127.0.0.1 www.example.org A ;;
    esac | grep -v '^;'
}

# The client's address in the family of the server.
client_address() { case $2 in *:*) lab_client6 "$1" ;; *) lab_client4 "$1" ;; esac; }

# play FILE: everything is asked at once; FILE gets a line `client server port yes|no` for each.
play() {
    local file=$1 client transport server port
    : >"$file"
    while read -r client transport server port; do
        {
            if [ -n "$(ask "$client" "$transport" "$server" 2>/dev/null)" ]; then answer=yes; else answer=no; fi
            echo "$(client_address "$client" "$server") $server $port $answer" >>"$file"
        } &
        PLAYERS="$PLAYERS $!"
    done < <(traffic)
    # shellcheck disable=SC2086
    wait $PLAYERS
    PLAYERS=
}
PLAYERS=

# lost BEFORE AFTER: what was answered before and is not after.
lost() { comm -12 <(sed -n 's/ yes$//p' "$1" | sort) <(sed -n 's/ no$//p' "$2" | sort); }
kept() { comm -12 <(sed -n 's/ yes$//p' "$1" | sort) <(sed -n 's/ yes$//p' "$2" | sort); }
# The clients, by address, that get nothing any more.
dark() { comm -23 <(lost "$1" "$2" | cut -d' ' -f1 | sort -u) <(kept "$1" "$2" | cut -d' ' -f1 | sort -u); }

document() { jq -r "$1" "$LAB_DIR/plan.json"; }
# cut_of FILE CONDITION: what is cut and was answered.
cut_of() {
    jq -r ".conversations[] | select(.fate == \"cut\" and .last_answered_hour != null and ($2)) |
        \"\(.client) \(.server) \(.server_port)\"" "$LAB_DIR/$1" | sort -u
}
# An address that goes dark, whether or not its machine has another one.
planned_dark() { document '.clients[] | select(.outcome == "dark" or .outcome == "bootstrap-only" or .other_address) | .client' | sort -u; }

# same NAME EXPECTED GOT: two lists of lines that must be one, and not empty.
same() {
    if [ -z "$2" ]; then not_ok "$1" "nothing to compare"; return; fi
    if [ "$2" = "$3" ]; then ok "$1 ($(echo "$2" | wc -l))"; else not_ok "$1" "$(diff <(echo "$2") <(echo "$3") | grep '^[<>]' | paste -sd' ')"; fi
}

# is NAME WANTED GOT
is() { if [ "$2" = "$3" ]; then ok "plan: $1: $2"; else not_ok "plan: $1: $2" "it says '$3'"; fi; }
outcome_is() { is "$1" "$3" "$(document ".clients[] | select(.client == \"$2\") | .outcome")"; }
fates_are() { is "$1" "$3" "$(document ".conversations[] | select(.client == \"$2\") | .fate" | sort -u | paste -sd' ')"; }
not_named() { ! document '.clients[].client, .conversations[].client' | grep -qxF "$1"; }

record() {
    sensor_policy alert alert >"$LAB_DIR/policy.yaml"
    check "monitor: the sensor starts" sensor_up monitor
    stub_start c4 GETDNS_TRANSPORT_TLS GETDNS_AUTHENTICATION_REQUIRED $LAB_A4
    stub_start c7 "GETDNS_TRANSPORT_TLS, GETDNS_TRANSPORT_UDP" GETDNS_AUTHENTICATION_NONE $LAB_B4
    play "$LAB_DIR/before"
    check "monitor: every query is answered" everything_answered
    sleep 3
    sensor_down
}
everything_answered() { [ "$(grep -c ' yes$' "$LAB_DIR/before")" = "$(traffic | wc -l)" ]; }

judge() {
    strict_policy >"$LAB_DIR/strict.yaml"
    check "plan: reads what was recorded" plan_to "$LAB_DIR/plan.json"
    outcome_is "a client that also has an approved resolver" "$(lab_client4 1)" loses
    outcome_is "a client of clear text alone" "$(lab_client4 3)" bootstrap-only
    outcome_is "its other family" "$(lab_client6 3)" bootstrap-only
    outcome_is "a client of an unapproved DoT alone" "$(lab_client4 5)" loses
    outcome_is "a client of DNS over HTTPS to a resolver that nobody knew" "$(lab_client4 8)" bootstrap-only
    outcome_is "a client that is excepted for one resolver, and asks another" "$(lab_client6 $PARTNER)" loses
    outcome_is "a client whose other address has an approved DoT" "$(lab_client4 9)" loses
    outcome_is "a client in a zone without bootstrap" "$(lab_client4 $CLOSED)" dark
    outcome_is "the same, IPv6" "$(lab_client6 $CLOSED)" dark
    fates_are "the excepted client, IPv4" "$(lab_client4 $PRINTER)" excepted
    fates_are "the excepted client, IPv6" "$(lab_client6 $PRINTER)" excepted
    check "plan: the guest is in its own zone, and loses nothing" not_named "$(lab_client4 $GUEST)"
    check "plan: a strict stub with an approved resolver loses nothing" not_named "$(lab_client4 4)"
    check "plan: the gateway's own resolver and approved DoH stay" not_named "$(lab_client4 6)"
}
plan_to() { sealdns plan -c "$LAB_DIR/strict.yaml" --since 1h --db "$LAB_DIR/sealdns.db" --format json >"$1" && jq -e . "$1"; }

enforce() {
    cp "$LAB_DIR/strict.yaml" "$LAB_DIR/policy.yaml"
    check "enforce: the sensor starts" sensor_up enforce
    check "enforce: the table is in the kernel" lab_wait 5 table_present
    play "$LAB_DIR/after"
    same "what plan says is cut is what is no longer answered: the same clients, the same servers" \
        "$(cut_of plan.json true)" "$(lost "$LAB_DIR/before" "$LAB_DIR/after")"
    same "who plan says goes dark is who gets no answer any more" "$(planned_dark)" "$(dark "$LAB_DIR/before" "$LAB_DIR/after")"
    check "a client of bootstrap alone gets the approved resolver's name, in clear text" bootstrap_works
    sensor_down
}
bootstrap_works() { lab_in c3 dig +short +tries=1 +time=2 "@$LAB_A4" $LAB_A_NAME A | grep -qx "$LAB_A4"; }

# The store then holds both: what was answered is lost still, and told to be cut already.
again() {
    local told='.transport != "do53-tcp" and .server_port != 443'
    check "plan: reads what was recorded under enforcement too" plan_to "$LAB_DIR/plan-again.json"
    same "a second plan cuts the same" "$(cut_of plan.json true)" "$(cut_of plan-again.json true)"
    # Of TCP on 53 and 443 no event need tell: a connection that is reset at once has asked nothing.
    same "a second plan knows by the events what the rules have cut" "$(cut_of plan.json "$told")" \
        "$(cut_of plan-again.json "$told and .already_cut")"
}

main() {
    local client
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    for client in $CLIENTS; do lab_client "c$client" "$client"; done
    record
    judge
    enforce
    again
    tally
}
main
