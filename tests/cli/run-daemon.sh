#!/bin/bash
# The sensor as a process, in a network namespace of its own: what it says when it may not or cannot start, its control
# socket, its signals, a wrong policy that does not replace the right one.
#
#   run-daemon.sh
#
# SEALDNS names the binary (build/sealdns). Needs root.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/expect.sh"
NS=sdcli$$ SCRATCH=$(mktemp -d) PID=
chmod 755 "$SCRATCH"
cleanup() {
    [ -z "$PID" ] || { kill -KILL "$PID" && wait "$PID"; } 2>/dev/null
    ip netns del $NS 2>/dev/null
    grep -lsF "$SCRATCH" /var/lib/sealdns/last-good-*.yaml | xargs -r rm -f
    rm -rf "$SCRATCH"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
ip netns add $NS && ip -n $NS link set lo up || exit 1
inside() { ip netns exec $NS "$@"; }
program() { inside "$SEALDNS" "$@"; }
ask() { program status --socket "$SCRATCH/sock" "$@"; }

policy() {
    cat <<END
sensor: {name: $1, interfaces: [lo], mode: monitor}
store: {path: $SCRATCH/store.db}
control: {socket: $SCRATCH/sock}
outputs:
  - {type: file, format: eve, path: $SCRATCH/eve.json}
END
}

# soon COMMAND...: true within eight seconds.
soon() {
    local i
    for i in $(seq 80); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
    return 1
}
named() { ask | grep -q "^sealdns  *$1,"; }

start() {
    ip netns exec $NS "$SEALDNS" run -c "$SCRATCH/policy.yaml" "$@" >"$SCRATCH/log" 2>&1 &
    PID=$!
    soon ask
}
# stop SIGNAL: it ends with status 0, and no sanitizer had to say anything.
stop() {
    local status
    kill -"$1" "$PID"
    wait "$PID"
    status=$?
    PID=
    grep -E 'Sanitizer|runtime error:' "$SCRATCH/log" && return 1
    [ $status = 0 ]
}

cannot_start() {
    policy first >"$SCRATCH/policy.yaml"
    expect "no such interface" 1 err 'nosuch0: no such interface' program run -c "$SCRATCH/policy.yaml" -i nosuch0
    cp "$SEALDNS" "$SCRATCH/sealdns"
    expect "no permission to capture" 1 err 'CAP_NET_RAW' \
        inside setpriv --reuid 65534 --clear-groups "$SCRATCH/sealdns" run -c "$SCRATCH/policy.yaml"
    expect "no permission to remove rules" 1 err 'CAP_NET_ADMIN' \
        inside setpriv --reuid 65534 --clear-groups "$SCRATCH/sealdns" rules remove --socket "$SCRATCH/sock"
    printf 'sensor: {interfaces: [lo]}\nstore: {path: /proc/nowhere/store.db}\ncontrol: {socket: %s/sock}\n' "$SCRATCH" >"$SCRATCH/store.yaml"
    check "a store that cannot be made" refused_store
    expect "in one line, also in mode enforce" 1 err 'cannot open' program run -c "$SCRATCH/store.yaml" --mode enforce
    check "and no rule is left of it" eval '! inside nft list ruleset | grep -q .'
    echo precious >"$SCRATCH/sock"
    expect "a file that is no socket stands in the socket's place" 1 err 'cannot replace' program run -c "$SCRATCH/policy.yaml"
    check "and it stays" grep -q precious "$SCRATCH/sock"
    rm -f "$SCRATCH/sock"
}
refused_store() { ! program run -c "$SCRATCH/store.yaml" >"$SCRATCH/out" 2>&1 && grep -q 'cannot open /proc/nowhere/store.db' "$SCRATCH/out"; }

lives() {
    check "it starts and answers" start
    expect "status" 0 out '^interface +lo up' ask
    expect "status as JSON" 0 out '"pid":' ask --format json
    check "it counts what it sees" counted
    check "an event is in the feed" soon grep -q '"kind":"cleartext"' "$SCRATCH/eve.json"
    check "and in the store" soon stored cleartext
    check "a second sensor on the same socket is refused" second_refused
    check "three processes" three_processes
    check "the parser holds no capability" parser_powerless
}
stored() { program events --db "$SCRATCH/store.db" | grep -q "$1"; }
counted() {
    inside dig +tries=1 +time=1 @127.0.0.1 www.example.org >/dev/null 2>&1
    soon eval "ask | grep -q 'dns_queries  *[1-9]'"
}
second_refused() { ! program run -c "$SCRATCH/policy.yaml" >"$SCRATCH/second" 2>&1 && ask; }
processes() { pgrep -P "$PID"; }
three_processes() { [ "$(processes | wc -l)" = 2 ]; }
parser_powerless() {
    local child
    for child in $(processes); do grep -q '^CapEff:.0*$' "/proc/$child/status" || return 1; done
}

reloads() {
    policy second >"$SCRATCH/policy.yaml"
    check "status reload reads the policy again" ask reload
    check "and uses it" soon named second
    printf 'sensor: {mode: loud}\n' >"$SCRATCH/policy.yaml"
    expect "status reload refuses a wrong policy" 1 err '.' ask reload
    check "and the old one stays" named second
    kill -USR2 "$PID"
    sleep 0.5
    check "SIGUSR2 with a wrong policy: the old one stays" named second
    policy third >"$SCRATCH/policy.yaml"
    kill -USR2 "$PID"
    check "SIGUSR2 with a good one: it is used" soon named third
    mv "$SCRATCH/eve.json" "$SCRATCH/eve.json.1"
    kill -HUP "$PID"
    check "SIGHUP opens the feed anew" soon test -e "$SCRATCH/eve.json"
    inside dig +tries=1 +time=1 @127.0.0.2 www.example.net >/dev/null 2>&1
    check "and events go there" soon grep -q '"kind":"cleartext"' "$SCRATCH/eve.json"
}

# The detections beside the policy, and its mutes, come with a reload.
severities() {
    mkdir -p "$SCRATCH/detections"
    sed 's/^severity: .*/severity: 1/' "$LAB_ROOT/rules/detections/cleartext.yaml" >"$SCRATCH/detections/cleartext.yaml"
    check "a detection with another severity is taken at a reload" ask reload
    check "and events have it" soon asked_with_severity 1
    printf 'severity: loud\n' >"$SCRATCH/detections/cleartext.yaml"
    expect "a wrong detection is refused" 1 err 'cleartext.yaml:1:1' ask reload
    rm "$SCRATCH/detections/cleartext.yaml"
    { policy third; printf 'mutes:\n  - {rule: cleartext, until: 2099-01-31, owner: netops, reason: "a test"}\n'; } >"$SCRATCH/policy.yaml"
    kill -USR2 "$PID"
    check "a mute is taken at SIGUSR2: events are stored as muted" soon asked_muted
    check "status counts them" eval 'ask | grep -q "events_muted  *[1-9]"'
    check "no feed has them" eval '! grep -q "\"muted\"" "$SCRATCH/eve.json"'
    policy third >"$SCRATCH/policy.yaml"
    check "and without it they are told again" eval 'ask reload && soon asked_with_severity 3'
}
# Another server each time: an event of its own.
ask_another() { inside dig +tries=1 +time=1 "@127.0.1.$((RANDOM % 250 + 1))" www.example.com >/dev/null 2>&1; }
asked_with_severity() {
    local before
    before=$(wc -l <"$SCRATCH/eve.json")
    ask_another
    sleep 0.3
    tail -n "+$((before + 1))" "$SCRATCH/eve.json" | jq -es --argjson severity "$1" 'any(.sealdns.kind == "cleartext" and .alert.severity == $severity)'
}
asked_muted() {
    ask_another
    sleep 0.3
    program events --db "$SCRATCH/store.db" --format json | grep -q '"muted":{"severity":3,"owner":"netops"'
}

# Whoever asks while it ends must not hold it up: the monitor answers no more.
asked_while_it_ends() {
    (for _ in $(seq 40); do ask; done) >/dev/null 2>&1 &
    sleep 0.1
    stop TERM && [ "$(grep -c 'did not stop' "$SCRATCH/log")" = 0 ]
}

# The evidence chain of a running sensor, and what it tells of it when it ends.
chained() {
    local db=$SCRATCH/store.db
    check "the key is there, its owner's alone" [ "$(stat -c %a "$SCRATCH/installation.key")" = 600 ]
    expect "the chain of a running sensor is whole" 0 out '^whole$' "$SEALDNS" verify --db "$db"
    check "every row of it is signed" eval '"$SEALDNS" verify --db "$db" --format json | jq -e ".signed and .key_compared and .rows > 3 and .last_checkpoint.row == .last and .notes == []"'
    check "a backup of it" eval 'sqlite3 "$db" ".backup $SCRATCH/backup.db" && "$SEALDNS" verify --db "$SCRATCH/backup.db" | grep -qx whole'
    check "a client is forgotten while it runs" program forget --socket "$SCRATCH/sock" 127.0.0.1
    expect "and the chain says so" 0 out 'contents erased on request' "$SEALDNS" verify --db "$db"
}
chain_ended() {
    local db=$SCRATCH/store.db
    check "its end is in the log as a checkpoint" grep -qE 'sealdns-checkpoint/1:[0-9]+:[0-9]+:' "$SCRATCH/log"
    expect "which the store is held against" 0 out '^1 checkpoints of .* compared' "$SEALDNS" verify --db "$db" --against "$SCRATCH/log"
    check "and in the feed as an event" eval 'jq -es "[.[] | select(.sealdns.evidence.what == \"checkpoint\" and .sealdns.kind == \"sensor\" and .event_type == \"sealdns\")] | length > 0" "$SCRATCH/eve.json"'
    expect "against the feed too" 0 out '^[1-9][0-9]* checkpoints of .* compared' "$SEALDNS" verify --db "$db" --against "$SCRATCH/eve.json"
    sqlite3 "$SCRATCH/backup.db" "DELETE FROM events WHERE row > 3; DELETE FROM chain WHERE row > 3"
    expect "a backup whose end was taken off is not" 1 out '^rows 4 to [0-9]+: there when checkpoint' "$SEALDNS" verify --db "$SCRATCH/backup.db" --against "$SCRATCH/log"
}

last_good() {
    check "SIGTERM ends it cleanly, also while somebody asks" asked_while_it_ends
    check "its socket is gone or dead" eval '! ask'
    printf 'sensor: {mode: loud}\n' >"$SCRATCH/policy.yaml"
    check "it starts from the last good policy when the file has become wrong" start
    check "and uses it" named third
    check "and says so" grep -qi 'last good' "$SCRATCH/log"
    expect "it starts anew in mode enforce" 0 out . eval 'stop INT && policy fourth >"$SCRATCH/policy.yaml" && start --mode enforce && ask'
    inside nft delete table inet sealdns
    check "a table that somebody took away comes back by itself" soon inside nft list table inet sealdns
    check "and is told" soon stored 'what healed'
    chained
    check "SIGINT ends it cleanly" stop INT
    chain_ended
    inside "$SEALDNS" rules remove --socket "$SCRATCH/sock" >/dev/null 2>&1
    check "nothing of it is left in the kernel" eval '! inside nft list ruleset | grep -q .'
}

# with_resolvers NUMBER NAME: a policy of that name with so many resolvers.
with_resolvers() {
    local i
    policy "$2"
    echo 'resolvers:'
    for i in $(seq "$1"); do echo "  - {id: r$i, addresses: [10.9.0.$i]}"; done
}

# A list that lost half of its entries is no change that goes through unasked, in a running sensor or at a start.
shrunk() {
    with_resolvers 6 whole >"$SCRATCH/policy.yaml"
    check "six resolvers: it starts" start --force
    with_resolvers 3 half >"$SCRATCH/policy.yaml"
    expect "half of them: a reload is refused, with both numbers" 1 err "the policy's resolvers shrank from 6 to 3" ask reload
    expect "half of them: it says what to do" 1 err 'status reload --force' ask reload
    check "half of them: the old policy stays" named whole
    check "half of them: an event says why" soon stored 'resolvers shrank from 6 to 3'
    expect "--force is of a reload" 2 err '--force goes with reload' ask --force
    check "SIGTERM ends it" stop TERM
    check "half of them: a start keeps the last good policy" eval 'start && named whole'
    check "half of them: the start says so" grep -q 'shrank from 6 to 3.*starting from the last good policy' "$SCRATCH/log"
    check "half of them: confirmed by --force" ask reload --force
    check "half of them: now it is in force" named half
    with_resolvers 2 third >"$SCRATCH/policy.yaml"
    check "of three one may go" eval 'ask reload && named third'
    with_resolvers 6 whole >"$SCRATCH/policy.yaml"
    check "more of them: nobody minds" eval 'ask reload && stop TERM'
    with_resolvers 1 forced >"$SCRATCH/policy.yaml"
    check "one of six: a start with --force takes it" eval 'start --force && named forced && stop TERM'
}

# The packets around an alert, as a file that other tools read.
captures() {
    policy fifth >"$SCRATCH/policy.yaml"
    check "without evidence.pcap no frame is kept" eval 'start && ! grep -q trail "/proc/$PID/maps" && stop TERM'
    { policy fifth; echo "evidence: {pcap: {path: $SCRATCH/pcap, ring: 1MiB, per_minute: 2}}"; } >"$SCRATCH/policy.yaml"
    check "it starts with evidence.pcap, and keeps frames then" eval 'start && grep -q trail "/proc/$PID/maps"'
    inside dig +tries=1 +time=1 @127.0.0.3 captured.example.org >/dev/null 2>&1
    check "an alert names a capture" soon alert_names_capture
    check "and the file is there" soon captured
    check "with the question in it, as tshark reads it" question_captured
    check "only the sensor and its group may read it" eval '[ "$(stat -c %a "$SCRATCH/pcap" "$(capture_path)" | paste -sd" ")" = "750 640" ]'
    local i
    for i in 4 5 6; do inside dig +tries=1 +time=1 "@127.0.0.$i" more.example.org >/dev/null 2>&1; done
    check "so many in a minute and no more; status says so" soon eval 'ask | grep -q "^evidence .* 2 captures, 0 failed, [12] beyond"'
    check "it ends cleanly" stop TERM
    check "and left no half file" eval '! ls -A "$SCRATCH/pcap" | grep -qv "^sealdns-.*pcap$"'
}
capture_name() { jq -rs '[.[] | select(.capture_file and .dest_ip == "127.0.0.3")][0] | select(.capture_file == .sealdns.evidence.pcap).capture_file' "$SCRATCH/eve.json"; }
capture_path() { echo "$SCRATCH/pcap/$(capture_name)"; }
alert_names_capture() { [[ $(capture_name) == sealdns-*.pcap ]]; }
captured() { [ -s "$(capture_path)" ]; }
question_captured() { tshark -r "$(capture_path)" -Y 'ip.dst == 127.0.0.3' -T fields -e dns.qry.name 2>/dev/null | grep -qx captured.example.org; }

# Somebody takes what was written last, checkpoints too, from under a sensor that runs.
trespassed() {
    policy sixth >"$SCRATCH/policy.yaml"
    check "it starts" start
    check "its status says what is signed" soon eval 'ask | grep -qE "^chain +signed up to row [1-9]"'
    check "the end of its store is taken off" eval 'sqlite3 -cmd ".timeout 8000" "$SCRATCH/store.db" "DELETE FROM events WHERE row > 3; DELETE FROM chain WHERE row > 3; DELETE FROM chain_notes; DELETE FROM chain_erased; DELETE FROM chain_checkpoints"'
    ask_another
    check "it ends cleanly" stop TERM
    check "its log says that the store was changed" grep -q 'error: the store was changed: rows 4 to [0-9]* were' "$SCRATCH/log"
    check "and so does an event, graver than most" eval 'jq -es "[.[] | select(.sealdns.evidence.what == \"store changed\")] | length >= 1" "$SCRATCH/eve.json" && stored_grave'
    expect "verify says which rows" 1 out '^rows 4 to [0-9]+: added or taken away by somebody without the key' "$SEALDNS" verify --db "$SCRATCH/store.db"
}
stored_grave() { [ "$(sqlite3 "$SCRATCH/store.db" "SELECT severity FROM events WHERE json LIKE '%store changed%'")" = 1 ]; }

cannot_start
lives
reloads
severities
last_good
shrunk
captures
trespassed
[ "$FAILED" = 0 ] || sed 's/^/    /' "$SCRATCH/log"
tally
