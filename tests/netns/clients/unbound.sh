CLIENT_IS="Unbound as a strict DoT forwarder"

client_start() {
    {
        lab_unbound_head
        printf '  interface: 127.0.0.1@53\n  do-not-query-localhost: no\n  tls-cert-bundle: "%s"\n' "$LAB_CA"
        printf 'forward-zone:\n  name: "."\n  forward-tls-upstream: yes\n  forward-addr: %s@853#%s\n' \
            "$SERVER" "$LAB_A_NAME"
    } >"$DIR/unbound.conf"
    cell_daemon unbound -d -c "$DIR/unbound.conf"
    lab_wait 5 lab_listens "$NS" 53
}

client_ask() { ask_stub "$1" 4; }

client_stop() { cell_kill_daemon; }
