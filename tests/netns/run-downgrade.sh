#!/bin/bash
# Runs every cell of downgrade.cases with real clients in the lab while the sensor watches, and holds what it
# reported against the table.
#
#   run-downgrade.sh [--record] [--no-sensor] [--half] [--jobs N] [--browsers N] [--keep] [PATTERN]
#
# --half: of two cells that differ by the family alone, one, by turns, and of a browser's cells every third; the replay of
# tests/pcap holds them all. --browsers: so many at a time (2): each takes a core while it starts.
# PATTERN is an extended regular expression over the lines of the table. --record renews the fixtures under
# tests/pcap/. --no-sensor checks the lab and the clients alone. SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/cell.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/fixture.sh"
. "$LAB_HERE/sensor.sh"

RECORD=0 SENSOR=1 HALF=0 SECOND=0 JOBS=12 BROWSERS=2 PATTERN=.
readonly BROWSER='^[0-9]+ +(chromium|firefox)-'
while [ $# -gt 0 ]; do
    case $1 in
    --record) RECORD=1 ;;
    --no-sensor) SENSOR=0 ;;
    --half) HALF=1 ;;
    --second) SECOND=1 ;; # of itself, for cells that failed
    --jobs) JOBS=$2; shift ;;
    --browsers) BROWSERS=$2; shift ;;
    --keep) LAB_KEEP=1 ;;
    --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "run-downgrade.sh: unknown option $1" >&2; exit 2 ;;
    *) PATTERN=$1 ;;
    esac
    shift
done

cases() {
    sed 's/#.*//' "$LAB_HERE/downgrade.cases" | grep -E '[a-z]' | grep -E -- "$PATTERN" |
        awk -v half=$HALF -v browser="$BROWSER" '
            { key = $2 " " $3 " " $5; line[NR] = $0; of[NR] = key; family[NR] = $4; seen[key, $4] = 1 }
            END {
                for (i = 1; i <= NR; i++) {
                    twin = seen[of[i], "v4"] && seen[of[i], "v6"]
                    if (twin && !(of[i] in turn)) turn[of[i]] = pairs++ % 2 ? "v6" : "v4"
                    if (half && twin && family[i] != turn[of[i]]) continue
                    if (half && line[i] ~ browser && browsers++ % 3) continue
                    print line[i]
                }
            }'
}

# The policy of the cells. Live, the sensor also gets a store, a feed and a socket of its own.
live_policy() {
    cell_policy
    cat <<EOF
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
outputs:
  - {type: file, format: eve, path: $LAB_DIR/eve.json}
EOF
}

sensor_start() {
    live_policy >"$LAB_DIR/policy.yaml"
    sensor_up monitor || lab_die "the sensor did not start"
}

# run_cells NAME JOBS: those of the input, at most JOBS at a time: each takes a token from a pipe and puts it back.
run_cells() {
    local number client fault family when i tokens
    mkfifo "$LAB_DIR/$1"
    exec {tokens}<>"$LAB_DIR/$1"
    for i in $(seq "$2"); do echo >&"$tokens"; done
    while read -r number client fault family when _; do
        read -r -u "$tokens" _
        (
            trap - EXIT INT TERM
            CELL_NUMBER=$number CLIENT_NAME=$client FAULT=$fault FAMILY=$family WHEN=$when
            cell_run
            echo >&"$tokens"
        ) &
    done
    for i in $(seq "$2"); do read -r -u "$tokens" _; done
    exec {tokens}>&-
}

# The browsers work while the others mostly wait, but few at a time.
run_all() {
    local browsers
    (
        trap - EXIT INT TERM
        run_cells browsers "$BROWSERS" < <(cases | grep -E "$BROWSER")
    ) &
    browsers=$!
    run_cells others "$JOBS" < <(cases | grep -vE "$BROWSER")
    wait "$browsers"
}

# The downgrade events of one cell's client, by either of its addresses, as lines `client cause origin`; repeats of one
# event are folded by its id.
reported() {
    jq -rs --arg four "$(lab_client4 "$1")" --arg six "$(lab_client6 "$1")" '
        [flatten[] | select(.sealdns.kind? == "downgrade") | select(.sealdns.client == $four or .sealdns.client == $six)]
        | group_by(.sealdns.id) | map(max_by(.sealdns.revision)) | .[].sealdns
        | .client + " " + .evidence.cause + " " + .evidence.origin' "$2" 2>&1
}

# What its last revisions rest on, for who looks into a failure.
evidence() {
    jq -cs --arg four "$(lab_client4 "$1")" --arg six "$(lab_client6 "$1")" '
        flatten[] | select(.sealdns.kind? == "downgrade") | select(.sealdns.client == $four or .sealdns.client == $six)
        | [.timestamp, .sealdns.revision, .sealdns.evidence]' "$2" | tail -n 3
}

# The same question to the store.
events_of_store() {
    sealdns events --db "$LAB_DIR/sealdns.db" --type downgrade --format json >"$LAB_DIR/store.json" 2>"$LAB_DIR/events.log"
}

# right WANTED GOT: WANTED is a word of the table, perhaps with a `?`.
right() { [ "$2" = "${1%\?}" ] || { [ "$1" != "${1%\?}" ] && [ "$2" = unknown ]; }; }

