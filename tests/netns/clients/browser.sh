CLIENT_IS="A browser with DoH and no fallback beside an operating system that asks in clear text"
CLIENT_PORT=443
client_story() {
    local turn
    for turn in 1 2 3; do
        ask_clear "system$turn.example.org"
        [ "$turn" = 3 ] && fault
        ask_doh "page$turn.example.org"
        ask_clear ntp.example.net
    done
    ask_clear system1.example.org
}
