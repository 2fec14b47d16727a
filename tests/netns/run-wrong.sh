#!/bin/bash
# When things go wrong, and who changed what: the table "When something goes wrong" of rules/README.md, as far as no other
# suite shows it.
#
#   run-wrong.sh [--keep] [PART...]
#
# PART is one of those in PARTS below.
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1 && shift
PARTS=(who_changed_what changed_meanwhile no_gap two_sensors cannot_install full_disk interfaces busy_netlink failing_netlink
    clock_jumps no_memory)
[ $# = 0 ] || PARTS=("$@")

status_of() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json; }
# evidence_of WHAT: of the newest enforcement or sensor event that says so.
evidence_of() {
    sealdns events --db "$DB" --format json |
        jq -cs --arg what "$1" '[flatten[] | select(.sealdns.evidence.what == $what)] | sort_by(.sealdns.last) | last | .sealdns.evidence'
}
# says WHAT FILTER: that event is there, and true of its evidence. shows NAME WHAT FILTER: a check of it, within 3 s.
says() { evidence_of "$1" | jq -e "$2"; }
shows() { lab_wait 8 says "$2" "$3" && ok "$1" || not_ok "$1" "$(evidence_of "$2")"; }

is_answered() { lab_in c1 dig +tries=1 +time=2 @$LAB_B4 www.example.org A 2>/dev/null | grep -q 'status: NOERROR'; }
is_refused() { ! is_answered; }

# policy_with TEXT: another policy file; sed on the lab's.
policy_with() { sensor_policy reject reject | sed "s/^sensor: {.*/sensor: {name: lab, interfaces: [lan0], mode: monitor, preflight: false, on_exit: keep}/" | sed "$1" >"$LAB_DIR/policy.yaml"; }
# as_admin COMMAND...: from an SSH session, by a shell that hides it from the command itself, as sudo does.
as_admin() { SSH_CONNECTION='192.0.2.7 50000 192.0.2.1 22' bash -c 'env -u SSH_CONNECTION "$@"; exit $?' bash "$@"; }

who_changed_what() {
    local name=$'se"al\ndns' digest
    digest=$(status_of | jq -r .policy)
    policy_with 's/cleartext: reject/cleartext: drop/; /owner: lab/d; s/^exceptions:/exceptions: []/'
    check "reload" as_admin ip netns exec "$LAB-gw" "$SEALDNS" status reload --socket "$LAB_DIR/sealdns.sock"
    shows "reload: who, from where, by what" "policy changed" '.via == "socket" and .uid == 0 and .pid > 1 and .program == "sealdns" and .from == "192.0.2.7"'
    shows "reload: from which policy to which" "policy changed" ".policy_before == \"$digest\" and .policy == \"$(status_of | jq -r .policy)\""
    shows "reload: what changed" "policy changed" '.changes | test("zones lab cleartext: reject -> drop") and test("-exceptions client: .*the printer")'
    [ "$(jq -s '[.[] | select(.sealdns.evidence.what == "policy changed")] | length' "$LAB_DIR/eve.json")" = 1 ] &&
        ok "the feed has it, once" || not_ok "the feed has it, once"
    echo 'zones: [{id: a, networks: [nonsense]}]' >"$LAB_DIR/policy.yaml"
    check "a wrong policy" eval '! sealdns status reload --socket "$LAB_DIR/sealdns.sock"'
    shows "a wrong policy: who lost, and why" "policy refused" '.via == "socket" and .uid == 0 and .program == "sealdns" and (.detail | test("policy.yaml:1:"))'
    policy_with 's/cleartext: reject/cleartext: alert/'
    kill -USR2 "$SENSOR_PID"
    shows "SIGUSR2: who" "policy changed" ".via == \"signal\" and .uid == 0 and .pid == $$ and (.changes | test(\"cleartext: drop -> alert\"))"
    ln -sf "$(realpath "$SEALDNS")" "$LAB_DIR/$name"
    lab_in gw "$LAB_DIR/$name" rules remove --socket "$LAB_DIR/sealdns.sock" >/dev/null 2>&1
    shows "rules remove: by a program with a hostile name" removed '.via == "socket" and .program == "se\"al\\010dns"'
    sealdns rules apply --socket "$LAB_DIR/sealdns.sock" >/dev/null 2>&1
    shows "rules apply: who" installed '.via == "socket" and .program == "sealdns"'
}

