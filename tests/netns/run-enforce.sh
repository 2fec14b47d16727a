#!/bin/bash
# Enforcement in the lab: what the policy rejects fails at once, what it approves works, shadow mode only counts, and
# `rules remove` leaves nothing.
#
#   run-enforce.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

LIMIT_MS=100

elapsed_ms() {
    local start=$EPOCHREALTIME end
    "$@" >/dev/null 2>&1
    local status=$?
    end=$EPOCHREALTIME
    echo $(((${end/./} - ${start/./}) / 1000))
    return $status
}

# fails_fast NAME COMMAND...: it must fail each time, and the best of three within the limit.
fails_fast() {
    local name=$1 best=999999 i ms
    shift
    for i in 1 2 3; do
        if ms=$(elapsed_ms lab_in c1 timeout 10 "$@"); then not_ok "$name" "it was answered"; return; fi
        [ "$ms" -lt "$best" ] && best=$ms
    done
    [ "$best" -le $LIMIT_MS ] && ok "$name ($best ms)" || not_ok "$name" "rejected only after $best ms (try $i)"
}

# works NAME CLIENT COMMAND...: some answer is printed.
works() {
    local name=$1 client=$2
    shift 2
    if lab_in "$client" timeout 15 "$@" 2>/dev/null | grep -qv '^;'; then ok "$name"; else not_ok "$name" "no answer"; fi
}

clear_udp() { echo dig +short +tries=1 +time=5 "@$1" www.example.org A; }
clear_tcp() { echo dig +short +tcp +tries=1 +time=5 "@$1" www.example.org A; }
dot() { echo kdig +short +retry=0 +time=3 "@$1" "+tls-ca=$LAB_CA" "+tls-hostname=$2" www.example.org A; }
doh() { echo kdig +short +retry=0 +time=3 "@$1" +https "+tls-ca=$LAB_CA" "+tls-hostname=$2" www.example.org A; }
doq() { echo kdig +short +retry=0 +time=3 "@$1" "+tls-hostname=$2" +quic www.example.org A; }

# shellcheck disable=SC2046
everything_works() {
    local server
    for server in $LAB_A4 $LAB_A6 $LAB_B4 $LAB_B6; do
        works "$1: clear text over UDP to $server works" c1 $(clear_udp $server)
        works "$1: clear text over TCP to $server works" c1 $(clear_tcp $server)
    done
    works "$1: DoT to the unapproved $LAB_B4 works" c1 $(dot $LAB_B4 $LAB_B_NAME)
    works "$1: DoT to the unapproved $LAB_B6 works" c1 $(dot $LAB_B6 $LAB_B_NAME)
    approved_works "$1"
}

# shellcheck disable=SC2046
approved_works() {
    local server
    for server in $LAB_A4 $LAB_A6; do
        works "$1: DoT to the approved $server works" c1 $(dot $server $LAB_A_NAME)
        works "$1: DoH to the approved $server works" c1 $(doh $server $LAB_A_NAME)
    done
    for server in $LAB_GW4 $LAB_GW6; do
        works "$1: the gateway's own resolver $server answers over UDP" c1 $(clear_udp $server)
        works "$1: the gateway's own resolver $server answers over TCP" c1 $(clear_tcp $server)
    done
    works "$1: the gateway itself asks $LAB_A4 over DoT" gw $(dot $LAB_A4 $LAB_A_NAME)
    works "$1: the gateway itself may ask in clear text (its zone only alerts)" gw $(clear_udp $LAB_B4)
}

# shellcheck disable=SC2046
forbidden_fails() {
    local server
    for server in $LAB_A4 $LAB_A6 $LAB_B4 $LAB_B6; do
        fails_fast "enforce: clear text over UDP to $server is rejected" $(clear_udp $server)
        fails_fast "enforce: clear text over TCP to $server is rejected" $(clear_tcp $server)
    done
    for server in $LAB_B4 $LAB_B6; do
        fails_fast "enforce: DoT to the unapproved $server is rejected" $(dot $server $LAB_B_NAME)
        fails_fast "enforce: DoQ to the unapproved $server is rejected" $(doq $server $LAB_B_NAME)
    done
}

