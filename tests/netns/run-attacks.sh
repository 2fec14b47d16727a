#!/bin/bash
# Attacks in the lab, by real servers and forged packets, and beside each what only looks like it: the events of these
# rules must be exactly the attacks, live, in the feed, with the right severity, and nothing for the others.
#
#   run-attacks.sh [--record] [--keep]
#
# --record renews tests/pcap/attack-* from what crossed lan0. SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
. "$LAB_HERE/attack-servers.sh"

RECORD=0
for argument in "$@"; do
    case $argument in
    --record) RECORD=1 ;;
    --keep) export LAB_KEEP=1 ;;
    *) echo "run-attacks.sh: no option $argument" >&2; exit 2 ;;
    esac
done

# Who is who. Names of namespaces, numbers of clients.
MACHINES="primary:10 secondary:11 stranger:12 rogue:13 open:14 closed:15 struck:16 guessed:17 raced:18 twice:19
    doubled:20 torture:21 loader:22 asker1:23 asker2:24 asker3:25 sprayed:26
    mixed:27 probed:28 leaver:29"
readonly VICTIM=203.0.113.200 OUTSIDER=198.51.100.77 ROTATING=198.51.100.78 SMALL=198.51.100.79 SLOW=198.51.100.80 REFLECTORS=198.51.100.0

address_of() {
    local m
    for m in $MACHINES; do [ "${m%:*}" = "$1" ] && lab_client4 "${m#*:}"; done
}

attack_policy() {
    cat <<END
sensor:
  name: lab
  interfaces: [lan0]
  mode: monitor
  roles: [{address: $(address_of secondary), role: secondary}]
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
zones:
  - {id: lab, networks: [10.53.0.0/16, "2001:db8:100::/64"]}
  - {id: gateway, networks: [$LAB_GW4, "$LAB_GW6"]}
outputs:
  - {type: file, format: eve, path: $LAB_DIR/eve.json}
END
}

forge() {
    local where=$1
    shift
    lab_in "$where" timeout 30 python3 "$LAB_HERE/forge.py" "$@"
}

ask() { lab_in "$1" timeout 10 dig +tries=1 +time=3 "${@:2}" >/dev/null 2>&1; }

raise_machines() {
    local m
    for m in $MACHINES; do lab_client "${m%:*}" "${m#*:}"; done
    lab_in leaver sysctl -qw net.ipv4.icmp_msgs_burst=10000 # or Linux tells of 50 closed ports, and of no more
    for m in $VICTIM $OUTSIDER $ROTATING $SMALL $SLOW; do ip -n "$LAB-server" addr add "$m/32" dev lo; done
    lab_daemon server rotate python3 "$LAB_HERE/forge.py" rotate $ROTATING
    lab_daemon server small python3 "$LAB_HERE/forge.py" small $SMALL
    lab_daemon server slow python3 "$LAB_HERE/forge.py" slow $SLOW # slower than who forges its answers
    lab_daemon isp letters python3 "$LAB_HERE/forge.py" race gw0 www.letters.example 192.0.2.66
    lab_daemon isp race python3 "$LAB_HERE/forge.py" race gw0 www.race.example 192.0.2.66
    lab_daemon isp double python3 "$LAB_HERE/forge.py" double srv0 www.double.example
    attack_servers
}

# --- what must stay silent -------------------------------------------------------------------------------------------

# The secondary has fetched its zones when it started; it asks for news by IXFR.
transfers_of_the_secondary() {
    lab_in secondary kdig +time=3 "@$(address_of primary)" lab.example AXFR >"$LAB_DIR/axfr.txt" 2>&1
    lab_in secondary kdig +time=3 "@$(address_of primary)" lab.example IXFR=1 >"$LAB_DIR/ixfr.txt" 2>&1
}

# An outside resolver with a taste for large answers, about many names; the primary answers for zones of its own.
large_answers_to_a_resolver() {
    seq -f 't%g.big.example TXT' 600 >"$LAB_DIR/large.txt"
    lab_in server dnsperf -s "$(address_of primary)" -a $OUTSIDER -d "$LAB_DIR/large.txt" -e -Q 80 -l 6 -c 20 >"$LAB_DIR/large.log" 2>&1
}