# What was changed while no sensor ran is told by the next one.
changed_meanwhile() {
    sensor_down
    policy_with 's/unapproved: reject/unapproved: drop/'
    lab_in gw nft flush chain inet sealdns zone_lab
    check "it starts again" sensor_up enforce
    shows "a policy that was changed meanwhile" "policy changed" '.via == "start" and .program == "sealdns" and (.changes | test("unapproved: reject -> drop"))'
    shows "a table of another policy" "found another" '.detail | test("is replaced")'
    sensor_down
    lab_in gw nft flush chain inet sealdns zone_lab
    check "it starts once more" sensor_up enforce
    shows "a table that was changed by hand meanwhile" "found changed" '.detail | test("rules missing: lab/")'
    check "... is put right" lab_in gw nft list chain inet sealdns zone_lab
    sensor_down
    # Without a sensor the system's log has it: a log of the lab's own, where only this command sees it.
    lab_in gw unshare -m sh -c "mount -t tmpfs none /dev && socat -u UNIX-RECV:/dev/log CREATE:$LAB_DIR/syslog &
        until [ -S /dev/log ]; do sleep 0.05; done; $SEALDNS rules remove --socket $LAB_DIR/nothing.sock; kill \$!" >"$LAB_DIR/remove.log" 2>&1
    sed -n 's/.*sealdns\[[0-9]*\]: //p' "$LAB_DIR/syslog" | jq -e '.what == "removed" and .uid == 0 and .via == "command"' >/dev/null 2>&1 &&
        ok "rules remove without a sensor: the system's log has who" || not_ok "rules remove without a sensor: the system's log has who" "$(cat "$LAB_DIR/syslog" "$LAB_DIR/remove.log")"
}

# start OPTION...: the sensor in mode enforce, with more options, or under another program (UNDER).
start() {
    # shellcheck disable=SC2086
    lab_daemon gw sensor ${UNDER:-} "$SEALDNS" run -c "$LAB_DIR/policy.yaml" --mode enforce "$@" 7>&-
    SENSOR_PID=$LAB_PID
    lab_wait 10 sealdns status --socket "$LAB_DIR/sealdns.sock"
}

# A new sensor over the table of an old one, and policies that change: at no moment does anything pass that is forbidden, or
# fail that is approved. Asked without a pause from two sockets.
no_gap() {
    local i pid
    policy_with 's/bootstrap: true/bootstrap: false/'
    check "before the upgrade" start
    lab_in c1 python3 "$LAB_HERE/gap.py" $LAB_B4 $LAB_A4 "$LAB_DIR/enough" >"$LAB_DIR/gap" &
    pid=$!
    sensor_down
    policy_with ''
    lab_in gw nft add table inet sealdns_change # of one that was killed in the middle of a change
    check "the upgraded sensor starts" start
    shows "it says what it found" "found another" '.detail | test("is replaced")'
    for i in reject drop reject; do
        policy_with "s/cleartext: reject/cleartext: $i/"
        sealdns status reload --socket "$LAB_DIR/sealdns.sock" >/dev/null 2>&1 || not_ok "reload $i"
    done
    touch "$LAB_DIR/enough"
    wait $pid
    check "upgrade and reloads: no second table stays" eval '! lab_in gw nft list table inet sealdns_change'
    read -r asked answered tried failed <"$LAB_DIR/gap"
    [ "$asked" -gt 50 ] && [ "$answered" = 0 ] && ok "upgrade and reloads: none of $asked forbidden questions answered" ||
        not_ok "upgrade and reloads: nothing forbidden passes" "$(cat "$LAB_DIR/gap")"
    [ "$tried" -gt 50 ] && [ "$failed" = 0 ] && ok "upgrade and reloads: none of $tried approved connections failed" ||
        not_ok "upgrade and reloads: nothing approved fails" "$(cat "$LAB_DIR/gap")"
}

