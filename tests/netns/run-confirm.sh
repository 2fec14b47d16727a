#!/bin/bash
# A change that undoes itself: `rules apply --confirm`, with the sensor and without it, confirmed and not, and with
# every process killed in between.
#
#   run-confirm.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

# Only a gateway: no client and no server is needed to see what the kernel holds.
gateway_up() {
    lab_named
    lab_namespace gw
    ip -n "$LAB-gw" link add lan0 address 02:53:00:01:00:01 type bridge mcast_snooping 0
    ip -n "$LAB-gw" addr add $LAB_GW4/16 dev lan0
    ip -n "$LAB-gw" link set lan0 up
}

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

policy() { sensor_policy "$1" "$2" | sed 's/mode: monitor/mode: monitor, on_exit: keep, preflight: false/' >"$LAB_DIR/policy.yaml"; }
old_policy() { policy reject reject; }
new_policy() { policy drop alert; }

whole() { lab_in gw nft list table inet sealdns 2>/dev/null | sed -E 's/ expires [0-9a-z]+//'; }
is_old() { [ "$(whole)" = "$OLD" ]; }
is_new() { [ -n "$(whole)" ] && [ "$(table_text)" = "$NEW" ]; }

guards() { local pid; for pid in $(lab_in gw pgrep -x sealdns-guard); do
    [ "$(readlink "/proc/$pid/ns/net")" = "$(lab_in gw readlink /proc/self/ns/net)" ] && echo "$pid"; done; }
no_guard() { [ -z "$(guards)" ]; }
events_of() {
    sealdns events --db "$LAB_DIR/sealdns.db" --type enforcement --format json 2>/dev/null |
        jq -es --arg what "$1" "any(flatten[]; .sealdns.evidence.what == \$what and (${2:-true}))"
}

# try SECONDS [OPTION...]: starts `rules apply --confirm` in the background; TRY_PID, TRY_AT.
try() {
    local seconds=$1
    shift
    TRY_AT=$(now_ms)
    lab_in gw "$SEALDNS" rules apply -c "$LAB_DIR/policy.yaml" --confirm "$seconds" "$@" >"$LAB_DIR/try.log" 2>&1 </dev/null &
    TRY_PID=$!
}
try_status() { wait "$TRY_PID"; TRY_STATUS=$?; TRY_MS=$(($(now_ms) - TRY_AT)); }
# The command itself: ip netns exec becomes it.
status_is() { [ "$TRY_STATUS" = "$1" ] && ok "$2" || not_ok "$2" "exit status $TRY_STATUS: $(tail -n 1 "$LAB_DIR/try.log")"; }

# in_time NAME SECONDS: the old rules are back within a second of the time.
in_time() {
    lab_wait $(($2 + 3)) is_old
    local ms=$(($(now_ms) - TRY_AT))
    if ! is_old; then not_ok "$1" "the table is not as it was: $(diff <(echo "$OLD") <(whole) | head -4 | paste -sd' ')"
    elif [ $ms -lt $(($2 * 1000)) ] || [ $ms -gt $(($2 * 1000 + 1200)) ]; then not_ok "$1" "after $ms ms"
    else ok "$1 ($ms ms)"; fi
}

# --- without a sensor

alone_from_nothing() {
    old_policy
    try 2
    check "no sensor, no table: the rules come" lab_wait 2 table_present
    try_status
    status_is 1 "no sensor, no table: without a confirmation it fails"
    check "no sensor, no table: rolled back to none" table_absent
    [ "$TRY_MS" -ge 2000 ] && [ "$TRY_MS" -le 3000 ] && ok "no sensor: within a second of the time ($TRY_MS ms)" ||
        not_ok "no sensor: within a second of the time" "$TRY_MS ms"
    check "no sensor: no guard stays behind" lab_wait 2 no_guard
}

# What was there before has a rule, a set and counters of somebody else, and an element that ends.
before_alone() {
    old_policy
    sealdns rules apply -c "$LAB_DIR/policy.yaml" >/dev/null 2>&1
    lab_in gw nft -f - <<'END'
add set inet sealdns visitors { type ipv4_addr; flags interval,timeout; }
add element inet sealdns visitors { 192.0.2.0/28 timeout 1h, 192.0.2.77 }
add map inet sealdns ports { type inet_service : verdict; elements = { 5353 : drop, 5354 : accept } }
add rule inet sealdns gateway counter packets 77 bytes 7700 comment "by hand"
add rule inet sealdns gateway ip saddr @visitors tcp dport { 1234, 2345 } limit rate 5/minute burst 7 packets log prefix "hand " drop
add rule inet sealdns gateway udp dport vmap @ports
END
    OLD=$(whole)
    new_policy
}

# Seconds that the element with an end has left.
left_of_visitors() { lab_in gw nft -j list set inet sealdns visitors | jq '[.. | .expires? // empty] | max'; }

