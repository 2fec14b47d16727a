CLIENT_IS="Stubby [TLS, TCP], opportunistic"
. "$LAB_HERE/clients/stubby.inc"
client_start() { stubby_start "GETDNS_TRANSPORT_TLS, GETDNS_TRANSPORT_TCP" GETDNS_AUTHENTICATION_NONE; }
