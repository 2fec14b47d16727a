#!/bin/bash
# The query log and privacy, live: every message that tshark sees is a line; a sample has whole pairs; sums add up and know of
# what is encrypted its number alone; clients are pseudonyms that last as long as their key; a client is forgotten on request.
#
#   run-queries.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

# policy QUERY-LOG [PRIVACY]: a phase has a store and a log of its own.
policy() {
    sensor_policy alert alert | sed "s|$LAB_DIR/sealdns.db|$LAB_DIR/$PHASE.db|; s|$LAB_DIR/eve.json|$LAB_DIR/$PHASE.eve|"
    echo "  - {type: file, format: eve, types: [dns], path: $LAB_DIR/$PHASE.dns}"
    echo "  - {type: file, format: ocsf, id: ocsf, types: [dns], path: $LAB_DIR/$PHASE.ocsf}"
    echo "query_log: $1"
    [ $# -lt 2 ] || echo "privacy: $2"
}
# phase NAME QUERY-LOG [PRIVACY]: the sensor and an independent eye, ready.
phase() {
    PHASE=$1
    policy "${@:2}" >"$LAB_DIR/policy.yaml"
    check "$1: the sensor starts" sensor_up monitor
    lab_daemon gw "tcpdump-$1" tcpdump --immediate-mode -U -nn -s 0 -i lan0 -w "$LAB_DIR/$1.pcap" "port 53"
    TCPDUMP=$LAB_PID
    lab_wait 5 test -s "$LAB_DIR/$1.pcap"
}
phase_end() {
    lab_stop "$TCPDUMP" INT
    sensor_down
}
seen() { tshark -n -r "$LAB_DIR/$PHASE.pcap" -Y "dns.flags.response == $1" 2>/dev/null | wc -l; }
lines() { jq -es "[.[] | $1] | length" "$LAB_DIR/$PHASE.dns" 2>/dev/null || echo 0; }
total() { jq -es "[.[] | $1 | .sealdns.count] | add // 0" "$LAB_DIR/$PHASE.dns" 2>/dev/null || echo 0; }
is() { # WHAT GOT EXPECTED
    [ "$2" = "$3" ] && ok "$PHASE: $1 ($2)" || not_ok "$PHASE: $1" "$2 in place of $3"
}
has_total() { [ "$(total '.')" -ge "$1" ]; }

# 2 + 4 clients' names over UDP and TCP, of both families, and one that is hostile.
ask() {
    local c
    for c in c1 c2; do
        # shellcheck disable=SC2046
        lab_in $c dig +tries=1 +time=1 @$LAB_B4 -t A $(seq -f 'n%g.example.org' "$1")
        # shellcheck disable=SC2046
        lab_in $c dig +tries=1 +time=1 @$LAB_B6 -t AAAA $(seq -f 'n%g.example.org' "$1")
        lab_in $c dig +tcp +tries=1 +time=1 @$LAB_B4 www.example.org A
    done >/dev/null 2>&1
    lab_in c1 dig +tries=1 +time=1 @$LAB_B4 '\010\027[31m"\\\255.example.org' A >/dev/null 2>&1
}

everything() {
    phase all '{mode: all, answers: true, store: true}'
    ask 5
    lab_in c1 kdig +time=2 +tls @$LAB_A4 www.example.org A >/dev/null 2>&1
    lab_wait 5 has_total 46
    phase_end
    is "every query is a line" "$(lines 'select(.dns.type == "request")')" "$(seen 0)"
    is "every response is one" "$(lines 'select(.dns.type == "response")')" "$(seen 1)"
    is "nothing of DNS over TLS" "$(lines 'select(.dest_port == 853)')" 0
    is "the hostile name is escaped" "$(jq -r 'select(.dns.type == "request") | .dns.queries[0].rrname' "$LAB_DIR/all.dns" |
        grep -cF '\010\027[31m"\\\255.example.org')" 1
    is "OCSF has as many lines" "$(jq -es 'map(select(.class_uid == 4003)) | length' "$LAB_DIR/all.ocsf")" "$(lines .)"
    is "and the store" "$(sqlite3 "$LAB_DIR/all.db" 'SELECT count(*) FROM queries')" "$(lines .)"
    is "events are in their own file" "$(jq -es 'map(select(.event_type == "dns")) | length' "$LAB_DIR/all.eve")" 0
}

sampled() {
    phase sampled '{mode: sampled, sample: 1/3, clients: network, names: registered}'
    ask 20
    lab_wait 2 has_total 1
    phase_end
    local asked answered
    asked=$(lines 'select(.dns.type == "request")')
    answered=$(lines 'select(.dns.type == "response")')
    is "pairs are whole" "$asked" "$answered"
    [ "$asked" -gt 5 ] && [ "$asked" -lt 60 ] && ok "sampled: about a third ($asked of $(seen 0))" || not_ok "sampled: about a third" "$asked of $(seen 0)"
    is "networks and domains alone" "$(jq -r '.src_ip + " " + .dns.queries[0].rrname' "$LAB_DIR/sampled.dns" | sort -u | grep -vcE '^(10\.53\.1\.0|2001:db8:100::) example\.org$')" 0
}

