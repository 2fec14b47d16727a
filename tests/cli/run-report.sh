#!/bin/bash
# The compliance report: five formats that say the same, of a store made from a recorded downgrade; what a stranger wrote into it is
# harmless in each; periods without data, wrong ones, stores that cannot be read.
#
#   run-report.sh
#
# SEALDNS names the binary (build/sealdns). Needs neither root nor a network.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/expect.sh"
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
CASE=$LAB_ROOT/tests/pcap/downgrade-stubby-tls-udp-reset-v4-after
DB=$SCRATCH/sealdns.db
export LSAN_OPTIONS=suppressions=$HERE/leaks.supp:print_suppressions=0
FROM=$(date -u -d yesterday +%FT%TZ) TO=$(date -u +%FT%TZ) # of all formats

policy() {
    sed '/^sensor:/d' "$CASE/policy.yaml"
    echo 'sensor: {name: gw-report, mode: monitor}'
    echo 'exceptions: [{client: 10.53.9.9, until: 2099-12-31, owner: netops, reason: "printer, change 12 <b>"}]'
}

fill_store() {
    "$HERE/move-capture.py" "$CASE/capture.pcap" "$SCRATCH/today.pcap" &&
        policy >"$SCRATCH/policy.yaml" &&
        "$SEALDNS" analyze -c "$SCRATCH/policy.yaml" --db "$DB" "$SCRATCH/today.pcap" >"$SCRATCH/analyzed"
}

# make DB FOLDER [OPTION...]: all formats.
make() {
    local db=$1 into=$2 format
    shift 2
    mkdir -p "$into"
    for format in json csv text html pdf; do
        "$SEALDNS" report -c "$SCRATCH/policy.yaml" --db "$db" --from "$FROM" --to "$TO" "$@" --format $format -o "$into/r.$format" 2>>"$SCRATCH/err" || return 1
    done
}
measure() { jq -r ".measures.$1" "$SCRATCH/plain/r.json"; }
queries() { sqlite3 "$DB" "SELECT sum(queries) FROM conversations WHERE $1"; }

formats() {
    check "five formats" make "$DB" "$SCRATCH/plain"
    check "they say the same, table by table" "$HERE/report.py" "$SCRATCH/plain"
    check "as many queries in clear text as the store has" [ "$(measure clear_unapproved_queries)" = "$(queries "transport LIKE 'do53%' AND NOT approved")" ]
    check "as many in all" [ "$(measure queries)" = "$(queries "transport IN ('do53-udp', 'do53-tcp', 'dot', 'doq', 'doh2', 'doh3')")" ]
    check "the downgrade, with its cause" eval 'jq -e ".measures.downgrades == 1 and ([.sections[].tables[] | select(.id == \"downgrade_causes\").rows[][0]] == [\"reset, by path\"])" "$SCRATCH/plain/r.json"'
    check "the exception, with its end" eval 'jq -e "[.sections[].tables[] | select(.id == \"exceptions\").rows[] | .[3:5]] == [[\"active\", \"netops\"]]" "$SCRATCH/plain/r.json"'
    check "summary first, then the sensor's coverage" eval '[ "$(jq -r "[.sections[:2][].id] | join(\" \")" "$SCRATCH/plain/r.json")" = "summary coverage" ]'
    check "a sensor that hardly ran is told ahead of all" eval 'jq -e ".sections[0].says[0].grave" "$SCRATCH/plain/r.json"'
    check "the page asks nobody else and runs nothing" eval '! grep -qiE "<script|<link|src=|https?://|@import| on[a-z]+=" "$SCRATCH/plain/r.html"'
    check "the PDF has its fonts" eval 'pdffonts "$SCRATCH/plain/r.pdf" | tail -n +3 | grep -q . && ! pdffonts "$SCRATCH/plain/r.pdf" | tail -n +3 | awk "{ print \$(NF-4) }" | grep -qv yes'
    check "the summary is one page" eval 'pdftotext -f 2 -l 2 "$SCRATCH/plain/r.pdf" - | head -n 1 | grep -q "Scope and sensor coverage"'
}

