#!/bin/bash
# When things go wrong, and who changed what: the table "When something goes wrong" of sensor/README.md, as far as no other
# suite shows it.
#
#   run-wrong.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

status_of() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json; }
# evidence_of WHAT: of the newest enforcement or sensor event that says so.
evidence_of() {
    sealdns events --db "$LAB_DIR/sealdns.db" --format json |
        jq -cs --arg what "$1" '[flatten[] | select(.sealdns.evidence.what == $what)] | sort_by(.sealdns.last) | last | .sealdns.evidence'
}
# says WHAT FILTER: that event is there, and true of its evidence. shows NAME WHAT FILTER: a check of it, within 3 s.
says() { evidence_of "$1" | jq -e "$2"; }
shows() { lab_wait 3 says "$2" "$3" && ok "$1" || not_ok "$1" "$(evidence_of "$2")"; }

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

main() {
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    policy_with ''
    check "the sensor starts" sensor_up enforce
    who_changed_what
    changed_meanwhile
    tally
}
main
