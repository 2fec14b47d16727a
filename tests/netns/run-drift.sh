#!/bin/bash
# Truth of what is applied: whatever somebody else does to table inet sealdns is told and undone within a second, and what
# he does elsewhere is his.
#
#   run-drift.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

nft() { lab_in gw nft "$@"; }

status_of() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json; }
# healed: how often rules were put back, as the sensor counts it.
healed() { status_of | jq '.rules.drifts_healed'; }
# events_of WHAT: how many events of kind enforcement say so; an event that grew is one.
events_of() {
    sealdns events --db "$LAB_DIR/sealdns.db" --format json |
        jq -s --arg what "$1" '[flatten[] | select(.sealdns.kind == "enforcement" and (.sealdns.evidence.what | test($what)))] | length'
}
# last_event FILTER: of the newest one that says "healed".
last_event() {
    sealdns events --db "$LAB_DIR/sealdns.db" --format json |
        jq -rs "[flatten[] | select(.sealdns.evidence.what == \"healed\")] | sort_by(.sealdns.last) | last | .sealdns.evidence | $1"
}
events_reach() { [ "$(events_of "$1")" -ge "$2" ]; }

is_answered() { lab_in c1 dig +tries=1 +time=2 @$LAB_B4 www.example.org A 2>/dev/null | grep -q 'status: NOERROR'; }
is_refused() { ! is_answered; }
is_as_before() { [ "$(table_text)" = "$BEFORE" ]; }
no_difference() { [ "$(status_of | jq '.rules | .installed and .desired and (.drifted | not) and .digest == .digest_wanted')" = true ]; }
diff_is_empty() { [ -z "$(sealdns rules diff -c "$LAB_DIR/policy.yaml" --mode enforce 2>/dev/null)" ]; }

# The time until the table is as before again, in ms, beginning when nft has done its work. Reading it takes some itself.
time_to_heal() {
    local start=$EPOCHREALTIME end
    while ! is_as_before; do
        end=$EPOCHREALTIME
        [ $(((${end/./} - ${start/./}) / 1000)) -lt 3000 ] || { echo 9999; return; }
    done
    end=$EPOCHREALTIME
    echo $(((${end/./} - ${start/./}) / 1000))
}

# drift NAME PATTERN NFT-COMMAND...: done to us, it is undone, told once, with what it was and who did it.
drift() {
    local name=$1 pattern=$2 events healed_before ms
    shift 2
    events=$(events_of '^healed$')
    healed_before=$(healed)
    nft "$@" || { not_ok "$name" "nft refused"; return; }
    ms=$(time_to_heal)
    [ "$ms" -lt 1000 ] && ok "$name: put back within a second (seen after $ms ms)" ||
        not_ok "$name: put back within a second" "$ms ms; $(diff <(echo "$BEFORE") <(table_text) | head -3 | paste -sd' ')"
    check "$name: the kernel refuses again" is_refused
    check "$name: an event" lab_wait 3 events_reach '^healed$' $((events + 1))
    [ "$(healed)" = $((healed_before + 1)) ] && ok "$name: healed once" || not_ok "$name: healed once" "$healed_before to $(healed)"
    [ "$(events_of '^healed$')" = $((events + 1)) ] && ok "$name: one event" || not_ok "$name: one event" "$events to $(events_of '^healed$')"
    last_event .detail | grep -q -- "$pattern" && ok "$name: it says what ($(last_event .detail | cut -c1-70))" ||
        not_ok "$name: it says what" "$(last_event .detail)"
    [ "$(last_event .program)" = nft ] && ok "$name: it says who (and took $(last_event .healed_in_us) us)" ||
        not_ok "$name: it says who" "$(last_event .)"
}

# The heals of the last minute slow the next ones down: a new sensor has none behind it.
afresh() {
    sensor_down
    sensor_up enforce || not_ok "the sensor starts again"
    BEFORE=$(table_text)
}

rule_handle() { nft -a list chain inet sealdns "$1" | sed -n "s|.*sealdns: $2\".*# handle ||p"; }

