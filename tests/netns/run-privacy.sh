#!/bin/bash
# What the sensor says of the privacy of encrypted DNS, held against how real clients and servers were set up: padding
# over TLS 1.2 and 1.3 in every form of suite, old versions, latencies, resumption, reuse.
#
#   run-privacy.sh [--record] [--keep] [PATTERN]
#
# PATTERN is an extended regular expression over the names of the cells. --record renews tests/pcap/privacy-*/.
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
    --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "run-privacy.sh: unknown option $argument" >&2; exit 2 ;;
    *) PATTERN=$argument ;;
    esac
done

QUERIES=24
SERVERS="gcm13 chacha13 gcm12 chacha12 cbc12 old nopad13"
server_address() { echo "203.0.113.6$1"; }

# What each server speaks: the versions of OpenSSL's configuration, and lines for Unbound.
server_versions() { case $1 in *13) echo TLSv1.3 TLSv1.3 ;; *12) echo TLSv1.2 TLSv1.2 ;; esac; }
server_lines() {
    case $1 in
    gcm13) echo 'tls-ciphersuites: "TLS_AES_128_GCM_SHA256"' ;;
    chacha13) echo 'tls-ciphersuites: "TLS_CHACHA20_POLY1305_SHA256"' ;;
    gcm12) echo 'tls-ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256"' ;;
    chacha12) echo 'tls-ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305"' ;;
    cbc12) echo 'tls-ciphers: "ECDHE-ECDSA-AES128-SHA"' ;;
    nopad13) echo 'pad-responses: no' ;;
    esac
}

# server_up NAME ADDRESS
server_up() {
    local versions
    read -r -a versions <<<"$(server_versions "$1")"
    printf 'openssl_conf = o\n[o]\nssl_conf = s\n[s]\nsystem_default = d\n[d]\nMinProtocol = %s\nMaxProtocol = %s\n' \
        "${versions[@]}" >"$LAB_DIR/$1.cnf"
    ip -n "$LAB-server" addr add "$2/32" dev lo
    {
        lab_unbound_head
        echo "  interface: $2@853"
        echo "  tls-service-key: \"$LAB_DIR/a.key\""
        echo "  tls-service-pem: \"$LAB_DIR/a.pem\""
        echo "  $(server_lines "$1")"
        lab_zone
    } >"$LAB_DIR/$1.conf"
    lab_daemon server "$1" env OPENSSL_CONF="$LAB_DIR/$1.cnf" unbound -d -c "$LAB_DIR/$1.conf"
}

# Unbound speaks nothing below TLS 1.2: socat does, in front of the first resolver.
old_server_up() {
    ip -n "$LAB-server" addr add "$1/32" dev lo
    lab_daemon server old env OPENSSL_CONF=/dev/null socat \
        "OPENSSL-LISTEN:853,bind=$1,reuseaddr,fork,openssl-max-proto-version=TLS1.1,cipher=ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0,cert=$LAB_DIR/a.pem,key=$LAB_DIR/a.key,verify=0" \
        "TCP:$LAB_A4:53"
}

servers_up() {
    local i=0 server
    for server in $SERVERS; do
        if [ "$server" = old ]; then
            old_server_up "$(server_address $i)"
        else
            server_up "$server" "$(server_address $i)"
        fi
        i=$((i + 1))
    done
    for i in $(seq 0 $((i - 1))); do
        lab_wait 10 listens "$(server_address "$i")" || lab_die "no server at $(server_address "$i")"
    done
}

listens() { lab_in server ss -Hlnt | grep -q " $1:853 "; }

# The cells: number, name, client, server, and what must be said: queries, answers, version, weak.
cells() {
    cat <<END | grep -E -- "^[0-9]+ [^ ]*($PATTERN)"
1 kdig-padding-13 kdig:+padding gcm13 padded padded 1.3 -
2 kdig-nopadding-13 kdig:+nopadding gcm13 unpadded unpadded 1.3 queries-not-padded
3 kdig-padding-chacha-13 kdig:+padding chacha13 padded padded 1.3 -
4 kdig-nopadding-chacha-13 kdig:+nopadding chacha13 unpadded unpadded 1.3 queries-not-padded
5 kdig-padding-12 kdig:+padding gcm12 padded padded 1.2 -
6 kdig-nopadding-12 kdig:+nopadding gcm12 unpadded unpadded 1.2 queries-not-padded
7 kdig-padding-chacha-12 kdig:+padding chacha12 padded padded 1.2 -
8 kdig-nopadding-chacha-12 kdig:+nopadding chacha12 unpadded unpadded 1.2 queries-not-padded
9 kdig-padding-cbc-12 kdig:+padding cbc12 not_measurable not_measurable 1.2 dated-suite
10 stubby-13 stubby gcm13 padded padded 1.3 -
11 stubby-12 stubby gcm12 padded padded 1.2 -
12 unbound-13 unbound gcm13 padded padded 1.3 -
13 unbound-12 unbound gcm12 padded padded 1.2 -
14 server-does-not-pad kdig:+padding nopad13 padded unpadded 1.3 answers-not-padded
15 old-version openssl old too_few too_few 1.1 old-version,dated-suite
END
}

