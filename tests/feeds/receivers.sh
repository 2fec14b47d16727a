# shellcheck shell=bash
# Real receivers in the namespace of a run, each started, killed and started again by name. Sourced by run-feeds.sh.
declare -A RECEIVER=()
CLICKHOUSE=http://127.0.0.1:8123/ KAFKA=

# receiver NAME COMMAND...
receiver() {
    local name=$1
    shift
    inside "$@" >>"$SCRATCH/$name.out" 2>>"$SCRATCH/$name.err" &
    RECEIVER[$name]=$!
}
kill_receiver() {
    local pid=${RECEIVER[$1]:-} child
    [ -n "$pid" ] || return 0
    unset "RECEIVER[$1]"
    for child in $(pgrep -P "$pid"); do kill -KILL "$child"; done 2>/dev/null
    { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null
}

make_certificates() {
    (cd "$SCRATCH" &&
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 9 -subj /CN=lab-ca &&
        openssl req -newkey rsa:2048 -nodes -keyout logs.key -out logs.csr -subj /CN=logs.example &&
        openssl x509 -req -in logs.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -out logs.pem \
            -extfile <(echo subjectAltName=IP:127.0.0.1)) >/dev/null 2>&1
}

# rsyslog: plain TCP on 10514, UDP on 10514, TLS on 6514 by gnutls; each into a file of its own, as it came.
start_rsyslog() {
    cat >"$SCRATCH/rsyslog.conf" <<END
global(workDirectory="$SCRATCH" maxMessageSize="64k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="$SCRATCH/ca.pem" defaultNetstreamDriverCertFile="$SCRATCH/logs.pem"
  defaultNetstreamDriverKeyFile="$SCRATCH/logs.key")
module(load="imudp")
module(load="imptcp")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
template(name="raw" type="string" string="%rawmsg%\n")
template(name="parsed" type="string" string="%syslogfacility-text%.%syslogseverity-text% %timereported:::date-rfc3339% %hostname% %app-name% %structured-data% %msg%\n")
ruleset(name="tcp") { action(type="omfile" file="$SCRATCH/tcp.got" template="parsed") }
ruleset(name="udp") { action(type="omfile" file="$SCRATCH/udp.got" template="raw") }
ruleset(name="tls") { action(type="omfile" file="$SCRATCH/tls.got" template="raw") }
input(type="imptcp" port="10514" address="127.0.0.1" ruleset="tcp")
input(type="imudp" port="10514" address="127.0.0.1" ruleset="udp" rcvbufSize="16m")
input(type="imtcp" port="6514" address="127.0.0.1" ruleset="tls")
END
    receiver rsyslog rsyslogd -n -f "$SCRATCH/rsyslog.conf" -i NONE
    soon answers 10514
}

start_clickhouse() {
    mkdir -p "$SCRATCH/clickhouse"
    sed -e "s,/var/lib/clickhouse,$SCRATCH/clickhouse,g; s,/var/log/clickhouse-server,$SCRATCH/clickhouse,g" \
        -e 's,<interserver_http_port>.*,<listen_host>0.0.0.0</listen_host>,' /etc/clickhouse-server/config.xml >"$SCRATCH/clickhouse/config.xml"
    cp /etc/clickhouse-server/users.xml "$SCRATCH/clickhouse/"
    receiver clickhouse clickhouse-server --config-file="$SCRATCH/clickhouse/config.xml"
    soon asks 'SELECT 1'
}
asks() { inside curl -sf --max-time 10 "$CLICKHOUSE" --data-binary "$1"; }
make_table() {
    local statement
    while IFS= read -r -d ';' statement; do
        [ -z "${statement//[[:space:]]/}" ] || asks "$statement" || return 1
    done < <(sed 's/--.*//' "$LAB_ROOT/packaging/clickhouse/schema.sql")
}

start_kafka() {
    rm -f "$SCRATCH/kafka.out"
    receiver kafka "$SCRATCH/kafka_mock" sealdns "$SCRATCH/kafka.got"
    soon grep -q : "$SCRATCH/kafka.out" && KAFKA=$(head -n 1 "$SCRATCH/kafka.out")
}
start_webhook() { receiver webhook python3 "$HERE/webhook.py" 8080 sesame "$SCRATCH/webhook.got" && soon answers 8080; }
start_socket() { receiver socket python3 "$HERE/stream.py" "$SCRATCH/events.sock" "$SCRATCH/socket.got" && soon test -S "$SCRATCH/events.sock"; }
answers() { inside bash -c "exec 3<>/dev/tcp/127.0.0.1/$1"; }

start_receivers() { start_rsyslog && start_clickhouse && start_kafka && start_webhook && start_socket; }
kill_receivers() {
    local name
    for name in "${!RECEIVER[@]}"; do kill_receiver "$name"; done
}
