CLIENT_IS="A strict client whose DoT fails and then works again before anything was asked in clear text"
client_story() {
    fault
    for name in $CELL_NAMES; do ask_dot "$name"; done
    unfault
    for name in $CELL_NAMES; do ask_dot "$name"; done
    ask_clear www.example.org
}