alone_rolled_back() {
    local before after
    before_alone
    grep -q "by hand" <<<"$OLD" && ok "a table with things made by hand" || not_ok "a table with things made by hand" "$(whole | head -3)"
    before=$(left_of_visitors)
    try 2
    check "no sensor: the new rules come" lab_wait 2 is_new
    in_time "no sensor: rolled back exactly, with what was made by hand" 2
    try_status
    status_is 1 "no sensor: rolled back is exit status 1"
    after=$(left_of_visitors)
    [ "$after" -le $((before - 2)) ] && [ "$after" -ge $((before - 5)) ] && ok "no sensor: the time of an element went on ($before to $after s)" ||
        not_ok "no sensor: the time of an element went on" "$before to $after s"
}

alone_confirmed() {
    try 20
    lab_wait 3 is_new
    check "no sensor: a second change is refused" refused_pending sealdns rules apply -c "$LAB_DIR/policy.yaml" --confirm 5
    check "no sensor: a change that would stay is refused too" refused_pending sealdns rules apply -c "$LAB_DIR/policy.yaml"
    lab_in gw setpriv --reuid 65534 --clear-groups "$SEALDNS" rules confirm >"$LAB_DIR/nobody.log" 2>&1
    [ $? = 1 ] && grep -q 'only root' "$LAB_DIR/nobody.log" && ok "another user may not confirm" ||
        not_ok "another user may not confirm" "$(cat "$LAB_DIR/nobody.log")"
    check "rules confirm" sealdns rules confirm
    try_status
    status_is 0 "no sensor: confirmed is exit status 0"
    check "no sensor: the confirmed rules stay" is_new
    check "no sensor: no guard stays behind when confirmed" lab_wait 2 no_guard
    sealdns rules confirm >/dev/null 2>&1
    [ $? = 1 ] && ok "nothing to confirm is exit status 1" || not_ok "nothing to confirm is exit status 1" "it was not"
}
refused_pending() {
    "$@" >"$LAB_DIR/refused.log" 2>&1
    [ $? = 1 ] && grep -q 'waits for its confirmation' "$LAB_DIR/refused.log"
}

# Enter on a terminal of its own.
alone_typed() {
    before_alone
    (sleep 1; echo; sleep 2) | lab_in gw script -qec "$SEALDNS rules apply -c $LAB_DIR/policy.yaml --confirm 20" /dev/null >"$LAB_DIR/typed.log" 2>&1
    local status=$?
    grep -q 'press Enter' "$LAB_DIR/typed.log" && [ $status = 0 ] && is_new && ok "Enter on the terminal confirms" ||
        not_ok "Enter on the terminal confirms" "exit status $status: $(tail -n 2 "$LAB_DIR/typed.log")"
}

alone_killed() {
    before_alone
    try 3
    lab_wait 2 is_new
    kill -KILL "$TRY_PID"
    in_time "no sensor: kill -9 of the command, rolled back" 3
    wait "$TRY_PID" 2>/dev/null
    try 20
    lab_wait 2 is_new
    # shellcheck disable=SC2046
    kill -KILL $(guards)
    try_status
    check "no sensor: kill -9 of the guard, rolled back by the command" is_old
    status_is 1 "no sensor: the guard was killed is exit status 1"
    try 20
    lab_wait 2 is_new
    # shellcheck disable=SC2046
    kill -TERM $(guards)
    try_status
    check "no sensor: a guard that is to end rolls back at once" is_old
    try 20
    lab_wait 2 is_new
    check "no sensor: rules remove works while a change waits" sealdns rules remove -c "$LAB_DIR/policy.yaml"
    try_status
    check "no sensor: and nothing comes back" table_absent
    check "no sensor: no guard stays behind at all" lab_wait 2 no_guard
}

guard_holds_little() {
    before_alone
    try 20
    lab_wait 2 is_new
    local pid caps open
    pid=$(guards)
    caps=$(awk '/^CapEff/ { print $2 }' "/proc/$pid/status")
    open=$(ls "/proc/$pid/fd" | wc -l)
    [ "$caps" = 0000000000001000 ] && [ "$open" -le 7 ] && ok "the guard holds CAP_NET_ADMIN and $open descriptors" ||
        not_ok "the guard holds CAP_NET_ADMIN and few descriptors" "capabilities $caps, $open descriptors"
    [ "$(ps -o sid= -p "$pid" | tr -d ' ')" != "$(ps -o sid= -p "$TRY_PID" | tr -d ' ')" ] && ok "the guard has a session of its own" ||
        not_ok "the guard has a session of its own" "it has not"
    kill -TERM "$pid"
    try_status
}

wrong_usage() {
    local option
    for option in "apply --confirm 0" "apply --confirm 1x" "apply --confirm 86401" "apply --confirm" "show --confirm 5" "confirm now"; do
        # shellcheck disable=SC2086
        sealdns rules $option >/dev/null 2>&1
        [ $? = 2 ] && ok "rules $option is exit status 2" || not_ok "rules $option is exit status 2" "it was not"
    done
}

# --- with a sensor

sensor_start() {
    sealdns rules remove -c "$LAB_DIR/policy.yaml" >/dev/null 2>&1
    old_policy
    check "the sensor starts" sensor_up enforce
    lab_wait 3 table_present
    OLD=$(whole)
    new_policy
}

digest() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json 2>/dev/null | jq -r .policy; }

