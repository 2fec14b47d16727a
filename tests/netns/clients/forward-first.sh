CLIENT_IS="Unbound 1.17 as a DoT forwarder with forward-first: it recurses by itself when that fails, over TLS as well"
# Which nobody answers, on port 53: so it is told to be opportunistic and fails closed. For one that does recurse in clear
# text see recursion.sh.
CELL_NAMES="www.example.org"

# The root servers of the lab are its public resolver.
client_start() {
    {
        lab_unbound_head
        printf '  interface: 127.0.0.1@53\n  do-not-query-localhost: no\n  tls-cert-bundle: "%s"\n' "$LAB_CA"
        printf '  root-hints: "%s/root.hints"\n  qname-minimisation: no\n' "$DIR"
        printf 'forward-zone:\n  name: "."\n  forward-first: yes\n  forward-tls-upstream: yes\n  forward-addr: %s@853#%s\n' \
            "$SERVER" "$LAB_A_NAME"
    } >"$DIR/unbound.conf"
    printf '. 3600 IN NS a.root.\na.root. 3600 IN A %s\na.root. 3600 IN AAAA %s\n' "$LAB_A4" "$LAB_A6" >"$DIR/root.hints"
    cell_daemon unbound -d -c "$DIR/unbound.conf"
    lab_wait 5 lab_listens "$NS" 53
}

client_ask() { ask_stub "$1" 6; }

client_stop() { cell_kill_daemon; }
