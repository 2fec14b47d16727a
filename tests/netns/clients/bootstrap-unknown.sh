CLIENT_IS="A strict client of a resolver that no policy names; it asks for that resolver's name in clear text"
client_story() {
    [ "$WHEN" = first ] && fault
    for name in $CELL_NAMES; do
        ask_clear "$LAB_B_NAME" "$SERVER" A
        ask_clear "$LAB_B_NAME" "$SERVER" AAAA
        ask_dot "$name" "$OTHER" "$LAB_B_NAME"
        [ "$WHEN" = after ] && { fault; WHEN=done; }
    done
}
