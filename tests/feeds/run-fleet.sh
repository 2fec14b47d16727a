#!/bin/bash
# A fleet: three sensors, each with a gateway, a resolver and clients of its own in network namespaces, tell one ClickHouse, which is
# killed and comes back in between. Nothing is missing there and nothing counts twice, and `sealdns events` and `sealdns plan`
# over all of them say what the three stores say.
#
#   run-fleet.sh
#
# SEALDNS names the binary (build/sealdns). Needs root.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/receivers.sh"
. "$HERE/watched.sh"
export LSAN_OPTIONS=suppressions=$LAB_ROOT/tests/cli/leaks.supp:print_suppressions=0 # of the library of fonts
SENSORS="1 2 3" FLEET="clickhouse://10.99.0.254/sealdns"
declare -A PIDS=()
leave() {
    local n
    for n in $SENSORS; do
        [ -z "${PIDS[$n]:-}" ] || kill -KILL "${PIDS[$n]}"
    done 2>/dev/null
    for n in $SENSORS; do ip netns del "$NS-gw$n"; ip netns del "$NS-lan$n"; done 2>/dev/null
    cleanup
}
trap leave EXIT
ask() { local n=$1; shift; "$SEALDNS" status --socket "$SCRATCH/sock$n" "$@"; }

make_network() {
    local n
    ip netns add $NS && ip -n $NS link set lo up && ip -n $NS link add hub type bridge &&
        ip -n $NS link set hub up && ip -n $NS address add 10.99.0.254/24 dev hub || return 1
    for n in $SENSORS; do
        ip netns add "$NS-gw$n" && ip netns add "$NS-lan$n" && ip -n "$NS-gw$n" link set lo up &&
            ip -n "$NS-gw$n" link add up0 type veth peer name "gw$n" netns $NS &&
            ip -n $NS link set "gw$n" master hub up && ip -n "$NS-gw$n" address add "10.99.0.$n/24" dev up0 &&
            ip -n "$NS-gw$n" link set up0 up && ip -n "$NS-gw$n" link add lan0 type veth peer name eth0 netns "$NS-lan$n" &&
            ip -n "$NS-gw$n" address add "10.$n.0.1/16" dev lan0 && ip -n "$NS-gw$n" link set lan0 up &&
            ip -n "$NS-lan$n" link set eth0 up && ip -n $NS route add "10.$n.0.0/16" via "10.99.0.$n" &&
            ip netns exec "$NS-gw$n" sysctl -qw net.ipv4.ip_forward=1 || return 1
        for client in $(seq 11 50); do echo "address add 10.$n.0.$client/16 dev eth0"; done | ip -n "$NS-lan$n" -batch - || return 1
        ip -n "$NS-lan$n" route add default via "10.$n.0.1" || return 1
    done
}

# One resolver for all, in clear text and over TLS, that no policy knows.
start_resolver() {
    cat >"$SCRATCH/unbound.conf" <<END
server:
  interface: 10.99.0.254@53
  interface: 10.99.0.254@853
  tls-service-pem: $SCRATCH/logs.pem
  tls-service-key: $SCRATCH/logs.key
  access-control: 10.0.0.0/8 allow
  local-zone: example. redirect
  local-data: "example. A 192.0.2.1"
  username: ""
  chroot: ""
  directory: "$SCRATCH"
  pidfile: ""
  do-daemonize: no
  use-syslog: no
END
    receiver unbound unbound -c "$SCRATCH/unbound.conf"
    soon kdig_from 1 11
}
kdig_from() { ip netns exec "$NS-lan$1" kdig +timeout=1 +retry=0 -b "10.$1.0.$2" @10.99.0.254 "${@:3}" www.example | grep -q 192.0.2.1; }

policy() {
    cat <<END
sensor: {name: gw$1, interfaces: [lan0], mode: monitor}
store: {path: $SCRATCH/gw$1/store.db}
control: {socket: $SCRATCH/sock$1}
web: {listen: off}
outputs:
  - {type: clickhouse, id: events, url: "http://10.99.0.254:8123/", table: sealdns.events}
  - {type: clickhouse, id: conversations, url: "http://10.99.0.254:8123/", table: sealdns.conversations, types: [conversation]}
  - {type: clickhouse, id: stats, url: "http://10.99.0.254:8123/", table: sealdns.stats, types: [stats]}
END
}
start_sensor() {
    mkdir -p "$SCRATCH/gw$1"
    policy "$1" >"$SCRATCH/gw$1.yaml"
    ip netns exec "$NS-gw$1" "$SEALDNS" run -c "$SCRATCH/gw$1.yaml" >>"$SCRATCH/gw$1.log" 2>&1 &
    PIDS[$1]=$!
}
start_sensors() {
    local n
    for n in $SENSORS; do start_sensor "$n"; done
    for n in $SENSORS; do soon ask "$n" || return 1; done
}
stop_sensor() {
    kill -TERM "${PIDS[$1]}"
    wait "${PIDS[$1]}" || return 1
    unset "PIDS[$1]"
    ! grep -E 'Sanitizer|runtime error:' "$SCRATCH/gw$1.log"
}

