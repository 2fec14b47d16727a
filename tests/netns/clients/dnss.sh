CLIENT_IS="dnss, a forwarder to DoH: it asks only for its resolver's name in clear text"
CLIENT_PORT=443
client_start() {
    cell_one_family
    cell_daemon dnss -enable_dns_to_https -enable_cache=false -https_client_cafile "$LAB_CA" \
        -https_upstream "https://$LAB_A_NAME/dns-query" -fallback_upstream "$(dnss_address "$SERVER"):53" -dns_listen_addr 127.0.0.1:53
    lab_wait 5 lab_listens "$NS" 53
}
dnss_address() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }
client_ask() { ask_stub "$1" 5; }
client_stop() { cell_kill_daemon; }
