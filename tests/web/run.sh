#!/bin/bash
# The dashboard in real Chromium, by Playwright and axe, against the real program: a gateway in mode enforce that real clients
# have passed (a downgrade, clear text, a ClientHello whose name is a script), a sensor with 100,000 events in its store that
# asks for a token, and one that saw nothing. All of it in one namespace without a network. Before that: a build without npm,
# and without a network, goes on without charts and says so.
#
#   run.sh [--keep] [PLAYWRIGHT-ARGUMENT...]
#
# SEALDNS names the binary (build/sealdns). --keep waits for Enter before it takes all down, and says where the pages are.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../netns/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"

KEEP=0
[ "${1:-}" != --keep ] || { KEEP=1; shift; }
NODE=$LAB_ROOT/build/test/web # what the browser's side of the tests needs, fetched once

missing() { echo "skip dashboard: $*"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

# Playwright and axe as the lock file pins them. It brings no browser: Debian's is used.
fetch() {
    mkdir -p "$NODE" || return 1
    cp "$HERE"/*.js "$HERE"/package.json "$HERE"/package-lock.json "$NODE/" || return 1
    cmp -s "$NODE/package-lock.json" "$NODE/fetched" && return 0
    (cd "$NODE" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 timeout 120 npm ci --ignore-scripts --no-audit --no-fund \
        --fetch-retries=0 --fetch-timeout=20000 >fetch.log 2>&1) && cp "$NODE/package-lock.json" "$NODE/fetched"
}

# made NAME COMMAND...: a build by that command goes on, without charts, and says so.
made() {
    local into=$LAB_DIR/cmake-$1
    shift
    "$@" -S "$LAB_DIR" -B "$into" >"$into.log" 2>&1 && [ -s "$into/web/licenses.txt" ] && [ ! -e "$into/web/charts.js" ] &&
        grep -q 'built without charts, its tables remain' "$into.log"
}

charts() {
    printf 'cmake_minimum_required(VERSION 3.25)\nproject(charts NONE)\ninclude(%s/dashboards/web/charts.cmake)\n' "$LAB_ROOT" \
        >"$LAB_DIR/CMakeLists.txt"
    check "a build without npm goes on, without charts, and says so" made no-npm cmake -DSEALDNS_NPM=NO
    check "a build without a network, too" made no-network unshare -n env npm_config_cache="$LAB_DIR/no-cache" cmake
}

policy() {
    cat <<END
sensor: {name: gw-lab, interfaces: [lan0], mode: monitor}
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
evidence: {pcap: {path: $LAB_DIR/pcap, severity: informational}}
resolvers:
  - {id: lab, name: $LAB_A_NAME, addresses: [$LAB_A4, "$LAB_A6"], transports: [dot, doh2]}
zones:
  - {id: office, networks: [10.53.0.0/16], approve: [lab], cleartext: reject, unapproved: reject, bootstrap: true}
  - {id: guest, networks: [$(lab_client4 40)/32], approve: [lab], cleartext: alert, unapproved: alert}
exceptions:
  - {client: $(lab_client4 2), until: 2099-12-31, owner: lab, reason: "the printer, change 1"}
END
}
# other NAME PORT KEY...: the policy of one of the two others.
other() {
    cat <<END
sensor: {name: gw-$1, interfaces: [lo], mode: monitor}
store: {path: $LAB_DIR/$1.db}
control: {socket: $LAB_DIR/$1.sock}
web: {listen: "127.0.0.1:$2"$3}
resolvers: [{id: quad9, catalog: quad9}]
zones:
  - {id: office, networks: [10.0.0.0/8], approve: [quad9], cleartext: alert, unapproved: alert}
END
}

raise() {
    lab_client laptop 1
    lab_client printer 2
    lab_client desktop 3
    lab_client walker 40
    policy >"$LAB_DIR/policy.yaml"
    mkdir -m 755 "$LAB_DIR/pcap"
    printf 'token-of-the-analyst\n' >"$LAB_DIR/token"
    printf 'token-of-the-auditor\n' >"$LAB_DIR/token-auditor"
    other many 8054 ", token: $LAB_DIR/token, viewers: [{token: $LAB_DIR/token-auditor, clients: false}]" >"$LAB_DIR/many.yaml"
    other empty 8055 "" >"$LAB_DIR/empty.yaml"
}

fill_store() {
    python3 "$HERE/many.py" "$LAB_DIR/many.pcap" 2000 50 &&
        "$SEALDNS" analyze -c "$LAB_DIR/many.yaml" --db "$LAB_DIR/many.db" "$LAB_DIR/many.pcap" >"$LAB_DIR/many.txt"
}

# answers PORT
answers() { lab_in gw curl -sf "http://127.0.0.1:$1/healthz"; }
sensor_of() { lab_daemon gw "$1" "$SEALDNS" run -c "$LAB_DIR/$1.yaml"; }

traffic() {
    local i
    for i in 1 2 3; do
        lab_in laptop kdig +short @$LAB_A4 "+tls-ca=$LAB_CA" +tls-hostname=$LAB_A_NAME "n$i.example.org"
    done
    lab_in laptop dig +short +tries=1 +time=1 @$LAB_B4 www.example.org
    lab_in printer dig +short +tries=1 @$LAB_B4 www.example.org
    lab_in walker kdig +short +retry=0 +timeout=2 @$LAB_B4 +tls "+tls-sni=<script>alert(1)</script>" www.example.org
    lab_in walker kdig +short +retry=0 +timeout=2 @$LAB_B4 '<script>alert(1)</script>.example.org'
    downgrade
} >/dev/null 2>&1

downgrade() {
    local stubby name
    stubby_configuration >"$LAB_DIR/stubby.yml"
    lab_daemon desktop stubby stubby -C "$LAB_DIR/stubby.yml"
    stubby=$LAB_PID
    lab_wait 5 lab_listens desktop 53
    lab_in desktop dig +short +tries=1 @127.0.0.1 docs.example.org
    fault_on reset 3 853
    for name in www.example.org news.example.net shop.example.com; do
        lab_in desktop dig +short +tries=1 +time=6 @127.0.0.1 $name
    done
    lab_stop $stubby
    fault_off reset 3 853
}

told() { sealdns events --db "$LAB_DIR/sealdns.db" --format json | grep -c "$1"; }

browser() {
    local all=("$@")
    (cd "$NODE" && lab_in gw env HOME="$LAB_DIR" LAB="$LAB" LAB_URL=http://127.0.0.1:8053 MANY_URL=http://127.0.0.1:8054 \
        EMPTY_URL=http://127.0.0.1:8055 WALKER="$(lab_client4 40)" npx playwright test "${all[@]}") >"$LAB_DIR/browser.log" 2>&1
    grep -E '^(ok|not ok|skip|#) ' "$LAB_DIR/browser.log"
    local counted
    counted=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$LAB_DIR/browser.log" | tail -n 1)
    if [[ $counted =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(, ([0-9]+) skipped)?$ ]]; then
        PASSED=$((PASSED + BASH_REMATCH[1])) FAILED=$((FAILED + BASH_REMATCH[2])) SKIPPED=$((SKIPPED + ${BASH_REMATCH[4]:-0}))
    else
        not_ok "Playwright runs" "$(tail -n 3 "$LAB_DIR/browser.log" | tr '\n' ' ')"
    fi
}

command -v npm >/dev/null || missing "there is no npm"
command -v chromium >/dev/null || missing "there is no Chromium"
fetch || missing "Playwright cannot be fetched: is there a network?"
lab_up || exit 1
raise
fill_store &
FILLING=$!
charts
check "100,000 events are in a store" wait $FILLING
# First those that only watch: one that starts takes rules away that it would not have.
sensor_of many
sensor_of empty
for port in 8054 8055; do check "pages on port $port" lab_wait 10 answers $port; done
check "the lab's sensor runs, in mode enforce" sensor_up enforce || exit 1
traffic
check "the downgrade is told" lab_wait 10 told downgrade
check "pages on port 8053" lab_wait 10 answers 8053
[ $KEEP = 0 ] || { echo "in namespace $LAB-gw: http://127.0.0.1:8053 8054 8055; Enter goes on"; read -r _; }
browser "$@"
tally