# Two that watch over one table would undo each other's rules without end.
two_sensors() {
    sensor_policy reject drop | sed "s|$LAB_DIR/sealdns|$LAB_DIR/second|" >"$LAB_DIR/second.yaml"
    sealdns run -c "$LAB_DIR/second.yaml" -i lan0 --mode enforce >"$LAB_DIR/second.log" 2>&1 && not_ok "a second sensor" "it ended well"
    grep -q "another sealdns (process $SENSOR_PID) has rules" "$LAB_DIR/second.log" && ok "a second sensor is refused, and told by whom" ||
        not_ok "a second sensor is refused, and told by whom" "$(cat "$LAB_DIR/second.log")"
    sealdns rules apply -c "$LAB_DIR/second.yaml" >"$LAB_DIR/second.log" 2>&1 && not_ok "rules apply beside a sensor" "it ended well"
    grep -q "a sensor (process $SENSOR_PID) has its rules" "$LAB_DIR/second.log" && ok "rules apply beside a sensor is refused" ||
        not_ok "rules apply beside a sensor is refused" "$(cat "$LAB_DIR/second.log")"
    check "the first one's rules stand" is_refused
}

# Somebody else owns a table of our name: nothing can be installed until he lets go.
cannot_install() {
    sensor_down
    lab_in gw nft delete table inet sealdns
    mkfifo "$LAB_DIR/owner"
    lab_in gw nft -i <"$LAB_DIR/owner" >"$LAB_DIR/owner.log" 2>&1 &
    exec 7>"$LAB_DIR/owner"
    echo 'add table inet sealdns { flags owner; }' >&7
    lab_wait 8 table_present
    check "a table with another owner: it starts all the same" start
    grep -q 'NOT ENFORCED' "$LAB_DIR/sensor.log" && ok "... says so" || not_ok "... says so" "$(cat "$LAB_DIR/sensor.log")"
    shows "... as an event" lost '.detail | test("another owner")'
    [ "$(status_of | jq -c '.rules | [.installed, .desired]')" = '[false,true]' ] && ok "... in status" || not_ok "... in status" "$(status_of | jq -c .rules)"
    check "... and watches" eval 'is_answered && lab_wait 8 grep -q "\"kind\":\"cleartext\"" "$LAB_DIR/eve.json"'
    exec 7>&-
    check "when he lets go it is enforced" lab_wait 10 is_refused
}

stored() { sealdns events --db "$DB" --revisions --format json 2>/dev/null | jq -cS '.[]?, select(type == "object")' | sort; }

# The store's disk is full, and has room again.
full_disk() {
    sensor_down
    mkdir "$LAB_DIR/small"
    mount -t tmpfs -o size=3m none "$LAB_DIR/small"
    DB=$LAB_DIR/small/sealdns.db
    policy_with "s|^store: .*|store: {path: $DB}|"
    check "a store on a small disk" start
    shows "... takes events" installed '.detail == "enforce"'
    dd if=/dev/zero of="$LAB_DIR/small/fill" bs=4k >/dev/null 2>&1
    stored >"$LAB_DIR/before"
    lab_in gw nft flush ruleset
    check "full disk: rules are still put back" lab_wait 8 is_refused
    check "full disk: status counts what is not stored" lab_wait 10 eval '[ "$(status_of | jq .store.failed)" -gt 0 ]'
    check "full disk: the log says so" grep -q 'is the disk full' "$LAB_DIR/sensor.log"
    check "full disk: the feed goes on" lab_wait 8 eval 'tail -n 20 "$LAB_DIR/eve.json" | grep -q "\"what\":\"healed\""'
    stored >"$LAB_DIR/after"
    [ -s "$LAB_DIR/before" ] && [ -z "$(comm -23 "$LAB_DIR/before" "$LAB_DIR/after")" ] && ok "full disk: what was stored is there" ||
        not_ok "full disk: what was stored is there"
    check "full disk: an event says what was lost" lab_wait 14 eval 'grep "\"what\":\"loss\"" "$LAB_DIR/eve.json" | grep -q "\"rows_not_stored\":[1-9]"'
    rm "$LAB_DIR/small/fill"
    sleep 0.2
    check "room again: a reload" lab_wait 8 eval 'sealdns status reload --socket "$LAB_DIR/sealdns.sock" && says "policy read again" true'
    [ "$(sqlite3 "$DB" 'PRAGMA integrity_check')" = ok ] && ok "room again: the store is whole" || not_ok "room again: the store is whole"
    sensor_down
    umount "$LAB_DIR/small"
    DB=$LAB_DIR/sealdns.db
}