# shellcheck disable=SC2046
exception_works() {
    works "enforce: the excepted client asks in clear text over UDP" c2 $(clear_udp $LAB_B4)
    works "enforce: the excepted client asks in clear text over TCP" c2 $(clear_tcp $LAB_B4)
    works "enforce: the excepted client asks in clear text over IPv6" c2 $(clear_udp $LAB_B6)
}

# A connection to port 53 that was made before the rules, under an administrator's "established accept".
established_start() {
    lab_in gw nft -f - <<'EOF'
table inet administrator {
  chain forward { type filter hook forward priority filter; ct state established,related accept; accept; }
}
EOF
    # A query for example.org, ready made, length first.
    # shellcheck disable=SC2016
    lab_in c1 bash -c 'exec 3<>"/dev/tcp/$1/53" && touch "$2.made" && while [ ! -e "$2.go" ]; do sleep 0.1; done
        printf "\0\35\22\64\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1" >&3
        timeout 2 head -c 2 <&3 | wc -c' bash $LAB_B4 "$LAB_DIR/established" >"$LAB_DIR/established.bytes" 2>/dev/null &
    ESTABLISHED_PID=$!
    lab_wait 5 test -e "$LAB_DIR/established.made"
}

established_check() {
    touch "$LAB_DIR/established.go"
    wait "$ESTABLISHED_PID" 2>/dev/null
    local bytes
    bytes=$(cat "$LAB_DIR/established.bytes")
    [ "${bytes:-0}" = 0 ] && ok "enforce: a connection made before the rules is cut too" ||
        not_ok "enforce: a connection made before the rules is cut too" "it was still answered"
    lab_in gw nft delete table inet administrator
}

# A DoT connection of OpenSSL's, held open from before the rules: to B it was answered and no longer is, to A it still is.
dot_held_start() {
    local who
    # shellcheck disable=SC2016
    for who in "b $LAB_B4" "a $LAB_A4"; do
        lab_in c1 timeout 60 bash -c '{ printf "$3"; while [ ! -e "$2.go" ]; do sleep 0.1; done; sleep 0.3; printf "$3"; sleep 3; } |
            openssl s_client -quiet -connect "$1:853" 2>/dev/null >"$2.$4"' bash "${who#* }" "$LAB_DIR/dot" \
            '\0\35\22\64\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1' "${who% *}" &
        eval "DOT_${who% *}=$!"
    done
    lab_wait 5 test -s "$LAB_DIR/dot.b" && lab_wait 5 test -s "$LAB_DIR/dot.a"
    DOT_BYTES=$(stat -c %s "$LAB_DIR/dot.b")
}
dot_held_check() {
    touch "$LAB_DIR/dot.go"
    # shellcheck disable=SC2154
    wait "$DOT_a" "$DOT_b" 2>/dev/null
    check "enforce: a DoT connection from before to the unapproved resolver was answered, and no longer is" \
        test "$DOT_BYTES" -gt 0 -a "$(stat -c %s "$LAB_DIR/dot.b")" = "$DOT_BYTES"
    check "enforce: one to the approved resolver goes on" test "$(stat -c %s "$LAB_DIR/dot.a")" -gt "$DOT_BYTES"
}

rules_are_commented() {
    lab_in gw nft -j list table inet sealdns |
        jq -e '[.nftables[].rule | select(. != null)] | length > 0 and all(.comment // "" | startswith("sealdns: "))'
}

# Runs of the same policy leave the same table.
restart_is_idempotent() {
    local before
    before=$(table_text)
    sensor_down
    check "enforce: it starts again" sensor_up enforce
    [ "$before" = "$(table_text)" ] && ok "enforce: after a restart the table is the same" ||
        not_ok "enforce: after a restart the table is the same" "$(diff <(echo "$before") <(table_text) | head -3 | paste -sd' ')"
}

