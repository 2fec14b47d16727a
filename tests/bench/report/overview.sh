#!/bin/bash
# The dashboard's overview over a store that bench_report filled, as a browser asks for it: the week and the month within 200 ms.
#
#   overview.sh SEALDNS STORE
set -u
SEALDNS=$1 STORE=$2
FOLDER=$(mktemp -d)
leave() { [ -z "${PID:-}" ] || { kill "$PID" && wait "$PID"; } 2>/dev/null; rm -rf "$FOLDER"; }
trap leave EXIT

# Years ago is older than what a store keeps by the rule.
cat >"$FOLDER/policy.yaml" <<END
sensor: {name: bench, interfaces: [lo], mode: monitor}
store: {path: $STORE, max_age: 9000d, max_size: 20GiB}
control: {socket: $FOLDER/sock}
web: {listen: "127.0.0.1:8053"}
END
ip link set lo up || exit 1
"$SEALDNS" run -c "$FOLDER/policy.yaml" 2>"$FOLDER/log" &
PID=$!
fetch() { curl -sf -o "$FOLDER/answer" -w '%{time_total}' "http://127.0.0.1:8053$1"; }
for _ in $(seq 100); do fetch /healthz >/dev/null && break; sleep 0.1; done

# overview NAME QUERY MOST: the median of five, the first included.
slow=0
overview() {
    local times
    times=$(for _ in 1 2 3 4 5; do fetch "/api/overview?$2" || echo 99; echo; done | sort -n)
    awk -v name="$1" -v most="$3" 'NR == 1 { least = $1 } NR == 3 { median = $1 } END {
        printf "overview of %s: %.0f ms (%.0f to %.0f)\n", name, median * 1000, least * 1000, $1 * 1000; exit median > most }' <<<"$times" || slow=1
    jq -e '.sealed.queries > 0' "$FOLDER/answer" >/dev/null || slow=1
}
overview "a week by the hour" 'from=2025-12-25&to=2026-01-01&step=hour' 0.2
overview "a month by the day" 'from=2025-12-01&to=2026-01-01&step=day' 0.2
overview "the year by the day" 'from=2025-01-01&to=2026-01-01&step=day' 1
exit $slow