ordinary_load() {
    seq -f 'n%g.load.example A' 3000 >"$LAB_DIR/load.txt"
    lab_in loader dnsperf -s "$LAB_GW4" -d "$LAB_DIR/load.txt" -Q 250 -l 6 -c 20 >"$LAB_DIR/load.log" 2>&1
    lab_in loader dnsperf -s "$LAB_B4" -d "$LAB_DIR/load.txt" -Q 250 -l 3 >"$LAB_DIR/load2.log" 2>&1
}

questions_asked_twice() { forge twice ask $ROTATING 5600 www.rotate.example 2 >"$LAB_DIR/twice.txt"; }

packets_seen_twice() { forge doubled ask $LAB_B4 5601 www.double.example 1 >"$LAB_DIR/doubled.txt"; }

# Random letters come back as they were from one server, and never from another.
random_letters() {
    forge mixed mixed $SLOW www.known.example 40 >"$LAB_DIR/kept.txt"
    forge mixed mixed $SMALL www.known.example 40 >"$LAB_DIR/small.txt"
}

# A resolver that ends under load: its ports are closed when the answers come.
answers_too_late() { forge leaver leave $LAB_B4 www.late.example 800; }

honest_strangers() {
    ask server -b $OUTSIDER "@$(address_of primary)" www.lab.example A      # authoritative, for everybody
    ask server -b $OUTSIDER "@$(address_of closed)" www.example.net A       # refused
    ask stranger -p 5353 @224.0.0.251 host.local A                          # mDNS
    ask stranger "@$LAB_GW4" www.example.net A
    ask asker1 "@$(address_of primary)" www.lab.example A
}

# --- what must be found ----------------------------------------------------------------------------------------------

transfers_to_a_stranger() {
    ask stranger "@$(address_of primary)" lab.example AXFR
    ask stranger "@$(address_of primary)" lab.example IXFR=1
    ask asker2 "@$(address_of primary)" leaky.example AXFR
}

open_resolver() {
    ask server -b $OUTSIDER "@$(address_of open)" www.example.net A
    ask server -b $VICTIM "@$(address_of open)" www.example.net A
}

rogue_resolver() {
    local asker i
    for asker in asker1 asker2 asker3; do
        for i in 1 2 3; do ask $asker "@$(address_of rogue)" "n$i.example.net" A; done
    done
}

reflection() { forge isp reflect $VICTIM "$(address_of primary)" any.big.example 900 180; }

strike() { forge isp strike "$(address_of struck)" $REFLECTORS x.strike.example 800 400; }

guessing() {
    forge guessed ask $LAB_A4 5555 www.bank.example 1 >/dev/null
    forge isp guess "$(address_of guessed)" 5555 $LAB_A4 www.bank.example 60 100
}

spraying() { forge isp spray "$(address_of sprayed)" $LAB_A4 www.bank.example 900 1200; }

racing() { ask raced "@$LAB_A4" www.race.example A; }

other_letters() { forge mixed mixed $SLOW www.letters.example 1 >/dev/null; }

probing() { forge isp probe "$(address_of probed)" $LAB_B4 800 1000; }

torture() {
    local i
    for i in $(seq 1500); do echo "$RANDOM$RANDOM$i.torture.example A"; done >"$LAB_DIR/torture.txt"
    lab_in torture dnsperf -s "$(address_of primary)" -d "$LAB_DIR/torture.txt" -Q 200 -n 1 -c 10 >"$LAB_DIR/torture.log" 2>&1
}

# --- what was said ---------------------------------------------------------------------------------------------------

RULES='["amplification", "poisoning", "zone-transfer", "open-resolver", "random-subdomain", "rogue-resolver"]'

