# shellcheck shell=bash
# One line a check, and the count at the end. Sourced by the runners.
SEALDNS=${SEALDNS:-$LAB_ROOT/build/sealdns}
PASSED=0 FAILED=0 SKIPPED=0

ok() { PASSED=$((PASSED + 1)); echo "ok $1"; }

not_ok() { FAILED=$((FAILED + 1)); echo "not ok $1: ${2:-}"; }

skip() { SKIPPED=$((SKIPPED + 1)); echo "skip $1: ${2:-}"; }

# check NAME COMMAND...: ok when the command is true.
check() {
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then ok "$name"; else not_ok "$name" "'$*' failed"; fi
}

tally() {
    echo "$PASSED passed, $FAILED failed$([ "$SKIPPED" = 0 ] || echo ", $SKIPPED skipped")"
    [ "$FAILED" = 0 ]
}
