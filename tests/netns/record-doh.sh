#!/bin/bash
# Records one session of DNS over HTTPS and of other HTTPS, for the tree in rules/detections/hidden-resolver.yaml: real
# resolvers and web servers, partly on one address, real clients, some behind delay. tests/doh/README.md has the rest.
#
#   record-doh.sh OUT.pcap SEED [SECONDS [ROLE,...]]
#
# Beside OUT.pcap comes OUT.roles: which client did what from when. Needs the lab, and the packages: caddy chromium curl dnsdist
# dnsperf dnss firefox-esr libnss3-tools nginx nodejs python3-h2 python3-httpx python3-websockets.
set -u
. "$(dirname "$0")/lab.sh"
DOH=$LAB_ROOT/tests/doh
OUT=$1 SEED=$2 TIME=${3:-120} ROLES=${4:-}
CLIENTS=24
readonly DOH_NET=203.0.113

# The server's addresses: .101 Unbound that pads, .102 Unbound that does not, .103 dnsdist, .104 caddy for both, .105 and
# .106 caddy with HTTP/3, .111 and .112 nginx. Twenty more is the same one behind 8 to 60 ms.
recording_addresses() {
    local n
    for n in 101 102 103 104 105 106 111 112 121 122 123 124 131 132; do
        ip -n "$LAB-server" addr add $DOH_NET.$n/32 dev lo
    done
}

recording_certificate() {
    local n names=()
    for n in padded plain dist mixed h3; do names+=("DNS:dns.$n.example"); done
    for n in one two mixed h3; do names+=("DNS:www.$n.example"); done
    lab_leaf web lab-ca "${names[@]}"
    openssl x509 -in "$LAB_DIR/web.pem" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary |
        base64 >"$LAB_DIR/spki"
    mkdir "$LAB_DIR/nssdb"
    certutil -d "sql:$LAB_DIR/nssdb" -N --empty-password && certutil -d "sql:$LAB_DIR/nssdb" -A -t C,, -n lab -i "$LAB_CA"
}

# recording_unbound NAME ADDRESS PAD [LINE]
recording_unbound() {
    {
        lab_unbound_head
        echo "  interface: $2@443"
        echo "  tls-service-key: \"$LAB_DIR/web.key\""
        echo "  tls-service-pem: \"$LAB_DIR/web.pem\""
        echo "  pad-responses: $3"
        echo "${4:-}"
        python3 "$DOH/names.py"
    } >"$LAB_DIR/$1.conf"
    lab_daemon server "$1" unbound -d -c "$LAB_DIR/$1.conf"
}

recording_dnsdist() {
    cat >"$LAB_DIR/dnsdist.conf" <<END
setLocal("127.0.0.1:5399")
newServer("127.0.0.1:5354")
addDOHLocal("$DOH_NET.103:443", "$LAB_DIR/web.pem", "$LAB_DIR/web.key", "/dns-query")
setACL("0.0.0.0/0")
END
    lab_daemon server dnsdist dnsdist --supervised -C "$LAB_DIR/dnsdist.conf"
}