# interface_is UP: what status says of extra0.
interface_is() { [ "$(status_of | jq '.interfaces[] | select(.name == "extra0").up')" = "$1" ]; }
gone_says() { says "interface gone" ".detail | test(\"$1\")"; }

# What is watched is renamed, goes away, comes back.
interfaces() {
    lab_in gw ip link add extra0 type bridge
    lab_in gw ip link set extra0 up
    policy_with 's/interfaces: \[lan0\]/interfaces: [lan0, extra0]/'
    check "two interfaces" start
    lab_in gw ip link del extra0
    check "an interface is deleted: an event" lab_wait 8 gone_says 'extra0: .* not seen'
    check "... and status says that it is down" lab_wait 8 interface_is false
    lab_in gw ip link add extra0 type bridge
    lab_in gw ip link set extra0 up
    shows "made anew: an event" "interface back" '.detail == "extra0"'
    check "... and it is up" lab_wait 8 interface_is true
    lab_in gw ip link set extra0 down
    lab_in gw ip link set extra0 name other0
    check "an interface is renamed: an event says how" lab_wait 8 gone_says 'extra0 is called other0 now'
    lab_in gw ip link set other0 name extra0
    lab_in gw ip link set extra0 up
    check "named as before: it is up" lab_wait 8 interface_is true
    lab_in gw ip link set lan0 down
    lab_in gw ip link set lan0 up
    lab_in gw ip -6 addr add $LAB_GW6/64 dev lan0 nodad 2>/dev/null
    lab_in c1 dig +tries=1 +time=1 @$LAB_B4 after-down.example.org A >/dev/null 2>&1
    check "down and up again: what passes is seen" lab_wait 8 eval 'tail -n 20 "$LAB_DIR/eve.json" | grep -q after-down.example.org'
    check "the rules stood all the time" is_refused
}

# One process changes nf_tables without a pause: what is read is never of one piece at the first try.
busy_netlink() {
    local i
    printf 'add table inet noise\nadd set inet noise s { type ipv4_addr; }\n' | lab_in gw nft -f -
    lab_in gw bash -c 'while [ ! -e "$1" ]; do nft add element inet noise s "{ 192.0.2.1 }"; nft delete element inet noise s "{ 192.0.2.1 }"; done' \
        bash "$LAB_DIR/quiet" &
    for i in 1 2 3; do
        sealdns status reload --socket "$LAB_DIR/sealdns.sock" >/dev/null 2>&1 || not_ok "nf_tables changes all the time: reload $i"
        sealdns rules diff -c "$LAB_DIR/policy.yaml" --mode enforce >/dev/null 2>"$LAB_DIR/diff.log" || not_ok "nf_tables changes all the time: diff $i" "$(cat "$LAB_DIR/diff.log")"
    done
    lab_in gw nft delete table inet sealdns
    check "nf_tables changes all the time: reload, diff; and a deleted table comes back" lab_wait 8 is_refused
    touch "$LAB_DIR/quiet"
}

# injected ERROR CALL WHICH NAME COMMAND...: the monitor's system calls of that name fail so while the command runs.
injected() {
    local error=$1 call=$2 which=$3 name=$4 pid
    shift 4
    strace -qq -o "$LAB_DIR/strace" -p "$SENSOR_PID" -e trace="$call" -e inject="$call:error=$error:when=$which" 2>"$LAB_DIR/strace.log" &
    pid=$!
    if ! lab_wait 8 grep -q "^TracerPid:[[:space:]]*[1-9]" "/proc/$SENSOR_PID/status"; then
        skip "$name" "no strace: $(head -n 1 "$LAB_DIR/strace.log")"
        return
    fi
    check "$name" "$@"
    kill -INT $pid
    wait $pid
    grep -q INJECTED "$LAB_DIR/strace" || not_ok "$name: it was injected" "$(tail -n 2 "$LAB_DIR/strace")"
}