# What a stranger may have had recorded: a script, a formula, an escape sequence, what turns the direction of reading.
hostile() {
    cp "$DB" "$SCRATCH/hostile.db"
    sqlite3 "$SCRATCH/hostile.db" "UPDATE conversations SET name = '<script>alert(1)</script>' WHERE transport = 'dot';
        UPDATE conversations SET name = '=cmd|x' || char(27) || '[2J\"' || char(8238) || 'moc' WHERE transport <> 'dot'" || return
    check "with hostile names" make "$SCRATCH/hostile.db" "$SCRATCH/hostile"
    check "they say the same, too" "$HERE/report.py" "$SCRATCH/hostile"
    check "no script in the page" eval '! grep -q "<script" "$SCRATCH/hostile/r.html" && grep -q "&lt;script&gt;" "$SCRATCH/hostile/r.html"'
    check "no formula for a spreadsheet" eval '! grep -qE "(^|,)\"?[=+@-][^0-9]" "$SCRATCH/hostile/r.csv" && grep -q "'"'=cmd"'" "$SCRATCH/hostile/r.csv"'
    check "no escape sequence for a terminal" eval '! grep -qP "[\x00-\x08\x0b-\x1f\x7f-\xff]" "$SCRATCH/hostile/r.text"'
    check "nothing that turns the direction in the PDF" eval '! pdftotext "$SCRATCH/hostile/r.pdf" - | grep -qP "\xe2\x80\xae"'
}

signed() {
    local ours=("$SEALDNS" report --db "$DB") r=$SCRATCH/plain/r.pdf
    expect "it is as it was signed" 0 out '^sha256 +[0-9a-f]{64}$' "${ours[@]}" --check "$r"
    check "the key is its owner's alone" [ "$(stat -c %a "$SCRATCH/installation.key")" = 600 ]
    check "as openssl sees it" openssl_agrees "$r"
    expect "so an auditor without the key can tell" 0 out '^public_key +[A-Za-z0-9+/]{43}=$' "$SEALDNS" report --key "$SCRATCH/nowhere.key" --check "$r"
    cp "$r" "$SCRATCH/changed.pdf" && echo >>"$SCRATCH/changed.pdf" && cp "$r.manifest.json" "$SCRATCH/changed.pdf.manifest.json"
    expect "a file that was changed" 1 err 'the file is not the one that was signed' "${ours[@]}" --check "$SCRATCH/changed.pdf"
    cp "$r" "$SCRATCH/dated.pdf" && sed 's/"from": "2/"from": "1/' "$r.manifest.json" >"$SCRATCH/dated.pdf.manifest.json"
    expect "a manifest that was changed" 1 err 'its manifest is not as it was signed' "${ours[@]}" --check "$SCRATCH/dated.pdf"
    openssl genpkey -algorithm ed25519 -out "$SCRATCH/other.key" 2>"$SCRATCH/err"
    expect "somebody else's key" 1 err "not by this installation's key" "$SEALDNS" report --key "$SCRATCH/other.key" --check "$r"
    expect "without a manifest" 1 err 'there is no manifest' "${ours[@]}" --check "$SCRATCH/policy.yaml"
    check "the public half is enough to check" eval 'openssl pkey -in "$SCRATCH/installation.key" -pubout -out "$SCRATCH/half.pem" && "$SEALDNS" report --check "$r" --key "$SCRATCH/half.pem" >"$SCRATCH/out"'
    head -c 3000 /dev/urandom >"$SCRATCH/noise.key"
    "$SEALDNS" report -c "$SCRATCH/policy.yaml" --db "$DB" --from 1d --key "$SCRATCH/noise.key" -o "$SCRATCH/unsigned.txt" 2>"$SCRATCH/err"
    check "a key that is none: the report is made, and said not to be signed" eval '[ -s "$SCRATCH/unsigned.txt" ] && [ ! -e "$SCRATCH/unsigned.txt.manifest.json" ] && grep -q "not signed: .*no Ed25519 key" "$SCRATCH/err"'
}
# With nothing of ours: jq for what is signed, openssl for the signature.
openssl_agrees() {
    jq -jcS 'del(.signature)' "$1.manifest.json" >"$SCRATCH/signed" && jq -r .signature "$1.manifest.json" | base64 -d >"$SCRATCH/signature" &&
        openssl pkey -in "$SCRATCH/installation.key" -pubout -out "$SCRATCH/public.pem" &&
        openssl pkeyutl -verify -pubin -inkey "$SCRATCH/public.pem" -rawin -in "$SCRATCH/signed" -sigfile "$SCRATCH/signature"
}

