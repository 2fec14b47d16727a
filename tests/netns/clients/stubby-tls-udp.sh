CLIENT_IS="Stubby [TLS, UDP], opportunistic"
. "$LAB_HERE/clients/stubby.inc"
client_start() { stubby_start "GETDNS_TRANSPORT_TLS, GETDNS_TRANSPORT_UDP" GETDNS_AUTHENTICATION_NONE; }
