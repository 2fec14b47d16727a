CLIENT_IS="Knot Resolver as a strict DoT forwarder"

client_start() {
    mkdir -p "$DIR/kresd"
    cat >"$DIR/kresd/kresd.conf" <<CONF
net.listen('127.0.0.1', 53, { kind = 'dns' })
cache.size = 1 * MB
trust_anchors.remove('.')
for _, name in ipairs({'ta_signal_query', 'ta_sentinel', 'priming', 'detect_time_skew', 'detect_time_jump'}) do
    modules.unload(name)
end
policy.add(policy.all(policy.TLS_FORWARD({{'$SERVER', hostname='$LAB_A_NAME', ca_file='$LAB_CA'}})))
CONF
    cell_daemon kresd -n -c "$DIR/kresd/kresd.conf" "$DIR/kresd"
    lab_wait 5 lab_listens "$NS" 53
}

client_ask() { ask_stub "$1" 5; }

client_stop() { cell_kill_daemon; }