sensor_rolled_back() {
    local before
    before=$(digest)
    try 2
    check "sensor: the new rules come" lab_wait 2 is_new
    [ "$(digest)" != "$before" ] && ok "sensor: it has the new policy" || not_ok "sensor: it has the new policy" "$before"
    check "sensor: status says how long" status_has_trial
    check "sensor: a second change is refused" refused_pending sealdns rules apply -c "$LAB_DIR/policy.yaml" --confirm 5
    check "sensor: a reload is refused" refused_pending sealdns status reload --socket "$LAB_DIR/sealdns.sock"
    in_time "sensor: rolled back exactly" 2
    try_status
    status_is 1 "sensor: rolled back is exit status 1"
    [ "$(digest)" = "$before" ] && ok "sensor: it has the old policy again" || not_ok "sensor: it has the old policy again" "$(digest)"
    sleep 6
    check "sensor: the rollback is not healed away" is_old
    check "sensor: no guard stays behind" no_guard
    check "sensor: the event of the trial says who asked" events_of "installed on trial" '.sealdns.evidence.uid == 0 and .sealdns.evidence.pid > 1'
    check "sensor: the event of the rollback" events_of "rolled back"
}
status_has_trial() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq -e '.rules.rolled_back_in > 0'; }

sensor_confirmed() {
    try 20
    lab_wait 3 is_new
    check "sensor: rules confirm" sealdns rules confirm
    try_status
    status_is 0 "sensor: confirmed is exit status 0"
    sleep 1
    check "sensor: the confirmed rules stay" is_new
    check "sensor: rules diff finds nothing" nothing_differs
    check "sensor: the event of the confirmation says who" lab_wait 3 events_of confirmed '.sealdns.evidence.uid == 0 and .sealdns.evidence.pid > 1'
}
nothing_differs() { [ -z "$(sealdns rules diff -c "$LAB_DIR/policy.yaml" 2>/dev/null)" ]; }

sensor_wrong() {
    OLD=$(whole)
    sed -i 's/cleartext: drop/cleartext: sometimes/' "$LAB_DIR/policy.yaml"
    try 5
    try_status
    status_is 2 "sensor: a wrong policy is refused"
    try 5 --socket "$LAB_DIR/sealdns.sock"
    try_status
    status_is 1 "sensor: a wrong policy is refused by the sensor too"
    check "sensor: and nothing has changed" is_old
    check "sensor: and no guard stands" no_guard
}

sensor_guard_killed() {
    old_policy
    try 20
    lab_wait 3 differs_from_old
    # shellcheck disable=SC2046
    kill -KILL $(guards)
    try_status
    check "sensor: kill -9 of the guard, rolled back by the sensor" lab_wait 2 is_old
}
differs_from_old() { ! is_old; }

# kill -9 of all its processes; a sensor that starts before the time is over ends the trial with the policy before.
sensor_killed() {
    local processes
    old_policy
    try 3
    lab_wait 2 differs_from_old
    processes=$(sensor_processes "$SENSOR_PID")
    # shellcheck disable=SC2086
    kill -KILL $processes
    wait "$SENSOR_PID" 2>/dev/null
    check "sensor killed: the guard lives" test -n "$(guards)"
    in_time "sensor killed: rolled back" 3
    try_status
    status_is 1 "sensor killed: the command says so"
    check "sensor killed: no guard stays behind" lab_wait 2 no_guard
}

sensor_restarted() {
    new_policy
    check "it starts again" sensor_up enforce
    OLD=$(whole)
    old_policy
    try 30
    lab_wait 3 differs_from_old
    # shellcheck disable=SC2046
    kill -KILL $(sensor_processes "$SENSOR_PID")
    wait "$SENSOR_PID" 2>/dev/null
    check "a sensor that starts in the middle of a trial" sensor_up enforce
    try_status
    check "it ends the trial: the rules before, and nobody waits" is_old
    check "it starts from the policy before" grep -q 'never confirmed: starting from the last good' "$LAB_DIR/sensor-enforce.log"
    check "no guard waits" no_guard
}

sensor_stopped() {
    try 30
    lab_wait 3 differs_from_old
    sensor_down
    try_status
    is_old && ok "a sensor that ends cleanly rolls back first" ||
        not_ok "a sensor that ends cleanly rolls back first" "$(diff <(echo "$OLD") <(whole) | head -4 | paste -sd' ')"
    check "at the end no guard stays behind" lab_wait 2 no_guard
}

main() {
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    [ "$(id -u)" = 0 ] || { not_ok "root" "namespaces need it"; tally; exit; }
    gateway_up
    new_policy
    sealdns rules apply -c "$LAB_DIR/policy.yaml" >/dev/null 2>&1
    NEW=$(table_text)
    sealdns rules remove -c "$LAB_DIR/policy.yaml" >/dev/null 2>&1
    wrong_usage
    alone_from_nothing
    alone_rolled_back
    alone_confirmed
    alone_typed
    alone_killed
    guard_holds_little
    sensor_start
    sensor_rolled_back
    sensor_confirmed
    sensor_wrong
    sensor_guard_killed
    sensor_killed
    sensor_restarted
    sensor_stopped
    tally
}
main
