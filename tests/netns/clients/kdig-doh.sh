CLIENT_IS="kdig over DoH, certificate checked, no fallback"
CLIENT_PORT=443
client_ask() { ask_doh "$1"; }