# This machine has no mail system: a program that keeps what it is given stands in its place.
mailed() {
    local mail=("$SEALDNS" report -c "$SCRATCH/policy.yaml" --db "$DB" --from 1d --format pdf -o "$SCRATCH/m.pdf" --sendmail "$SCRATCH/sendmail")
    printf '#!/bin/sh\necho "$@" >%s/arguments\ncat >%s/mail\n' "$SCRATCH" "$SCRATCH" >"$SCRATCH/sendmail"
    chmod +x "$SCRATCH/sendmail"
    check "a mail" "${mail[@]}" --mail audit@example.org --mail soc@example.org
    check "to those it is for, its text to be read, the PDF attached" "$HERE/mail.py" "$SCRATCH/mail" "$SCRATCH/m.pdf" audit@example.org soc@example.org
    check "whom it is for stands in the mail alone" [ "$(cat "$SCRATCH/arguments")" = "-t -oi" ]
    expect "an address with a line of its own" 2 err '\-\-mail does not take' "${mail[@]}" --mail $'a@example.org\nBcc: b@example.org'
    expect "an address that is an option" 2 err '\-\-mail does not take' "${mail[@]}" --mail -f@example.org
    expect "a mail without a file" 2 err 'needs -o FILE' "$SEALDNS" report --mail a@example.org
    printf '#!/bin/sh\nexit 75\n' >"$SCRATCH/sendmail"
    expect "a program that does not take it" 1 err 'not mailed: .* status 75' "${mail[@]}" --mail audit@example.org
    check "the report is there all the same" [ -s "$SCRATCH/m.pdf" ]
    rm "$SCRATCH/sendmail"
    expect "no such program" 1 err 'not mailed: .*No such file' "${mail[@]}" --mail audit@example.org
}

wrong() {
    local nothing=("$SEALDNS" report -c "$SCRATCH/policy.yaml" --db "$DB")
    expect "a period without data says so" 0 out 'No DNS was seen in this period' "${nothing[@]}" --from 2001-01-01 --to 2001-02-01
    expect "and that no sensor ran" 0 out '^! The sensor did not run' "${nothing[@]}" --from 2001-01-01 --to 2001-02-01
    expect "last month" 0 out '^gw-report, [0-9]{4}-[0-9]{2}-01 to [0-9]{4}-[0-9]{2}-01T00:00 UTC' "${nothing[@]}" --from last-month
    expect "last week is the rule" 0 out '^gw-report, .* to [0-9-]{10}T00:00 UTC' "${nothing[@]}"
    expect "the end before the beginning" 2 err '\-\-from must be before --to' "${nothing[@]}" --from 2026-01-02 --to 2026-01-01
    expect "an unknown format" 2 err '\-\-format does not take "docx"' "${nothing[@]}" --format docx
    expect "no date" 2 err '\-\-from does not take "soon"' "${nothing[@]}" --from soon
    expect "no store" 1 err 'nowhere.db: cannot be opened' "$SEALDNS" report -c "$SCRATCH/policy.yaml" --db "$SCRATCH/nowhere.db"
    expect "a folder that is not there" 1 err 'cannot write /nowhere/r.pdf' "${nothing[@]}" --format pdf -o /nowhere/r.pdf
    cp "$DB" "$SCRATCH/newer.db" && sqlite3 "$SCRATCH/newer.db" 'PRAGMA user_version = 999'
    expect "a store of a newer program" 1 err 'newer.db: made by a newer sealdns' "$SEALDNS" report -c "$SCRATCH/policy.yaml" --db "$SCRATCH/newer.db"
    head -c 5000 /dev/urandom >"$SCRATCH/noise.db"
    expect "no store at all" 1 err 'noise.db: ' "$SEALDNS" report -c "$SCRATCH/policy.yaml" --db "$SCRATCH/noise.db"
    "${nothing[@]}" --format html >/dev/full 2>"$SCRATCH/err"
    check "a full disk" grep -q 'cannot write the report' "$SCRATCH/err"
}

check "a store of today" fill_store
formats
hostile
signed
mailed
wrong
tally
