CLIENT_IS="A strict client; internal names only go to the gateway's resolver in clear text"
internal() {
    ask_clear files.corp.example "$GATEWAY"
    ask_clear mail.corp.example "$GATEWAY"
    ask_clear nas.home.arpa "$GATEWAY"
    ask_clear 20.0.53.10.in-addr.arpa "$GATEWAY" PTR
}
client_story() {
    [ "$WHEN" = after ] && ask_dot docs.example.org
    fault
    for name in $CELL_NAMES; do ask_dot "$name"; done
    internal
}
