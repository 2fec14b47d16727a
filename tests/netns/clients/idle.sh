CLIENT_IS="Stubby [TLS, UDP] whose connection closes when idle and is made again"
. "$LAB_HERE/clients/stubby.inc"
client_start() { stubby_start "GETDNS_TRANSPORT_TLS, GETDNS_TRANSPORT_UDP" GETDNS_AUTHENTICATION_NONE; }
client_story() {
    client_start
    for name in $CELL_NAMES; do
        client_ask "$name"
        sleep 2.5
    done
    ask_clear "$LAB_A_NAME"
    client_ask docs.example.org
    client_stop
}
