#!/bin/bash
# Replays the recorded cells (tests/pcap/downgrade-*) through `sealdns analyze` and holds the downgrade events against
# expected.json: kind, cause and client, each exactly once.
#
#   run-replay.sh [PATTERN]
#
# PATTERN is an extended regular expression over the names of the cases. SEALDNS names the binary (build/sealdns).
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$HERE/report.sh"

# The downgrades of an analyze document, repeats of one event folded by its id.
downgrades() {
    jq -c '[.events[] | select(.sealdns.kind == "downgrade")] | group_by(.sealdns.id) | map(max_by(.sealdns.revision))
        | map({kind: .sealdns.kind, cause: .sealdns.evidence.cause, client: .sealdns.client}) | sort'
}

for case in "$LAB_ROOT"/tests/pcap/downgrade-*/; do
    name=$(basename "$case")
    [[ $name =~ ${1:-.} ]] || continue
    if ! document=$("$SEALDNS" analyze -c "$case/policy.yaml" --format json "$case/capture.pcap" 2>&1); then
        not_ok "$name" "analyze failed: ${document:0:200}"
        continue
    fi
    got=$(downgrades <<<"$document")
    want=$(jq -c sort "$case/expected.json")
    [ "$got" = "$want" ] && ok "$name" || not_ok "$name" "expected $want, reported $got"
done
tally
