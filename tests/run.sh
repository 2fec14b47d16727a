#!/bin/bash
# Every test, one count. Installs the packages that tests need, builds twice (Debug with AddressSanitizer and UBSan under
# build/test, Release under build/), runs the suites, and ends with one line: N passed, N failed[, N skipped].
#
#   tests/run.sh [--fast] [--list] [--no-install] [PATTERN]
#
#   --fast        what needs no root and no lab: lints, units, replays, the command line
#   --list        names the suites and ends
#   --no-install  no packages; what lacks one fails or is skipped
#   PATTERN       an extended regular expression over the names of the suites
#
# A suite of the lab that failed is played once more at the end, by itself, as its clients wait by the clock and other machines
# share this one's cores: both times are shown, what fails twice has failed. What a sanitizer reported is never played again.
#
# Logs: build/test/logs/SUITE.log. SEALDNS_CORPUS names a directory of real captures (see tests/corpus/README.md); what the
# machine truly lacks (root, network namespaces, nf_tables, those captures) is counted as skipped and said so.
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd)
PACKAGES_ROOT=$ROOT
RELEASE=$ROOT/build
DEBUG=$ROOT/build/test
LOGS=$DEBUG/logs
. "$ROOT/packaging/packages.sh"
export ASAN_OPTIONS=abort_on_error=0:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export PYTHONDONTWRITEBYTECODE=1

FAST=0 LIST=0 INSTALL=1 PATTERN=.
for argument in "$@"; do
    case $argument in
    --fast) FAST=1 ;;
    --list) LIST=1 ;;
    --no-install) INSTALL=0 ;;
    --help | -h) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "run.sh: no option $argument; see --help" >&2; exit 2 ;;
    *) PATTERN=$argument ;;
    esac
done

