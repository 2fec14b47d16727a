#!/bin/bash
# The HTTP side of the sensor: metrics as promtool and a Prometheus that scrapes them take them, alerting rules, who may ask, and what
# a rude client gets.
#
#   run-web.sh
#
# SEALDNS names the binary (build/sealdns). Needs root.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
. "$HERE/receivers.sh"
. "$HERE/watched.sh"

policy() {
    cat <<END
sensor: {name: gw-web, interfaces: [lan0], mode: ${2:-monitor}}
store: {path: $SCRATCH/store.db}
control: {socket: $SCRATCH/sock}
outputs:
  - {type: file, path: $SCRATCH/eve.json}
  - {type: syslog, server: "127.0.0.1:10514"}
web: $1
END
}
get() { inside curl -s --max-time 5 "$@"; }
code() { get -o "$SCRATCH/body" -w '%{http_code}' "$@"; }
URL=http://127.0.0.1:8053
metric() { get $URL/metrics | awk -v name="$1" '$1 == name { print $2 }'; }

zone_queries() { metric "sealdns_zone_queries_total{zone=\"default\",protection=\"clear\",approved=\"false\"}"; }
answers_in() { metric "sealdns_answer_seconds_bucket{resolver=\"other\",le=\"$1\"}"; }
quiet_promtool() { get $URL/metrics | inside promtool check metrics >"$SCRATCH/said" 2>&1; ! grep -q . "$SCRATCH/said"; }

metrics_are_right() {
    policy '{}' enforce >"$SCRATCH/policy.yaml"
    check "the sensor starts" start
    burst 1 50 1000 5
    check "events are counted by kind" soon eval '[ "$(metric "sealdns_events_begun_total{kind=\"cleartext\",severity=\"medium\"}")" = 50 ] || [ "$(metric "sealdns_events_begun_total{kind=\"cleartext\",severity=\"informational\"}")" = 50 ] || [ "$(metric "sealdns_events_begun_total{kind=\"cleartext\",severity=\"low\"}")" = 50 ]'
    check "queries too" soon eval '[ "$(metric sealdns_dns_queries_total)" = 50 ]'
    check "and by transport and zone" soon eval '[ "$(metric "sealdns_transport_queries_total{transport=\"do53-udp\"}")$(zone_queries)" = 5050 ]'
    check "how long answers took" eval '[ "$(metric "sealdns_answer_seconds_count{resolver=\"other\"}")" = 50 ]'
    check "of 5 ms none in two, nearly all in 33" eval '[ "$(answers_in 0.002048)" = 0 ] && [ "$(answers_in 0.032768)" -ge 40 ]'
    check "promtool finds nothing to say" quiet_promtool
    check "rules desired and installed" eval '[ "$(metric sealdns_rules_desired)$(metric sealdns_rules_installed)" = 11 ]'
    check "elements desired and installed are as many" eval '[ "$(metric sealdns_elements_desired)" = "$(metric sealdns_elements_installed)" ]'
    check "a spool that waits" soon eval '[ "$(metric "sealdns_output_waiting{output=\"syslog\"}")" -ge 50 ]'
    check "its receiver is away" soon eval '[ "$(metric "sealdns_output_connected{output=\"syslog\"}")" = 0 ]'
    check "no series is of a client" eval '! get $URL/metrics | grep -qE "\"10\.0\."'
    check "the shipped alerts are rules that promtool takes" promtool check rules "$LAB_ROOT/dashboards/prometheus/alerts.yml"
    check "each alert comes when it is due" promtool test rules "$LAB_ROOT/dashboards/prometheus/alerts_test.yml"
    check "the status as JSON" eval 'get $URL/api/status | jq -e ".name == \"gw-web\""'
    check "health" [ "$(code $URL/healthz)" = 200 ]
}

