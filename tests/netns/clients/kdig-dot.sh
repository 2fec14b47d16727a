CLIENT_IS="kdig over DoT, certificate checked, no fallback"
client_ask() { ask_dot "$1"; }
