#!/bin/bash
# An address like a CDN's serves a resolver that nobody approved and a web site: the client that was seen to ask that resolver
# is cut off the address for a while, whoever else goes there is not.
#
#   run-pairs.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1
readonly CDN4=198.51.100.90 CDN6=2001:db8:54::90 SITE4=198.51.100.80 SITE6=2001:db8:54::80
readonly DOH=doh.cdn.example WEB=www.cdn.example

# pairs_policy TIMEOUT: the resolver behind the CDN is known by its name, and approved nowhere.
pairs_policy() {
    sensor_policy alert reject | sed "s|^resolvers:|&\n  - {id: hidden, name: $DOH}|
        s|^sensor: {.*|sensor: {name: lab, interfaces: [lan0], mode: monitor, preflight: false, pairs: {timeout: $1}}|"
}

cdn_up() {
    local a
    for a in $CDN4/32 $SITE4/32; do ip -n "$LAB-server" addr add "$a" dev lo; done
    for a in $CDN6/128 $SITE6/128; do ip -n "$LAB-server" addr add "$a" dev lo nodad; done
    lab_leaf site lab-ca "DNS:$WEB"
    lab_daemon server backend /usr/bin/python3 "$LAB_ROOT/tests/doh/backend.py" http
    for a in "OPENSSL-LISTEN:443,bind=$SITE4" "OPENSSL-LISTEN:443,pf=ip6,bind=[$SITE6]"; do
        lab_daemon server site socat "$a,cert=$LAB_DIR/site.pem,key=$LAB_DIR/site.key,verify=0,reuseaddr,fork" TCP:127.0.0.1:8080
    done
    lab_daemon server cdn4 "$LAB_HERE/cdn.py" $CDN4 $SITE4 "$DOH=$LAB_B4"
    lab_daemon server cdn6 "$LAB_HERE/cdn.py" $CDN6 $SITE6 "$DOH=$LAB_B6"
    lab_wait 5 browses c1 $CDN4 && lab_wait 5 browses c1 $CDN6 || lab_die "the CDN does not answer"
}

cdn_of() { [ "$1" = 4 ] && echo $CDN4 || echo $CDN6; }
client_of() { [ "$2" = 4 ] && lab_client4 "$1" || lab_client6 "$1"; }
# resolves CLIENT ADDRESS: a DoH question of its own connection.
resolves() { lab_in "$1" kdig +https +short +retry=0 +time=1 +tls-sni=$DOH "@$2" www.example.org A 2>/dev/null | grep -q '^[0-9]'; }
browses() {
    local host=$2
    [[ $host == *:* ]] && host="[$host]"
    lab_in "$1" curl -sk -m 2 -o /dev/null --resolve "$WEB:443:$host" "https://$WEB/api?n=20"
}
kept_open() { # CLIENT ADDRESS: one connection, questions until it is cut; prints how many were answered
    local n words=()
    for n in $(seq 400); do words+=("host$n.example.org" A); done
    lab_in "$1" timeout 10 kdig +https +keepopen +short +retry=0 +time=1 +tls-sni=$DOH "@$2" "${words[@]}" 2>/dev/null | grep -c '^[0-9]'
}

# udp_error CLIENT ADDRESS: the errno that a datagram to port 443 comes back as.
udp_error() {
    lab_in "$1" /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.connect((sys.argv[1], 443))
s.send(b"x")
try:
    s.recv(1)
except OSError as e:
    print(e.errno)' "$2"
}

elements() { lab_in gw nft list set inet sealdns "paired_ip$1"; }
# paired CLIENT-NUMBER FAMILY: the pair with the CDN stands in the kernel.
paired() { elements "$2" | grep -q "$(client_of "$1" "$2") . $(cdn_of "$2")"; }
unpaired() { ! paired "$@"; }
counted() { # the packets that rule forward/paired-ipN has matched
    lab_in gw nft -j list chain inet sealdns https |
        jq --arg id "sealdns: forward/paired-ip$1" '[.nftables[].rule? | select(.comment == $id) | .expr[].counter?.packets // empty] | add // 0'
}
# events FILTER: all revisions that are stored. tells FILTER CONDITION: of them.
events() { sealdns events --db "$LAB_DIR/sealdns.db" --format json | jq -s "[flatten[] | select($1)]"; }
tells() { [ "$(events "$1" | jq "$2")" = true ]; }
status_of() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json; }

begin() { # MODE
    rm -f "$LAB_DIR"/sealdns.db* "$LAB_DIR/eve.json"
    sensor_up "$1" || lab_die "the sensor did not start"
}

