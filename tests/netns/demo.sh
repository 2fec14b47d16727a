#!/bin/bash
# A walk through the lab with the sensor in enforce mode: a downgrade, a blocked clear-text query, an approved DoT
# query; then the events, the rules and their counters.
#
#   demo.sh [--stay]
#
# Needs root and the packages of packages.txt (--install fetches them first). --stay keeps the lab up until Enter is
# pressed, to try things by hand. SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"

STAY=0
for option in "$@"; do
    case $option in
    --stay) STAY=1 ;;
    --install) lab_install_packages || exit 1 ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
done

title() { printf '\n== %s\n' "$*"; }
say() { printf '   %s\n' "$*"; }

# try CLIENT EXPECTED WORDS COMMAND...: runs it, shows it, says what came of it; counts it as a check.
try() {
    local client=$1 expected=$2 words=$3 answer start=$EPOCHREALTIME ms
    shift 3
    answer=$(lab_in "$client" timeout 15 "$@" 2>/dev/null | grep -v '^;' | head -1)
    local end=$EPOCHREALTIME
    ms=$(((${end/./} - ${start/./}) / 1000))
    say "\$ $(sed "s#$LAB_DIR/##g" <<<"$*")"
    if [ -n "$answer" ]; then say "  answered $answer in $ms ms"; else say "  no answer, after $ms ms"; fi
    if [ "$expected" = answer ]; then check "$words" test -n "$answer"; else check "$words" test -z "$answer"; fi
}

raise() {
    title "The lab: client - gw - isp - server, in network namespaces $LAB-*"
    say "server  Unbound as two public resolvers: $LAB_A_NAME ($LAB_A4, $LAB_A6), which the policy"
    say "        approves, and $LAB_B_NAME ($LAB_B4, $LAB_B6), which it does not"
    say "isp     the path: it can reset, drop, refuse or bend what passes"
    say "gw      the gateway: its own resolver on $LAB_GW4, and sealdns on lan0, mode enforce"
    say "clients laptop ($(lab_client4 1)) and desktop ($(lab_client4 3), stubby [TLS, UDP])"
    lab_client laptop 1
    lab_client printer 2
    lab_client desktop 3
    sensor_policy reject reject >"$LAB_DIR/policy.yaml"
    check "sealdns runs on the gateway" sensor_up enforce || exit 1
}

approved() {
    title "An approved query: DoT to $LAB_A_NAME"
    try laptop answer "DoT to the approved resolver works" \
        kdig +short @$LAB_A4 "+tls-ca=$LAB_CA" +tls-hostname=$LAB_A_NAME www.example.org
    try laptop answer "the same over IPv6" \
        kdig +short @$LAB_A6 "+tls-ca=$LAB_CA" +tls-hostname=$LAB_A_NAME www.example.org
    try laptop answer "the gateway's own resolver answers" dig +short +tries=1 @$LAB_GW4 www.example.org
}

blocked() {
    title "Blocked: clear text, and DoT to a resolver that nobody approved"
    try laptop refusal "clear text over UDP is refused at once" dig +short +tries=1 @$LAB_B4 www.example.org
    try laptop refusal "clear text over TCP is refused at once" dig +short +tcp +tries=1 @$LAB_B4 www.example.org
    try laptop refusal "clear text over IPv6 is refused at once" dig +short +tries=1 @$LAB_B6 www.example.org
    try laptop refusal "DoT to the other resolver is refused at once" \
        kdig +short +retry=0 @$LAB_B4 "+tls-ca=$LAB_CA" +tls-hostname=$LAB_B_NAME www.example.org
    try printer answer "the printer is an exception, with owner, reason and end" \
        dig +short +tries=1 @$LAB_B4 www.example.org
}

downgrade() {
    local stubby name
    title "A downgrade: DoT works, then the path starts to reset port 853, and the stub falls back to clear text"
    stubby_configuration >"$LAB_DIR/stubby.yml"
    lab_daemon desktop stubby stubby -C "$LAB_DIR/stubby.yml"
    stubby=$LAB_PID
    lab_wait 5 lab_listens desktop 53
    try desktop answer "stubby asks over DoT" dig +short +tries=1 @127.0.0.1 docs.example.org
    fault_on reset 3 853
    say "(isp now resets the desktop's connections to port 853)"
    for name in www.example.org news.example.net shop.example.com; do
        try desktop refusal "stubby's clear-text query for $name does not leave the network" \
            dig +short +tries=1 +time=6 @127.0.0.1 $name
    done
    fault_off reset 3 853
    lab_stop "$stubby"
}

# The last line of each event, in words.
show() {
    title "What the sensor recorded (sealdns events)"
    sleep 2
    sealdns events --db "$LAB_DIR/sealdns.db" --format text | sed 's/^/   /'
    check "the downgrade is in the store" downgrade_stored
    title "The rules in the kernel, and what they counted (nft list table inet sealdns)"
    lab_in gw nft list table inet sealdns | grep -E 'counter|chain|hook' | sed 's/^/   /'
    title "What sealdns says of the desktop (sealdns explain)"
    sealdns explain -c "$LAB_DIR/policy.yaml" --db "$LAB_DIR/sealdns.db" "$(lab_client4 3)" 2>&1 | sed 's/^/   /'
}

downgrade_stored() {
    sealdns events --db "$LAB_DIR/sealdns.db" --format json |
        jq -es --arg client "$(lab_client4 3)" 'any(flatten[]; .sealdns.kind == "downgrade" and .sealdns.client == $client)'
}

take_away() {
    title "Taking it away (sealdns rules remove)"
    sensor_down
    check "rules remove leaves no table behind" remove_all
    try laptop answer "clear text passes again" dig +short +tries=1 @$LAB_B4 www.example.org
}
remove_all() { sealdns rules remove -c "$LAB_DIR/policy.yaml" && table_absent; }

lab_up || exit 1
[ -x "$SEALDNS" ] || lab_die "$SEALDNS is missing: build it first"
raise
approved
blocked
downgrade
show
if [ $STAY = 1 ]; then
    title "The lab stays up: ip netns exec $LAB-laptop bash, and so on. Enter ends it."
    read -r _
fi
take_away
title "Done"
tally
