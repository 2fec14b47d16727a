#!/bin/bash
# Encrypted DNS that worked fails for many clients at once: one incident for each resolver, told apart from an outage, and
# none for two clients.
#
#   run-blocked.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && LAB_KEEP=1

CROWD="1 2 3 4 5"      # asks resolver A; the path resets it
SILENT="11 12 13 14"   # asks resolver B; the path drops it
FEW="21 22"            # asks a third one, which is reset as well

policy() {
    cat <<END
sensor: {name: lab, interfaces: [lan0], mode: monitor}
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
resolvers:
  - {id: lab, name: $LAB_A_NAME, addresses: [$LAB_A4, "$LAB_A6"], transports: [dot, doh2]}
  - {id: other, name: $LAB_B_NAME, addresses: [$LAB_B4], transports: [dot]}
  - {id: small, name: small.example, addresses: ["$LAB_B6"], transports: [dot]}
zones:
  - {id: lab, networks: [10.53.0.0/16, "2001:db8:100::/64"], approve: [lab, other, small], cleartext: alert, unapproved: alert}
outputs:
  - {type: file, format: eve, path: $LAB_DIR/eve.json}
END
}

# dot CLIENT SERVER NAME QUESTION
dot() { lab_in "c$1" kdig +short +retry=0 +time=2 @"$2" +tls-ca="$LAB_CA" +tls-hostname="$3" "$4" A >"$LAB_DIR/dot.$1" 2>&1; }
clear_text() { lab_in "c$1" dig +short +tries=1 +time=2 @"$2" "$3" A >"$LAB_DIR/clear.$1" 2>&1; }

# ask_all SERVER NAME QUESTION CLIENTS...: all at once.
ask_all() {
    local server=$1 name=$2 question=$3 client pids=()
    shift 3
    for client; do dot "$client" "$server" "$name" "$question" & pids+=($!); done
    wait "${pids[@]}"
}

# The last revision of each incident of a resolver, as a list.
incidents() {
    jq -cs --arg server "$1" '[flatten[] | select(.sealdns.kind? == "encrypted-dns-blocked" and .sealdns.server == $server)]
        | group_by(.sealdns.id) | map(max_by(.sealdns.revision))' "$LAB_DIR/eve.json"
}
# holds SERVER FILTER: of that list.
holds() { incidents "$1" | jq -e "$2" >/dev/null; }
shows() { holds "$2" "$3" && ok "$1" || not_ok "$1" "$(incidents "$2" | jq -c '.[].sealdns.evidence')"; }

# The clients of the crowd that have a downgrade of their own.
downgraded() {
    jq -rs '[flatten[] | select(.sealdns.kind? == "downgrade").sealdns.client] | unique | join(" ")' "$LAB_DIR/eve.json"
}

raise() {
    local client
    lab_up || exit 1
    policy >"$LAB_DIR/policy.yaml"
    for client in $CROWD $SILENT $FEW; do lab_client "c$client" "$client"; done
    sensor_up monitor || lab_die "the sensor did not start"
}

fail_all() {
    local client turn silent
    for client in $CROWD $FEW; do fault_on reset "$client" 853; done
    for client in $SILENT; do fault_on drop "$client" 853; done
    for turn in 1 2 3 4; do
        # shellcheck disable=SC2086
        ask_all $LAB_B4 $LAB_B_NAME "down$turn.example.org" $SILENT &
        silent=$!
        # shellcheck disable=SC2086
        ask_all $LAB_A4 $LAB_A_NAME "down$turn.example.org" $CROWD
        # shellcheck disable=SC2086
        ask_all $LAB_B6 $LAB_B_NAME "down$turn.example.org" $FEW
        wait $silent
        for client in 1 2 3; do
            clear_text "$client" $LAB_A4 "leak$turn.example.org"
        done
        sleep 1.5
    done
    sleep 3
}

main() {
    local client
    raise
    # shellcheck disable=SC2086
    {
        ask_all $LAB_A4 $LAB_A_NAME www.example.org $CROWD
        ask_all $LAB_B4 $LAB_B_NAME www.example.org $SILENT
        ask_all $LAB_B6 $LAB_B_NAME www.example.org $FEW
    }
    sleep 1
    check "nothing is told while it works" holds $LAB_A4 'length == 0'
    fail_all
    shows "five clients that are reset are one incident" $LAB_A4 'length == 1'
    shows "which reads as interference, from the path" $LAB_A4 \
        '.[0].sealdns.evidence | .reads_as == "interference" and .causes == "reset 5" and .origins == "path 5"'
    shows "and counts its clients" $LAB_A4 '.[0].sealdns.evidence | .clients_failing == 5 and .clients_active == 5'
    shows "it is grave" $LAB_A4 '.[0].alert.severity == 1'
    shows "four clients that nobody answers are one incident" $LAB_B4 'length == 1'
    shows "which reads as an outage, less grave" $LAB_B4 \
        '.[0] | .sealdns.evidence.reads_as == "outage" and .alert.severity == 2'
    check "two clients are none" holds $LAB_B6 'length == 0'
    check "who fell back has a downgrade of its own" \
        test "$(downgraded)" = "$(lab_client4 1) $(lab_client4 2) $(lab_client4 3)"
    for client in $CROWD; do fault_off reset "$client" 853; done
    # shellcheck disable=SC2086
    ask_all $LAB_A4 $LAB_A_NAME again.example.org $CROWD
    sleep 2
    sensor_down # what only grew is written once a minute, or at the end
    shows "it ends when it works again" $LAB_A4 \
        '.[0].sealdns.evidence | .ended == true and .clients_recovered == 5'
    shows "three of them went on in clear text" $LAB_A4 '.[0].sealdns.evidence.clients_in_clear_text == 3'
    check "the store has both" test 2 = "$(sealdns events --db "$LAB_DIR/sealdns.db" --type encrypted-dns-blocked \
        --format json | jq -s 'flatten | length')"
    tally
}
main
