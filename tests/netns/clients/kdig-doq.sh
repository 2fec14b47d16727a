CLIENT_IS="kdig over QUIC, no fallback (the server speaks no QUIC)"
client_ask() { ask_doq "$1"; }
