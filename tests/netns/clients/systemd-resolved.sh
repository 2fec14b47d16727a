# The Linux desktop's stub. It runs without systemd: its own mount namespace, its own configuration.
CLIENT_IS="systemd-resolved, DNSOverTLS=opportunistic"
STUB=127.0.0.53
CLIENT_IDLE=11

client_start() {
    mkdir -p "$DIR/run"
    chown systemd-resolve:systemd-resolve "$DIR/run"
    printf '[Resolve]\nDNS=%s\nFallbackDNS=\nDNSOverTLS=opportunistic\nDNSSEC=no\nCache=no\nLLMNR=no\nMulticastDNS=no\n' \
        "$SERVER" >"$DIR/resolved.conf"
    # shellcheck disable=SC2016
    cell_daemon unshare -m sh -c 'mkdir -p /run/systemd/resolve && mount --bind "$1/run" /run/systemd/resolve &&
        mount --bind "$1/resolved.conf" /etc/systemd/resolved.conf && exec /lib/systemd/systemd-resolved' sh "$DIR"
    lab_wait 5 lab_listens "$NS" 53
}

client_ask() { ask_stub "$1" 5; }

client_stop() { cell_kill_daemon; }
