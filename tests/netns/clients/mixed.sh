CLIENT_IS="A client with a clear-text habit (an old printer driver) beside a strict DoT stub"
client_story() {
    for turn in 1 2 3; do
        ask_clear ink.example.com
        ask_clear time.example.net
        [ "$turn" = 2 ] && fault
        ask_dot "host$turn.example.org"
        sleep 0.5
    done
    ask_clear ink.example.com
    ask_clear time.example.net
}
