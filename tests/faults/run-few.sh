#!/bin/bash
# No memory: of the allocations that a command asks for itself one fails, each in turn. It ends with a message and its exit status,
# or it could do without and says the same as ever. Never a crash, never silence. (What libfyaml, nDPI and OpenSSL allocate is
# left alone: these end the process when their beginnings get none.)
#
#   run-few.sh [--all]    each allocation; else at most 150 of a command
#
# SEALDNS names the binary (build/sealdns), one without sanitizers.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
SEALDNS=${SEALDNS:-$LAB_ROOT/build/sealdns} MOST=150
[ "${1:-}" != --all ] || MOST=1000000
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
CASE=$LAB_ROOT/tests/pcap/downgrade-stubby-tls-udp-reset-v4-first

# allocations COMMAND...: how many it asks for, and what it says.
allocations() { FEW_TELL=3 LD_PRELOAD=$SCRATCH/few.so "$SEALDNS" "$@" 3>"$SCRATCH/count" >"$SCRATCH/usual" 2>/dev/null && cat "$SCRATCH/count"; }

# But for the time at which it was asked.
said() { sed 's/"until":"[^"]*"//' "$SCRATCH/$1"; }

# told STATUS: what ended so has said why, or has done all it was asked for, or says what it had no memory for.
told() {
    case $1 in
    0) cmp -s <(said usual) <(said out) || [ -s "$SCRATCH/err" ] || grep -q 'no memory' "$SCRATCH/out" ;;
    1 | 2) [ -s "$SCRATCH/err" ] ;;
    *) false ;;
    esac
}

# each NAME COMMAND...
each() {
    local name=$1 count step n status wrong=
    shift
    count=$(allocations "$@") || { not_ok "$name" "it fails with memory enough"; return; }
    step=$((1 + count / MOST))
    for n in $(seq 1 $step "$count"); do
        rm -f "$SCRATCH"/few.db*
        FEW_FAILS=$n LD_PRELOAD=$SCRATCH/few.so timeout 20 "$SEALDNS" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err"
        status=$?
        told $status || wrong+=" $n (status $status)"
    done 2>/dev/null
    check "$name: $((count / step)) of its $count allocations fail, one by one:${wrong:- told}" [ -z "$wrong" ]
}

${CC:-cc} -D_GNU_SOURCE -shared -fPIC -O2 -Wall -Wextra -o "$SCRATCH/few.so" "$HERE/few.c" || exit 1
"$SEALDNS" analyze -c "$CASE/policy.yaml" --db "$SCRATCH/store.db" "$CASE/capture.pcap" >/dev/null || exit 1
each check check -c "$CASE/policy.yaml"
each analyze analyze -c "$CASE/policy.yaml" --format json --db "$SCRATCH/few.db" "$CASE/capture.pcap"
each events events --db "$SCRATCH/store.db" --format json
each explain explain -c "$CASE/policy.yaml" --db "$SCRATCH/store.db" 203.0.113.53
each report report -c "$CASE/policy.yaml" --db "$SCRATCH/store.db" --from 2020-01-01 --to 2030-01-01 --format csv
each plan plan -c "$CASE/policy.yaml" --db "$SCRATCH/store.db" --since 2020-01-01 --format json
each rules rules show -c "$CASE/policy.yaml"
each catalog catalog list -c "$CASE/policy.yaml"
each verify verify --db "$SCRATCH/store.db"
tally
