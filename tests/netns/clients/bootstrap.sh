CLIENT_IS="A strict client that asks for its resolver's own name in clear text before each connection"
client_ask() {
    ask_clear "$LAB_A_NAME"
    ask_clear "$LAB_A_NAME" "$SERVER" AAAA
    ask_dot "$1"
}
