CLIENT_IS="A client whose DoT fails over one family and works at once over the other; a clear-text query much later counts for nothing"
client_story() {
    local second=$LAB_A6
    [ "$FAMILY" = v6 ] && second=$LAB_A4
    fault 853 "${FAMILY#v}"
    for name in $CELL_NAMES; do
        ask_dot "$name"
        ask_dot "$name" "$second"
    done
    ask_clear www.example.org
}
