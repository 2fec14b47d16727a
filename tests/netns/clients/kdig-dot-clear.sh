CLIENT_IS="A script: kdig over DoT with the certificate checked, dig in clear text when that fails"
client_ask() { ask_dot "$1" || ask_clear "$1"; }
