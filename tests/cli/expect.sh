# shellcheck shell=bash
# What a command line has to do. Sourced by the runners of this folder, after tests/netns/report.sh.

# expect NAME STATUS WHERE PATTERN COMMAND...: the exit status, and one line of standard output (out) or standard error
# (err) that holds the pattern. For messages the rest counts too: a single line, and nothing on standard output.
expect() {
    local name=$1 status=$2 where=$3 pattern=$4 got
    shift 4
    "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null
    got=$?
    if [ $got != "$status" ]; then
        not_ok "$name" "exit status $got, expected $status: $(head -c 300 "$SCRATCH/err" | paste -sd' ')"
    elif grep -qE 'Sanitizer|runtime error:' "$SCRATCH/err"; then
        not_ok "$name" "$(grep -m1 -E 'Sanitizer|runtime error:' "$SCRATCH/err")"
    elif ! grep -qE -- "$pattern" "$SCRATCH/$where"; then
        not_ok "$name" "no '$pattern' in $(head -c 300 "$SCRATCH/$where" | paste -sd' ')"
    elif [ "$where" = err ] && [ "$status" != 0 ] && [ "$(wc -l <"$SCRATCH/err")" != 1 ]; then
        not_ok "$name" "one line is enough, these are $(wc -l <"$SCRATCH/err"): $(head -c 300 "$SCRATCH/err" | paste -sd' ')"
    elif [ "$where" = err ] && [ "$status" != 0 ] && [ -s "$SCRATCH/out" ]; then
        not_ok "$name" "standard output is for data: $(head -c 200 "$SCRATCH/out" | paste -sd' ')"
    else
        ok "$name"
    fi
}
