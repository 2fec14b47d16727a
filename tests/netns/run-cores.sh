#!/bin/bash
# Several capture threads of one interface: what comes through different ones is one story; and a flood that they cannot take:
# payload on 443 is left out, DNS never, it is told with numbers, and ends by itself.
#
#   run-cores.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && LAB_KEEP=1
CLIENTS=100

addresses() { seq -f '10.53.200.%.0f' 10 $((9 + CLIENTS)); }

# What ThreadSanitizer says, where it is built in: see tests/README.md.
unreported() { ! grep -q 'WARNING: ThreadSanitizer' "$LAB_DIR/sensor-monitor.log"; }

counter() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq "[.interfaces[].$1] | add"; }

# downgraded: how many clients have a downgrade that names the reset, by the events so far.
downgraded() {
    jq -rs '[flatten[] | select(.sealdns.kind? == "downgrade" and .sealdns.evidence.cause? == "reset").sealdns.client] | unique | length' \
        "$LAB_DIR/eve.json"
}
# A thread that the scheduler holds up for longer than engine/merge.h waits comes too late: nine of ten are enough here, the
# order itself is shown by tests/unit/engine/test_merge.c.
most_downgraded() { [ "$(downgraded)" -ge $((CLIENTS * 9 / 10)) ]; }

json() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json | jq "$1"; }

# told WHAT: the evidence of the last event of this name.
told() { jq -cs --arg what "$1" '[flatten[] | select(.sealdns.evidence.what? == $what)] | last | .sealdns.evidence' "$LAB_DIR/eve.json"; }
told_begun() { told overload | jq -e .from >/dev/null; }
told_ended() { told "overload over" | jq -e '.from and .until and .shed_443 > 0' >/dev/null; }
calm() { [ "$(json '[.interfaces[].shedding] | add')" = 0 ]; }

# dns_kept ROUNDS: of the DNS that the kernel gave us nothing is missing, whatever it dropped before: as much of it was
# counted as of all packets that are watched.
dns_kept() {
    local seen dns
    seen=$(json .counters.packets) dns=$(json '.counters.dns_queries + .counters.dns_responses')
    jq -e --argjson n "$1" --argjson seen "$seen" --argjson dns "$dns" \
        '($dns / ($n * (.dns.queries + .dns.responses))) > 0.9 * $seen / ($n * (.packets - .transports.other.packets))' \
        "$LAB_DIR/mix.pcap.json" >/dev/null
}

# A ring that holds three milliseconds, and a stream as fast as it goes.
flood() {
    local rounds=0
    ${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE "$LAB_ROOT"/tests/bench/*.c -o "$LAB_DIR/generate" -lcrypto -lm
    "$LAB_DIR/generate" mix "$LAB_DIR/mix.pcap" --packets 200000 >/dev/null
    lab_namespace far
    ip link add live0 netns "$LAB-gw" type veth peer name far0 netns "$LAB-far"
    lab_plain gw live0
    lab_plain far far0
    sensor_policy alert alert | sed 's|mode: monitor}|mode: monitor, shunt: off, capture: {threads: 2, ring: 1MiB}}|' >"$LAB_DIR/policy.yaml"
    sensor_up monitor live0 || return 1
    while ! told_begun && [ $rounds -lt 20 ]; do
        lab_in far tcpreplay -q --topspeed --preload-pcap -i far0 "$LAB_DIR/mix.pcap" >>"$LAB_DIR/replay" 2>&1
        rounds=$((rounds + 1))
    done
    check "a flood is told of" told_begun
    check "what is left out comes back by itself" lab_wait 20 calm
    check "the event says from when to when, and how much" lab_wait 5 told_ended
    check "payload of 443 was left out before that of 853" test "$(json .counters.shed_443)" -gt "$(json .counters.shed_853)"
    check "no DNS was left out" dns_kept $rounds
    told "overload over"
    check "no data race is reported under a flood" unreported
    json '.counters | {packets, kernel_drops, observations_dropped, shed_443, shed_853, dns_queries, dns_responses}' | jq -c .
    sensor_down
}

main() {
    local n list
    lab_up || exit 1
    lab_client c1 1
    for n in $(addresses); do ip -n "$LAB-c1" addr add "$n/16" dev eth0; done
    list=$(addresses | sed 's/$/ . 853/' | paste -sd,)
    lab_in isp nft add element inet fault reset4 "{ $list }"
    sensor_policy alert alert | sed 's|mode: monitor}|mode: monitor, capture: {threads: 2, ring: 8MiB}}|' >"$LAB_DIR/policy.yaml"
    sensor_up monitor || exit 1
    # shellcheck disable=SC2046
    lab_in c1 "$LAB_HERE/attempts.py" $LAB_A4 $LAB_B4 $(addresses)
    lab_wait 5 most_downgraded && ok "a reset and the question after it come through two threads: downgrades" ||
        not_ok "a reset and the question after it come through two threads: downgrades" "of $(downgraded) of $CLIENTS"
    n=$(counter threads)
    [ "$n" = 2 ] && ok "status says how many threads read" || not_ok "status says how many threads read" "$n"
    check "the policy is read anew meanwhile" sealdns status reload --socket "$LAB_DIR/sealdns.sock"
    sensor_down
    check "no data race is reported" unreported
    flood
    tally
}
main