first_event() { get "$URL/api/events?limit=1" | jq -r '.events[0].sealdns.id'; }
# api PATH...: the answers are as the document says.
api() { inside python3 "$HERE/api.py" "$LAB_ROOT/dashboards/web/openapi.yaml" $URL "$@"; }
post() { code -X POST -H 'X-Sealdns: 1' "$@"; }

the_api() {
    local id client
    id=$(first_event)
    client=$(get "$URL/api/events?kind=cleartext&limit=1" | jq -r '.events[0].sealdns.client')
    check "every path answers as openapi.yaml says" api /api/me /api/overview "/api/overview?from=30d&step=hour" /api/events "/api/events?kind=cleartext&severity=informational&search=example&limit=7" \
        "/api/events/$id" /api/events/nobody /api/clients "/api/clients/$client" /api/clients/nonsense /api/resolvers /api/resolvers/198.51.100.1 /api/enforcement /api/report?format=xml
    check "what is asked wrongly is refused as it says" api "/api/overview?from=yesterday" "/api/overview?from=1d&to=2d" "/api/events?limit=0" "/api/events?kind=x" "/api/events?severity=x" "/api/events?before=-1"
    paged 7 >"$SCRATCH/pages"
    check "50 events, each once, page by page" [ "$(wc -l <"$SCRATCH/pages") $(sort -u "$SCRATCH/pages" | wc -l)" = "50 50" ]
    check "of one client" eval "get '$URL/api/events?client=$client' | jq -e '.events | length == 1'"
    check "of a kind that is not there" eval 'get "$URL/api/events?kind=tunnel" | jq -e ".events == [] and .next == null"'
    check "a text that LIKE would take as wild" eval 'get "$URL/api/events?search=%25" | jq -e ".events | length == 0"'
    check "an event says what it means and what to do" eval "get $URL/api/events/$id | jq -e '.detection | .why and .do and (.false_positives | length > 0) and (.attack | length > 0)'"
    check "a policy is tried" [ "$(post --data-binary @"$SCRATCH/policy.yaml" "$URL/api/plan?since=1d")" = 200 ]
    check "a wrong one: where, and what would be right" eval '[ "$(post --data-binary "sensor: {mode: sleep}" $URL/api/plan)" = 400 ] && jq -e ".errors[0] | .line == 1 and .column > 1" "$SCRATCH/body"'
    check "a page of somebody else's cannot have one tried" [ "$(post -H 'Origin: http://evil.example' --data x $URL/api/plan)" = 403 ]
    check "nor one that cannot set headers" [ "$(code -X POST --data x $URL/api/plan)" = 403 ]
    check "two megabytes are no policy" eval 'head -c 2000000 /dev/zero >"$SCRATCH/large"; [ "$(post --data-binary @"$SCRATCH/large" $URL/api/plan)" = 413 ]'
    check "a name that is none of ours (rebinding)" [ "$(code -H 'Host: evil.example' $URL/api/me)" = 421 ]
    check "localhost is" [ "$(code -H 'Host: localhost:8053' $URL/api/me)" = 200 ]
    check "the stream tells what is new, and goes on after a break" stream_goes_on
}
paged() {
    local before='' page
    for _ in $(seq 20); do
        page=$(get "$URL/api/events?limit=$1&kind=cleartext$before")
        jq -r '.events[].sealdns.id' <<<"$page"
        before=$(jq -r '.next // empty' <<<"$page")
        [ -n "$before" ] || return
        before="&before=$before"
    done
}
stream_goes_on() {
    local last
    last=$(inside timeout 8 curl -sN $URL/api/events/stream | { sleep 1; burst 60 3 1000; grep -m 3 '^id: '; } | tail -n 1)
    [ -n "$last" ] || return 1
    inside timeout 8 curl -sN -H "Last-Event-ID: $((${last#id: } - 2))" $URL/api/events/stream | grep -m 2 '^data: .*cleartext' | wc -l | grep -q 2
}

