#!/bin/bash
# The evidence chain: a real store, signed, is spoiled by sqlite3 in each way, and `sealdns verify` finds and names what was done; what
# leaves by right leaves it whole.
#
#   run-verify.sh
#
# SEALDNS names the binary (build/sealdns). Needs neither root nor a network.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/expect.sh"
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
export LSAN_OPTIONS=suppressions=$HERE/leaks.supp:print_suppressions=0
DB=$SCRATCH/store.db KEY=$SCRATCH/installation.key
CASES=$LAB_ROOT/tests/pcap
printf 'sensor: {name: gw-chain, mode: monitor}\n' >"$SCRATCH/policy.yaml"

sql() { sqlite3 "$@"; }
verify() { "$SEALDNS" verify "$@"; }
# sign DB: who has the key opens the store; nobody is forgotten.
sign() { "$SEALDNS" forget -c "$SCRATCH/policy.yaml" --db "$1" 192.0.2.77 >"$SCRATCH/signed" 2>&1; }
record() {
    local case
    for case in "$@"; do
        "$SEALDNS" analyze -c "$CASES/$case/policy.yaml" --db "$DB" "$CASES/$case/capture.pcap" >"$SCRATCH/analyzed" || return 1
    done
}
# Two checkpoints: each time the one with the key takes over what was recorded without it.
make_store() {
    record downgrade-stubby-tls-udp-reset-v4-after downgrade-stubby-tls-udp-reset-v6-after || return 1
    cp "$DB" "$SCRATCH/unsigned.db" && openssl genpkey -algorithm ed25519 -out "$KEY" 2>"$SCRATCH/err" && sign "$DB" &&
        openssl pkey -in "$KEY" -pubout -out "$SCRATCH/public.pem"
}
row() { sql "$DB" "SELECT $1 FROM events WHERE row = ${2:-2}"; }

whole() {
    check "a store is recorded, and signed" make_store
    expect "it is whole" 0 out '^whole$' verify --db "$DB"
    expect "rows of before the key are said to be so" 0 out '[1-9] of rows 1 to [0-9]+: signed only then' verify --db "$DB"
    expect "by the public half alone" 0 out '^signed by [0-9a-f]{64}$' verify --db "$DB" --key "$SCRATCH/public.pem"
    check "the format is as documented" "$HERE/chain.py" "$DB"
    check "openssl takes the signature of a checkpoint" by_openssl
    check "the document says so" eval 'verify --db "$DB" --format json | jq -e ".whole and .signed and .key_compared and .findings == [] and .rows > 3 and .last_checkpoint.row == .last"'
    check "a copy by .backup" eval 'sql "$DB" ".backup $SCRATCH/copy.db" && verify --db "$SCRATCH/copy.db" | grep -qx whole'
    check "a copy by VACUUM INTO" eval 'sql "$DB" "VACUUM INTO \"$SCRATCH/vacuumed.db\"" && verify --db "$SCRATCH/vacuumed.db" | grep -qx whole'
    check "a copy on a medium that cannot be written" shut_away
    mkdir "$SCRATCH/carried" && cp "$SCRATCH/copy.db" "$SCRATCH/carried/"
    expect "carried elsewhere: the key is told, and not compared" 0 out 'not compared' verify --db "$SCRATCH/carried/copy.db"
    expect "compared there with the key" 0 out '^signed by [0-9a-f]{64}$' verify --db "$SCRATCH/carried/copy.db" --key "$SCRATCH/public.pem"
    mv "$SCRATCH/unsigned.db" "$SCRATCH/carried/"
    expect "a store of analyze: unsigned, and said" 0 out '^unsigned: ' verify --db "$SCRATCH/carried/unsigned.db"
    expect "to who has the key that is no proof" 1 out 'no checkpoint of the key' verify --db "$SCRATCH/carried/unsigned.db" --key "$KEY"
    check "unless it is said" eval 'cp "$SCRATCH/carried/unsigned.db" "$SCRATCH/beside.db" && verify --db "$SCRATCH/beside.db" --unsigned | grep -qx whole'
}
# Root writes where nothing can be written: it asks as nobody.
shut_away() {
    local folder="$SCRATCH/shut ?%20#away" nobody=()
    [ "$(id -u)" != 0 ] || nobody=(setpriv --reuid 65534 --clear-groups)
    chmod 755 "$SCRATCH" && mkdir "$folder" && cp "$SCRATCH/copy.db" "$folder/" && cp "$SEALDNS" "$SCRATCH/sealdns" && chmod 555 "$folder" || return 1
    "${nobody[@]}" "$SCRATCH/sealdns" verify --db "$folder/copy.db" --key "$SCRATCH/public.pem" >"$SCRATCH/out" 2>&1
    chmod 755 "$folder"
    grep -qx whole "$SCRATCH/out"
}
by_openssl() {
    local number at time hash key
    IFS='|' read -r number at time hash key < <(sql "$DB" "SELECT number, row, time, lower(hex(hash)), lower(hex(key)) FROM chain_checkpoints ORDER BY number DESC LIMIT 1")
    printf 'sealdns-checkpoint/1:%s:%s:%s:%s:%s' "$number" "$at" "$time" "$hash" "$key" >"$SCRATCH/text"
    sql "$DB" "SELECT hex(signature) FROM chain_checkpoints ORDER BY number DESC LIMIT 1" | xxd -r -p >"$SCRATCH/signature"
    openssl pkeyutl -verify -rawin -pubin -inkey "$SCRATCH/public.pem" -in "$SCRATCH/text" -sigfile "$SCRATCH/signature" >"$SCRATCH/out"
}

