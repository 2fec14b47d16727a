CLIENT_IS="A script: kdig over DoT to one resolver, dig in clear text to another operator's when that fails"
client_ask() { ask_dot "$1" || ask_clear "$1" "$OTHER"; }
