#!/bin/bash
# A resolver that no name and no address gives away: two clients ask it by DNS over HTTPS, and the server is told to both; two
# others poll a web server in messages as short, and nothing is. Nothing is cut for it, though the policy rejects who is unapproved, until
# a probe has confirmed it and the policy asks for that.
#
#   run-hidden.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && LAB_KEEP=1
readonly WEB=198.51.100.80

web_up() {
    lab_leaf web lab-ca DNS:www.other.example
    ip -n "$LAB-server" addr add $WEB/32 dev lo
    lab_daemon server backend /usr/bin/python3 "$LAB_ROOT/tests/doh/backend.py" http
    lab_daemon server web socat "OPENSSL-LISTEN:443,bind=$WEB,cert=$LAB_DIR/web.pem,key=$LAB_DIR/web.key,verify=0,reuseaddr,fork" \
        TCP:127.0.0.1:8080
    lab_wait 5 lab_in c3 curl -sk -o "$LAB_DIR/first" "https://$WEB/api?n=20" || lab_die "the web server does not answer"
}

# ask_doh CLIENT: one connection, a question after another.
ask_doh() {
    local number words=()
    for number in $(seq 24); do words+=("host$number.example.org" A); done
    lab_in "c$1" timeout 20 kdig +https +keepopen +retry=0 +time=2 +tls-sni=$LAB_B_NAME +noall @$LAB_B4 "${words[@]}" \
        >"$LAB_DIR/doh.$1" 2>&1
}

poll() {
    local number urls=()
    for number in $(seq 40); do urls+=("https://www.other.example/api?n=$((40 + number * 3))&key=$number"); done
    lab_in "c$1" timeout 20 curl -sk --resolve www.other.example:443:$WEB --rate 600/m "${urls[@]}" >"$LAB_DIR/poll.$1"
}

# told SERVER: the clients that are told of a hidden resolver there.
told() {
    jq -rs --arg server "$1" '[flatten[] | select(.sealdns.rule? == "hidden-resolver" and .sealdns.server == $server).sealdns.client]
        | unique | join(" ")' "$LAB_DIR/eve.json"
}
says() { jq -es "[flatten[] | select(.sealdns.rule? == \"hidden-resolver\")] | length > 0 and all($1)" "$LAB_DIR/eve.json" >/dev/null; }
judged() { lab_in gw "$SEALDNS" status --socket "$LAB_DIR/sealdns.sock" --format json | jq -e '[.. | .behaviours? // empty] | add >= 8' >/dev/null; }

answers() {
    lab_in c1 kdig +https +short +retry=0 +time=2 +tls-sni=$LAB_B_NAME @$LAB_B4 www.example.org A | grep -q '^[0-9]'
}

# The policy asks for it and a probe confirms it: who asks there is cut off.
confirmed() {
    sed -i 's/mode: monitor}/mode: monitor, preflight: false, pairs: {timeout: 60s, hidden: true}}\nprobe: {on_sight: true, timeout: 3s}/' "$LAB_DIR/policy.yaml"
    rm -f "$LAB_DIR"/sealdns.db* "$LAB_DIR/eve.json"
    sensor_up enforce || lab_die "the sensor did not start"
    ask_doh 1 & ask_doh 1 & ask_doh 1 & ask_doh 1 & ask_doh 1 & ask_doh 1 &
    poll 3 &
    check "with \`hidden\`: a probe confirms it, and the kernel cuts the client off" lab_wait 15 paired
    check "... it does not resolve there" eval '! answers'
    check "... a client of the web server is not cut off" eval '! lab_in gw nft list table inet sealdns | grep -q "$(lab_client4 3) \."'
    check "... the finding says blocked, by a probe" lab_wait 5 says_blocked
    sensor_down
}
paired() { lab_in gw nft list set inet sealdns paired_ip4 | grep -q "$(lab_client4 1) . $LAB_B4"; }
says_blocked() {
    jq -es '[flatten[] | select(.sealdns.rule? == "hidden-resolver" and .alert.action == "blocked")]
        | length > 0 and all(.sealdns.evidence.identified_by == "behaviour,probe")' "$LAB_DIR/eve.json"
}

main() {
    local client turn pids=()
    lab_up || exit 1
    sensor_policy alert reject >"$LAB_DIR/policy.yaml"
    for client in 1 2 3 4; do lab_client "c$client" "$client"; done
    web_up
    sensor_up enforce || lab_die "the sensor did not start"
    sleep 1
    for turn in 1 2; do
        for client in 1 2; do ask_doh "$client" & pids+=($!); done
        for client in 3 4; do poll "$client" & pids+=($!); done
        wait "${pids[@]}"
        pids=()
    done
    sleep 4
    check "every connection was judged" judged
    check "the resolver is told, to both clients" test "$(told $LAB_B4)" = "$(lab_client4 1) $(lab_client4 2)"
    check "by behaviour, as DNS over HTTPS" says '.sealdns.evidence.identified_by == "behaviour" and .sealdns.transport == "doh2"'
    check "nothing is blocked for it, though who is unapproved is rejected" says '.alert.action == "allowed"'
    check "it still answers" answers
    check "a web server with messages as short is not" test -z "$(told $WEB)"
    sensor_down
    check "the sensor ends well" test -s "$LAB_DIR/sealdns.db"
    confirmed
}

trap lab_down EXIT
main
tally