# spoiled NAME PATTERN SQL: on a copy; it is found, in a line that holds the pattern, and the document names it too.
spoiled() {
    local name=$1 pattern=$2
    cp "$DB" "$SCRATCH/spoiled.db" && sql "$SCRATCH/spoiled.db" "$3" || { not_ok "$name" "sqlite3 failed"; return; }
    expect "$name" 1 out "$pattern" verify --db "$SCRATCH/spoiled.db"
    check "$name: in the document" eval 'verify --db "$SCRATCH/spoiled.db" --format json | jq -r ".findings[].says" | grep -qE "$pattern"'
}
events_from() { echo "INSERT INTO events SELECT $1, id, revision, state, kind, rule, severity, verdict, time, first, last, count, client, server, zone, resolver, host, json FROM events WHERE row = $2;"; }
swap() { echo "UPDATE $1 SET row = 1000 WHERE row = $2; UPDATE $1 SET row = $2 WHERE row = $3; UPDATE $1 SET row = $3 WHERE row = 1000;"; }

tampered() {
    local last second
    second="row 2 \\(event $(row id), revision $(row revision)\\)"
    last=$(sql "$DB" "SELECT max(row) FROM chain")
    spoiled "a changed verdict" "^$second: not what was written" "UPDATE events SET verdict = 'blocked' WHERE row = 2"
    spoiled "a changed letter of the JSON" "^$second: not what was written" "UPDATE events SET json = replace(json, '\"', '\"') || ' ' WHERE row = 2"
    spoiled "a changed digest" '^row 2 .*does not follow' "UPDATE chain SET digest = zeroblob(32) WHERE row = 2"
    spoiled "a changed hash" '^row 2 .*does not follow' "UPDATE chain SET hash = zeroblob(32) WHERE row = 2"
    spoiled "a removed row" '^row 2: gone' "DELETE FROM events WHERE row = 2"
    spoiled "a row removed with its link" '^row 2: gone' "DELETE FROM events WHERE row = 2; DELETE FROM chain WHERE row = 2"
    spoiled "an inserted row" "^row 900 \\(event $(row id), .*not written by" "$(events_from 900 2)"
    spoiled "an inserted row with a link" '^row 900 .*does not follow' "$(events_from 900 2) INSERT INTO chain SELECT 900, salt, digest, hash FROM chain WHERE row = 2"
    spoiled "two rows exchanged" "^row 1 \\(event $(row id), .*was written as row 2" "$(swap events 1 2)"
    spoiled "two rows exchanged with their links" '^row 2 .*does not follow from row 1' "$(swap events 1 2) $(swap chain 1 2)"
    spoiled "the tail cut off" "^rows 3 to $last: there when checkpoint [0-9]+ was signed" "DELETE FROM events WHERE row > 2; DELETE FROM chain WHERE row > 2; DELETE FROM chain_notes WHERE row > 2"
    spoiled "a checkpoint of another row" 'not signed by the key' "UPDATE chain_checkpoints SET row = row - 1"
    spoiled "a checkpoint of another hash" 'not signed by the key' "UPDATE chain_checkpoints SET hash = zeroblob(32)"
    spoiled "a checkpoint of another time" 'not signed by the key' "UPDATE chain_checkpoints SET time = time + 1"
    spoiled "no checkpoint left" "^rows 1 to $last: no checkpoint" "DELETE FROM chain_checkpoints"
    spoiled "a note that was changed" "^note $last: " "UPDATE chain_notes SET rows = 1"
    spoiled "a claim that a row was erased" '^row 2: gone|^note ' "DELETE FROM events WHERE row = 2; INSERT INTO chain_erased VALUES (2, $last, NULL)"
    spoiled "text where octets should be" 'does not follow|not what was written' "UPDATE chain SET digest = 'x', salt = 'y' WHERE row = 2"
    check "names of a stranger do not reach the terminal" hostile
    check "all made anew without the key" remade
    check "and signed with another key" resigned
    check "a key that was lost and made anew: who has both is told when" another_key
}
hostile() {
    cp "$DB" "$SCRATCH/spoiled.db" && sql "$SCRATCH/spoiled.db" "UPDATE events SET id = char(27) || '[31m' WHERE row = 2"
    verify --db "$SCRATCH/spoiled.db" >"$SCRATCH/out"
    grep -q '\\027\[31m' "$SCRATCH/out" && ! grep -q $'\033' "$SCRATCH/out"
}
remade() {
    cp "$DB" "$SCRATCH/spoiled.db" && sql "$SCRATCH/spoiled.db" "UPDATE events SET client = '10.9.9.9' WHERE row = 2" &&
        "$HERE/chain.py" "$SCRATCH/spoiled.db" --remake && "$HERE/chain.py" "$SCRATCH/spoiled.db" || return 1
    verify --db "$SCRATCH/spoiled.db" >"$SCRATCH/out"
    [ $? = 1 ] && grep -qE '^rows 1 to [0-9]+: not what checkpoint 1 was signed over' "$SCRATCH/out"
}
resigned() {
    mkdir -p "$SCRATCH/other" && cp "$SCRATCH/spoiled.db" "$SCRATCH/other/store.db" && sql "$SCRATCH/other/store.db" "DELETE FROM chain_checkpoints" &&
        openssl genpkey -algorithm ed25519 -out "$SCRATCH/other/installation.key" 2>"$SCRATCH/err" && sign "$SCRATCH/other/store.db" &&
        verify --db "$SCRATCH/other/store.db" | grep -qx whole || return 1
    verify --db "$SCRATCH/other/store.db" --key "$SCRATCH/public.pem" >"$SCRATCH/out"
    [ $? = 1 ] && grep -q '^checkpoint 1, of .*: not signed by the key' "$SCRATCH/out"
}