# The suites: floor (fast or full), whether it has the machine alone or, as it mostly waits, beside others of its kind; what
# the machine must have, seconds it may take, name, command.
suites() {
    cat <<END
fast alone  -       60 lint-layers    tests/lint/layers.py
fast alone  -       60 lint-sizes     tests/lint/sizes.py
fast alone  -       60 lint-words     tests/lint/words.py
fast alone  -      120 lint-headers   tests/lint/headers.sh
fast alone  -      120 lint-format    tests/lint/format.sh
fast alone  -       60 lint-globals   tests/lint/globals.sh $RELEASE
fast alone  -       60 lint-web       tests/lint/web.py
fast alone  -       60 lint-scripts   tests/lint/scripts.sh
fast alone  -      120 lint-spoil     tests/lint/spoil.py
fast alone  -       60 lint-rules     tests/lint/check-rules.py
fast alone  -      400 units          tests/unit/run.sh $DEBUG
fast alone  -      400 replay         env SEALDNS=$DEBUG/sealdns tests/pcap/replay.py
fast alone  -      200 volume         tests/volume/run.sh $RELEASE
fast alone  -       60 doh            tests/doh/run.sh $RELEASE
fast alone  -      200 soak           env SEALDNS=$RELEASE/sealdns tests/pcap/soak.sh
fast alone  -      200 cli            env SEALDNS=$DEBUG/sealdns tests/cli/run-cli.sh
fast alone  -      120 few            env SEALDNS=$RELEASE/sealdns tests/faults/run-few.sh
fast alone  -      100 fields         env SEALDNS=$RELEASE/sealdns tests/feeds/fields.py
fast alone  -       60 terminal       env SEALDNS=$DEBUG/sealdns tests/cli/run-terminal.sh
fast alone  -       60 verify         env SEALDNS=$DEBUG/sealdns tests/cli/run-verify.sh
fast alone  -      100 report         env SEALDNS=$DEBUG/sealdns tests/cli/run-report.sh
fast alone  -      200 offline        env SEALDNS=$RELEASE/sealdns tests/cli/run-offline.sh
full alone  corpus 500 corpus         python3 tests/corpus/compare.py --binary $RELEASE/sealdns
full alone  corpus 500 corpus-asan    python3 tests/corpus/compare.py --binary $DEBUG/sealdns
full alone  clang  400 fuzz           tests/fuzz/run.sh --seconds 10
full alone  bench  300 bench-counts   tests/bench/run.sh --quick --programs tcpdump
full alone  -      200 instructions   tests/bench/run.sh --instructions
full alone  netns  600 downgrade      env SEALDNS=$RELEASE/sealdns tests/netns/run-downgrade.sh --half
full alone  nft    300 enforce        env SEALDNS=$RELEASE/sealdns tests/netns/run-enforce.sh
full alone  nft    150 table          env SEALDNS=$RELEASE/sealdns tests/netns/run-table.sh
full alone  nft    100 drift          env SEALDNS=$RELEASE/sealdns tests/netns/run-drift.sh
full alone  nft    200 crash          env SEALDNS=$RELEASE/sealdns tests/netns/run-crash.sh
full alone  nft    100 daemon         env SEALDNS=$RELEASE/sealdns tests/cli/run-daemon.sh
full alone  nft    100 daemon-asan    env SEALDNS=$DEBUG/sealdns tests/cli/run-daemon.sh
full alone  nft    200 package        env SEALDNS=$RELEASE/sealdns tests/package/run-package.sh
full alone  nft    200 quickstart     tests/cli/run-quickstart.sh
full alone  nft    200 quickstart-lab packaging/quickstart.sh --lab
full beside nft    120 preflight      env SEALDNS=$RELEASE/sealdns tests/netns/run-preflight.sh
full beside netns  100 probe          env SEALDNS=$DEBUG/sealdns tests/netns/run-probe.sh
full beside netns  120 tunnel         env SEALDNS=$RELEASE/sealdns tests/netns/run-tunnel.sh
full beside nft    100 evidence       env SEALDNS=$RELEASE/sealdns tests/netns/run-evidence.sh
full beside nft    100 confirm        env SEALDNS=$RELEASE/sealdns tests/netns/run-confirm.sh
full beside nft    100 wrong          env SEALDNS=$RELEASE/sealdns tests/netns/run-wrong.sh
full beside nft    100 pairs          env SEALDNS=$RELEASE/sealdns tests/netns/run-pairs.sh
full beside nft    100 gateways       env SEALDNS=$RELEASE/sealdns tests/netns/run-gateways.sh
full beside netns  200 attacks        env SEALDNS=$RELEASE/sealdns tests/netns/run-attacks.sh
full beside netns  120 blocked        env SEALDNS=$RELEASE/sealdns tests/netns/run-blocked.sh
full beside nft    100 bridge         env SEALDNS=$RELEASE/sealdns tests/netns/run-bridge.sh
full beside nft    100 places         env SEALDNS=$RELEASE/sealdns tests/netns/run-places.sh
full beside netns  100 privacy        env SEALDNS=$RELEASE/sealdns tests/netns/run-privacy.sh
full beside nft    100 redirect       env SEALDNS=$RELEASE/sealdns tests/netns/run-redirect.sh
full beside netns  100 shunt          env SEALDNS=$RELEASE/sealdns tests/netns/run-shunt.sh
full beside nft    100 web            env SEALDNS=$DEBUG/sealdns tests/feeds/run-web.sh
full alone  nft    200 browser        env SEALDNS=$RELEASE/sealdns tests/web/run.sh
full beside netns  150 feeds          env SEALDNS=$DEBUG/sealdns tests/feeds/run-feeds.sh
full beside netns  100 fleet          env SEALDNS=$DEBUG/sealdns tests/feeds/run-fleet.sh
full beside netns  100 who            env SEALDNS=$RELEASE/sealdns tests/netns/run-who.sh
full beside nft     60 hidden         env SEALDNS=$RELEASE/sealdns tests/netns/run-hidden.sh
full beside netns  100 vpn            env SEALDNS=$RELEASE/sealdns tests/netns/run-vpn.sh
full beside netns  100 cores          env SEALDNS=$RELEASE/sealdns tests/netns/run-cores.sh
full alone  netns   90 small          env SEALDNS=$RELEASE/sealdns tests/netns/run-small.sh
full beside netns   60 queries        env SEALDNS=$RELEASE/sealdns tests/netns/run-queries.sh
full beside nft    120 plan           env SEALDNS=$RELEASE/sealdns tests/netns/run-plan.sh
END
}