# Rule, client, server, gravest severity and what tells it from others of its rule; one line an event.
reported() {
    jq -rs --argjson rules "$RULES" '[.[] | select(.sealdns.rule? as $r | $rules | index($r))] | group_by(.sealdns.id)
        | map(max_by(.sealdns.revision)) | .[] | [.sealdns.rule, .sealdns.client // "-", .sealdns.server // "-",
        (.alert.severity | tostring), (.sealdns.evidence | .sign // .as // .request // .domain // .server_is)] | join(" ")' \
        "$LAB_DIR/eve.json" | sort
}

expected() {
    sort <<END
zone-transfer $(address_of stranger) $(address_of primary) 2 AXFR
zone-transfer $(address_of stranger) $(address_of primary) 2 IXFR
zone-transfer $(address_of asker2) $(address_of primary) 1 AXFR
open-resolver $OUTSIDER $(address_of open) 2 internal
rogue-resolver $(address_of asker1) $(address_of rogue) 2 internal
amplification $VICTIM $(address_of primary) 2 reflector
amplification $(address_of struck) - 2 victim
poisoning $(address_of guessed) $LAB_A4 2 wrong ids
poisoning $(address_of raced) $LAB_A4 1 conflicting answers
poisoning $(address_of sprayed) $LAB_A4 1 port spray
poisoning $(address_of mixed) $SLOW 2 other letters
poisoning $(address_of mixed) $SLOW 1 conflicting answers
poisoning $(address_of probed) $LAB_B4 2 port probing
random-subdomain $(address_of torture) $(address_of primary) 2 torture.example
END
}

# One for every answer that came when its port was closed: on a fast machine half of the 800 come before that.
closed_ports_told() { [ "$(lab_in leaver nstat -asz IcmpOutDestUnreachs | awk '/IcmpOut/ { print $2 }')" -ge 100 ]; }

check_silence() {
    local said
    said=$(reported)
    [ -z "$said" ] && ok "nothing is said of what only looks like an attack" ||
        not_ok "nothing is said of what only looks like an attack" "$(paste -sd';' <<<"$said")"
    check "the secondary was given its zone" grep -q 'www.lab.example' "$LAB_DIR/axfr.txt"
    check "the outside resolver had its large answers" grep -Eq 'Queries completed: +[1-9]' "$LAB_DIR/large.log"
    check "the resolver under load answered" grep -Eq 'Queries completed: +[1-9]' "$LAB_DIR/load.log"
    check "who asked twice had two answers" grep -qx 2 "$LAB_DIR/twice.txt"
    check "random letters were answered by who keeps them" grep -qx 40 "$LAB_DIR/kept.txt"
    check "random letters were answered by who does not" grep -qx 40 "$LAB_DIR/small.txt"
    check "closed ports of a resolver that ends were told by ICMP" closed_ports_told
    check "the doubled packet came twice" grep -qx 2 "$LAB_DIR/doubled.txt"
}

check_attacks() {
    local line said
    reported >"$LAB_DIR/said"
    expected >"$LAB_DIR/wanted"
    while read -r line; do
        grep -qxF -- "$line" "$LAB_DIR/said" && ok "$line" || not_ok "$line" "not said; $(grep "^${line%% *} " "$LAB_DIR/said" | paste -sd';')"
    done <"$LAB_DIR/wanted"
    said=$(grep -vxFf "$LAB_DIR/wanted" "$LAB_DIR/said" | paste -sd';')
    [ -z "$said" ] && ok "nothing else is said" || not_ok "nothing else is said" "$said"
}

# --- fixtures ----------------------------------------------------------------------------------------------------------

# record NAME FILTER KINDS EVENTS WHY: what of the run passes the filter, up to 40 kB.
record() {
    local case=$LAB_ROOT/tests/pcap/$1
    mkdir -p "$case"
    tcpdump -nn -r "$LAB_DIR/lan0.pcap" -w "$case/capture.pcap" "$2" 2>/dev/null
    [ "$(stat -c %s "$case/capture.pcap")" -lt 40000 ] || lab_say "fixture $1 is large: $(stat -c %s "$case/capture.pcap") bytes"
    attack_policy | grep -v -e '^store' -e '^control' -e '^outputs' -e 'eve.json' >"$case/policy.yaml"
    printf '{"kinds": %s,\n "events": [%s]}\n' "$3" "$4" >"$case/expected.json"
    printf '%s\n' "$5" >"$case/why"
}

event() { printf '{"kind": "%s", "rule": "%s", "client": "%s", "server": "%s", "severity": %s, "evidence": {%s}}' "$@"; }

between() { echo "host $(address_of "$1") and host ${2//[a-z]*/$(address_of "$2")}"; }

record_attacks() {
    local transfer='["zone-transfer"]' poison='["poisoning"]' primary open
    primary=$(address_of primary) open=$(address_of open)
    record zone-transfer-refused "$(between stranger primary)" "$transfer" \
        "$(event zone-transfer zone-transfer "$(address_of stranger)" "$primary" 2 '"request": "AXFR", "outcome": "refused"'),
  $(event zone-transfer zone-transfer "$(address_of stranger)" "$primary" 2 '"request": "IXFR", "outcome": "refused"')" \
        "Somebody who is no secondary asks BIND for a zone, by AXFR and by IXFR, and is refused."
    record zone-transfer-given "$(between asker2 primary)" "$transfer" \
        "$(event zone-transfer zone-transfer "$(address_of asker2)" "$primary" 1 '"outcome": "zone given", "complete": true')" \
        "BIND gives a zone to anybody, and somebody who is no secondary takes it."
    record zone-transfer-secondary "$(between secondary primary)" "$transfer" "" \
        "BIND as a secondary fetches its zone from BIND, is notified, and kdig at its address asks for AXFR and IXFR: it may."
    record open-resolver-asked "host $open and (host $OUTSIDER or host $VICTIM)" '["open-resolver"]' \
        "$(event open-resolver open-resolver $OUTSIDER "$open" 2 '"answers": 2, "askers_at_least": 2')" \
        "Unbound inside resolves for two addresses outside."
    record open-resolver-closed "host $OUTSIDER and (host $(address_of closed) or (host $primary and net 10.53.0.0/16)) and udp[8:2] != 0 and less 200" \
        '["open-resolver", "amplification"]' "" \
        "Unbound refuses an address outside, and BIND answers it about its own zones: nothing to tell."
    record rogue-resolver-asked "host $(address_of rogue) and net 10.53.0.0/16 and not host $LAB_B4" '["unapproved-resolver"]' \
        "$(event unapproved-resolver rogue-resolver "$(address_of asker1)" "$(address_of rogue)" 2 '"askers_at_least": 3')" \
        "dnsmasq on a client answers three others; the gateway is the resolver here."
    record poisoning-wrong-ids "$(between guessed $LAB_A4)" "$poison" \
        "$(event poisoning poisoning "$(address_of guessed)" $LAB_A4 2 '"sign": "wrong ids"')" \
        "A client asked; forged answers try one id after another."
    record poisoning-race "$(between raced $LAB_A4)" "$poison" \
        "$(event poisoning poisoning "$(address_of raced)" $LAB_A4 1 '"sign": "conflicting answers", "other_way": true')" \
        "Somebody on the path answers dig before the server does, with another address and another TTL."
    record poisoning-letters "$(between mixed $SLOW)" "$poison" \
        "$(event poisoning poisoning "$(address_of mixed)" $SLOW 2 '"sign": "other letters"'),
  $(event poisoning poisoning "$(address_of mixed)" $SLOW 1 '"sign": "conflicting answers"')" \
        "A client writes names in random letters, which its server keeps; a forged answer comes in small ones, then the server's."
    record poisoning-letters-never-kept "$(between mixed $SMALL)" "$poison" "" \
        "A client writes names in random letters; its server answers in small ones, always: it keeps none."
    record poisoning-asked-twice "$(between twice $ROTATING)" "$poison" "" \
        "A client sends its question twice; the server rotates its addresses and answers each: two different answers, both asked for."
    record poisoning-doubled "$(between doubled $LAB_B4)" "$poison" "" "A server's answer is seen twice, the same."
}

together() {
    local f pids=()
    for f in "$@"; do
        "$f" &
        pids+=($!)
    done
    wait "${pids[@]}"
}

main() {
    lab_up || exit 1
    raise_machines
    attack_policy >"$LAB_DIR/policy.yaml"
    check "the sensor starts" sensor_up monitor
    lab_daemon gw tcpdump tcpdump --immediate-mode -U -nn -s 0 -i lan0 -w "$LAB_DIR/lan0.pcap" "port 53 or ip[6:2] & 0x1fff != 0"
    local tcpdump=$LAB_PID
    lab_wait 5 test -s "$LAB_DIR/lan0.pcap"
    start_secondary
    together transfers_of_the_secondary large_answers_to_a_resolver ordinary_load questions_asked_twice packets_seen_twice honest_strangers random_letters answers_too_late
    sleep 2
    check_silence
    together transfers_to_a_stranger open_resolver rogue_resolver reflection strike guessing spraying racing torture other_letters probing
    sleep 2
    sensor_down
    check_attacks
    lab_stop "$tcpdump" INT
    [ $RECORD = 0 ] || record_attacks
    tally
}
main