aggregated() {
    phase aggregated '{mode: aggregated, interval: 1s}'
    ask 5
    lab_in c1 kdig +time=2 +tls @$LAB_A4 www.example.org A >/dev/null 2>&1
    lab_wait 5 has_total 47
    phase_end
    is "sums of queries" "$(total 'select(.dns.type == "request" and (.sealdns.sealed | not))')" "$(seen 0)"
    is "sums of responses" "$(total 'select(.dns.type == "response" and (.sealdns.sealed | not))')" "$(seen 1)"
    is "what is encrypted is a number" "$(lines 'select(.sealdns.transport == "dot" and .dns.queries == [] and .sealdns.count >= 1)' | sed 's/[1-9].*/some/')" some
}

who_is() { jq -r "select(.sealdns.client != null) | .sealdns.client" "$LAB_DIR/$PHASE".dns "$LAB_DIR/$PHASE".eve | sort -u; }
told() { [ -n "$(jq -r 'select(.sealdns.kind == "cleartext") | .sealdns.client' "$LAB_DIR/$PHASE.eve")" ]; }
# names_nobody: neither store nor feeds have the address of a client.
names_nobody() { ! grep -qaE "$(lab_client4 1 | sed 's/\./\\./g')|$(lab_client6 1)|$(lab_client4 2 | sed 's/\./\\./g')" "$LAB_DIR/$PHASE".db* "$LAB_DIR/$PHASE".eve "$LAB_DIR/$PHASE".dns; }

pseudonyms() {
    local privacy="{clients: pseudonym, key: $LAB_DIR/pseudonym.key, rotate: 30d}" first second
    for PHASE in one two three; do
        [ $PHASE != three ] || sed -i -E 's/^(key [0-9]+) [0-9]+/\1 1000000000/' "$LAB_DIR/pseudonym.key" # long ago
        phase $PHASE '{mode: all, store: true}' "$privacy"
        ask 1
        lab_wait 5 has_total 14
        lab_wait 5 told
        phase_end
        check "$PHASE: no client's address is written anywhere" names_nobody
        who_is | grep -c . >"$LAB_DIR/$PHASE.count"
        who_is >"$LAB_DIR/$PHASE.who"
    done
    PHASE=one
    is "two clients of two addresses" "$(cat "$LAB_DIR/one.count")" 4
    is "an address may stand there" "$(grep -cE '^fd[0-9a-f]{2}:' "$LAB_DIR/one.who")" 4
    check "pseudonyms: the same after a restart" cmp "$LAB_DIR/one.who" "$LAB_DIR/two.who"
    is "none the same after a rotation" "$(grep -cFf "$LAB_DIR/two.who" "$LAB_DIR/three.who")" 0
}

tells_who() { sealdns events --db "$LAB_DIR/$PHASE.db" --format json | jq -es 'any(flatten[].sealdns; .evidence.what == "client forgotten" and .evidence.uid == 0)'; }
forget() { sealdns forget "$(lab_client4 1)" "$@" >"$LAB_DIR/forget.out"; }
left() { grep -caF "$(lab_client4 1)" "$LAB_DIR/$PHASE.db" "$LAB_DIR/$PHASE.db-wal" 2>/dev/null | awk -F: '{ n += $2 } END { print n + 0 }'; }

# The running sensor does it and says who asked; what it writes after that goes the second time.
forgotten() {
    phase forgotten '{mode: all, store: true}'
    ask 5
    lab_wait 5 has_total 46
    lab_wait 5 told
    check "forgotten: by the running sensor" forget --socket "$LAB_DIR/sealdns.sock"
    check "forgotten: it says what went" grep -q "lines of the query log" "$LAB_DIR/forget.out"
    check "forgotten: an event tells who asked" lab_wait 5 tells_who
    check "forgotten: the sensor goes on" sealdns status --socket "$LAB_DIR/sealdns.sock"
    phase_end
    check "forgotten: once more when it has ended" forget --db "$LAB_DIR/forgotten.db" -c "$LAB_DIR/policy.yaml"
    is "its address is nowhere in the store's files" "$(left)" 0
    check "forgotten: a third time" forget --db "$LAB_DIR/forgotten.db" -c "$LAB_DIR/policy.yaml"
    check "forgotten: finds nothing" grep -q "nothing is written" "$LAB_DIR/forget.out"
    is "others stay" "$(sqlite3 "$LAB_DIR/forgotten.db" "SELECT count(*) > 0 FROM queries WHERE client = '$(lab_client4 2)'")" 1
}

main() {
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    lab_client c2 2
    everything
    sampled
    aggregated
    pseudonyms
    forgotten
    tally
}
main