each_change() {
    drift "nft flush ruleset" "table is gone" flush ruleset
    drift "nft delete table" "table is gone" delete table inet sealdns
    drift "a deleted rule" "rules missing: lab/cleartext-udp" delete rule inet sealdns zone_lab handle "$(rule_handle zone_lab lab/cleartext-udp)"
    drift "a deleted element" "elements missing: $LAB_A4 of zone_lab_dot_ip4" delete element inet sealdns zone_lab_dot_ip4 "{ $LAB_A4 }"
    afresh
    drift "a foreign rule" "foreign rules:.*accept" insert rule inet sealdns zone_lab udp dport 53 accept
    drift "an element of somebody's" "foreign elements: $LAB_B4" add element inet sealdns zone_lab_dot_ip4 "{ $LAB_B4 }"
    drift "a dormant table" "dormant" add table inet sealdns '{ flags dormant; }'
    drift "an exception's element" "elements missing: $(lab_client4 2)" delete element inet sealdns excepted_ip4 "{ $(lab_client4 2) }"
}

# Nothing of this is drift.
no_change() {
    local healed_before events
    healed_before=$(healed)
    events=$(events_of '^(healed|fought over|lost)$')
    nft add table inet administrator
    nft add chain inet administrator forward '{ type filter hook forward priority 10; }'
    nft add rule inet administrator forward counter
    check "another table: rules apply goes on" sealdns rules apply -c "$LAB_DIR/policy.yaml"
    sed -i 's/reason: "the printer, change 1"/reason: "the printer, change 2"/; s/bootstrap: true/bootstrap: false/' "$LAB_DIR/policy.yaml"
    check "reload of another policy" sealdns status reload --socket "$LAB_DIR/sealdns.sock"
    sleep 1.2
    [ "$(healed)" = "$healed_before" ] && ok "another table, rules apply, reload: nothing to heal" || not_ok "another table, rules apply, reload: nothing to heal" "$(healed)"
    [ "$(events_of '^(healed|fought over|lost)$')" = "$events" ] && ok "another table, rules apply, reload: no event of drift" || not_ok "another table, rules apply, reload: no event of drift"
    check "another table: it is untouched" nft list chain inet administrator forward
    check "status: desired is installed" no_difference
    check "rules diff agrees" diff_is_empty
    BEFORE=$(table_text)
    nft flush ruleset
    check "after a flush of everything ours comes back" lab_wait 2 is_as_before
    check "... and nobody else's" eval '! nft list table inet administrator'
}

# Transactions on our table that leave it as it was: looked at, not told, and not all the time.
no_difference_made() {
    local before events i cpu
    before=$(healed)
    events=$(events_of '^(healed|fought over|lost)$')
    printf 'add element inet sealdns zone_lab_dot_ip4 { 192.0.2.99 }\ndelete element inet sealdns zone_lab_dot_ip4 { 192.0.2.99 }\n' >"$LAB_DIR/nothing.nft"
    cpu=$(cpu_of)
    for i in $(seq 60); do nft -f "$LAB_DIR/nothing.nft" || not_ok "a transaction of nothing" "nft refused"; done
    i=$(($(cpu_of) - cpu))
    [ "$i" -le 30 ] && ok "60 transactions of nothing: $i ticks of the monitor's time" || not_ok "60 transactions of nothing" "$i ticks"
    sleep 0.5
    [ "$(healed)" = "$before" ] && [ "$(events_of '^(healed|fought over|lost)$')" = "$events" ] &&
        ok "60 transactions of nothing: nothing healed, no event" || not_ok "60 transactions of nothing" "$(healed)"
    check "60 transactions of nothing: our rules are as they were" is_as_before
}

