#!/bin/bash
# Evidence of blocks: what the rules cut is known by the kernel's own word, by client, server and rule, with the right counts;
# in shadow what they would have cut; a downgrade that our own rule provoked says so; a flood costs a bounded share.
#
#   run-evidence.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

RULES="cleartext-udp cleartext-tcp unapproved-dot unapproved-doq unapproved-doh2 unapproved-doh3"
FLOOD_SECONDS=4

# B is a resolver that the policy knows and approves for nobody: port 443 of its addresses is cut too.
policy() { sensor_policy reject reject | sed "s/^zones:/  - {id: other, name: $LAB_B_NAME, addresses: [$LAB_B4, \"$LAB_B6\"], transports: [dot, doh2]}\n&/"; }

status_of() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json; }
counter_of() { status_of | jq ".counters.$1"; }
# counted RULE: packets that the kernel's rule has met, by nft.
counted() {
    lab_in gw nft -j list table inet sealdns | jq --arg id "sealdns: lab/$1" \
        '[.nftables[].rule | select(.comment? == $id) | .expr[].counter? | select(. != null) | .packets] | add // 0'
}
# evidence FILTER: of the last revision of each event of the kernel's word.
evidence() {
    sealdns events --db "$LAB_DIR/$PHASE.db" --format json |
        jq -s "[flatten[].sealdns | select(.rule == \"rule-evidence\")] | group_by(.id) | map(max_by(.revision)) | $1"
}

# Twice over UDP, once else, to both addresses of B.
ask_everything() {
    local server
    for server in $LAB_B4 $LAB_B6; do
        lab_in "$1" dig +tries=1 +time=1 "@$server" www.example.org A
        lab_in "$1" dig +tries=1 +time=1 "@$server" mail.example.org A
        lab_in "$1" dig +tcp +tries=1 +time=1 "@$server" www.example.org A
        lab_in "$1" kdig +retry=0 +time=1 "@$server" +tls www.example.org A
        lab_in "$1" kdig +retry=0 +time=1 "@$server" +https "+tls-hostname=$LAB_B_NAME" www.example.org A
        lab_in "$1" kdig +retry=0 +time=1 "@$server" +quic www.example.org A
        lab_in "$1" kdig +retry=0 +time=1 -p 443 "@$server" +quic www.example.org A
    done >/dev/null 2>&1
}