# check_reported NAME NUMBER FAMILY EXPECTED CAUSE ORIGIN FILE
check_reported() {
    local got want=
    got=$(reported "$2" "$7" | paste -sd,)
    [ "$4" = yes ] && want="$(cell_client "$3" "$2") $5"
    if [ "$got" = "$want" ] || { [ "${got% *}" = "$want" ] && right "$6" "${got##* }"; }; then
        ok "$1"
    else
        not_ok "$1" "expected '${want:-none} $6', reported '${got:-none}'"
        evidence "$2" "$7" | sed 's/^/# /'
    fi
}

# What explain says of the client, and that the store has it from this run.
check_profile() {
    local got
    got=$(sealdns explain "$2" -c "$LAB_DIR/policy.yaml" --db "$LAB_DIR/sealdns.db" 2>&1 |
        sed -n 's/^  profile  *\([a-z-]*\):.*/\1/p')
    right "$3" "${got:-unknown}" && ok "$1" || not_ok "$1" "expected $3, explain says '${got:-nothing}'"
}

# What was on the wire, cell by cell, as many at a time as there are cores.
judge_all() {
    local number cores pids=()
    cores=$(nproc)
    while read -r number _; do
        (
            trap - EXIT INT TERM
            cell_cut "$number" "$LAB_DIR/lan0.pcap" "$LAB_DIR/cell$number/capture.pcap"
            "$LAB_HERE/judge.sh" "$LAB_DIR/cell$number/capture.pcap" >"$LAB_DIR/cell$number/verdict"
        ) &
        pids+=($!)
        [ $((${#pids[@]} % cores)) = 0 ] && wait "${pids[@]: -cores}"
    done < <(cases)
    wait "${pids[@]}"
}

check_cell() {
    local number=$1 client=$2 fault=$3 family=$4 when=$5 expected=$6 cause=$7 origin=$8 profile=$9
    local name=$client-$fault-$family-$when dir=$LAB_DIR/cell$1 verdict
    if grep -q '^skip' "$dir/story"; then
        skip "$name" "$(sed -n 's/^skip //p' "$dir/story")"
        return
    fi
    ! grep -q '^broken' "$dir/story" || not_ok "$name as it should go" "$(paste -sd, "$dir/story")"
    verdict=$(<"$dir/verdict")
    if [ "${verdict%% *}" = "$expected" ]; then
        ok "$name on the wire: $verdict"
    else
        not_ok "$name on the wire" "expected $expected, tshark sees $verdict [$(paste -sd, "$dir/story")]"
    fi
    [ $RECORD = 0 ] || fixture_record "$name" "$@"
    [ $SENSOR = 0 ] && return
    check_reported "$name reported live" "$number" "$family" "$expected" "$cause" "$origin" "$LAB_DIR/eve.json"
    check_reported "$name in the store" "$number" "$family" "$expected" "$cause" "$origin" "$LAB_DIR/store.json"
    check_profile "$name profile" "$(cell_client "$family" "$number")" "$profile"
}

# A browser does as it likes on a loaded machine: a cell of its that failed is played once more, by itself, and that play
# counts. Both are shown.
check_cells() {
    local number rest again='' passed failed
    while read -r number rest; do
        passed=$PASSED failed=$FAILED
        # shellcheck disable=SC2086
        check_cell "$number" $rest >"$LAB_DIR/cell$number/checks"
        if [ $SECOND = 0 ] && [ "$FAILED" -gt "$failed" ] && [[ "$number $rest" =~ $BROWSER ]]; then
            again+="|$number" PASSED=$passed FAILED=$failed
            sed 's/^/# first play: /' "$LAB_DIR/cell$number/checks"
        else
            cat "$LAB_DIR/cell$number/checks"
        fi
    done < <(cases)
    [ -z "$again" ] || play_again "^(${again#|}) "
}

play_again() {
    local passed failed
    "$LAB_HERE/run-downgrade.sh" --second "$1" | tee "$LAB_DIR/again" | grep -v ' passed, '
    read -r passed _ failed _ < <(grep ' passed, ' "$LAB_DIR/again")
    PASSED=$((PASSED + ${passed:-0})) FAILED=$((FAILED + ${failed:-1}))
}

main() {
    lab_up || exit 1
    lab_daemon gw tcpdump tcpdump --immediate-mode -U -nn -s 0 -i lan0 -w "$LAB_DIR/lan0.pcap" \
        "port 53 or port 853 or port 443 or icmp or icmp6"
    local tcpdump=$LAB_PID
    lab_wait 5 test -s "$LAB_DIR/lan0.pcap"
    [ $SENSOR = 0 ] || sensor_start
    run_all
    sleep 1
    lab_stop "$tcpdump" INT
    if [ $SENSOR = 1 ]; then
        kill -0 "$SENSOR_PID" 2>/dev/null && ok "the sensor still runs" || not_ok "the sensor still runs" "it ended"
        lab_stop "$SENSOR_PID"
        events_of_store && ok "sealdns events reads the store" || not_ok "sealdns events reads the store" "$(head -1 "$LAB_DIR/events.log")"
    fi
    judge_all
    check_cells
    tally
}
main