# One that has worked for a while ends when a policy comes that cuts it.
running() {
    local answered
    pairs_policy 1m | sed 's/unapproved: reject/unapproved: alert/' >"$LAB_DIR/policy.yaml"
    begin enforce
    lab_in c1 stdbuf -oL curl -sk --http2 -m 5 --rate 600/m -o /dev/null -w '%{http_code}\n' --resolve "$DOH:443:$CDN4" \
        "https://$DOH/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA29yZwAAAQAB#[1-60]" >"$LAB_DIR/running" 2>/dev/null &
    lab_wait 5 grep -q 200 "$LAB_DIR/running"
    pairs_policy 1m >"$LAB_DIR/policy.yaml"
    check "a connection that runs, and a policy that cuts it: reload" sealdns status reload --socket "$LAB_DIR/sealdns.sock"
    check "... the pair stands" lab_wait 4 paired 1 4
    wait $!
    answered=$(grep -c 200 "$LAB_DIR/running")
    [ "$answered" -gt 0 ] && [ "$answered" -lt 60 ] && ok "... and the connection ends ($answered of 60 questions were answered)" || not_ok "... and the connection ends" "$answered of 60 answered"
    sensor_down
}

cut_off() { # FAMILY
    local cdn answered
    cdn=$(cdn_of "$1")
    answered=$(kept_open c1 "$cdn")
    [ "$answered" -lt 400 ] && ok "IPv$1: a connection that is kept open ends ($answered of 400 answered)" ||
        not_ok "IPv$1: a connection that is kept open ends" "all were answered"
    check "IPv$1: the pair stands in the kernel" paired 1 "$1"
    check "IPv$1: a new one fails" eval "! resolves c1 $cdn"
    check "IPv$1: so does the client's web there, for that time" eval "! browses c1 $cdn"
    check "IPv$1: another client's web does not" browses c3 "$cdn"
    # EHOSTUNREACH and EACCES are "administratively prohibited"; ECONNREFUSED is the server's own, which has no QUIC.
    check "IPv$1: UDP is refused to the one" eval 'case $(udp_error c1 $cdn) in 113 | 13) ;; *) false ;; esac'
    check "IPv$1: ... and reaches the server from the other" eval '[ "$(udp_error c3 $cdn)" = 111 ]'
    check "IPv$1: rules diff sees no difference" eval '[ -z "$(sealdns rules diff -c "$LAB_DIR/policy.yaml" --mode enforce)" ]'
    check "IPv$1: explain says so" eval "sealdns explain -c $LAB_DIR/policy.yaml $(client_of 1 "$1") | grep -q 'port 443 of $cdn.*cut'"
}

healed() {
    local before
    before=$(status_of | jq .rules.drifts_healed)
    resolves c4 $CDN4
    lab_wait 3 paired 4 4 || not_ok "a deleted pair: it stands" "$(elements 4)"
    lab_in gw nft delete element inet sealdns paired_ip4 "{ $(lab_client4 4) . $CDN4 }"
    lab_wait 1 paired 4 4 && ok "a deleted pair is back within a second" || not_ok "a deleted pair is back within a second" "$(elements 4)"
    lab_in gw nft add element inet sealdns paired_ip4 "{ $(lab_client4 3) . $CDN4 timeout 60s }"
    lab_wait 1 unpaired 3 4 && ok "somebody else's pair goes within a second" || not_ok "somebody else's pair goes within a second" "$(elements 4)"
    lab_in gw nft flush ruleset
    lab_wait 1 paired 4 4 && ok "after a flush it comes back" || not_ok "after a flush it comes back" "$(elements 4)"
    [ "$(status_of | jq .rules.drifts_healed)" = $((before + 3)) ] && ok "three times healed" || not_ok "three times healed" "$(status_of | jq -c .rules)"
    sed -i 's/reason: "the printer, change 1"/reason: "the printer, change 2"/' "$LAB_DIR/policy.yaml"
    check "another policy: reload" sealdns status reload --socket "$LAB_DIR/sealdns.sock"
    check "... and the pair stays" paired 4 4
}

never() {
    resolves c2 $CDN4
    check "an exception of the policy is never paired" eval "resolves c2 $CDN4 && unpaired 2 4"
    check "who only browses is not" unpaired 3 4
}

# Client 4 writes other addresses into hellos that name the resolver, and does not see what the server answers. At address 5 is nobody.
forged() {
    local n said
    for n in 3 5; do
        lab_in c4 "$LAB_HERE/forge-hello.py" "$(lab_client4 $n)" $CDN4 $DOH $([ $n = 5 ] && echo syn)
        said='.sealdns.rule == "unapproved-resolver" and .sealdns.client == "'$(lab_client4 $n)'"'
        check "a hello in the name of client $n is seen" lab_wait 5 tells "$said" 'length > 0'
        check "... and pairs nobody" unpaired $n 4
    done
    check "a client in whose name somebody else asked still browses" browses c3 $CDN4
}