# More notices than the socket holds, and among the lost ones that of a deleted rule.
overrun() {
    local ms before
    before=$(healed)
    python3 -c 'for i in range(40000): print("add element inet flood s { 10.%d.%d.%d }" % (i >> 16, i >> 8 & 255, i & 255))' >"$LAB_DIR/flood.nft"
    kill -STOP "$SENSOR_PID"
    nft add table inet flood
    nft add set inet flood s '{ type ipv4_addr; }'
    nft -f "$LAB_DIR/flood.nft" || not_ok "lost notices" "nft refused the flood"
    nft delete rule inet sealdns zone_lab handle "$(rule_handle zone_lab lab/cleartext-udp)"
    nft delete table inet flood
    kill -CONT "$SENSOR_PID"
    ms=$(time_to_heal)
    [ "$ms" -lt 1000 ] && ok "lost notices: put back within a second (seen after $ms ms)" || not_ok "lost notices: put back within a second" "$ms ms"
    check "lost notices: an event" lab_wait 3 eval "[ \"\$(healed)\" = $((before + 1)) ]"
    sleep 0.5
    [ "$(last_event .program)" = null ] && ok "lost notices: it does not say who, since that was lost" || not_ok "lost notices: they were not lost" "$(last_event .)"
}

# An exception that has ended is no drift, and what it excepted is cut.
ended_exception() {
    local until before
    until=$(date -u -d '+5 seconds' +%Y-%m-%dT%H:%M:%SZ)
    sed -i "s|^exceptions:|&\n  - {client: $(lab_client4 1), until: \"$until\", owner: lab, reason: \"a moment\"}|" "$LAB_DIR/policy.yaml"
    check "an exception of five seconds: reload" sealdns status reload --socket "$LAB_DIR/sealdns.sock"
    check "an exception of five seconds: it holds" is_answered
    before=$(healed)
    sleep 6.5
    nft -f "$LAB_DIR/nothing.nft" # somebody makes it look
    sleep 0.5
    check "an exception that has ended: it is cut" is_refused
    check "an exception that has ended: desired is installed" no_difference
    [ "$(healed)" = "$before" ] && ok "an exception that has ended: no drift" || not_ok "an exception that has ended: no drift" "$(last_event .detail)"
}

# clock ticks of the first process
cpu_of() { awk '{ print $14 + $15 }' "/proc/$SENSOR_PID/stat"; }

flush_loop() {
    local i before cpu
    before=$(healed)
    cpu=$(cpu_of)
    for i in $(seq 20); do nft flush ruleset; sleep 0.1; done
    check "a flush loop: it is put back after it" lab_wait 4 is_as_before
    check "a flush loop: the kernel refuses again" is_refused
    check "a flush loop: an event says that it is fought over" lab_wait 3 events_reach '^fought over$' 1
    [ "$(events_of '^fought over$')" = 1 ] && ok "a flush loop: one event for what comes after the first" || not_ok "a flush loop: one event for what comes after the first" "$(events_of '^fought over$')"
    [ "$(events_of '^healed$')" -le $((EVENTS + 5)) ] && ok "a flush loop: at most five by themselves" || not_ok "a flush loop: at most five by themselves" "$EVENTS to $(events_of '^healed$')"
    i=$(($(healed) - before))
    [ "$i" -ge 6 ] && [ "$i" -le 12 ] && ok "a flush loop: 20 flushes, put back $i times" || not_ok "a flush loop: put back at a pace" "$i times"
    [ "$(status_of | jq .rules.fought_over)" = true ] && ok "status: fought over" || not_ok "status: fought over" "$(status_of | jq -c .rules)"
    grep -q 'fights over table sealdns' "$LAB_DIR/sensor-enforce.log" && ok "the log says it loudly, once" || not_ok "the log says it loudly"
    i=$(($(cpu_of) - cpu))
    [ "$i" -le 100 ] && ok "a flush loop: $i ticks of the monitor's time" || not_ok "a flush loop: the monitor's time" "$i ticks"
}

