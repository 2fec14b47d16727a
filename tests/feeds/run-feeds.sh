#!/bin/bash
# Every output against its real receiver: rsyslog over UDP, TCP and TLS, ClickHouse, librdkafka's mock cluster, a webhook, a UNIX
# socket. Receivers are killed under load and come back, the sensor is killed while they are away: count in = count out.
#
#   run-feeds.sh [--many N]      N events a burst (1000)
#
# SEALDNS names the binary (build/sealdns). Needs root.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/receivers.sh"
. "$HERE/watched.sh"
MANY=1000
[ "${1:-}" != --many ] || MANY=$2

policy() {
    cat <<END
sensor: {name: gw feeds, interfaces: [lan0], mode: monitor}
store: {path: $SCRATCH/store.db}
control: {socket: $SCRATCH/sock}
outputs:
  - {type: file, path: $SCRATCH/eve.json}
  - {type: file, path: $SCRATCH/ecs.json, format: ecs, severity: high}
  - {type: unix, path: $SCRATCH/events.sock}
  - {type: syslog, id: tcp, server: "127.0.0.1:10514", facility: local3}
  - {type: syslog, id: udp, server: "127.0.0.1:10514", transport: udp}
  - {type: syslog, id: tls, server: "127.0.0.1:6514", transport: tls, ca: $SCRATCH/${1:-ca.pem}}
  - {type: kafka, server: "$KAFKA", topic: sealdns}
  - {type: clickhouse, url: "$CLICKHOUSE", table: sealdns.events}
  - {type: webhook, url: "http://127.0.0.1:8080/hook", secret: $SCRATCH/secret, repeats: true}
END
}

events() { grep -c '"kind":"cleartext"' "$SCRATCH/eve.json"; }
has_events() { [ "$(events)" -ge "$1" ]; }

# arrived NAME LEAST: nothing that the file has is missing there.
arrived() {
    [ "$1" != clickhouse ] || asks 'SELECT eve FROM sealdns.events' >"$SCRATCH/clickhouse.got" || return 1
    "$HERE/arrived.py" "$SCRATCH/eve.json" "$SCRATCH/$1.got" --least "$2"
}
all_arrived() {
    local name
    for name in socket tcp tls kafka clickhouse webhook; do
        check "$2: nothing is missing at $name" soon arrived $name "$1"
        echo "# $name: $(arrived $name "$1")"
    done
}

everybody_is_there() {
    check "receivers start" start_receivers
    check "the table of packaging/clickhouse/schema.sql is made" make_table
    policy >"$SCRATCH/policy.yaml"
    check "the sensor starts" start
    burst 1 "$MANY" 4000
    check "every client is an event" soon has_events "$MANY"
    all_arrived "$MANY" "with all there"
    check "UDP syslog has most of them" soon mostly
    check "rsyslog reads what we say of them" grep -qE '^local3\.(warning|notice|info) 20[0-9T:.-]+[+Z:0-9]* gw-feeds sealdns \[sealdns@32473 id="[0-9a-f]{16}-1"\] ?\{"timestamp"' "$SCRATCH/tcp.got"
    check "status tells of each" ask_feeds 'length == 9 and all(.lost == 0)'
    check "no receiver was told an informational event that its output does not want" eval '! grep -q . "$SCRATCH/ecs.json"'
}
mostly() { [ "$(wc -l <"$SCRATCH/udp.got")" -ge $((MANY * 9 / 10)) ]; }
ask_feeds() { ask --format json | jq -e ".feeds | $1"; }

# All are killed in the middle of a burst but Kafka's mock, which holds in memory what it said it has: that one between bursts.
receivers_die() {
    kill_receiver kafka
    burst 100001 "$MANY" 2000 &
    local load=$!
    sleep 0.2
    kill_receivers
    wait $load
    check "the burst is in the file while nobody receives" soon has_events $((2 * MANY))
    check "status says who is away" soon ask_feeds '[.[] | select(.error)] | length >= 6'
    check "and what waits" ask_feeds "all(.lost == 0) and ([.[] | select(.waiting > 0)] | length >= 5)"
}

sensor_dies() {
    kill -KILL "$PID"
    wait "$PID" 2>/dev/null
    check "all of its processes end" soon no_process
    check "receivers come back" start_receivers
    policy >"$SCRATCH/policy.yaml"
    check "the sensor starts again after a kill -9" start
    SOON=400 all_arrived $((2 * MANY)) "after a kill of all"
}

no_process() { ! pgrep -f "run -c $SCRATCH/policy.yaml"; }