ends() {
    local n
    pairs_policy 5s >"$LAB_DIR/policy.yaml"
    begin enforce
    for n in 4 6; do
        resolves c1 "$(cdn_of $n)"
        check "IPv$n: a pair of 5 s" lab_wait 3 paired 1 $n
        check "IPv$n: it ends by itself" lab_wait 8 unpaired 1 $n
        check "IPv$n: the client's web works again" browses c1 "$(cdn_of $n)"
    done
    sleep 0.3
    [ "$(status_of | jq .rules.drifted)" = false ] && ok "what ended is no drift" || not_ok "what ended is no drift" "$(status_of | jq -c .rules)"
    resolves c1 $CDN4
    check "who tries again is paired again" lab_wait 3 paired 1 4
    sensor_down
}

on_trial() { [ "$(status_of | jq '.rules.rolled_back_in // 0')" -gt 0 ]; }

# Rules on trial that are rolled back: the pairs of before and those of meanwhile stand.
trial() {
    local before
    before=$(status_of | jq .rules.drifts_healed)
    sed -i 's/reason: "the printer, change 2"/reason: "the printer, change 3"/' "$LAB_DIR/policy.yaml"
    lab_in gw "$SEALDNS" rules apply -c "$LAB_DIR/policy.yaml" --confirm 2 >"$LAB_DIR/try.log" 2>&1 </dev/null &
    lab_wait 5 on_trial || not_ok "rules on trial" "$(cat "$LAB_DIR/try.log")"
    resolves c4 $CDN6
    check "on trial: another pair" lab_wait 2 paired 4 6
    check "on trial: rolled back" lab_wait 6 eval '! on_trial'
    check "... that pair stands" lab_wait 1 paired 4 6
    check "... and that of before" paired 4 4
    [ "$(status_of | jq -c '[.rules.drifted, .rules.drifts_healed]')" = "[false,$before]" ] && ok "... and nothing was to be healed" || not_ok "... and nothing was to be healed" "$before, $(status_of | jq -c .rules)"
}

told() {
    local mine='.sealdns.rule == "unapproved-resolver" and .sealdns.server == "'$CDN4'" and .sealdns.client == "'$(lab_client4 1)'"'
    local paired='.sealdns.evidence.what == "paired" and .sealdns.client == "'$(lab_client4 1)'"'
    lab_wait 3 tells "$mine" 'any(.alert.action == "blocked")'
    check "the finding says blocked" tells "$mine" 'any(.alert.action == "blocked")'
    check "an enforcement event for the client and the resolver, one that grows" tells "$paired" '([.[].sealdns.id] | unique | length) == 1 and length < 12'
    check "... with resolver, end and verdict" tells "$paired" 'all(.sealdns.evidence.resolver == "hidden" and .sealdns.evidence.until and .sealdns.verdict == "blocked")'
    [ "$(status_of | jq '.rules.pairs >= 1 and .counters.pairs_put >= 3')" = true ] && ok "status counts pairs" || not_ok "status counts pairs" "$(status_of | jq -c .rules)"
}

# The sensor is killed: what stands stays as on_exit has it, pairs with their time, and the next one knows them.
killed() {
    sensor_processes "$SENSOR_PID" | xargs kill -KILL
    wait "$SENSOR_PID" 2>/dev/null
    check "kill -9 of all: the pair stands" paired 1 4
    check "... and cuts" eval "! resolves c1 $CDN4"
    begin enforce
    check "the next sensor takes it over" eval '[ "$(status_of | jq ".rules.pairs >= 1 and (.rules.drifted | not)")" = true ] && paired 1 4'
    kill -KILL "$(pgrep -P "$SENSOR_PID" | head -n 1)"
    wait "$SENSOR_PID" 2>/dev/null
    check "kill -9 of a part: the rules go, as on_exit: remove has it" table_absent
    check "... and the client resolves" resolves c1 $CDN4
}

shadow() {
    local before after
    begin shadow
    [ "$(kept_open c1 $CDN4)" = 400 ] && ok "shadow: all questions are answered" || not_ok "shadow: all questions are answered"
    check "shadow: the pair stands" lab_wait 3 paired 1 4
    before=$(counted 4)
    check "shadow: it cuts nothing" resolves c1 $CDN4
    after=$(counted 4)
    [ "$after" -gt "$before" ] && ok "shadow: it counts ($before to $after packets)" || not_ok "shadow: it counts" "$before to $after"
    lab_wait 3 tells '.sealdns.evidence.what == "paired"' 'any(.sealdns.verdict == "would-block")'
    check "shadow: would-block" tells '.sealdns.evidence.what == "paired"' 'length > 0 and all(.sealdns.verdict == "would-block")'
    sensor_down
}

main() {
    local client
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    for client in 1 2 3 4; do lab_client "c$client" "$client"; done
    cdn_up
    running
    begin enforce
    cut_off 4
    cut_off 6
    never
    forged
    healed
    told
    trial
    killed
    ends
    shadow
    tally
}
main
