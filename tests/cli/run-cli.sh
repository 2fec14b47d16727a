#!/bin/bash
# The command line: every command has its help, wrong input is one line that says what to do, and the exit status says
# whose fault it was (0 done, 1 it failed while running, 2 the command line or the configuration is wrong).
#
#   run-cli.sh
#
# SEALDNS names the binary (build/sealdns). Needs neither root nor a network.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/expect.sh"
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
# The cases of a policy must not depend on one that is installed on this machine.
printf 'sensor: {mode: monitor}\n' >"$SCRATCH/good.yaml"
CASE=$LAB_ROOT/tests/pcap/downgrade-stubby-tls-udp-reset-v4-first

help_and_version() {
    local command
    expect "no command" 2 err 'no command' "$SEALDNS"
    expect "an unknown command" 2 err 'no command "frobnicate"' "$SEALDNS" frobnicate
    expect "--help" 0 out '^Usage: sealdns COMMAND' "$SEALDNS" --help
    expect "--version" 0 out '^sealdns [0-9]+\.[0-9]+' "$SEALDNS" --version
    for command in $("$SEALDNS" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        expect "$command --help" 0 out "^Usage: sealdns $command" "$SEALDNS" "$command" --help
        expect "$command --version" 0 out '^sealdns [0-9]' "$SEALDNS" "$command" --version
        expect "$command --frobnicate" 2 err "no option --frobnicate" "$SEALDNS" "$command" --frobnicate
    done
    for command in run analyze check rules plan events status explain probe verify; do
        expect "--help lists $command" 0 out "^  $command +[a-z]" "$SEALDNS" --help
    done
}

arguments() {
    expect "analyze without a file" 2 err 'no capture file' "$SEALDNS" analyze
    expect "analyze --format xml" 2 err 'text or json' "$SEALDNS" analyze --format xml x
    expect "analyze --conversations 0" 2 err 'a number from 1' "$SEALDNS" analyze --conversations 0 x
    expect "an option without its value" 2 err 'needs a value' "$SEALDNS" analyze -c
    expect "run --mode frobnicate" 2 err 'monitor, shadow or enforce' "$SEALDNS" run --mode frobnicate
    expect "run --profile frobnicate" 2 err 'standard or small' "$SEALDNS" run --profile frobnicate
    expect "analyze --profile frobnicate" 2 err 'standard or small' "$SEALDNS" analyze --profile frobnicate x.pcap
    expect "run with an argument" 2 err 'unexpected argument "eth0"' "$SEALDNS" run eth0
    expect "rules without a word" 2 err 'show, diff, apply' "$SEALDNS" rules
    expect "rules frobnicate" 2 err 'show, diff, apply' "$SEALDNS" rules frobnicate
    expect "probe of nobody" 2 err 'no resolver of the policy' "$SEALDNS" probe -c "$SCRATCH/good.yaml" frobnicate
    expect "probe --transport frobnicate" 2 err '--transport is' "$SEALDNS" probe --transport frobnicate
    expect "probe --port 0" 2 err 'between 1 and 65535' "$SEALDNS" probe --port 0
    expect "probe --timeout 2h" 2 err 'between 1s and 60s' "$SEALDNS" probe --timeout 2h
    expect "probe --pin frobnicate" 2 err 'letters of base64' "$SEALDNS" probe --pin frobnicate
    expect "probe where nobody is approved" 1 err 'approves no resolver' "$SEALDNS" probe -c "$SCRATCH/good.yaml"
    expect "probe of a closed port" 1 out 'no-connection' "$SEALDNS" probe -c "$SCRATCH/good.yaml" --port 1 127.0.0.1
    expect "explain without a subject" 2 err 'name one client' "$SEALDNS" explain
    expect "events --type frobnicate" 2 err '--type does not take "frobnicate"' "$SEALDNS" events --type frobnicate
    expect "events --severity frobnicate" 2 err '--severity does not take' "$SEALDNS" events --severity frobnicate
    expect "events --client frobnicate" 2 err '--client does not take' "$SEALDNS" events --client frobnicate
    expect "plan with an argument" 2 err 'unexpected argument "x"' "$SEALDNS" plan x
    expect "plan --since frobnicate" 2 err '--since does not take "frobnicate"' "$SEALDNS" plan --since frobnicate
    expect "plan --format xml" 2 err 'text or json' "$SEALDNS" plan --format xml
    expect "events --since frobnicate" 2 err '--since does not take' "$SEALDNS" events --since frobnicate
}

captures() {
    local whole=$CASE/capture.pcap size
    size=$(stat -c %s "$whole")
    head -c $((size - 5)) "$whole" >"$SCRATCH/cut.pcap"
    head -c 24 "$whole" >"$SCRATCH/header.pcap"
    head -c 11 "$whole" >"$SCRATCH/half-header.pcap"
    : >"$SCRATCH/empty.pcap"
    expect "a capture" 0 out '^1 file, [0-9]+ packets' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$whole"
    expect "a capture as JSON" 0 out '"conversations":' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" --format json "$whole"
    expect "a capture from standard input" 0 out '^1 file, [0-9]+ packets' \
        bash -c '"$0" analyze -c "$1" - <"$2"' "$SEALDNS" "$SCRATCH/good.yaml" "$whole"
    expect "a capture without packets" 0 out ' 0 packets' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/header.pcap"
    expect "a capture that ends inside a packet" 0 err 'cut.pcap ends in the middle of a packet; read to the last whole one' \
        "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/cut.pcap"
    expect "no such capture" 1 err 'nowhere.pcap: No such file' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/nowhere.pcap"
    expect "half a file header" 1 err 'is not a pcap or pcapng capture' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/half-header.pcap"
    expect "an empty file" 1 err 'is not a pcap or pcapng capture' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH/empty.pcap"
    expect "a file that is no capture" 1 err 'is not a pcap or pcapng capture' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$0"
    expect "a directory" 1 err 'Is a directory' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$SCRATCH"
    expect "one bad file among good ones" 1 err 'nowhere.pcap' "$SEALDNS" analyze -c "$SCRATCH/good.yaml" "$whole" "$SCRATCH/nowhere.pcap"
    check "the same input gives the same output" same_twice "$whole"
    check "profile small: what fits gives the same output" same_small "$whole"
    check "nobody reads the output: it fails" writes_nowhere "$whole"
}

same_twice() {
    "$SEALDNS" analyze -c "$CASE/policy.yaml" --format json "$1" >"$SCRATCH/one" 2>&1 &&
        "$SEALDNS" analyze -c "$CASE/policy.yaml" --format json "$1" >"$SCRATCH/two" 2>&1 && cmp "$SCRATCH/one" "$SCRATCH/two"
}
same_small() { "$SEALDNS" analyze -c "$CASE/policy.yaml" --profile small --format json "$1" >"$SCRATCH/two" 2>&1 && cmp "$SCRATCH/one" "$SCRATCH/two"; }
writes_nowhere() { "$SEALDNS" analyze -c "$SCRATCH/good.yaml" --format json "$1" >/dev/full 2>"$SCRATCH/err"; [ $? = 1 ]; }

# wrong NAME LINE:COLUMN PATTERN TEXT: a policy that is refused, by its place.
wrong() {
    printf '%b' "$4" >"$SCRATCH/wrong.yaml"
    expect "a policy with $1" 2 err "^$SCRATCH/wrong.yaml:$2: .*$3" "$SEALDNS" check -c "$SCRATCH/wrong.yaml"
}

# The catalogue beside a policy of its own, taken in from a list, twice, and from files that are wrong.
catalogue() {
    local list=$LAB_ROOT/tests/fuzz/seeds/stamp/list beside=$SCRATCH/catalogue
    mkdir "$beside"
    printf 'sensor: {mode: monitor}\n' >"$beside/sealdns.yaml"
    printf 'sdns://AAcA\n' >"$beside/cut.md"
    printf 'version: 1\nresolvers: [{id: x, names: [x.example]}]\n' >"$beside/wrong.yaml"
    expect "catalog without a word" 2 err 'list or import' "$SEALDNS" catalog
    expect "catalog import without a file" 2 err 'one file' "$SEALDNS" catalog import
    expect "catalog list" 0 out '^quad9 +catalogue do53,dot' "$SEALDNS" catalog list -c "$beside/sealdns.yaml"
    expect "catalog list as JSON" 0 out '"id": "quad9"' "$SEALDNS" catalog list -c "$beside/sealdns.yaml" --format json
    expect "a list of stamps" 0 err '5 stamps: 2 resolvers are new, 0 .* known already, 1 of relays, 0 left out' \
        "$SEALDNS" catalog import "$list" -c "$beside/sealdns.yaml"
    expect "what was taken in is known, below its heading" 0 out '^one +catalogue dot,doh2,dnscrypt' "$SEALDNS" catalog list -c "$beside/sealdns.yaml"
    expect "beside what was there" 0 out '^quad9 +catalogue' "$SEALDNS" catalog list -c "$beside/sealdns.yaml"
    expect "the same list again" 0 err '0 resolvers are new, 4 .* known already' "$SEALDNS" catalog import "$list" -c "$beside/sealdns.yaml"
    expect "a stamp that is cut" 2 err "^$beside/cut.md:1: a stamp is left out" "$SEALDNS" catalog import "$beside/cut.md" -c "$beside/sealdns.yaml"
    expect "a catalogue that is none" 2 err "^$beside/wrong.yaml:2:.*needs .transports" "$SEALDNS" catalog import "$beside/wrong.yaml" -o "$beside/out.yaml"
    check "which takes no place" [ ! -e "$beside/out.yaml" ]
    expect "a catalogue as YAML" 0 err 'out.yaml is written' "$SEALDNS" catalog import "$beside/catalog.yaml" -o "$beside/out.yaml"
    check "is taken as it is" cmp "$beside/catalog.yaml" "$beside/out.yaml"
    expect "no such list" 1 err 'no such file' "$SEALDNS" catalog import "$beside/nowhere.md"
    expect "a place that cannot be written" 1 err 'cannot write' "$SEALDNS" catalog import "$beside/catalog.yaml" -o "$beside/no/where.yaml"
}

policies() {
    expect "a good policy" 0 out '^sensor:' "$SEALDNS" check -c "$SCRATCH/good.yaml"
    "$SEALDNS" check -c "$LAB_ROOT/rules/examples/office.yaml" >"$SCRATCH/effective.yaml" 2>"$SCRATCH/err"
    expect "what check prints is a policy" 0 out '^sensor:' "$SEALDNS" check -c "$SCRATCH/effective.yaml"
    expect "no such policy" 2 err 'nowhere.yaml' "$SEALDNS" check -c "$SCRATCH/nowhere.yaml"
    wrong "an unknown key" 1:10 'no key .mod.' 'sensor: {mod: monitor}\n'
    wrong "a bad mode" 2:9 'mode|monitor' 'sensor:\n  mode: loud\n'
    wrong "a bad address" '3:[0-9]+' '10.0.0.999' 'resolvers:\n  - id: corp\n    addresses: [10.0.0.999]\n'
    wrong "a resolver nobody defined" '4:[0-9]+' 'nobody' 'zones:\n  - id: lan\n    networks: [10.0.0.0/8]\n    approve: [nobody]\n'
    wrong "an exception without a reason" '2:[0-9]+' 'reason' 'exceptions:\n  - {client: 10.0.0.9, until: 2099-01-31, owner: netops}\n'
    wrong "a mute without an owner" '2:[0-9]+' 'owner' 'mutes:\n  - {kind: tunnel, until: 2099-01-31, reason: tests}\n'
    wrong "a mute without an end" '2:[0-9]+' 'until' 'mutes:\n  - {kind: tunnel, owner: soc, reason: tests}\n'
    wrong "broken YAML" '[0-9]+:[0-9]+' '.' 'sensor: {mode: monitor\n'
    expect "analyze with a wrong policy" 2 err 'wrong.yaml:[0-9]+:[0-9]+: ' "$SEALDNS" analyze -c "$SCRATCH/wrong.yaml" "$CASE/capture.pcap"
    expect "rules show with a wrong policy" 2 err 'wrong.yaml:[0-9]+:[0-9]+: ' "$SEALDNS" rules show -c "$SCRATCH/wrong.yaml"
    expect "run with a wrong policy" 2 err 'wrong.yaml:[0-9]+:[0-9]+: ' "$SEALDNS" run -c "$SCRATCH/wrong.yaml" -i lo
    expect "an exception that has ended is a warning" 0 err 'warning' "$SEALDNS" check -c <(
        printf 'exceptions:\n  - {client: 10.0.0.9, until: 2020-01-31, owner: netops, reason: "printer"}\n')
    expect "a mute that has ended is a warning" 0 err 'warning: this mute has ended' "$SEALDNS" check -c <(
        printf 'mutes:\n  - {kind: tunnel, until: 2020-01-31, owner: soc, reason: "tests"}\n')
    expect "rules show prints a table" 0 out '^table inet sealdns' "$SEALDNS" rules show -c "$LAB_ROOT/rules/examples/office.yaml"
}

# A muted downgrade is told and stored, as what it is.
muted() {
    { cat "$CASE/policy.yaml"; printf 'mutes:\n  - {kind: downgrade, until: 2099-01-31, owner: netops, reason: "a test"}\n'; } >"$SCRATCH/mutes.yaml"
    expect "check shows mutes" 0 out '^  - kind: downgrade' "$SEALDNS" check -c "$SCRATCH/mutes.yaml"
    expect "a muted event is informational and says by whom" 0 out 'informational downgrade .* muted by netops' \
        "$SEALDNS" analyze -c "$SCRATCH/mutes.yaml" --db "$SCRATCH/muted.db" "$CASE/capture.pcap"
    expect "it is stored" 0 out '"muted":.*"owner":"netops","reason":"a test","until":"2099-01-31' \
        "$SEALDNS" events --db "$SCRATCH/muted.db" --type downgrade --format json
    check "other events are not muted" no_mute --type cleartext
    expect "explain says what is muted" 0 out 'muted: downgrade until 2099-01-31T23:59:59.*by netops: a test' \
        "$SEALDNS" explain -c "$SCRATCH/mutes.yaml" --db "$SCRATCH/muted.db" 192.0.2.77
}
no_mute() { "$SEALDNS" events --db "$SCRATCH/muted.db" --format json "$@" >"$SCRATCH/out" && grep -q . "$SCRATCH/out" && ! grep -q '"muted"' "$SCRATCH/out"; }

stores_and_sockets() {
    "$SEALDNS" analyze -c "$CASE/policy.yaml" --db "$SCRATCH/store.db" "$CASE/capture.pcap" >"$SCRATCH/out" 2>&1
    expect "events of a store" 0 out 'downgrade' "$SEALDNS" events --db "$SCRATCH/store.db"
    expect "events as JSON" 0 out '"kind":"downgrade"' "$SEALDNS" events --db "$SCRATCH/store.db" --format json
    expect "events as ECS" 0 out '"ecs":{"version"' "$SEALDNS" events --db "$SCRATCH/store.db" --format ecs
    expect "events as OCSF" 0 out '"class_uid":2004' "$SEALDNS" events --db "$SCRATCH/store.db" --format ocsf
    expect "events as CEF" 0 out '^CEF:0|sealdns|' "$SEALDNS" events --db "$SCRATCH/store.db" --format cef
    expect "no such format" 2 err '--format does not take "xml"' "$SEALDNS" events --db "$SCRATCH/store.db" --format xml
    expect "events of a kind" 0 out 'downgrade' "$SEALDNS" events --db "$SCRATCH/store.db" --type downgrade
    check "events of another kind are left out" no_events --type tunnel
    check "events of another client are left out" no_events --client 192.0.2.77
    expect "no such store" 1 err 'nowhere.db' "$SEALDNS" events --db "$SCRATCH/nowhere.db"
    expect "a store that is none" 1 err 'good.yaml' "$SEALDNS" events --db "$SCRATCH/good.yaml"
    expect "analyze into a folder that is not there" 1 err 'nowhere/store.db' \
        "$SEALDNS" analyze -c "$SCRATCH/good.yaml" --db "$SCRATCH/nowhere/store.db" "$CASE/capture.pcap"
    expect "status of nobody" 1 err 'nobody answers on' "$SEALDNS" status --socket "$SCRATCH/nowhere.sock"
    expect "explain a resolver" 0 out 'is the resolver "quad9"' "$SEALDNS" explain -c "$SCRATCH/good.yaml" dns.quad9.net
    expect "explain a client" 0 out 'in the zone "default"' "$SEALDNS" explain -c "$SCRATCH/good.yaml" --db "$SCRATCH/store.db" 192.0.2.77
    check "explain says what a client asked in thirty days" queries_of_days
    cat >"$SCRATCH/acts.yaml" <<'EOF'
control: {socket: /nonexistent/sealdns.sock}
resolvers:
  - {id: corp, name: dns.corp.example, addresses: [203.0.113.1], transports: [dot, doh2]}
  - {id: other, name: dns.other.example, addresses: [198.51.100.53], transports: [dot, doh2]}
zones:
  - {id: office, networks: [10.20.0.0/16], approve: [corp], cleartext: reject, unapproved: drop}
  - {id: red, networks: [10.30.0.0/16], approve: [corp], cleartext: redirect, redirect_to: [203.0.113.1, "2001:db8::1"]}
exceptions:
  - {network: 10.20.9.0/24, until: 2035-01-31, owner: netops, reason: printers}
  - {client: 10.20.1.1, resolver: other, until: 2035-01-31, owner: netops, reason: a test}
EOF
    explained() { expect "explain: $1" 0 out "$3" "$SEALDNS" explain -c "$SCRATCH/acts.yaml" --db "$SCRATCH/store.db" "$2"; }
    explained "which rule acts on clear text" 10.20.1.1 'do53-tcp  port 53  reject, rule office/cleartext-tcp'
    explained "which on DoQ" 10.20.1.1 'doq       port 853 drop, rule office/unapproved-doq'
    explained "which on DoH, and where" 10.20.1.2 'doh3 .*rule office/unapproved-doh3; only at addresses.* 198.51.100.53 of other'
    explained "where it is redirected to" 10.30.1.1 'do53-udp  port 53  redirect to 203.0.113.1, rule red/redirect-udp-ip4'
    explained "an exception passes" 10.20.9.1 'dot       port 853 passes, rule exceptions/client-ip4'
    explained "whose exception" 10.20.9.1 'exception of 10.20.9.0/24 until 2035-01-31.*by netops: printers'
    explained "an exception for one resolver" 10.20.1.1 'exception of 10.20.1.1/32 for other until'
    explained "exceptions of a resolver" dns.other.example 'exception of 10.20.1.1/32 for other until'
    explained "a zone that only tells" 192.0.2.9 'do53-udp  port 53  passes, the zone says alert'
    explained "no sensor" 192.0.2.9 'no sensor answers on /nonexistent/sealdns.sock'
    expect "explain a name nobody knows" 0 out 'no name of a resolver' "$SEALDNS" explain -c "$SCRATCH/good.yaml" nobody.example
}
# The recorded hours, moved to now.
queries_of_days() {
    local client
    cp "$SCRATCH/store.db" "$SCRATCH/days.db" &&
        sqlite3 "$SCRATCH/days.db" "UPDATE conversations SET hour = CAST(strftime('%s', 'now') AS INTEGER) / 3600 * 3600000000000" &&
        client=$(sqlite3 "$SCRATCH/days.db" "SELECT client FROM conversations WHERE transport = 'do53-udp' LIMIT 1") &&
        "$SEALDNS" explain -c "$SCRATCH/good.yaml" --db "$SCRATCH/days.db" "$client" >"$SCRATCH/out" &&
        grep -qE "^Queries of the last thirty days: do53-udp [1-9].*; unapproved: [1-9][0-9]* in clear text" "$SCRATCH/out"
}
no_events() { "$SEALDNS" events --db "$SCRATCH/store.db" "$@" >"$SCRATCH/out" 2>&1 && ! grep -q . "$SCRATCH/out"; }

# A recorded fallback from DoT to clear text, and what a strict policy makes of it.
plans() {
    local db=$SCRATCH/plan.db
    "$SEALDNS" analyze -c "$CASE/policy.yaml" --db "$db" "$CASE/capture.pcap" >"$SCRATCH/out" 2>&1
    sed -e 's/cleartext: [a-z]*/cleartext: reject/; s/unapproved: [a-z]*/unapproved: reject/' "$CASE/policy.yaml" >"$SCRATCH/strict.yaml"
    printf 'sensor: {mod: monitor}\n' >"$SCRATCH/wrong.yaml"
    printf 'zones:\n  - {id: lan, networks: [10.0.0.0/8], vlans: [5], cleartext: reject}\n' >"$SCRATCH/vlan.yaml"
    expect "plan" 0 out '^Zone .*clear text: reject' "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$db"
    expect "plan says who goes dark" 0 out 'bootstrap-only: loses' "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$db"
    expect "plan as JSON" 0 out '^"clients":' "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$db" --format json
    check "the plan's JSON is one document, of what the capture holds" plan_document "$db"
    expect "plan of a period without traffic" 0 out 'no conversation was recorded' "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 1s --db "$db"
    expect "plan of a policy that cuts nothing" 0 out '1 unaffected' "$SEALDNS" plan -c "$SCRATCH/good.yaml" --since 2020-01-01 --db "$db"
    expect "plan without a store" 1 err 'nowhere.db' "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --db "$SCRATCH/nowhere.db"
    expect "plan of a store that is none" 1 err 'good.yaml' "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --db "$SCRATCH/good.yaml"
    expect "plan with a wrong policy" 2 err 'wrong.yaml:1:10: ' "$SEALDNS" plan -c "$SCRATCH/wrong.yaml" --db "$db"
    expect "plan with a policy that no kernel enforces" 2 err 'cannot be enforced: zone lan' "$SEALDNS" plan -c "$SCRATCH/vlan.yaml" --db "$db"
    check "plan reads the first schema" plan_of_old_store "$db"
    check "plan calls clients as their machines call themselves" plan_of_named_client "$db"
    check "plan of a copied store knows whose resolver was the gateway's own" plan_of_copied_store "$db"
    check "hostile names do not reach the terminal" plan_of_hostile_store "$db"
    check "nobody reads the plan: it fails" plan_nowhere "$db"
}
plan_document() {
    "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$1" --format json | jq -e '
        ([.zones[].cut.queries] | add) == ([.conversations[] | select(.fate == "cut") | .queries] | add) and
        ([.zones[].cut.queries] | add) > 0 and ([.zones[].clients] | add) == .read.clients and
        ([.zones[].resolvers[].of.conversations] | add) == (.conversations | length) and
        (.unknown | length) > 0'
}
plan_of_old_store() {
    cp "$1" "$SCRATCH/old.db" && sqlite3 "$SCRATCH/old.db" 'DROP TABLE memory; PRAGMA user_version = 1' &&
        "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$SCRATCH/old.db" | grep -q 'bootstrap-only: loses'
}
plan_of_named_client() {
    cp "$1" "$SCRATCH/named.db" &&
        sqlite3 "$SCRATCH/named.db" "DELETE FROM memory WHERE topic = 'client'; INSERT INTO memory SELECT DISTINCT 'client', client, 1,
            '{\"host\":\"printer-\\u001b2\",\"addresses\":\"192.0.2.9 ' || client || '\"}', x'' FROM conversations" &&
        "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$SCRATCH/named.db" | grep -q '(printer-\\0272) .*: loses'
}
plan_of_copied_store() {
    cp "$1" "$SCRATCH/copied.db" &&
        sqlite3 "$SCRATCH/copied.db" "UPDATE conversations SET approved = 1, resolver = NULL WHERE server_port = 53" &&
        "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$SCRATCH/copied.db" >"$SCRATCH/out" &&
        grep -q '1 unaffected' "$SCRATCH/out" && grep -q 'whether 1 address that the record calls' "$SCRATCH/out"
}
# What a stranger may have had recorded: an escape sequence, a quote, bytes that are no UTF-8.
plan_of_hostile_store() {
    cp "$1" "$SCRATCH/hostile.db" &&
        sqlite3 "$SCRATCH/hostile.db" "UPDATE conversations SET name = CAST(x'1b5b324a2271ff' AS TEXT)" &&
        "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$SCRATCH/hostile.db" >"$SCRATCH/out" &&
        grep -q '\\027\[2J"q\\255' "$SCRATCH/out" && ! grep -qP '[\x00-\x09\x0b-\x1f\x7f-\xff]' "$SCRATCH/out" &&
        "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$SCRATCH/hostile.db" --format json | jq -e '.conversations | length > 0'
}
plan_nowhere() { "$SEALDNS" plan -c "$SCRATCH/strict.yaml" --since 2020-01-01 --db "$1" >/dev/full 2>"$SCRATCH/err"; [ $? = 1 ]; }

help_and_version
arguments
captures
catalogue
policies
muted
stores_and_sockets
plans
tally