recording_nginx() {
    mkdir -p "$LAB_DIR/nginx"
    cat >"$LAB_DIR/nginx.conf" <<END
daemon off; pid $LAB_DIR/nginx.pid; error_log $LAB_DIR/nginx/error.log; worker_processes 1; user root;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path $LAB_DIR/nginx/b; proxy_temp_path $LAB_DIR/nginx/p; fastcgi_temp_path $LAB_DIR/nginx/f;
  uwsgi_temp_path $LAB_DIR/nginx/u; scgi_temp_path $LAB_DIR/nginx/s; keepalive_requests 10000;
  ssl_certificate $LAB_DIR/web.pem; ssl_certificate_key $LAB_DIR/web.key; proxy_http_version 1.1; proxy_buffering off;
  server { listen $DOH_NET.111:80; listen $DOH_NET.112:80; location / { proxy_pass http://127.0.0.1:8080; } }
  server {
    listen $DOH_NET.111:443 ssl http2; listen $DOH_NET.112:443 ssl http2;
    location /ws { proxy_pass http://127.0.0.1:8081; proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade; }
    location / { proxy_pass http://127.0.0.1:8080; proxy_set_header Connection ""; }
  }
}
END
    lab_daemon server nginx nginx -c "$LAB_DIR/nginx.conf" -e "$LAB_DIR/nginx/error.log"
}

# recording_caddy NAME N SITE...: at .N; one that is called dns.* passes on to Unbound, one that is called www.* to the backend.
# Each address is a process of its own: of several, this version speaks HTTP/3 on one only.
recording_caddy() {
    local name=$1 n=$2 site
    shift 2
    {
        printf '{\n  admin off\n  auto_https off\n  storage file_system %s\n}\n' "$LAB_DIR/$name"
        for site in "$@"; do
            echo "https://$site {"
            echo "  bind $DOH_NET.$n"
            echo "  tls $LAB_DIR/web.pem $LAB_DIR/web.key"
            case $site in
            dns.*) printf '  reverse_proxy https://%s {\n    transport http {\n      tls_insecure_skip_verify\n      versions 2\n    }\n  }\n' $DOH_NET.102 ;;
            *) printf '  reverse_proxy /ws 127.0.0.1:8081\n  reverse_proxy 127.0.0.1:8080 {\n    flush_interval -1\n  }\n' ;;
            esac
            echo "}"
        done
    } >"$LAB_DIR/$name.conf"
    lab_daemon server "$name" env HOME="$LAB_DIR" caddy run --config "$LAB_DIR/$name.conf" --adapter caddyfile
}

recording_servers() {
    recording_addresses
    recording_certificate
    recording_unbound padded $DOH_NET.101 yes '  interface: 127.0.0.1@5354'
    recording_unbound plain $DOH_NET.102 no
    recording_dnsdist
    recording_nginx
    lab_daemon server backend /usr/bin/python3 "$DOH/backend.py" web
    lab_daemon server relay /usr/bin/python3 "$DOH/backend.py" relay $DOH_NET.121=$DOH_NET.101=8 $DOH_NET.122=$DOH_NET.102=25 \
        $DOH_NET.123=$DOH_NET.103=60 $DOH_NET.124=$DOH_NET.104=15 $DOH_NET.131=$DOH_NET.111=10 $DOH_NET.132=$DOH_NET.112=40
    recording_caddy caddy-mixed 104 dns.mixed.example www.mixed.example
    recording_caddy caddy-dns 105 dns.h3.example
    recording_caddy caddy-www 106 www.h3.example
    for n in 101 102 103 104 105 106 111 112 124 132; do
        lab_wait 15 recording_answers $DOH_NET.$n || lab_die "nobody answers at $DOH_NET.$n"
    done
}

recording_answers() { lab_in server ss -Hlnt | grep -q "$1:443 "; }

# Every second name leads to the delayed twin of its server, another half each session.
recording_hosts() {
    local delay=$((SEED % 2 * 20)) other=$(((SEED + 1) % 2 * 20))
    cat <<END
$DOH_NET.$((101 + delay)) dns.padded.example
$DOH_NET.$((102 + other)) dns.plain.example
$DOH_NET.$((103 + delay)) dns.dist.example
$DOH_NET.$((104 + delay)) dns.mixed.example
$DOH_NET.$((104 + delay)) www.mixed.example
$DOH_NET.105 dns.h3.example
$DOH_NET.106 www.h3.example
$DOH_NET.$((111 + other)) www.one.example
$DOH_NET.$((112 + delay)) www.two.example
END
}

recording_clients() {
    local n
    recording_hosts >"$LAB_DIR/hosts"
    for n in $(seq $CLIENTS); do
        lab_client "c$n" "$n"
        mkdir -p "/etc/netns/$LAB-c$n"
        cp "$LAB_DIR/hosts" "/etc/netns/$LAB-c$n/hosts"
        echo "nameserver $LAB_GW4" >"/etc/netns/$LAB-c$n/resolv.conf"
    done
}

recording_down() {
    [ -n "${LAB:-}" ] && rm -rf "/etc/netns/$LAB-"*
    lab_down
}

lab_up || exit 1
trap recording_down EXIT
lab_in isp nft flush ruleset # nothing is rejected here, UDP on 443 neither
recording_servers
recording_clients
lab_daemon gw tcpdump tcpdump --immediate-mode -U -i lan0 -w "$LAB_DIR/session.pcap" port 443
TCPDUMP_PID=$LAB_PID
lab_wait 5 test -s "$LAB_DIR/session.pcap" || lab_die "tcpdump does not start"
python3 "$DOH/sessions.py" "$LAB" "$LAB_DIR" "$TIME" "$SEED" $CLIENTS $ROLES
sleep 1
lab_stop "$TCPDUMP_PID" INT
cp "$LAB_DIR/session.pcap" "$OUT"
cp "$LAB_DIR/roles.csv" "${OUT%.pcap}.roles"
echo "$(stat -c %s "$OUT") octets in $OUT"
