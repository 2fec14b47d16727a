CLIENT_IS="A client that bootstraps in clear text, fails over DoT, and then asks everything in clear text"
client_ask() {
    ask_clear "$LAB_A_NAME"
    ask_dot "$1" || ask_clear "$1"
}