chosen() {
    suites | while read -r floor lane needs seconds name command; do
        [ $FAST = 1 ] && [ "$floor" = full ] && continue
        [[ $name =~ $PATTERN ]] && echo "$lane $needs $seconds $name $command"
    done
}

# lacks WHAT: prints why this machine cannot, nothing when it can.
lacks() {
    local ns=sdlack$$
    case $1 in
    netns | nft)
        [ "$(id -u)" = 0 ] || { echo "not root"; return; }
        ip netns add $ns 2>/dev/null || { echo "no network namespaces"; return; }
        if ! ip netns exec $ns true 2>/dev/null; then
            echo "no program runs in a network namespace here"
        elif [ "$1" = nft ] && ! ip netns exec $ns nft add table inet sdlack 2>/dev/null; then
            echo "no nf_tables"
        fi
        ip netns del $ns
        ;;
    corpus) [ -d "${SEALDNS_CORPUS:-$ROOT/../shared/corpus}/pcap" ] || echo "no real captures, see tests/corpus/README.md" ;;
    clang) command -v clang >/dev/null || echo "no clang" ;;
    bench) [ "$(df -Pk "${TMPDIR:-/tmp}" | awk 'END { print $4 }')" -gt 1000000 ] || echo "less than 1 GB of scratch space" ;;
    esac
}

# build DIRECTORY OPTION...
build() {
    local directory=$1 generator=() log=$LOGS/build-$(basename "$1").log
    shift
    command -v ninja >/dev/null && [ ! -e "$directory/CMakeCache.txt" ] && generator=(-G Ninja)
    { cmake -S "$ROOT" -B "$directory" "${generator[@]}" "$@" && cmake --build "$directory" -j "$(nproc)"; } >"$log" 2>&1 &&
        return 0
    echo "not ok build of $directory, see $log:"
    grep -E 'error|Error|FAILED' "$log" | head -n 20
    return 1
}

PASSED=0 FAILED=0 SKIPPED=0
COUNT='^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'

# What a suite printed last is its count; one that ended badly without saying what failed has failed once.
# count STATUS LOG: into COUNTED ("passed failed skipped") and RESULT; false if something failed.
count() {
    local status=$1 log=$2 last passed=0 failed=0 skipped=0
    last=$(grep -E "$COUNT" "$log" | tail -n 1)
    if [[ $last =~ $COUNT ]]; then
        passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[4]:-0}
    elif [ "$status" = 0 ]; then
        passed=1
    fi
    [ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1
    [ "$passed$failed$skipped" != 000 ] || failed=1
    COUNTED="$passed $failed $skipped"
    RESULT="$passed passed, $failed failed"
    [ "$skipped" = 0 ] || RESULT="$RESULT, $skipped skipped"
    [ "$failed" = 0 ]
}

# Adds COUNTED to the sums.
add_up() {
    local passed failed skipped
    read -r passed failed skipped <<<"$COUNTED"
    PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
}

show_failures() {
    [ "$1" -lt 124 ] || echo "    ended by a signal or its time was up (exit status $1)"
    grep -E '^(not ok|FAIL|WRONG|stale|    [^ ].*: ours )|Sanitizer|runtime error:|Assertion' "$2" | head -n 25 | sed 's/^/    /'
    echo "    see $2"
}

AT_A_TIME=3          # suites beside each other
declare -A RUNNING=() # the name of each by its process
declare -A SECOND=()  # the names of those that are played a second time
TWICE=                # the names of those that passed only then

# may_play_again NAME: it is of the lab, has not been played twice, and no sanitizer spoke.
may_play_again() {
    [ -z "${SECOND[$1]:-}" ] && [[ $(suites | awk -v name="$1" '$5 == name { print $3 }') =~ ^(netns|nft)$ ]] &&
        ! grep -qE 'Sanitizer|runtime error:' "$LOGS/$1.log"
}