another_key() {
    mkdir -p "$SCRATCH/anew" && cp "$DB" "$SCRATCH/anew/store.db" && cp "$SCRATCH/other/installation.key" "$SCRATCH/anew/" && sign "$SCRATCH/anew/store.db" &&
        ! verify --db "$SCRATCH/anew/store.db" >"$SCRATCH/out" && grep -q '^checkpoint 1, of .*: not signed by the key' "$SCRATCH/out" || return 1
    verify --db "$SCRATCH/anew/store.db" --key "$SCRATCH/public.pem" --key "$SCRATCH/anew/installation.key" >"$SCRATCH/out"
    [ $? = 0 ] && grep -q ': signed by another key until then$' "$SCRATCH/out"
}

# A checkpoint that was told to a log, and a store put back to a moment before it.
elsewhere() {
    local token
    cp "$DB" "$SCRATCH/before.db"
    record downgrade-stubby-tls-udp-reset-v4-after && sign "$DB"
    expect "who wrote without the key meanwhile is told" 1 out 'added or taken away by somebody without the key' verify --db "$DB"
    token=$(sql "$DB" "SELECT 'sealdns-checkpoint/1:' || number || ':' || row || ':' || time || ':' || lower(hex(hash)) || ':' || lower(hex(key)) || ':' || lower(hex(signature)) FROM chain_checkpoints ORDER BY number DESC LIMIT 1")
    printf 'Dec  1 12:00:00 gw sealdns[7]: %s\nDec  1 12:00:01 gw cron[8]: nothing\n' "$token" >"$SCRATCH/log"
    expect "a checkpoint of a log is compared" 1 out '^1 checkpoints of .* compared' verify --db "$DB" --against "$SCRATCH/log"
    expect "an older copy put in its place is whole by itself" 0 out '^whole$' verify --db "$SCRATCH/before.db"
    expect "and against the log it is not" 1 out 'there when checkpoint [0-9]+ was signed, now gone' verify --db "$SCRATCH/before.db" --against "$SCRATCH/log"
    expect "a log that is not there" 1 err 'nowhere: No such file' verify --db "$DB" --against "$SCRATCH/nowhere"
    cp "$SCRATCH/before.db" "$DB"
}