# phase_up NAME MODE [POLICY]
phase_up() {
    PHASE=$1
    if [ $# = 3 ]; then cat "$LAB_DIR/$3"; else policy; fi | sed "s|$LAB_DIR/sealdns.db|$LAB_DIR/$PHASE.db|" >"$LAB_DIR/policy.yaml"
    check "$1: the sensor starts" sensor_up "$2"
    check "$1: it reads the log" lab_wait 5 reads_the_log
}
reads_the_log() { [ "$(status_of | jq '.rules.log.read')" = true ]; }
lines_are_read() { [ "$(counter_of cuts)" -ge "$1" ]; }

# All that the rules counted is in the events, by rule: nothing was beyond the log's rate.
sums_agree() {
    local rule kernel events
    for rule in $RULES; do
        kernel=${KERNEL[$rule]}
        events=$(evidence "[.[] | select(.evidence.rule == \"lab/$rule\") | .evidence.packets] | add // 0")
        [ "$kernel" -gt 0 ] && [ "$kernel" = "$events" ] && ok "$PHASE: $rule: the events have all that the kernel counted ($kernel)" ||
            not_ok "$PHASE: $rule: the events have all that the kernel counted" "kernel $kernel, events $events"
    done
}

# of_everything VERDICT: one event for each server and rule, of this client alone, and the counts of what it did.
of_everything() {
    local got
    got=$(evidence "[.[] | select(.client == \"$(lab_client4 1)\" or .client == \"$(lab_client6 1)\")] | length")
    [ "$got" = 12 ] && ok "$PHASE: one event for each client, server and rule" || not_ok "$PHASE: one event for each client, server and rule" "$got"
    got=$(evidence '[.[] | .verdict] | unique | join(" ")' | tr -d '"')
    [ "$got" = "$1" ] && ok "$PHASE: the verdict is $1" || not_ok "$PHASE: the verdict is $1" "$got"
    got=$(evidence "[.[] | select(.evidence.rule == \"lab/cleartext-udp\" and .client == \"$(lab_client4 1)\") | .evidence.packets] | add")
    [ "$got" = 2 ] && ok "$PHASE: two questions are two packets" || not_ok "$PHASE: two questions are two packets" "$got"
    got=$(evidence "[.[] | select(.client_mac != \"02:53:00:00:00:01\")] | length")
    [ "$got" = 0 ] && ok "$PHASE: each says the client's link address" || not_ok "$PHASE: each says the client's link address" "$got do not"
}

remember_counters() {
    local rule total=0
    for rule in $RULES; do
        KERNEL[$rule]=$(counted "$rule")
        total=$((total + KERNEL[$rule]))
    done
    check "$PHASE: every line of the log was read" lab_wait 5 lines_are_read "$total"
    [ "$(status_of | jq '[.rules.blocks[].packets] | add')" = $total ] && ok "$PHASE: status has the kernel's counters" ||
        not_ok "$PHASE: status has the kernel's counters" "$total; $(status_of | jq -c .rules.blocks)"
}

alert_is_proven() {
    sealdns events --db "$LAB_DIR/$PHASE.db" --format json | jq -es --arg rule "$1" --arg client "$(lab_client4 1)" \
        'any(flatten[]; .sealdns.rule == $rule and .sealdns.client == $client and .alert.action == "blocked" and .sealdns.evidence.proof == "kernel-log")'
}

own_rule_is_proven() {
    sealdns events --db "$LAB_DIR/$PHASE.db" --format json | jq -es --arg client "$(lab_client4 3)" \
        'any(flatten[].sealdns; .kind == "downgrade" and .client == $client and .evidence.cause == "own-rule" and .evidence.origin == "gateway" and .evidence.proof == "kernel-log")'
}

explained() { sealdns explain "$1" -c "$LAB_DIR/policy.yaml" 2>/dev/null | grep -Eq -- "$2"; }

phase_enforce() {
    phase_up enforce enforce
    ask_everything c1
    remember_counters
    lab_in c3 kdig +retry=0 +time=1 @$LAB_B4 +tls www.example.org A >/dev/null 2>&1
    lab_in c3 dig +tries=1 +time=1 @$LAB_B4 www.example.org A >/dev/null 2>&1
    check "enforce: a fallback that our own rule provoked says so, by the kernel's word" lab_wait 10 own_rule_is_proven
    check "enforce: what alerts as blocked says so by the kernel's word: clear text" lab_wait 5 alert_is_proven cleartext
    check "enforce: and encrypted DNS" lab_wait 5 alert_is_proven unapproved-resolver
    check "enforce: explain says what of a client was cut" explained "$(lab_client4 1)" "to $LAB_B4 dot: [0-9]+ packets, blocked, last 20.*, rule lab/unapproved-dot"
    check "enforce: and whose to a resolver" explained $LAB_B_NAME "from $(lab_client4 3) dot: 1 packets, blocked"
    check "enforce: and that the rules are installed" explained "$(lab_client4 1)" "running sensor: enforce, rules installed$"
    sensor_down
    for rule in cleartext-udp unapproved-dot; do KERNEL[$rule]=$((KERNEL[$rule] + 1)); done # those of c3
    sums_agree
    check "enforce: explain of a machine by its link address" explained 02:53:00:00:00:01 "to $LAB_B6 doq: 1 packets, blocked"
    [ "$(evidence "[.[] | select(.client == \"$(lab_client4 3)\")] | length")" = 2 ] && ok "enforce: another client has its own events" ||
        not_ok "enforce: another client has its own events"
}

phase_shadow() {
    phase_up shadow shadow
    ask_everything c1
    remember_counters
    sensor_down
    sums_agree
    of_everything would-block
}

# The sensor's processor time so far, in hundredths of a second.
sensor_time() {
    local pid sum=0
    for pid in $(sensor_processes "$SENSOR_PID"); do sum=$((sum + $(awk '{ print $14 + $15 }' "/proc/$pid/stat"))); done
    echo $sum
}

# Questions that are cut, as fast as one processor asks them, of a thousand names.
flood() { lab_in c1 dnsperf -s $LAB_B4 -d "$LAB_DIR/flood.names" -l $FLOOD_SECONDS -c 8 -q 2000 -t 0.05 >"$LAB_DIR/flood.log" 2>&1; }

block_of() { status_of | jq ".rules.blocks[] | select(.rule == \"lab/cleartext-udp\") | .$1"; }
all_is_told() { [ $(($(counter_of cuts) + $(counter_of cuts_lost))) = "$(block_of logged)" ]; }

phase_redirect() {
    policy | sed "s/cleartext: reject/cleartext: redirect\n    redirect_to: [$LAB_GW4, \"$LAB_GW6\"]/" >"$LAB_DIR/redirect.yaml"
    phase_up redirect enforce redirect.yaml
    lab_in c1 dig +short +tries=1 +time=2 @$LAB_B4 www.example.org >"$LAB_DIR/redirect.txt"
    lab_in c1 dig +short +tcp +tries=1 +time=2 @$LAB_B6 www.example.org >>"$LAB_DIR/redirect.txt"
    [ "$(wc -l <"$LAB_DIR/redirect.txt")" = 2 ] && ok "redirect: both are answered" || not_ok "redirect: both are answered"
    check "redirect: lines are read" lab_wait 5 lines_are_read 2
    sensor_down
    got=$(evidence '[.[] | "\(.verdict) \(.evidence.rule) \(.count)"] | sort | join(", ")')
    [ "$got" = '"redirected lab/redirect-tcp-ip6 1, redirected lab/redirect-udp-ip4 1"' ] && ok "redirect: an event each, of connections" ||
        not_ok "redirect: an event each, of connections" "$got"
}

phase_flood() {
    local before sent packets logged events spent
    seq -f 'n%g.example.org A' 1000 >"$LAB_DIR/flood.names"
    phase_up flood enforce
    before=$(sensor_time)
    flood
    sent=$(awk '/Queries sent/ { print $3 }' "$LAB_DIR/flood.log")
    check "flood: every line that the kernel wrote is read, or counted as lost" lab_wait 5 all_is_told
    packets=$(block_of packets) logged=$(block_of logged)
    [ "${packets:-0}" = "${sent:-none}" ] && ok "flood: the rule counted each of $sent packets" || not_ok "flood: the rule counted each packet" "$packets of $sent"
    [ "$logged" -gt 0 ] && [ "$logged" -le $((2000 * (FLOOD_SECONDS + 3))) ] && ok "flood: $logged of them were logged" ||
        not_ok "flood: the log is bounded" "$logged of $packets"
    spent=$(($(sensor_time) - before))
    echo "# flood: $((sent / FLOOD_SECONDS)) packets a second; $(counter_of cuts_lost) lines lost; the sensor took ${spent}0 ms"
    [ $spent -le $((FLOOD_SECONDS * 25)) ] && ok "flood: the sensor took less than a quarter of a processor" ||
        not_ok "flood: the sensor took less than a quarter of a processor" "${spent}0 ms"
    sensor_down
    events=$(evidence length)
    [ "$events" = 1 ] && ok "flood: one event" || not_ok "flood: one event" "$events"
    events=$(evidence '.[0].evidence.packets')
    [ "$events" -le "$logged" ] && [ "$events" -gt 0 ] && ok "flood: it has what the log told" || not_ok "flood: it has what the log told" "$events of $logged"
}

is_refused() { ! lab_in c1 dig +tries=1 +time=1 @$LAB_B4 www.example.org A >/dev/null 2>&1; }
said() { sealdns events --db "$LAB_DIR/$PHASE.db" --format json | jq -es "any(flatten[].sealdns; .kind == \"sensor\" and .evidence.what == \"$1\")"; }

# Somebody else reads the group first: rules cut, that is said, and the sensor takes over when he ends.
phase_other() {
    lab_daemon gw other tcpdump -i nflog:853 -U -w "$LAB_DIR/other.pcap"
    OTHER=$LAB_PID
    lab_wait 5 grep -q listening "$LAB_DIR/other.log"
    PHASE=other
    policy | sed "s|$LAB_DIR/sealdns.db|$LAB_DIR/other.db|" >"$LAB_DIR/policy.yaml"
    check "other: the sensor starts though another program reads the group" sensor_up enforce
    check "other: it says so, and by whom" grep -q "another program (netlink port $OTHER) reads the NFLOG group 853" "$LAB_DIR/sensor-enforce.log"
    check "other: an event of that" lab_wait 5 said "blocks without evidence"
    check "other: the rules cut" is_refused
    [ "$(block_of packets)" -gt 0 ] && ok "other: the counters count" || not_ok "other: the counters count"
    lab_stop $OTHER
    check "other: when it ends the sensor takes over" lab_wait 10 reads_the_log
    check "other: an event of that too" lab_wait 5 said "blocks with evidence again"
    is_refused
    check "other: and lines are read" lab_wait 5 lines_are_read 1
    sensor_down
}

main() {
    declare -gA KERNEL
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    lab_client c3 3
    phase_enforce
    phase_shadow
    phase_redirect
    phase_flood
    phase_other
    tally
}
main
