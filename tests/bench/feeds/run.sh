#!/bin/bash
# Every output at a rate, each alone and against its real receiver: count in = count out.
#
#   run.sh BENCH_FEEDS [EVENTS A SECOND] [SECONDS]
set -u
BENCH=$1 RATE=${2:-20000} LONG=${3:-5}
HERE=$(cd "$(dirname "$0")/../../feeds" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/receivers.sh"
. "$HERE/watched.sh"
EVENTS=$(awk "BEGIN { print int($RATE * $LONG) }")

# distinct FILE: revisions of events that are in it.
distinct() { grep -oaE '\\?"id\\?":\\?"[0-9a-f]{16}\\?",\\?"revision\\?":[0-9]+' "$1" | tr -d '\\' | sort -u | wc -l; }
received() {
    case $1 in
    clickhouse) asks 'SELECT uniqExact(id, revision) FROM sealdns.events' ;;
    file-*) wc -l <"$SCRATCH/$1.got" ;;
    *) distinct "$SCRATCH/$1.got" ;;
    esac
}
all_received() { [ "$(received "$1")" = "$EVENTS" ]; }

# output NAME CONFIGURATION
output() {
    local said
    mkdir -p "$SCRATCH/$1"
    printf 'store: {path: %s/store.db}\noutputs: [{%s}]\n' "$SCRATCH/$1" "$2" >"$SCRATCH/$1.yaml"
    said=$(inside "$BENCH" "$SCRATCH/$1.yaml" "$RATE" "$LONG" 2>&1)
    check "$1: $said" [ $? = 0 ]
    # Kafka's mock keeps the last 5 MB of a partition only: what it acknowledged is what it had.
    [ "$1" = kafka ] || check "$1: all of them are at the receiver, $EVENTS" soon all_received "$1"
}

prepare() {
    make_lab || return 1
    echo sesame >"$SCRATCH/secret"
    ${CC:-cc} -O1 -Wall -Wextra "$HERE/kafka_mock.c" -o "$SCRATCH/kafka_mock" -lrdkafka && start_receivers && make_table
}

check "receivers start" prepare
for format in eve ecs ocsf cef text; do output "file-$format" "type: file, format: $format, path: $SCRATCH/file-$format.got"; done
output socket "spool: 512MiB, type: unix, path: $SCRATCH/events.sock"
output tcp 'spool: 512MiB, type: syslog, server: "127.0.0.1:10514"'
output udp 'spool: 512MiB, type: syslog, transport: udp, server: "127.0.0.1:10514"'
output tls "spool: 512MiB, type: syslog, transport: tls, server: \"127.0.0.1:6514\", ca: $SCRATCH/ca.pem"
output kafka "spool: 512MiB, type: kafka, server: \"$KAFKA\", topic: sealdns"
output clickhouse "spool: 512MiB, type: clickhouse, url: \"$CLICKHOUSE\", table: sealdns.events"
output webhook "spool: 512MiB, type: webhook, url: \"http://127.0.0.1:8080/hook\", secret: $SCRATCH/secret, repeats: true"
tally
