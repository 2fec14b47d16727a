CLIENT_IS="A script: kdig over DoH with the certificate checked, dig in clear text when that fails"
CLIENT_PORT=443
client_ask() { ask_doh "$1" || ask_clear "$1"; }
