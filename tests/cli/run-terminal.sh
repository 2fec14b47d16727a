#!/bin/bash
# What a person sees at a terminal: `top` on one (a pseudo-terminal, read as ncurses draws it) and without, events in
# colour, and completion in bash, zsh and fish.
#
#   run-terminal.sh
#
# SEALDNS names the binary (build/sealdns). Needs neither root nor a network.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/expect.sh"
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
COMPLETIONS=$LAB_ROOT/packaging/completions
DB=$SCRATCH/sealdns.db
NOBODY=$SCRATCH/nobody.sock

# A store of today: the fixture's packets, with their times moved to the last minutes.
fill_store() {
    local case=$LAB_ROOT/tests/pcap/downgrade-stubby-tls-udp-reset-v4-after
    "$HERE/move-capture.py" "$case/capture.pcap" "$SCRATCH/today.pcap" &&
        "$SEALDNS" analyze -c "$case/policy.yaml" --db "$DB" "$SCRATCH/today.pcap" >"$SCRATCH/analyzed"
}

top_once() {
    expect "top --once: the share" 0 out '^all zones +\[[#.]{24}\] +[0-9]+% +[1-9][0-9]* +[1-9]' "$SEALDNS" top --once --socket "$NOBODY" --db "$DB"
    expect "top --once: a resolver" 0 out '^203\.0\.113\.53 +853 dot +[1-9]' "$SEALDNS" top --once --socket "$NOBODY" --db "$DB"
    expect "top --once: an alert" 0 out '^[0-9:]{8} .* downgrade +.* gave up encrypted DNS' "$SEALDNS" top --once --socket "$NOBODY" --db "$DB"
    expect "top without a terminal prints once" 0 out 'no sensor answers' "$SEALDNS" top --socket "$NOBODY" --db "$DB"
    expect "top --interval 0" 2 err 'is 1 to 3600 seconds' "$SEALDNS" top --interval 0
    expect "top of nobody and nothing" 1 err "nobody answers on $NOBODY, and of the store: .*/nowhere.db" "$SEALDNS" top --once --socket "$NOBODY" --db "$SCRATCH/nowhere.db"
}

top_live() {
    check "top on a terminal: draws, another window, a pause, ends" "$HERE/terminal.py" "$SEALDNS" top --socket "$NOBODY" --db "$DB"
    check "top on a tiny terminal" "$HERE/terminal.py" --size 20x5 "$SEALDNS" top --socket "$NOBODY" --db "$DB"
    check "top ends with its terminal" "$HERE/terminal.py" --hang-up "$SEALDNS" top --socket "$NOBODY" --db "$DB"
}

coloured() {
    expect "events --color always" 0 out $'^\033\\[36m.* cleartext .*\033\\[0m$' "$SEALDNS" events --db "$DB" --color always
    expect "events into a pipe" 0 out '^2' "$SEALDNS" events --db "$DB"
    check "... without colour" eval '! grep -q $'"'\033' '$SCRATCH/out'"
    expect "events --color blue" 2 err 'does not take "blue"' "$SEALDNS" events --color blue
    expect "JSON is never coloured" 0 out '^\{.*\}$' "$SEALDNS" events --db "$DB" --color always --format json
}

# completes NAME WANTED WORD...: what the program offers for the last word.
completes() {
    local name=$1 wanted=$2 got
    shift 2
    got=$("$SEALDNS" --complete "$@" | paste -sd' ')
    [ "$got" = "$wanted" ] && ok "$name" || not_ok "$name" "expected '$wanted', got '$got'"
}

completion() {
    completes "a command" "events explain" e
    completes "an option" "--follow --format" events --fo
    completes "choices of the usage" "text json ecs ocsf cef" events --format ""
    completes "a vocabulary" "enforce" run --mode e
    completes "what a command takes" "apply" rules ap
    completes "nothing where a file may stand" "" analyze ""
    completes "nothing of an unknown command" "" frobnicate --
}

# in_shell SHELL COMMAND...: the program is found as `sealdns`.
in_shell() {
    mkdir -p "$SCRATCH/bin"
    ln -sf "$(realpath "$SEALDNS")" "$SCRATCH/bin/sealdns"
    PATH=$SCRATCH/bin:$PATH HOME=$SCRATCH "$@" 2>&1 | paste -sd' '
}

shells() {
    local got
    got=$(in_shell bash -c ". '$COMPLETIONS/sealdns.bash'; COMP_WORDS=(sealdns events --fo) COMP_CWORD=2; _sealdns; echo \"\${COMPREPLY[@]}\"")
    [ "$got" = "--follow --format" ] && ok "bash" || not_ok "bash" "$got"
    if command -v zsh >/dev/null; then
        got=$(in_shell zsh -f -c "compadd() { print -- \${(P)2}; }; _files() { print files; }; words=(sealdns events --fo) CURRENT=3; . '$COMPLETIONS/_sealdns'")
        [ "$got" = "--follow --format" ] && ok "zsh" || not_ok "zsh" "$got"
    else
        skip zsh "no zsh"
    fi
    if command -v fish >/dev/null; then
        got=$(in_shell fish -c "source '$COMPLETIONS/sealdns.fish'; complete -C 'sealdns events --format ' | sort")
        [[ "$got" = *cef*ecs*json*ocsf*text* ]] && ok "fish" || not_ok "fish" "$got"
    else
        skip fish "no fish"
    fi
}

check "a store of today" fill_store
top_once
top_live
coloured
completion
shells
tally