names() { seq -f "host%g-x$(printf '%*s' $((RANDOM % 9)) '' | tr ' ' x).example.org" "$QUERIES"; }

ask_kdig() {
    # shellcheck disable=SC2046
    lab_in "$1" timeout 30 kdig +short +keepopen +retry=0 +time=5 "@$2" +tls "+tls-ca=$LAB_CA" "+tls-hostname=$LAB_A_NAME" \
        "$3" $(names)
}

# A stub on 127.0.0.1 that was just started answers these.
ask_stub() {
    lab_wait 5 lab_listens "$1" 53 || return 1
    names >"$LAB_DIR/$1.names"
    lab_in "$1" timeout 40 dig +short +tries=2 +time=5 @127.0.0.1 -f "$LAB_DIR/$1.names"
}

ask_stubby() {
    cat >"$LAB_DIR/$1.yml" <<EOF
resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list: [GETDNS_TRANSPORT_TLS]
tls_authentication: GETDNS_AUTHENTICATION_REQUIRED
tls_query_padding_blocksize: 128
idle_timeout: 1500
appdata_dir: "$LAB_DIR"
tls_ca_file: "$LAB_CA"
listen_addresses: [127.0.0.1@53]
upstream_recursive_servers:
  - {address_data: $2, tls_auth_name: "$LAB_A_NAME"}
EOF
    lab_daemon "$1" "$1-stubby" stubby -C "$LAB_DIR/$1.yml"
    ask_stub "$1"
}

ask_unbound() {
    {
        lab_unbound_head
        printf '  interface: 127.0.0.1@53\n  do-not-query-localhost: no\n  tls-cert-bundle: "%s"\n' "$LAB_CA"
        printf 'forward-zone:\n  name: "."\n  forward-tls-upstream: yes\n  forward-addr: %s@853#%s\n' "$2" "$LAB_A_NAME"
    } >"$LAB_DIR/$1.conf"
    lab_daemon "$1" "$1-unbound" unbound -d -c "$LAB_DIR/$1.conf"
    ask_stub "$1"
}

# One query for example.org, type A, by hand: kdig has no version as old as that.
ask_openssl() {
    { printf '\0\035\0\1\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1'; sleep 1; } |
        lab_in "$1" timeout 10 env OPENSSL_CONF=/dev/null openssl s_client -quiet -connect "$2:853" -tls1_1 \
            -cipher DEFAULT:@SECLEVEL=0 | wc -c
}

# run_cell NUMBER NAME CLIENT SERVER-ADDRESS
run_cell() {
    lab_client "c$1" "$1"
    "ask_${3%%:*}" "c$1" "$4" "${3#*:}" >"$LAB_DIR/c$1.out" 2>"$LAB_DIR/c$1.err"
}

address_of() {
    local i=0 server
    for server in $SERVERS; do
        [ "$server" = "$1" ] && server_address $i
        i=$((i + 1))
    done
}

privacy_policy() {
    local i=0 server list=
    for server in $SERVERS; do list+="$(server_address $i), "; i=$((i + 1)); done
    cat <<EOF
sensor: {name: lab, interfaces: [lan0], mode: monitor}
resolvers:
  - {id: lab, name: $LAB_A_NAME, addresses: [${list%, }], transports: [dot]}
zones:
  - {id: lab, networks: [10.53.0.0/16], approve: [lab], cleartext: alert, unapproved: alert, bootstrap: true}
EOF
}

live_policy() {
    privacy_policy
    cat <<EOF
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
outputs:
  - {type: file, format: eve, path: $LAB_DIR/eve.json}
EOF
}