# clients FIRST LAST: of each network; every fifth speaks TLS. One gateway has more of them than another.
clients() {
    local n jobs=()
    for n in $SENSORS; do
        clients_of "$n" "$1" $(($2 - n)) &
        jobs+=($!)
    done
    for n in "${jobs[@]}"; do wait "$n" || return 1; done
}
clients_of() {
    local client
    for client in $(seq "$2" "$3"); do
        if [ $((client % 5)) = 0 ]; then kdig_from "$1" "$client" +tls; else kdig_from "$1" "$client"; fi || return 1
    done
}

count() { asks "SELECT $1" || echo none; }
stored() { sqlite3 "$SCRATCH/gw$1/store.db" "$2"; }
stored_sum() { local n sum=0; for n in $SENSORS; do sum=$((sum + $(stored "$n" "$1"))); done; echo $sum; }
# Events and sums of conversations as the table has them are those of the stores.
all_there() {
    [ "$(count 'count() FROM sealdns.events FINAL')" = "$(stored_sum 'SELECT count(*) FROM events')" ] &&
        [ "$(count 'sum(queries) FROM sealdns.conversations FINAL')" = "$(stored_sum 'SELECT sum(queries) FROM conversations')" ]
}
nothing_waits() { local n; for n in $SENSORS; do ask "$n" --format json | jq -e 'all(.feeds[]; .waiting == 0 and .connected)' || return 1; done; }
somebody_waits() { local n; for n in $SENSORS; do ask "$n" --format json | jq -e '[.feeds[] | select(.waiting > 0)] | length >= 1' || return 1; done; }

# Of all, or of those of one sensor: told of the fleet, and told of its store.
of_fleet() { local command=$1; shift; inside "$SEALDNS" "$command" --store "$FLEET" "$@"; }
same_events() {
    local n
    of_fleet events --format json "$@" | jq -cS . | sort >"$SCRATCH/fleet.events"
    for n in $SENSORS; do "$SEALDNS" events --db "$SCRATCH/gw$n/store.db" --format json "$@"; done | jq -cS . | sort >"$SCRATCH/stores.events"
    [ -s "$SCRATCH/stores.events" ] && cmp "$SCRATCH/fleet.events" "$SCRATCH/stores.events"
}
# A plan's numbers; who a machine is the fleet does not know.
plan_of() { ip netns exec "$NS-gw1" "$SEALDNS" plan -c "$SCRATCH/new.yaml" --format json --since 2h "$@" | jq -S 'del(.period.store, .period.since, .period.until) | del(.. | .host?)'; }
same_plan() {
    plan_of --store "$FLEET" --sensor "gw$1" >"$SCRATCH/fleet.plan" && plan_of --db "$SCRATCH/gw$1/store.db" >"$SCRATCH/store.plan" &&
        [ -s "$SCRATCH/store.plan" ] && cmp "$SCRATCH/fleet.plan" "$SCRATCH/store.plan"
}