events_have() {
    sealdns events --db "$LAB_DIR/sealdns.db" --format json | jq -es --arg kind "$1" --arg client "$2" \
        'any(flatten[]; .sealdns.kind == $kind and (.sealdns.client == $client or $client == ""))'
}

# nft -c wants a kernel of its own to check against, not a table that is there already.
shown_parses() { sealdns rules show -c "$LAB_DIR/policy.yaml" >"$LAB_DIR/shown.nft" && lab_in isp nft -c -f "$LAB_DIR/shown.nft"; }

# A client that our own rule keeps off an unapproved resolver and that then asks in clear text: a downgrade that says so.
own_rule() {
    local i
    # shellcheck disable=SC2046
    for i in 1 2 3; do
        lab_in c3 $(dot $LAB_B4 $LAB_B_NAME) >/dev/null 2>&1
        lab_in c3 $(clear_udp $LAB_B4) >/dev/null 2>&1
    done
    lab_wait 10 own_rule_is_told
}
own_rule_is_told() {
    sealdns events --db "$LAB_DIR/sealdns.db" --format json | jq -es --arg client "$(lab_client4 3)" \
        'any(flatten[]; .sealdns.kind == "downgrade" and .sealdns.client == $client and .sealdns.evidence.cause == "own-rule")'
}

phase_enforce() {
    check "rules show prints what nft can read" shown_parses
    established_start
    dot_held_start
    check "enforce: the sensor starts" sensor_up enforce
    check "enforce: the table is in the kernel" lab_wait 5 table_present
    check "enforce: every rule says whose it is" rules_are_commented
    established_check
    dot_held_check
    forbidden_fails
    approved_works enforce
    exception_works
    check "enforce: a fallback that our own rule caused says so" own_rule
    check "enforce: rules diff finds nothing" sealdns rules diff -c "$LAB_DIR/policy.yaml"
    restart_is_idempotent
    check "enforce: the store has the clear text of the client" lab_wait 10 events_have cleartext "$(lab_client4 1)"
    check "enforce: the store has the unapproved resolver" lab_wait 10 events_have unapproved-resolver "$(lab_client4 1)"
    check "enforce: the store has the installation of the rules" lab_wait 10 events_have enforcement ""
    sensor_down
}

phase_shadow() {
    local before after
    check "shadow: the sensor starts" sensor_up shadow
    check "shadow: the table is in the kernel" lab_wait 5 table_present
    before=$(table_packets)
    everything_works shadow
    after=$(table_packets)
    [ "${after:-0}" -gt "${before:-0}" ] && ok "shadow: the counters count ($before to $after)" ||
        not_ok "shadow: the counters count" "they stayed at $after"
    sensor_down
}

phase_monitor() {
    sealdns rules remove -c "$LAB_DIR/policy.yaml" >/dev/null 2>&1
    check "monitor: the sensor starts" sensor_up monitor
    check "monitor: no table in the kernel" table_absent
    everything_works monitor
    sensor_down
}

phase_remove() {
    check "rules apply works without a daemon" sealdns rules apply -c "$LAB_DIR/policy.yaml"
    check "rules apply has installed the table" table_present
    rm -f "$LAB_DIR/sealdns.sock"
    check "rules remove works with a dead daemon and no socket" sealdns rules remove -c "$LAB_DIR/policy.yaml"
    check "after rules remove nothing is left" nothing_left
    check "rules remove of nothing is no failure" sealdns rules remove -c "$LAB_DIR/policy.yaml"
    everything_works "after rules remove"
}
nothing_left() { ! lab_in gw nft list ruleset | grep -q .; }

main() {
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    lab_client c2 2
    lab_client c3 3
    sensor_policy reject reject >"$LAB_DIR/policy.yaml"
    everything_works "without rules"
    phase_enforce
    phase_shadow
    phase_monitor
    phase_remove
    tally
}
main
