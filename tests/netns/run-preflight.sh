#!/bin/bash
# No zone goes dark: one whose approved resolvers are silent is not enforced until one answers, all of them stopping later
# is answered as the policy says, and a policy that would cut off the gateway itself is refused.
#
#   run-preflight.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

policy() { sensor_policy reject reject | sed "s/mode: monitor/mode: monitor, on_exit: remove${1:+, $1}/" >"$LAB_DIR/policy.yaml"; }

# The approved resolver itself: its process is ended, and started again.
resolver_stop() {
    local pid
    for pid in $(lab_in server pgrep -f "unbound.*$LAB_DIR/resolver-a"); do lab_stop "$pid"; done
}
resolver_start() { lab_resolver resolver-a a $LAB_A4 $LAB_A6; }
resolver_answers() { lab_in c1 kdig +short +retry=0 +time=2 @$LAB_A4 +tls-ca="$LAB_CA" +tls-hostname=$LAB_A_NAME www.example.org | grep -q .; }
# Packets vanish on the path, in place of a refusal.
path_cut() { lab_in isp nft "add table inet cut; add chain inet cut f { type filter hook forward priority 0; }; add rule inet cut f ip daddr $LAB_A4 drop; add rule inet cut f ip6 daddr $LAB_A6 drop"; }
path_mend() { lab_in isp nft delete table inet cut; }

clear_works() { lab_in c1 dig +short +tries=1 +time=1 @$LAB_B4 www.example.org | grep -qv '^;'; }
clear_fails() { ! clear_works; }
held() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq -e '.rules.zones_held == ["lab"]'; }
not_held() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq -e '.rules.zones_held == []'; }
as_policy_says() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq -e '.rules.drifted == false and .rules.installed'; }
told() {
    sealdns events --db "$LAB_DIR/sealdns.db" --type enforcement --format json 2>/dev/null |
        jq -es --arg what "$1" 'any(flatten[]; .sealdns.evidence.what == $what and (.sealdns.evidence.zone == "lab" or $what == "forced" or $what == "refused"))'
}
would_block() {
    sealdns events --db "$LAB_DIR/sealdns.db" --type cleartext --format json 2>/dev/null |
        jq -es 'flatten | length > 0 and all(.[]; .sealdns.verdict == "would-block" and .alert.action == "allowed")'
}

# within NAME SECONDS COMMAND...
within() {
    local name=$1 limit=$2 start=$EPOCHREALTIME
    shift 2
    if lab_wait "$limit" "$@"; then ok "$name ($(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms)"; else not_ok "$name" "not within $limit s"; fi
}

# A policy that enforces unasked is tried and not confirmed: what was held before is held again, and stays so.
trial_of_unasked() {
    policy "preflight: false"
    sealdns rules apply -c "$LAB_DIR/policy.yaml" --confirm 2 >/dev/null 2>&1 </dev/null &
    local asking=$!
    check "held, another policy on trial: it is enforced" lab_wait 2 clear_fails
    wait $asking
    check "held, the trial not confirmed: held again" lab_wait 2 held
    check "held, the trial not confirmed: clear text works" clear_works
    sleep 5.5 # a check and what follows from it
    check "held, the trial not confirmed: it stays so" clear_works
    check "held, the trial not confirmed: the rules are what was meant" as_policy_says
    policy
}

down_at_start() { # WORD
    policy
    rm -f "$LAB_DIR"/sealdns.db*
    check "$1 at the start: the sensor starts" sensor_up enforce
    check "$1 at the start: the zone is held, and status says so" held
    check "$1 at the start: clear text still works" clear_works
    check "$1 at the start: the rules are what was meant" as_policy_says
    check "$1 at the start: an event says so" lab_wait 3 told "zone held"
    lab_in gw nft flush ruleset
    check "$1 at the start: a flush is healed to rules that still only count" lab_wait 2 table_present
    check "$1 at the start: clear text works after it" clear_works
    check "$1 at the start: the rules are what was meant again" as_policy_says
    within "$1 at the start: clear text would have been blocked" 5 would_block
    [ "$1" != "path cut" ] || trial_of_unasked
    "$2"
    within "$1 at the start: enforced once the resolver answers" 10 clear_fails
    check "$1 at the start: the zone is held no longer" lab_wait 2 not_held
    check "$1 at the start: an event says that too" lab_wait 3 told "zone enforced"
    sensor_down
}

up_at_start() {
    policy
    local start=$EPOCHREALTIME
    check "up at the start: the sensor starts" sensor_up enforce
    check "up at the start: enforced at once ($(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms)" clear_fails
    check "up at the start: nothing is held" not_held
    check "a certificate of an authority that this machine does not know counts as an answer" not_held
}

# The rest of a sensor whose resolvers stop: stay, then open.
outage_stays() {
    policy "on_resolver_outage: stay"
    check "stay: the sensor starts" sensor_up enforce
    resolver_stop
    within "stay: the outage is told" 25 told "resolvers down"
    check "stay: the rules stay" clear_fails
    check "stay: the zone is not held" not_held
    resolver_start
    within "stay: their return is told" 12 told "resolvers back"
    sensor_down
}