failing_netlink() {
    local n=0 error call
    for error in ENOBUFS EBUSY EINTR; do
        for call in sendto recvfrom; do
            n=$((n + 1))
            policy_with "s/cleartext: reject/cleartext: $([ $((n % 2)) = 0 ] && echo reject || echo drop)/"
            injected $error $call $([ $call = sendto ] && echo 2..3 || echo 2..4) "$error of $call, several times: a reload works" sealdns status reload --socket "$LAB_DIR/sealdns.sock"
            check "$error of $call, several times: the rules are those of the policy" eval '[ -z "$(sealdns rules diff -c "$LAB_DIR/policy.yaml" --mode enforce 2>/dev/null)" ]'
        done
    done
    policy_with 's/cleartext: reject/cleartext: drop/'
    injected EBUSY recvfrom 1+ "EBUSY all the time: a reload is refused" eval '! sealdns status reload --socket "$LAB_DIR/sealdns.sock"'
    policy_with ''
    check "... and the rules are the old ones soon, whatever the kernel took" lab_wait 10 eval '[ -z "$(sealdns rules diff -c "$LAB_DIR/policy.yaml" --mode enforce 2>/dev/null)" ]'
}

# clock SECONDS: the sensor's clock is ahead by that.
clock() { python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("=q", int(sys.argv[1])))' "$1" 1<>"$LAB_DIR/ahead"; }

# Exceptions end by the clock, and all that is done every so often goes on when it is set forward or back.
clock_jumps() {
    sensor_down
    cc -shared -fPIC -D_GNU_SOURCE -o "$LAB_DIR/clock.so" "$LAB_HERE/other-clock.c" || { not_ok "the clock that jumps"; return; }
    clock 0
    policy_with "s|^exceptions:|&\n  - {client: $(lab_client4 1), until: \"$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)\", owner: lab, reason: \"an hour\"}|"
    UNDER="env LD_PRELOAD=$LAB_DIR/clock.so SEALDNS_CLOCK=$LAB_DIR/ahead" start
    check "an exception of an hour holds" is_answered
    clock 7200
    check "the clock jumps two hours ahead: it has ended" lab_wait 10 is_refused
    clock 0
    check "the clock is set back: it holds again" lab_wait 40 is_answered
    stored | wc -l >"$LAB_DIR/before"
    lab_in gw nft flush ruleset
    check "... and what was flushed comes back" lab_wait 8 table_present
    check "... and events are still stored" lab_wait 8 eval '[ "$(stored | wc -l)" -gt "$(cat "$LAB_DIR/before")" ]'
}

# No process may grow any more: what does not fit is refused, what is there goes on.
no_memory() {
    local pid
    sensor_down
    policy_with ''
    start
    for pid in $(sensor_processes "$SENSOR_PID"); do prlimit --pid "$pid" --as="$(awk '/^VmSize/ { print $2 * 1024 }' "/proc/$pid/status")"; done
    python3 -c 'print("zones:"); [print(f"  - {{id: z{i}, networks: [10.{i // 250}.{i % 250}.0/24], cleartext: reject}}") for i in range(20000)]' >>"$LAB_DIR/policy.yaml"
    check "no memory: a policy that does not fit is refused" eval '! sealdns status reload --socket "$LAB_DIR/sealdns.sock"'
    policy_with ''
    lab_in gw nft flush ruleset
    check "no memory: the rules are still put back" lab_wait 10 is_refused
    check "no memory: it still answers" status_of
}

main() {
    local part
    lab_up || exit 1
    DB=$LAB_DIR/sealdns.db
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    policy_with ''
    check "the sensor starts" sensor_up enforce
    for part in "${PARTS[@]}"; do $part; done
    sensor_down
    tally
}
main