# begin NEEDS SECONDS NAME COMMAND...
begin() {
    local needs=$1 seconds=$2 name=$3 start=$SECONDS why
    shift 3
    why=$(lacks "$needs")
    if [ -n "$why" ]; then
        SKIPPED=$((SKIPPED + 1))
        echo "skip   $name: $why"
        return
    fi
    # Its own group, so that the time's end reaches all that the suite started.
    {
        timeout --kill-after=20 "$seconds" "$@" >"$LOGS/$name.log" 2>&1 </dev/null
        echo "$? $((SECONDS - start))" >"$LOGS/$name.end"
    } &
    RUNNING[$!]=$name
}

# finish N: waits until N are left, and tells of each that ends.
finish() {
    local pid name status took
    while [ ${#RUNNING[@]} -gt "$1" ]; do
        wait -n -p pid "${!RUNNING[@]}"
        name=${RUNNING[$pid]}
        unset "RUNNING[$pid]"
        read -r status took <"$LOGS/$name.end"
        tell "$name" "$status" "$took"
    done
}

# tell NAME STATUS SECONDS
tell() {
    local log=$LOGS/$1.log
    if count "$2" "$log"; then
        echo "ok     $1: $RESULT ($3 s)${SECOND[$1]:+, the second time}"
        [ -z "${SECOND[$1]:-}" ] || TWICE+=" $1"
    elif may_play_again "$1"; then
        echo "again  $1: $RESULT ($3 s)"
        cp "$log" "$LOGS/$1.first.log"
        show_failures "$2" "$LOGS/$1.first.log"
        SECOND[$1]=yes
        return
    else
        echo "not ok $1: $RESULT ($3 s)${SECOND[$1]:+, the second time too}"
        show_failures "$2" "$log"
    fi
    add_up
}

# Those that failed, each by itself.
play_again() {
    local floor lane needs seconds name command
    while read -r floor lane needs seconds name command <&3; do
        [ -n "${SECOND[$name]:-}" ] || continue
        # shellcheck disable=SC2086
        suite alone "$needs" "$seconds" "$name" $command
    done 3< <(suites)
    [ -z "$TWICE" ] || echo "only the second time:$TWICE"
}

# suite LANE NEEDS SECONDS NAME COMMAND...
suite() {
    local left=0
    [ "$1" = alone ] || left=$((AT_A_TIME - 1))
    finish $left
    shift
    begin "$@"
    [ $left != 0 ] || finish 0
}

main() {
    local lane needs seconds name command
    cd "$ROOT" || exit 1
    mkdir -p "$LOGS"
    if [ $INSTALL = 1 ] && ! packages_install $BUILD_PACKAGES $DEB_PACKAGES $TEST_PACKAGES $LAB_PACKAGES; then
        echo "packages are missing; what needs them fails or is skipped"
    fi
    if build "$RELEASE" -DCMAKE_BUILD_TYPE=Release -DSEALDNS_TESTS=OFF &&
        build "$DEBUG" -DCMAKE_BUILD_TYPE=Debug -DSEALDNS_SANITIZE=ON -DCMAKE_C_COMPILER=gcc; then
        PASSED=2
        echo "ok     build: Release, and Debug with sanitizers ($SECONDS s)"
    else
        FAILED=1
        PATTERN='^lint-[^g]' # old binaries prove nothing
    fi
    while read -r lane needs seconds name command <&3; do
        # shellcheck disable=SC2086
        suite "$lane" "$needs" "$seconds" "$name" $command
    done 3< <(chosen)
    finish 0
    play_again
    echo "$SECONDS seconds"
    if [ $SKIPPED = 0 ]; then
        echo "$PASSED passed, $FAILED failed"
    else
        echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
    fi
    [ $FAILED = 0 ]
}

if [ $LIST = 1 ]; then chosen | awk '{ print $4 }'; else main; fi