everybody_tells() {
    check "ClickHouse starts" start_clickhouse
    check "the tables of packaging/clickhouse/schema.sql are made" make_table
    check "a resolver starts" start_resolver
    check "three sensors start" start_sensors
    check "clients ask over UDP and TLS" clients 11 24
    check "what they did is in the tables" soon all_there
}
clickhouse_dies() {
    kill_receiver clickhouse
    check "clients ask while nobody takes events" clients 25 37
    check "and it waits on disk" soon somebody_waits
    { kill -KILL "${PIDS[2]}" && wait "${PIDS[2]}"; } 2>/dev/null
    check "one sensor was killed as well and starts again" eval 'soon eval "! pgrep -f \"run -c $SCRATCH/gw2.yaml\"" && start_sensor 2 && soon ask 2'
    check "ClickHouse comes back" start_clickhouse
    check "clients ask again" clients 38 50
    check "everything arrives" eval 'SOON=400 soon eval "nothing_waits && all_there"'
}
numbers_are_the_same() {
    local n
    for n in $SENSORS; do check "sensor $n ends cleanly" stop_sensor "$n"; done
    check "what they said last arrived" soon all_there
    check "every conversation of every hour" [ "$(count 'count() FROM (SELECT host, hour, client, server, server_port, transport FROM sealdns.conversations GROUP BY host, hour, client, server, server_port, transport)')" = "$(stored_sum 'SELECT count(*) FROM conversations')" ]
    check "minutes of each sensor" [ "$(count 'uniqExact(host) FROM sealdns.stats')" = 3 ]
    echo "# $(count 'count() FROM sealdns.events FINAL') revisions of events, $(count 'count() FROM sealdns.events') rows; $(count 'count(), sum(queries) FROM sealdns.conversations FINAL') conversations and their queries"
    check "the fleet's events are the stores'" same_events
    check "and every revision" same_events --revisions
    check "and with a filter" same_events --type cleartext --severity low --since 1h
    check "and of one client" same_events --client 10.2.0.26
    check "of one sensor alone" [ "$(of_fleet events --sensor gw1 --format json | jq -s 'length > 10 and all(.host == "gw1")')" = true ]
    sed 's/mode: monitor/mode: enforce/; /^outputs/,$d' "$SCRATCH/gw1.yaml" >"$SCRATCH/new.yaml"
    echo 'zones: [{id: lan, networks: [10.0.0.0/8], approve: [], cleartext: reject, unapproved: reject}]' >>"$SCRATCH/new.yaml"
    echo "# $(plan_of --store "$FLEET" | jq -c "[.zones[] | [.zone, .clients, .cut.clients]]") of the plan, by zone: clients, cut"
    for n in $SENSORS; do check "the plan of sensor $n is that of its store" same_plan "$n"; done
    check "one plan over all" eval 'plan_of --store "$FLEET" | jq -e ".zones[] | select(.zone == \"lan\") | .clients >= 100 and .cut.clients >= 100"'
}
# One report over all. What each sensor's own store says adds up to it; a sensor that was away for hours, and one that told no counters, are named.
report_of() { local format=$1; shift; ip netns exec "$NS-gw1" "$SEALDNS" report -c "$SCRATCH/gw1.yaml" --from 2h --format "$format" --key "$SCRATCH/fleet.key" "$@"; }
cells() { jq -e --arg id "$1" "[.sections[].tables[] | select(.id == \$id) | (.columns | map(.id)) as \$c | .rows[] | [\$c, .] | transpose | map({(.[0]): .[1]}) | add] | $2" "$SCRATCH/fleet.json"; }
reports_add_up() {
    local n
    report_of json --store "$FLEET" >"$SCRATCH/fleet.json" || return 1
    for n in $SENSORS; do report_of json --db "$SCRATCH/gw$n/store.db" >"$SCRATCH/store$n.json" || return 1; done
    python3 "$HERE/fleet_report.py" "$SCRATCH/fleet.json" "$SCRATCH"/store[123].json
}
# The counters of a sensor's last minute come when it ends.
each_has_a_row() {
    report_of json --store "$FLEET" >"$SCRATCH/fleet.json" && cells sensors 'length == 3 and all(.queries > 0 and .sealed > 0 and .packets > 0)' &&
        cells followed 'length == 3 and all(.mode == "monitor" and (.policy | length) == 16 and .version != "")'
}
one_was_away() {
    python3 - "$(date +%s)" >"$SCRATCH/gw9.rows" <<'END'
import json, sys
now = int(sys.argv[1])
for at in range(now - 7200, now, 60):
    if not now - 5000 <= at <= now - 2300:
        counters = {"packets": at - now + 7200, "mode": "enforce", "policy": "0123456789abcdef"}
        print(json.dumps({"time": at, "host": "gw9", "packets": counters["packets"], "counters": json.dumps(counters)}))
END
    inside curl -sf --data-binary @"$SCRATCH/gw9.rows" 'http://10.99.0.254:8123/?query=INSERT%20INTO%20sealdns.stats%20FORMAT%20JSONEachRow'
}
one_report() {
    check "one report over the fleet adds up to those of its sensors" reports_add_up
    check "it has a row for each sensor, with what it follows" soon each_has_a_row
    check "a sensor that was away for three quarters of an hour tells" one_was_away
    check "is seen in the next report" report_of json --store "$FLEET" -o "$SCRATCH/fleet.json"
    check "its gap is told" eval 'cells gaps "[.[] | select(.sensor == \"gw9\")] | length == 1 and .[0].minutes >= 44 and .[0].minutes <= 46"'
    check "and its row" eval 'cells sensors "any(.sensor == \"gw9\" and .covered > 0.6 and .covered < 0.64 and .packets > 6900)" && cells followed "any(.sensor == \"gw9\" and .mode == \"enforce\")"'
    check "different policies are told" eval 'jq -r ".sections[].says[].text" "$SCRATCH/fleet.json" | grep -q "4 different policies"'
    check "of one sensor alone" eval 'report_of text --store "$FLEET" --sensor gw2 >"$SCRATCH/one.txt" && grep -q gw2 "$SCRATCH/one.txt" && ! grep -q gw9 "$SCRATCH/one.txt"'
    for format in html pdf csv text; do
        check "as $format" eval 'report_of $format --store "$FLEET" -o "$SCRATCH/fleet.$format" && [ -s "$SCRATCH/fleet.$format" ] && [ -s "$SCRATCH/fleet.$format.manifest.json" ]'
    done
    check "every panel of the Grafana dashboard has an answer" eval 'panels >"$SCRATCH/panels" || { cat "$SCRATCH/panels" >&2; false; }'
    [ -z "${KEEP_REPORTS:-}" ] || cp "$SCRATCH"/fleet.* "$KEEP_REPORTS"
}
# As rules/README.md says it.
forget_there() {
    local table
    for table in events dns conversations; do asks "ALTER TABLE sealdns.$table DELETE WHERE client = '10.2.0.26' OR server = '10.2.0.26'" || return 1; done
}
gone_there() { [ "$(count "count() FROM sealdns.events WHERE client = '10.2.0.26'")$(count "count() FROM sealdns.conversations WHERE client = '10.2.0.26'")" = 00 ]; }
forgets() {
    check "a client is there" [ "$(count "count() FROM sealdns.conversations WHERE client = '10.2.0.26'")" -gt 0 ]
    check "its rows are taken out of the fleet's tables" forget_there
    check "and are gone" soon gone_there
}
# Nothing was cut and no policy changed here, so those panels are empty.
panels() { inside "$HERE/grafana.py" clickhouse "$LAB_ROOT/dashboards/grafana/sealdns-clickhouse.json" "${CLICKHOUSE/127.0.0.1/10.99.0.254}" --empty "What rules cut, or would have" --empty "Changes of policy and rules, drift"; }
wrong_ones() {
    local words='events --store'
    check "a password in the address is refused" eval '! "$SEALDNS" $words "clickhouse://a:b@h/d" 2>"$SCRATCH/said"; grep -q SEALDNS_CLICKHOUSE_PASSWORD "$SCRATCH/said"'
    check "a database that is none" eval '! "$SEALDNS" $words "clickhouse://h/a%27b"'
    check "a table that is not there is told in the server's words" eval '! of_fleet events --store clickhouse://10.99.0.254/default 2>"$SCRATCH/said"; grep -q "default.events" "$SCRATCH/said"'
    check "a wrong password is told" eval '! inside env SEALDNS_CLICKHOUSE_PASSWORD=x "$SEALDNS" $words "$FLEET" 2>"$SCRATCH/said"; grep -qi "password\|authent" "$SCRATCH/said"'
    check "a name is no SQL" [ -z "$(of_fleet events --sensor "x' OR '1' = '1")" ]
    kill_receiver clickhouse
    check "a server that is away is told" eval '! of_fleet events 2>"$SCRATCH/said"; grep -q "cannot read" "$SCRATCH/said"'
    inside python3 -c 'import http.server as h
class A(h.BaseHTTPRequestHandler):
    def do_POST(s): s.send_response(200); s.end_headers(); s.wfile.write(b"x\ty\n" * 9)
h.HTTPServer(("10.99.0.254", 8123), A).serve_forever()' 2>"$SCRATCH/liar.log" &
    RECEIVER[liar]=$!
    soon inside bash -c 'exec 3<>/dev/tcp/10.99.0.254/8123'
    check "one that says something else is no answer" eval '! of_fleet events 2>"$SCRATCH/said"; grep -q "not what was asked" "$SCRATCH/said"'
}

check "three networks" make_network
check "certificates" make_certificates
everybody_tells
clickhouse_dies
numbers_are_the_same
one_report
forgets
wrong_ones
tally
