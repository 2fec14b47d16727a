#!/bin/bash
# An hour of ordinary names (soak.py says of what), forty clients, two seeds: not one event but of clear text itself.
#
#   soak.sh [CLIENTS [SEED...]]
#
# SEALDNS names the binary (build/sealdns).
set -u
here=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$here/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
clients=${1:-40}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- 1 2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/sealdns-soak.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

for seed; do
    python3 "$here/soak.py" --capture "$scratch/hour.pcap" --clients "$clients" --seed "$seed" >"$scratch/said" || exit 1
    "$SEALDNS" analyze --format json "$scratch/hour.pcap" >"$scratch/hour.json" || exit 1
    queries=$(jq .dns.queries "$scratch/hour.json")
    told=$(jq -r '[.events[].sealdns.rule | select(. != "cleartext")] | unique | join(" ")' "$scratch/hour.json")
    [ "$queries" -gt $((clients * 900)) ] && ok "seed $seed: $queries queries" || not_ok "seed $seed: queries" "only $queries"
    [ -z "$told" ] && ok "seed $seed: nothing told" || not_ok "seed $seed: nothing told" "$told"
done
tally