# What is removed on purpose stays out, also where the sensor's socket does not answer.
break_glass() {
    check "rules remove through the sensor" sealdns rules remove -c "$LAB_DIR/policy.yaml"
    sleep 1
    check "rules remove: they stay out" table_absent
    check "rules remove: clear text is answered" is_answered
    [ "$(status_of | jq -c '.rules | [.opened, .desired, .drifted]')" = '[true,false,false]' ] && ok "status: removed by hand, no drift" || not_ok "status: removed by hand" "$(status_of | jq -c .rules)"
    check "rules apply puts them in again" sealdns rules apply -c "$LAB_DIR/policy.yaml"
    check "rules apply: refused again" is_refused
    check "rules remove where no socket answers" sealdns rules remove --socket "$LAB_DIR/nothing.sock"
    sleep 1
    check "rules remove without a socket: they stay out" table_absent
    check "rules apply puts them in again, once more" sealdns rules apply -c "$LAB_DIR/policy.yaml"
    check "... and they stand" table_present
}

# kill -9 of a part: the rules stay or go as on_exit says.
part_killed() {
    local keep=$1 number=$2 name=$3 victim
    sed -i "s/^sensor: {.*/sensor: {name: lab, interfaces: [lan0], mode: monitor, on_exit: $keep}/" "$LAB_DIR/policy.yaml"
    sensor_up enforce || { not_ok "on_exit $keep: the sensor starts"; return; }
    victim=$(pgrep -P "$SENSOR_PID" | sed -n "${number}p")
    kill -KILL "$victim"
    check "on_exit $keep, kill -9 of the $name: the rest ends" lab_wait 12 eval "! kill -0 $SENSOR_PID"
    if [ "$keep" = keep ]; then
        check "on_exit keep, kill -9 of the $name: the rules stay" is_refused
    else
        check "on_exit remove, kill -9 of the $name: the rules are gone" table_absent
    fi
}

# With the flag owner the kernel refuses everybody else: nothing to heal.
owned() {
    sed -i "s/^sensor: {.*/sensor: {name: lab, interfaces: [lan0], mode: monitor, nftables: {owner: true}}/" "$LAB_DIR/policy.yaml"
    check "owner: the sensor starts" sensor_up enforce
    check "owner: nobody else deletes the table" eval '! nft delete table inet sealdns'
    check "owner: nobody else deletes a rule" eval '! nft flush chain inet sealdns zone_lab'
    nft flush ruleset 2>/dev/null
    check "owner: the kernel still refuses" is_refused
    [ "$(healed)" = 0 ] && ok "owner: nothing to heal" || not_ok "owner: nothing to heal" "$(healed)"
    sensor_down
    check "owner: the table goes with the sensor" table_absent
}

# With owner and persist the rules outlive a kill -9, and the next sensor owns them again. (nft 1.0.6 cannot list such a table.)
persisted() {
    sed -i "s/^sensor: {.*/sensor: {name: lab, interfaces: [lan0], mode: monitor, nftables: {owner: true, persist: true}, on_exit: keep}/" "$LAB_DIR/policy.yaml"
    check "owner and persist: the sensor starts" sensor_up enforce
    sensor_processes "$SENSOR_PID" | xargs kill -KILL
    wait "$SENSOR_PID" 2>/dev/null
    check "owner and persist: refused with the sensor killed" is_refused
    check "owner and persist: it starts again" sensor_up enforce
    check "owner and persist: nobody else deletes the table" eval '! nft delete table inet sealdns'
    check "owner and persist: desired is installed" no_difference
    [ "$(healed)" = 0 ] && ok "owner and persist: nothing to heal" || not_ok "owner and persist: nothing to heal" "$(healed)"
    sensor_down
    check "owner and persist: rules remove opens" sealdns rules remove -c "$LAB_DIR/policy.yaml"
    check "owner and persist: answered" is_answered
}

main() {
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    sensor_policy reject reject >"$LAB_DIR/policy.yaml"
    check "the sensor starts" sensor_up enforce
    BEFORE=$(table_text)
    each_change
    afresh
    no_change
    no_difference_made
    overrun
    ended_exception
    afresh
    EVENTS=$(events_of '^healed$')
    flush_loop
    break_glass
    sensor_down
    part_killed keep 1 recorder
    part_killed keep 2 parser
    part_killed remove 1 recorder
    part_killed remove 2 parser
    owned
    persisted
    tally
}
main