# What leaves by right.
by_right() {
    local client
    client=$(row client 1)
    check "a client is forgotten" eval '"$SEALDNS" forget -c "$SCRATCH/policy.yaml" --db "$DB" "$client" >"$SCRATCH/out" 2>&1 && grep -q "  events$" "$SCRATCH/out"'
    expect "whole without its contents" 0 out '^whole$' verify --db "$DB"
    expect "which is said, with its time" 0 out '^20.*Z, [0-9]+ of rows 1 to [0-9]+: contents erased on request' verify --db "$DB"
    check "the format of that, too" "$HERE/chain.py" "$DB"
    check "the salts of what is gone are gone" eval '[ "$(sql "$DB" "SELECT count(*) FROM chain c JOIN chain_erased x USING (row) JOIN chain_erased y USING (row) WHERE x.digest = c.digest")" = 0 ]'
    spoiled "what is left of it, changed" '^row 1 .*not what was written' "UPDATE events SET count = count + 1 WHERE row = 1"
    check "an older store is chained by its next start, and it is said" migrated
    expect "an older store that was not started since" 1 err 'without a chain' verify --db "$SCRATCH/old.db"
}
migrated() {
    cp "$DB" "$SCRATCH/old.db" && sql "$SCRATCH/old.db" "DROP TABLE chain; DROP TABLE chain_notes; DROP TABLE chain_erased; DROP TABLE chain_checkpoints; PRAGMA user_version = 5" &&
        cp "$SCRATCH/old.db" "$SCRATCH/anew.db" && sign "$SCRATCH/anew.db" && verify --db "$SCRATCH/anew.db" >"$SCRATCH/out" &&
        grep -qE ': chained only then' "$SCRATCH/out"
}

wrong() {
    expect "a store that is none" 1 err 'policy.yaml' verify --db "$SCRATCH/policy.yaml"
    expect "no store" 1 err 'nowhere.db' verify --db "$SCRATCH/nowhere.db"
    expect "a key that is none" 1 err 'no Ed25519 key' verify --db "$DB" --key "$SCRATCH/policy.yaml"
    expect "--format xml" 2 err 'text or json' verify --format xml
    expect "an argument" 2 err 'too much' verify "$DB"
    expect "--unsigned with a key" 2 err 'asks for no key' verify --db "$DB" --unsigned --key "$KEY"
    check "nobody reads it: it fails" eval '! verify --db "$DB" >/dev/full 2>"$SCRATCH/err"'
    dd if=/dev/urandom of="$DB" bs=4096 seek=$(($(sql "$DB" "SELECT rootpage FROM sqlite_master WHERE name = 'chain'") - 1)) count=1 conv=notrunc status=none
    check "a page of noise: an error, and no crash" eval 'verify --db "$DB" >"$SCRATCH/out" 2>&1; [ $? = 1 ] && ! grep -qE "Sanitizer|runtime error" "$SCRATCH/out"'
}

whole
tampered
elsewhere
by_right
wrong
tally