prometheus_scrapes() {
    cat >"$SCRATCH/prometheus.yml" <<END
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$LAB_ROOT/dashboards/prometheus/alerts.yml]
scrape_configs: [{job_name: sealdns, static_configs: [{targets: ["127.0.0.1:8053"]}]}]
END
    receiver prometheus prometheus --config.file="$SCRATCH/prometheus.yml" --storage.tsdb.path="$SCRATCH/tsdb" \
        --web.listen-address=127.0.0.1:9090
    check "a Prometheus scrapes it" soon scraped 'sealdns_dns_queries_total == 53'
    check "every panel of the Grafana dashboard has an answer" soon panels
    echo "# $(panels)"
    check "and loaded the alerts" soon eval 'get http://127.0.0.1:9090/api/v1/rules | jq -e "[.data.groups[].rules[]] | length == 6 and all(.health == \"ok\")"'
}
# Without a handshake and with a receiver that is away.
panels() {
    inside "$HERE/grafana.py" prometheus "$LAB_ROOT/dashboards/grafana/sealdns-prometheus.json" http://127.0.0.1:9090
}
scraped() { get "http://127.0.0.1:9090/api/v1/query" --data-urlencode "query=$1" | jq -e '.data.result | length == 1'; }

header() { get -D - -o "$SCRATCH/body" "$@" | tr -d '\r'; }
pages() {
    local tag
    check "the dashboard is there" eval 'header $URL/ | grep -q "^Content-Type: text/html" && grep -q "<title>sealdns" "$SCRATCH/body"'
    check "its scripts are scripts" eval 'header $URL/pages/events.js | grep -q "^Content-Type: text/javascript"'
    check "packed, they are the same" eval 'get --compressed $URL/app.css | cmp - "$LAB_ROOT/dashboards/web/app.css"'
    check "and travel packed" eval 'header -H "Accept-Encoding: gzip" $URL/app.css | grep -q "^Content-Encoding: gzip"'
    tag=$(header $URL/app.js | sed -n 's/^ETag: //p')
    check "what a browser has is not sent again" [ "$(code -H "If-None-Match: $tag" $URL/app.js)" = 304 ]
    check "nothing inline may run in them" eval 'header $URL/ | grep "^Content-Security-Policy: default-src .none.; script-src .self.; style-src .self.;" | grep -qv unsafe'
    check "what builds them is not among them" [ "$(code $URL/package-lock.json)" = 404 ]
}

rude_clients() {
    check "no such page" [ "$(code $URL/nothing)" = 404 ]
    check "no way out of the tree" [ "$(code --path-as-is "$URL/../../etc/passwd")" = 404 ]
    check "what changes something is refused" [ "$(code -X POST --data x $URL/metrics)" = 405 ]
    check "a header of 100 kB is refused" [ "$(code -H "X: $(head -c 100000 /dev/zero | tr '\0' x)" $URL/metrics)" != 200 ]
    check "octets that are no HTTP" eval '! printf "\000\377\r\n\r\n" | inside timeout 5 nc -q 1 127.0.0.1 8053 | grep -q 200'
    local before
    before=$(memory_of)
    check "10,000 connections that say nothing do not keep others out for long" silent_crowd
    check "nor do they cost memory: $before kB before" eval '[ "$(memory_of)" -lt $((before + 40000)) ]'
    check "headers forbid scripts from elsewhere" eval 'get -I $URL/metrics | grep -qi "^content-security-policy: default-src .none."'
    check "beyond loopback nobody listens" eval '! inside ss -tln | grep 8053 | grep -v 127.0.0.1'
}
# 10,000 connections, all at once as far as they are taken, and requests that come an octet a second.
silent_crowd() {
    inside bash -c 'ulimit -n 20000; exec python3 -' <<'END'
import socket, time, urllib.request
crowd = []
for n in range(10000):
    one = socket.socket()
    one.setblocking(False)
    try:
        one.connect(("127.0.0.1", 8053))
    except OSError:
        pass
    crowd.append(one)
slow = [one for one in crowd[:40]]
for octet in b"GET /h":
    for one in slow:
        try:
            one.send(bytes([octet]))
        except OSError:
            pass
    time.sleep(0.2)
for _ in range(60):
    try:
        urllib.request.urlopen("http://127.0.0.1:8053/healthz", timeout=2)
        break
    except OSError:
        time.sleep(0.5)
else:
    raise SystemExit(1)
END
}
memory_of() { awk '/^VmRSS/ { sum += $2 } END { print sum }' $(pgrep -f "run -c $SCRATCH/policy.yaml" | sed 's,.*,/proc/&/status,'); }

