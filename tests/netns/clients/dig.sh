CLIENT_IS="dig, clear text only"
client_ask() { ask_clear "$1"; }
