# shellcheck shell=bash
# The program in the lab: its policy, its start and end, and what it says. Sourced by the runners.

# sensor_policy CLEARTEXT UNAPPROVED: the policy of the enforcement runs. One client is an exception.
sensor_policy() {
    cat <<EOF
sensor: {name: lab, interfaces: [lan0], mode: monitor}
store: {path: $LAB_DIR/sealdns.db}
control: {socket: $LAB_DIR/sealdns.sock}
resolvers:
  - id: lab
    name: $LAB_A_NAME
    addresses: [$LAB_A4, "$LAB_A6"]
    transports: [dot, doh2]
zones:
  - id: lab
    networks: [10.53.0.0/16, "2001:db8:100::/64"]
    approve: [lab]
    cleartext: $1
    unapproved: $2
    bootstrap: true
exceptions:
  - {client: $(lab_client4 2), until: 2099-12-31, owner: lab, reason: "the printer, change 1"}
  - {client: "$(lab_client6 2)", until: 2099-12-31, owner: lab, reason: "the printer, change 1"}
outputs:
  - {type: file, format: eve, path: $LAB_DIR/eve.json}
EOF
}

sealdns() { lab_in gw "$SEALDNS" "$@"; }

# sensor_up MODE [INTERFACE...]: starts it, on lan0 unless others are named, and waits until its socket answers.
sensor_up() {
    local on=(-i lan0)
    [ $# -lt 2 ] || mapfile -t on < <(printf -- '-i\n%s\n' "${@:2}")
    lab_daemon gw "sensor-$1" "$SEALDNS" run -c "$LAB_DIR/policy.yaml" "${on[@]}" --mode "$1"
    SENSOR_PID=$LAB_PID
    lab_wait 10 sealdns status --socket "$LAB_DIR/sealdns.sock" && return 0
    lab_say "the sensor does not answer:"
    tail -n 5 "$LAB_DIR/sensor-$1.log" >&2
    return 1
}

sensor_down() { lab_stop "$SENSOR_PID"; }

# The sensor's processes: it and all below it.
sensor_processes() {
    local pid=$1 child
    echo "$pid"
    for child in $(pgrep -P "$pid"); do sensor_processes "$child"; done
}

table_present() { lab_in gw nft list table inet sealdns; }
table_absent() { ! table_present; }

# All packets that the table's counters have seen.
table_packets() {
    lab_in gw nft -j list table inet sealdns 2>/dev/null |
        jq '[.. | objects | .packets? // empty] | add // 0'
}

# The table without what changes by itself: counters, handles, the time elements have left.
table_text() {
    lab_in gw nft -s list table inet sealdns 2>/dev/null | sed -E 's/ (timeout|expires) [0-9a-z]+//g; s/ # handle [0-9]+//'
}

# The settings of a stub that asks lab resolver A over TLS and falls back to clear text.
stubby_configuration() {
    cat <<EOF
resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list: [GETDNS_TRANSPORT_TLS, GETDNS_TRANSPORT_UDP]
tls_authentication: GETDNS_AUTHENTICATION_NONE
idle_timeout: 1500
appdata_dir: "$LAB_DIR"
listen_addresses: [127.0.0.1@53]
upstream_recursive_servers:
  - address_data: $LAB_A4
    tls_auth_name: "$LAB_A_NAME"
EOF
}
