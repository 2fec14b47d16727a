# shellcheck shell=bash
# One cell of the table: one client, one fault, one family, one moment. Sourced by run-downgrade.sh.
#
# A file under clients/ says how a client behaves: it sets CLIENT_IS (what it is, in words) and defines
# client_start, client_ask NAME, client_stop; or client_story for what needs a course of its own.
# It may set CLIENT_PORT (what the fault hits, default 853) and CLIENT_IDLE (seconds until its connection has closed).

CELL_NAMES="www.example.org news.example.net shop.example.com"
CELL_WARM_NAMES="docs.example.org wiki.example.net"

cell_environment() {
    NS=cell$CELL_NUMBER
    DIR=$LAB_DIR/cell$CELL_NUMBER
    CLIENT_PORT=853
    CLIENT_IDLE=0
    CLIENT_PID=
    mkdir -p "$DIR"
    if [ "$FAMILY" = v6 ]; then
        CLIENT=$(lab_client6 "$CELL_NUMBER") SERVER=$LAB_A6 OTHER=$LAB_B6 GATEWAY=$LAB_GW6
    else
        CLIENT=$(lab_client4 "$CELL_NUMBER") SERVER=$LAB_A4 OTHER=$LAB_B4 GATEWAY=$LAB_GW4
    fi
}

# For clients that look for their resolver's address themselves: only the cell's family is there.
cell_one_family() {
    if [ "$FAMILY" = v6 ]; then
        ip -n "$LAB-$NS" -4 addr flush dev eth0
    else
        lab_in "$NS" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
    fi
}

# The client's daemon, in its namespace; its pid is kept for client_stop.
cell_daemon() {
    lab_daemon "$NS" "cell$CELL_NUMBER/daemon" "$@"
    CLIENT_PID=$LAB_PID
}

cell_kill_daemon() { [ -z "$CLIENT_PID" ] || lab_stop "$CLIENT_PID"; }

note() { echo "$*" >>"$DIR/story"; }

# answered WORDS COMMAND...: runs it, notes whether it printed an answer.
answered() {
    local words=$1 answer
    shift
    answer=$(lab_in "$NS" timeout 20 "$@" 2>>"$DIR/errors" | grep -v '^;' | head -1)
    if [ -n "$answer" ]; then note "$words: answered"; else note "$words: failed"; return 1; fi
}

# What a story is told with. The server is the approved one unless named.
ask_stub() { answered "stub $1" dig +short +tries=1 +time="${2:-9}" @"${STUB:-127.0.0.1}" "$1" A; }
ask_clear() { answered "clear $1" dig +short +tries=1 +time=2 @"${2:-$SERVER}" "$1" "${3:-A}"; }
ask_dot() {
    answered "dot $1" kdig +short +retry=0 +time=2 @"${2:-$SERVER}" +tls-ca="$LAB_CA" \
        +tls-hostname="${3:-$LAB_A_NAME}" "$1" A
}
ask_doh() {
    answered "doh $1" kdig +short +retry=0 +time=2 @"${2:-$SERVER}" +https +tls-ca="$LAB_CA" \
        +tls-hostname="${3:-$LAB_A_NAME}" "$1" A
}
# +quic comes last: kdig's TLS options turn it back into DoT.
ask_doq() { answered "doq $1" kdig +short +retry=0 +time=2 @"${2:-$SERVER}" +tls-hostname=$LAB_A_NAME +quic "$1" A; }
# shellcheck disable=SC2120 # the stories pass the port and the family
fault() { fault_on "$FAULT" "$CELL_NUMBER" "${1:-$CLIENT_PORT}" "${2:-46}"; note "fault $FAULT on"; }
unfault() { fault_off "$FAULT" "$CELL_NUMBER" "${1:-$CLIENT_PORT}" "${2:-46}"; note "fault $FAULT off"; }

# The usual course: the fault is there from the start, or comes after encryption has worked.
client_story() {
    local name
    [ "$WHEN" = first ] && fault
    client_start
    if [ "$WHEN" = after ]; then
        for name in $CELL_WARM_NAMES; do client_ask "$name"; done
        sleep "$CLIENT_IDLE"
        fault
    fi
    for name in $CELL_NAMES; do client_ask "$name"; done
    client_stop
}

client_start() { :; }
client_stop() { :; }

# Runs in a subshell of its own: CELL_NUMBER CLIENT_NAME FAULT FAMILY WHEN are set.
cell_run() {
    cell_environment
    lab_client "$NS" "$CELL_NUMBER"
    . "$LAB_HERE/clients/$CLIENT_NAME.sh"
    client_story >>"$DIR/errors" 2>&1
    sleep 0.3
    lab_client_down "$NS"
    note end
}

# The cell's own packets out of the capture of the whole run, without the web that a browser goes to.
cell_cut() {
    local four six
    four=$(lab_client4 "$1") six=$(lab_client6 "$1")
    tcpdump -nn -r "$2" -w "$3" "(host $four or host $six) and (udp or tcp or icmp or
        (icmp6 and ip6[40] < 128)) and not host $LAB_WEB4 and not host $LAB_WEB6" 2>/dev/null
}
