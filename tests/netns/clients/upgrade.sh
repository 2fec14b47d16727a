CLIENT_IS="A client that starts in clear text and goes over to DoT"
client_story() {
    for name in $CELL_WARM_NAMES; do ask_clear "$name"; done
    fault
    for name in $CELL_NAMES; do ask_dot "$name"; done
}