# What the store remembers of a client and a server, and the weaknesses that were told.
remembered() {
    sqlite3 "$LAB_DIR/sealdns.db" "SELECT text FROM memory WHERE topic = 'privacy' AND key = '$1 $2 dot'" |
        jq -r '[.query_padding, .answer_padding, .tls_version] | join(" ")'
}
told() {
    jq -rs --arg client "$1" '[.[] | select(.sealdns.kind? == "privacy-weak" and .sealdns.client == $client)]
        | group_by(.sealdns.id) | map(max_by(.sealdns.revision).sealdns.evidence.weak) | join(" ")' "$LAB_DIR/eve.json"
}

# check_cell NUMBER NAME CLIENT SERVER-ADDRESS QUERIES ANSWERS VERSION WEAK
check_cell() {
    local client got want weak=${8#-}
    client=$(lab_client4 "$1")
    want=$(tr _ ' ' <<<"$5 $6 $7")
    got=$(remembered "$client" "$4")
    [ "$got" = "$want" ] && ok "$2: $want" || not_ok "$2" "expected '$want', the store has '$got' ($(tail -n1 "$LAB_DIR/c$1.err"))"
    got=$(told "$client")
    [ "$got" = "$weak" ] && ok "$2: told ${weak:-nothing}" || not_ok "$2: told" "expected '$weak', told '$got'"
    [ $RECORD = 0 ] || record "$@"
}

record() {
    local case=$LAB_ROOT/tests/pcap/privacy-$2 client weak=${8#-}
    client=$(lab_client4 "$1")
    mkdir -p "$case"
    tcpdump -nn -r "$LAB_DIR/lan0.pcap" -w "$case/capture.pcap" "host $client and tcp port 853" 2>/dev/null
    privacy_policy >"$case/policy.yaml"
    jq -n --arg client "$client" --arg server "$4" --arg weak "$weak" --arg queries "${5/_/ }" --arg answers "${6/_/ }" \
        '{kinds: ["privacy-weak"], events: (if $weak == "" then [] else [{kind: "privacy-weak", rule: "privacy-weak",
            client: $client, server: $server, severity: (if $weak | test("old") then 3 else 4 end),
            evidence: {weak: $weak, query_padding: $queries, answer_padding: $answers}}] end)}' >"$case/expected.json"
    echo "${3/:/ } asks a server that speaks TLS $7: queries ${5/_/ }, answers ${6/_/ }, weak: ${weak:-nothing}." >"$case/why"
}

# explained CLIENT|SERVER WORDS: explain says it.
explained() { sealdns explain "$1" -c "$LAB_DIR/policy.yaml" 2>/dev/null | grep -qE -- "$2"; }

check_words() {
    local client
    client=$(lab_client4 1)
    check "explain of a client says how its queries are padded" explained "$client" \
        "dot to $(server_address 0): .*queries padded \($QUERIES of $QUERIES on the lattice\).*TLS 1.3"
    check "explain of a resolver says how long handshakes take" explained lab 'handshake: half under [0-9.]+ ms'
    check "explain of a resolver says how long answers take" explained lab 'answer: half under [0-9.]+ ms.*estimated from records'
    check "explain of a resolver says how connections are used" explained lab 'lab dot: [0-9]+ connections, [0-9]+ % resumed, [0-9.]+ queries each'
}

main() {
    local server tcpdump number name client rest
    lab_up || exit 1
    servers_up
    lab_daemon gw tcpdump tcpdump --immediate-mode -U -nn -s 0 -i lan0 -w "$LAB_DIR/lan0.pcap" "tcp port 853"
    tcpdump=$LAB_PID
    lab_wait 5 test -s "$LAB_DIR/lan0.pcap"
    live_policy >"$LAB_DIR/policy.yaml"
    sensor_up monitor || exit 1
    while read -r number name client server rest; do
        (trap - EXIT INT TERM; run_cell "$number" "$name" "$client" "$(address_of "$server")") &
        CELLS="${CELLS:-} $!"
    done < <(cells)
    # shellcheck disable=SC2086
    wait $CELLS
    sleep 1
    lab_stop "$tcpdump" INT
    sensor_down
    while read -r number name client server rest; do
        # shellcheck disable=SC2086
        check_cell "$number" "$name" "$client" "$(address_of "$server")" $rest
    done < <(cells)
    [ "$PATTERN" != . ] || check_words
    tally
}
main
