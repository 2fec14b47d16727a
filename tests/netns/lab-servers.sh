# shellcheck shell=bash
# Certificates and daemons of the lab. Sourced by lab.sh.

# lab_ca NAME: a certificate authority of the lab.
lab_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=$1" \
        -keyout "$LAB_DIR/$1.key" -out "$LAB_DIR/$1.pem" 2>/dev/null
}

# lab_leaf FILE CA NAMES...: a server certificate for the subjectAltNames given.
lab_leaf() {
    local file=$LAB_DIR/$1 ca=$LAB_DIR/$2 names
    shift 2
    names=$(printf ',%s' "$@")
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=${1#DNS:}" \
        -keyout "$file.key" -out "$file.csr" 2>/dev/null
    openssl x509 -req -in "$file.csr" -CA "$ca.pem" -CAkey "$ca.key" -CAcreateserial -days 3650 \
        -extfile <(echo "subjectAltName=${names#,}") -out "$file.pem" 2>/dev/null
}

lab_certificates() {
    lab_ca lab-ca
    lab_ca forged-ca
    lab_leaf a lab-ca "DNS:$LAB_A_NAME" "IP:$LAB_A4" "IP:$LAB_A6"
    lab_leaf b lab-ca "DNS:$LAB_B_NAME" "IP:$LAB_B4" "IP:$LAB_B6"
    lab_leaf forged forged-ca "DNS:$LAB_A_NAME" "IP:$LAB_A4" "IP:$LAB_A6"
    lab_leaf wrongname lab-ca DNS:www.wrong.example
    LAB_CA=$LAB_DIR/lab-ca.pem
}

lab_unbound_head() {
    cat <<EOF
server:
  username: ""
  chroot: ""
  pidfile: ""
  directory: "$LAB_DIR"
  do-daemonize: no
  use-syslog: no
  verbosity: 1
  num-threads: 1
  module-config: "iterator"
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  incoming-num-tcp: 500
EOF
}

# What every public resolver of the lab answers: any name, and the names that matter by themselves.
lab_zone() {
    cat <<EOF
  local-zone: "." redirect
  local-data: ". 300 IN A $LAB_WEB4"
  local-data: ". 300 IN AAAA $LAB_WEB6"
  local-data: ". 300 IN TXT lab"
  local-zone: "$LAB_A_NAME." static
  local-data: "$LAB_A_NAME. 300 IN A $LAB_A4"
  local-data: "$LAB_A_NAME. 300 IN AAAA $LAB_A6"
  local-zone: "$LAB_B_NAME." static
  local-data: "$LAB_B_NAME. 300 IN A $LAB_B4"
  local-data: "$LAB_B_NAME. 300 IN AAAA $LAB_B6"
  local-zone: "resolver.arpa." static
  local-data: "_dns.resolver.arpa. 300 IN SVCB 1 $LAB_A_NAME. alpn=dot port=853 ipv4hint=$LAB_A4"
EOF
}

# lab_resolver NAME CERT V4 V6: a public resolver: Do53, DoT and DoH.
lab_resolver() {
    local port
    {
        lab_unbound_head
        for port in 53 853 443; do echo "  interface: $3@$port"; echo "  interface: $4@$port"; done
        echo "  tls-service-key: \"$LAB_DIR/$2.key\""
        echo "  tls-service-pem: \"$LAB_DIR/$2.pem\""
        lab_zone
    } >"$LAB_DIR/$1.conf"
    lab_daemon server "$1" unbound -d -c "$LAB_DIR/$1.conf"
}

# The resolver of the gateway itself: asked in clear text by the LAN, strict DoT upstream, internal names local.
lab_gateway_resolver() {
    {
        lab_unbound_head
        echo "  interface: $LAB_GW4@53"
        echo "  interface: $LAB_GW6@53"
        echo "  do-not-query-localhost: no"
        echo "  tls-cert-bundle: \"$LAB_CA\""
        echo '  local-zone: "corp.example." static'
        echo '  local-data: "files.corp.example. 300 IN A 10.53.0.20"'
        echo '  local-data: "mail.corp.example. 300 IN A 10.53.0.21"'
        echo '  local-zone: "home.arpa." static'
        echo '  local-data: "nas.home.arpa. 300 IN A 10.53.0.22"'
        echo '  local-data-ptr: "10.53.0.20 files.corp.example"'
        printf 'forward-zone:\n  name: "."\n  forward-tls-upstream: yes\n'
        echo "  forward-addr: $LAB_A4@853#$LAB_A_NAME"
        echo "  forward-addr: $LAB_A6@853#$LAB_A_NAME"
    } >"$LAB_DIR/gateway.conf"
    lab_daemon gw gateway unbound -d -c "$LAB_DIR/gateway.conf"
}

# What an on-path attacker answers with, in isp: a TLS server with another certificate, and servers that fail
# in one way each. Ports: 8532/8533 forged (DoT/DoH), 8534/8535 wrong name, 8531 no TLS at all, 8536 only an old
# version, 8537 no common cipher, 8538 TLS and then silence.
lab_impostor() {
    {
        lab_unbound_head
        echo "  interface: 0.0.0.0@$2"
        echo "  interface: ::0@$2"
        echo "  interface: 0.0.0.0@$3"
        echo "  interface: ::0@$3"
        echo "  interface-automatic: no"
        echo "  tls-port: $2"
        echo "  https-port: $3"
        echo "  tls-service-key: \"$LAB_DIR/$1.key\""
        echo "  tls-service-pem: \"$LAB_DIR/$1.pem\""
        lab_zone
    } >"$LAB_DIR/$1.conf"
    lab_daemon isp "$1" unbound -d -c "$LAB_DIR/$1.conf"
}

lab_interferers() {
    local tls="cert=$LAB_DIR/a.pem,key=$LAB_DIR/a.key,verify=0,pf=ip6,ipv6only=0,reuseaddr,fork"
    lab_impostor forged 8532 8533
    lab_impostor wrongname 8534 8535
    printf '#!/bin/sh\nprintf "HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\n\\r\\n"; sleep 0.2\n' >"$LAB_DIR/nottls.sh"
    chmod 755 "$LAB_DIR/nottls.sh"
    lab_daemon isp nottls socat TCP6-LISTEN:8531,ipv6only=0,reuseaddr,fork EXEC:"$LAB_DIR/nottls.sh"
    lab_daemon isp oldversion env OPENSSL_CONF=/dev/null \
        socat "OPENSSL-LISTEN:8536,openssl-max-proto-version=TLS1.1,cipher=DEFAULT@SECLEVEL=0,$tls" EXEC:'sleep 20'
    lab_daemon isp alert socat "OPENSSL-LISTEN:8537,openssl-max-proto-version=TLS1.2,cipher=AES128-CCM8,$tls" EXEC:'sleep 20'
    : >"$LAB_DIR/inject"
    lab_daemon isp inject "$LAB_HERE/forge-resets.py" gw0 "$LAB_DIR/inject"
    lab_daemon isp mute socat "OPENSSL-LISTEN:8538,$tls" EXEC:'sleep 20'
}

# What the names of the lab lead to: a page without content, and for HTTPS somebody who takes the call.
lab_web() {
    local port
    printf '#!/bin/sh\nprintf "HTTP/1.1 204 No Content\\r\\nConnection: close\\r\\n\\r\\n"\n' >"$LAB_DIR/web.sh"
    chmod 755 "$LAB_DIR/web.sh"
    for port in 80 443; do
        lab_daemon server "web$port" socat "TCP6-LISTEN:$port,bind=[$LAB_WEB6],reuseaddr,fork" EXEC:"$LAB_DIR/web.sh"
        lab_daemon server "web$port" socat "TCP4-LISTEN:$port,bind=$LAB_WEB4,reuseaddr,fork" EXEC:"$LAB_DIR/web.sh"
    done
}

lab_listens() { lab_in "$1" ss -Hlnt | grep -q ":$2 "; }

lab_servers() {
    local port
    lab_resolver resolver-a a $LAB_A4 $LAB_A6
    lab_resolver resolver-b b $LAB_B4 $LAB_B6
    lab_gateway_resolver
    lab_interferers
    lab_web
    for port in 53 853 443; do
        lab_wait 10 lab_listens server "$port" || lab_die "no resolver on port $port"
    done
    lab_wait 10 lab_listens gw 53 || lab_die "no resolver on the gateway"
    for port in 8531 8532 8534 8536 8537 8538; do
        lab_wait 10 lab_listens isp "$port" || lab_die "no interferer on port $port"
    done
}

# What knotd says where the kernel has no XDP sockets, without which it speaks no QUIC.
NO_XDP='failed to initialize XDP|XDP.*not supported'

# lab_doq NAMESPACE NAME CERTIFICATE UDP-PORT [RECORD]: DoQ on eth0 for whatever address, with the certificate of lab_leaf. An
# XDP socket takes all that comes to its ports; that of clear text is another than QUIC's, or knotd does not start.
lab_doq() {
    local dir=$LAB_DIR/$2.knot
    mkdir -p "$dir"
    printf '. 300 SOA a. b. 1 3600 600 86400 300\n. 300 NS a.root.\na.root. 300 A 192.0.2.1\n%s\n' "${5:-}" >"$dir/root.zone"
    cat >"$dir/knot.conf" <<EOF
server:
    rundir: "$dir"
    user: root
    key-file: "$LAB_DIR/$3.key"
    cert-file: "$LAB_DIR/$3.pem"
xdp:
    listen: eth0@$4
    quic: on
    quic-port: 853
    route-check: off
database:
    storage: "$dir"
log:
  - target: stderr
    any: info
zone:
  - domain: .
    storage: "$dir"
    file: root.zone
EOF
    lab_daemon "$1" "$2" knotd -c "$dir/knot.conf"
}

# lab_doq_wait NAME: until that has started, or said that it cannot here.
lab_doq_wait() {
    lab_wait 15 grep -qE "server started|$NO_XDP" "$LAB_DIR/$1.log" ||
        lab_die "no DoQ server called $1: $(tail -n 1 "$LAB_DIR/$1.log")"
}