outage_opens() {
    policy "on_resolver_outage: open"
    rm -f "$LAB_DIR"/sealdns.db*
    check "open: the sensor starts" sensor_up enforce
    check "open: it enforces" clear_fails
    resolver_stop
    within "open: the zone is opened" 25 clear_works
    check "open: the outage is told" lab_wait 3 told "resolvers down"
    check "open: the zone is held" held
    check "open: the rules are what was meant" as_policy_says
    resolver_start
    within "open: enforced again once the resolver answers" 12 clear_fails
    check "open: that is told" lab_wait 3 told "zone enforced"
    sensor_down
}

switched_off() {
    policy "preflight: false"
    check "preflight: false: the sensor starts" sensor_up enforce
    check "preflight: false: enforced unasked" clear_fails
    sensor_down
    policy
    lab_daemon gw sensor-enforce "$SEALDNS" run -c "$LAB_DIR/policy.yaml" -i lan0 --mode enforce --force
    SENSOR_PID=$LAB_PID
    check "--force: the sensor starts" lab_wait 10 sealdns status --socket "$LAB_DIR/sealdns.sock"
    check "--force: enforced unasked" clear_fails
    check "--force: an event says that it was forced" lab_wait 3 told forced
    sensor_down
}

alone() {
    sealdns rules apply -c "$LAB_DIR/policy.yaml" >"$LAB_DIR/apply.log" 2>&1
    grep -q 'zone lab: none of its approved resolvers answers' "$LAB_DIR/apply.log" && clear_works && ok "rules apply without a sensor: the zone only counts, and it is said" ||
        not_ok "rules apply without a sensor: the zone only counts, and it is said" "$(tail -n 1 "$LAB_DIR/apply.log")"
    sealdns rules apply -c "$LAB_DIR/policy.yaml" --force >/dev/null 2>&1
    check "rules apply --force: enforced" clear_fails
    sealdns rules remove -c "$LAB_DIR/policy.yaml" >/dev/null 2>&1
}

is_refused() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq -e '.rules | .refused and .installed and (.drifted | not)'; }
is_not_refused() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq -e '.rules.refused | not'; }
sealdns_fails() { ! "$@" >/dev/null 2>&1; }
reload() { sealdns status reload --socket "$LAB_DIR/sealdns.sock"; }

# refused NAME PATTERN: the sensor starts, the network is watched, and rules only count.
refused() {
    rm -f "$LAB_DIR"/sealdns.db*
    check "$1: the sensor starts" sensor_up enforce
    grep -q "NOT ENFORCED.*$2" "$LAB_DIR/sensor-enforce.log" && ok "$1: refused, and its log says why" ||
        not_ok "$1: refused, and its log says why" "$(tail -n 1 "$LAB_DIR/sensor-enforce.log")"
    check "$1: rules only count" clear_works
    check "$1: status says so" is_refused
    check "$1: an event says so" lab_wait 3 told refused
}

# /etc/resolv.conf of the namespace: ip netns exec puts it there.
cuts_off_itself() {
    mkdir -p "/etc/netns/$LAB-gw"
    echo "nameserver $LAB_B4" >"/etc/netns/$LAB-gw/resolv.conf"
    policy
    sed -i 's/^exceptions:/  - {id: gateway, cleartext: reject}\nexceptions:/' "$LAB_DIR/policy.yaml"
    refused "cuts off the gateway's own resolver" "cut off this machine's own resolver $LAB_B4"
    sealdns_fails reload && is_refused >/dev/null && ok "read again, it is still refused" || not_ok "read again, it is still refused"
    sed -i '/id: gateway/d' "$LAB_DIR/policy.yaml"
    check "a better one is taken by a reload" reload
    check "... and enforced" clear_fails
    check "... and status says so" is_not_refused
    sed -i 's/^exceptions:/  - {id: gateway, cleartext: reject}\nexceptions:/' "$LAB_DIR/policy.yaml"
    sealdns_fails reload && clear_fails && is_not_refused >/dev/null && ok "a reload that would cut the gateway off is refused, the old rules stay" ||
        not_ok "a reload that would cut the gateway off is refused, the old rules stay"
    sensor_down
    echo "nameserver 127.0.0.1" >"/etc/netns/$LAB-gw/resolv.conf"
    check "a resolver on the gateway itself is none to cut off" sensor_up enforce
    check "... and enforced" clear_fails
    sensor_down
    policy
    # The gateway's address as an unapproved resolver's own: its port 443 would be cut with it.
    sed -i "s/^zones:/  - {id: own, name: gw.lab.example, addresses: [$LAB_GW4]}\nzones:/; s/bootstrap: true/bootstrap: true\n    gateway_resolver: false/" "$LAB_DIR/policy.yaml"
    refused "cuts off the gateway's port 443" "off port 443 of this machine ($LAB_GW4)"
    sensor_down
    rm -rf "/etc/netns/$LAB-gw"
}

main() {
    trap 'rm -rf "/etc/netns/${LAB:-none}-gw"' EXIT
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    up_at_start
    sensor_down
    cuts_off_itself
    path_cut
    down_at_start "path cut" path_mend
    resolver_stop
    down_at_start "resolver stopped" resolver_start
    resolver_stop
    switched_off
    alone
    resolver_start
    lab_wait 5 resolver_answers
    outage_stays
    lab_wait 5 resolver_answers
    outage_opens
    tally
}
main