# A receiver that answers and does not take: a refusal is tried again, its words do no harm.
receiver_refuses() {
    echo 503 >"$SCRATCH/webhook.got.refuse"
    burst 200001 200 2000
    check "status has a refusal's words, harmless" soon ask_feeds '.[] | select(.id == "webhook") | .error == "the receiver answered 503: \\027[31mnot now"'
    rm "$SCRATCH/webhook.got.refuse"
    check "and what was refused arrives" soon arrived webhook $((2 * MANY))
    echo 400 >"$SCRATCH/webhook.got.refuse"
    burst 300001 1 2000
    check "what is refused for good is counted" soon ask_feeds '.[] | select(.id == "webhook") | .lost >= 1'
    rm "$SCRATCH/webhook.got.refuse"
}

# Receivers that reset, send garbage, headers without an end, a way elsewhere, or nothing at all: told in harmless words, nothing is taken for told.
receiver_lies() {
    local way client=330001
    for way in reset garbage headers redirect silent; do
        kill_receiver webhook
        receiver liar "$HERE/liar.py" 8080 $way
        soon answers 8080
        burst $client 5 2000
        check "a receiver that answers by $way: told, and the events wait" soon ask_feeds '.[] | select(.id == "webhook") | .error != null and (.error | test("^[ -~]+$")) and .waiting > 0'
        kill_receiver liar
        start_webhook
        check "an honest one gets them all" soon at_webhook $((client & 255)) 5
        client=$((client + 5))
    done
}
# at_webhook LAST COUNT: the events of so many clients from 10.5.9.LAST on.
at_webhook() {
    local n
    for n in $(seq "$1" $(($1 + $2 - 1))); do grep -q "\"client\":\"10.5.9.$n\"" "$SCRATCH/webhook.got" || return 1; done
}

# A certificate that does not vouch for the receiver: nothing is sent.
receiver_is_another() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$SCRATCH/other.key" -out "$SCRATCH/other.pem" -days 9 -subj /CN=other >/dev/null 2>&1
    policy other.pem >"$SCRATCH/policy.yaml"
    check "outputs change with the policy" ask reload
    burst 400001 50 2000
    check "an unknown certificate is told" soon ask_feeds '.[] | select(.id == "tls") | .error | test("certificate")'
    check "and nothing was sent" eval '! grep -q "\"10.6.26.129\"" "$SCRATCH/tls.got"'
    policy >"$SCRATCH/policy.yaml"
    check "with the right one again" ask reload
    check "everything arrives" soon arrived tls $((2 * MANY))
}

# logrotate, by the snippet that is shipped, four times while events come: no line is missing, cut or there twice.
rotation() {
    sed -e "s,^/var/log/sealdns/.*{,$SCRATCH/eve.json {," -e '/^ *su /d' -e "s,^ *\[ ! -d /run/systemd.*,kill -HUP $PID," "$LAB_ROOT/packaging/logrotate/sealdns" >"$SCRATCH/rotate"
    chmod 644 "$SCRATCH/rotate"
    burst 500001 $((2 * MANY)) 1000 &
    local load=$! i
    for i in 1 2 3 4; do
        sleep 0.4
        logrotate -f -s "$SCRATCH/rotate.state" "$SCRATCH/rotate" || return 1
    done
    wait $load
}
rotated() { find "$SCRATCH" -name 'eve.json*' -exec zcat -f {} + | grep '"client":"10\.7\.'; }
nothing_lost_by_rotation() {
    rotated | jq -r '[.sealdns.id, .sealdns.revision] | join("|")' | sort >"$SCRATCH/rotated" &&
        sqlite3 "$SCRATCH/store.db" "SELECT id, revision FROM events WHERE client LIKE '10.7.%'" | sort >"$SCRATCH/stored" &&
        [ "$(grep -c '|1$' "$SCRATCH/stored")" = $((2 * MANY)) ] && cmp "$SCRATCH/rotated" "$SCRATCH/stored"
}
rotates() {
    check "logrotate runs while events come" rotation
    check "files were rotated, one of them packed" eval '[ -s "$SCRATCH/eve.json" ] && [ -s "$SCRATCH/eve.json.1" ] && [ -s "$SCRATCH/eve.json.4.gz" ]'
    check "no line is missing, cut or there twice" soon nothing_lost_by_rotation
}

prepare() {
    make_lab || return 1
    echo sesame >"$SCRATCH/secret"
    ${CC:-cc} -O1 -Wall -Wextra "$HERE/kafka_mock.c" -o "$SCRATCH/kafka_mock" -lrdkafka
}

check "the lab" prepare
everybody_is_there
receivers_die
sensor_dies
receiver_refuses
receiver_lies
receiver_is_another
rotates
check "it ends cleanly" ends
tally