who_may_ask() {
    echo s3same >"$SCRATCH/token"
    echo auditor >"$SCRATCH/auditor"
    policy "{listen: \"198.51.100.1:8443\", token: $SCRATCH/token}" >"$SCRATCH/wrong.yaml"
    check "beyond loopback in clear is refused" eval '! "$SEALDNS" check -c "$SCRATCH/wrong.yaml" 2>"$SCRATCH/said"; grep -q "needs .tls." "$SCRATCH/said"'
    policy "{listen: \"198.51.100.1:8443\", token: $SCRATCH/token, viewers: [{token: $SCRATCH/auditor, clients: false}], tls: {certificate: $SCRATCH/logs.pem, key: $SCRATCH/logs.key}}" enforce >"$SCRATCH/policy.yaml"
    check "another address with a reload" ask reload
    local url=https://198.51.100.1:8443
    check "without a token nothing" soon eval "[ \"\$(code -k $url/metrics)\" = 401 ]"
    check "nor with a wrong one" [ "$(code -k -H 'Authorization: Bearer s3samf' $url/metrics)" = 401 ]
    check "with it, over TLS" soon eval "[ \"\$(code -k -H 'Authorization: Bearer s3same' $url/metrics)\" = 200 ]"
    check "the page that asks for it needs none" [ "$(code -k $url/)" = 200 ]
    check "signing in: a cookie that scripts cannot read" eval "get -k -c '$SCRATCH/jar' -D '$SCRATCH/heads' -H 'X-Sealdns: 1' --data '{\"token\": \"s3same\"}' $url/api/login && grep -qi 'set-cookie: sealdns=.*httponly; samesite=strict; secure' '$SCRATCH/heads'"
    check "it stands for the token" [ "$(code -k -b "$SCRATCH/jar" $url/api/me)" = 200 ]
    check "a viewer without clients sees pseudonyms" eval "get -k -H 'Authorization: Bearer auditor' $url/api/clients | jq -e '.clients | length > 0 and all(.client | startswith(\"client-\"))'"
    check "and no packets, no client, no search, no report, no plan" [ "$(code -k -H 'Authorization: Bearer auditor' $url/api/captures/x)$(code -k -H 'Authorization: Bearer auditor' $url/api/clients/10.0.0.1)$(code -k -H 'Authorization: Bearer auditor' "$url/api/events?search=10.0")$(code -k -H 'Authorization: Bearer auditor' $url/api/report)$(code -k -H 'Authorization: Bearer auditor' -H 'X-Sealdns: 1' --data x $url/api/plan)" = 403403403403403 ]
    check "wrong tokens are slowed down" eval "for i in 1 2 3 4 5 6; do code -k -H 'X-Sealdns: 1' --data '{\"token\": \"x\"}' $url/api/login; done | grep -q '401401401401401429'"
    check "health says nothing and needs none" [ "$(code -k $url/healthz)" = 200 ]
    check "the old address is silent" [ "$(code $URL/metrics)" = 000 ]
    policy '{listen: off}' enforce >"$SCRATCH/policy.yaml"
    check "switched off" ask reload
    check "nobody listens" soon eval '! inside ss -tln | grep -q 8443'
}

check "the lab" make_lab
metrics_are_right
the_api
prometheus_scrapes
pages
rude_clients
who_may_ask
check "it ends cleanly" ends
tally
