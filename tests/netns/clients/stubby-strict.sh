CLIENT_IS="Stubby [TLS], strict"
. "$LAB_HERE/clients/stubby.inc"
client_start() { stubby_start GETDNS_TRANSPORT_TLS GETDNS_AUTHENTICATION_REQUIRED; }
client_ask() { ask_stub "$1" 5; }
