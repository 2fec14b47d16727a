CLIENT_IS="A script: kdig over QUIC, dig in clear text when that fails (the server speaks no QUIC)"
client_ask() { ask_doq "$1" || ask_clear "$1"; }
