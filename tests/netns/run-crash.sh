#!/bin/bash
# kill -9 during load, then a restart: the store opens and is whole, nothing that a reader had seen is missing, and the
# ruleset is as the policy says, also while nobody runs.
#
#   run-crash.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

LOAD_SECONDS=6

# Clear text that is allowed, clear text that is cut, DoT, and downgrades: every kind of row gets written.
load_start() {
    local i
    for i in $(seq 200); do echo "host$i.example.org A"; done >"$LAB_DIR/queries"
    LOAD_PIDS=
    lab_in c1 dnsperf -s $LAB_GW4 -d "$LAB_DIR/queries" -l $LOAD_SECONDS -c 4 -Q 1500 >"$LAB_DIR/dnsperf.udp" 2>&1 &
    LOAD_PIDS="$LOAD_PIDS $!"
    lab_in c1 dnsperf -m dot -p 853 -s $LAB_A4 -d "$LAB_DIR/queries" -l $LOAD_SECONDS -c 4 -Q 200 >"$LAB_DIR/dnsperf.dot" 2>&1 &
    LOAD_PIDS="$LOAD_PIDS $!"
    lab_in c2 bash -c "end=\$((SECONDS + $LOAD_SECONDS)); while [ \$SECONDS -lt \$end ]; do
        kdig +short +tls +retry=0 +time=1 @$LAB_B4 h\$RANDOM.example.net; dig +short +tries=1 +time=1 @$LAB_B4 h\$RANDOM.example.net
        done" >/dev/null 2>&1 &
    LOAD_PIDS="$LOAD_PIDS $!"
}

load_end() {
    local pid
    for pid in $LOAD_PIDS; do wait "$pid" 2>/dev/null; done
}

# What a reader sees: every event's line, and the rows of each table.
seen_events() { sealdns events --db "$LAB_DIR/sealdns.db" --revisions --format json 2>/dev/null | sort; }

seen_rows() {
    local table
    for table in $(sqlite3 -readonly "$LAB_DIR/sealdns.db" "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"); do
        echo "$table $(sqlite3 -readonly "$LAB_DIR/sealdns.db" "select count(*) from \"$table\"")"
    done
}

rows_kept() {
    local table count now
    while read -r table count; do
        now=$(sqlite3 -readonly "$LAB_DIR/sealdns.db" "select count(*) from \"$table\"") || return 1
        [ "$now" -ge "$count" ] || { lab_say "$table had $count rows, has $now"; return 1; }
    done <"$LAB_DIR/rows.before"
}

events_kept() {
    seen_events >"$LAB_DIR/events.after"
    [ -z "$(comm -23 "$LAB_DIR/events.before" "$LAB_DIR/events.after")" ]
}

# Every page of it, and every row of its events signed: no kill leaves a batch without its checkpoint.
store_is_whole() {
    [ "$(sqlite3 "$LAB_DIR/sealdns.db" "PRAGMA integrity_check")" = ok ] &&
        sealdns verify --db "$LAB_DIR/sealdns.db" --format json | jq -e ".whole and .signed and .key_compared and .last_checkpoint.row == .last"
}

nobody_runs() {
    local pid
    for pid in $1; do [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" && return 1; done
    return 0
}

still_rejected() { ! lab_in c1 dig +tries=1 +time=2 @$LAB_B4 www.example.org; }
still_served() { lab_in c1 dig +short +tries=1 +time=2 @$LAB_GW4 www.example.org | grep -q .; }

# crash_round NAME: kills, while load runs, what $2 says: the first process, or every one at once.
crash_round() {
    local name=$1 victims processes before
    load_start
    sleep $((LOAD_SECONDS / 2))
    processes=$(sensor_processes "$SENSOR_PID" | paste -sd' ')
    victims=$processes
    [ "$2" = first ] && victims=$SENSOR_PID
    before=$(table_text)
    seen_events >"$LAB_DIR/events.before"
    seen_rows >"$LAB_DIR/rows.before"
    # shellcheck disable=SC2086
    kill -KILL $victims
    wait "$SENSOR_PID" 2>/dev/null
    check "$name: no process of it stays behind" lab_wait 5 nobody_runs "$processes"
    check "$name: readers had seen events" test -s "$LAB_DIR/events.before"
    check "$name: the rules still reject while nobody runs" still_rejected
    check "$name: the gateway's resolver still answers" still_served
    load_end
    check "$name: the store is whole" store_is_whole
    check "$name: it starts again" sensor_up enforce
    check "$name: every event that a reader had seen is there" events_kept
    check "$name: every table has at least its rows" rows_kept
    check "$name: rules diff finds nothing" sealdns rules diff -c "$LAB_DIR/policy.yaml"
    [ -n "$before" ] && [ "$before" = "$(table_text)" ] && ok "$name: the ruleset is as before" ||
        not_ok "$name: the ruleset is as before" "$(diff <(echo "$before") <(table_text) | head -3 | paste -sd' ')"
}

main() {
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    lab_client c2 3
    sensor_policy reject reject >"$LAB_DIR/policy.yaml"
    check "the sensor starts" sensor_up enforce
    crash_round "kill -9 of the first process" first
    crash_round "kill -9 of all processes" all
    # A ruleset that somebody flushed while nobody ran is put back.
    sensor_processes "$SENSOR_PID" | xargs kill -KILL 2>/dev/null
    wait "$SENSOR_PID" 2>/dev/null
    lab_in gw nft flush ruleset
    check "after a flush while it was dead: it starts again" sensor_up enforce
    check "after a flush while it was dead: the rules are back" still_rejected
    sensor_down
    check "at the end the store is whole" store_is_whole
    tally
}
main
