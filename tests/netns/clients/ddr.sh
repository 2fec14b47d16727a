CLIENT_IS="A client that looks for a designated resolver (DDR) in clear text and then asks over DoT only"
client_ask() {
    ask_clear _dns.resolver.arpa "$SERVER" TYPE64
    ask_dot "$1"
}
