#!/bin/bash
# Who resolvers are: servers that are right, expired, of a wrong name, authority or pin, self-signed or not yet valid,
# over DoT, DoH and DoQ, TLS 1.2 and 1.3. `sealdns probe` names each, so does the sensor's resolver-identity, and nobody says
# anything of the right ones. Servers that leave something to be desired (old versions, weak suites, no padding, canaries
# answered, one method of DoH) are remarked upon, their twins are not. Servers that are mute, talk garbage or never end
# are told in clear words and in time.
#
#   run-probe.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
. "$LAB_HERE/probe-offers.sh"
. "$LAB_HERE/probe-doq.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

FAULTS="right expired future wrongname wrongca selfsigned wrongpin"
VERSIONS="12 13"
HOSTILE="mute silent garbage noise drip endless http1"

declare -A WORD=([right]="" [expired]=expired [future]=not-yet-valid [wrongname]=wrong-name [wrongca]=wrong-ca
    [selfsigned]=self-signed [wrongpin]=wrong-pin)
declare -A ADDRESS

# dated_leaf FILE NAME START END: a certificate of the lab's authority for a time that is not now.
dated_leaf() {
    local file=$LAB_DIR/$1
    mkdir -p "$file.ca"
    : >"$file.ca/index"
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\nnew_certs_dir=%s\nrand_serial=yes\npolicy=p\ndefault_md=sha256\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=DNS:%s\n' \
        "$file.ca" "$file.ca" "$2" >"$file.ca/conf"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$file.key" -out "$file.csr" 2>/dev/null
    openssl ca -batch -config "$file.ca/conf" -extensions x -cert "$LAB_DIR/lab-ca.pem" -keyfile "$LAB_DIR/lab-ca.key" \
        -startdate "$3" -enddate "$4" -in "$file.csr" -out "$file.pem" -notext 2>/dev/null
}

# certificate FAULT VERSION: what the server of this name shows.
certificate() {
    local file=$1$2 name=$1$2.lab.example
    case $1 in
    expired) dated_leaf "$file" "$name" 20200101000000Z 20200201000000Z ;;
    future) dated_leaf "$file" "$name" 20990101000000Z 20990201000000Z ;;
    wrongname) lab_leaf "$file" lab-ca DNS:www.wrong.example ;;
    wrongca) lab_leaf "$file" forged-ca "DNS:$name" ;;
    selfsigned) openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj "/CN=$name" \
        -addext "subjectAltName=DNS:$name" -keyout "$LAB_DIR/$file.key" -out "$LAB_DIR/$file.pem" 2>/dev/null ;;
    *) lab_leaf "$file" lab-ca "DNS:$name" ;;
    esac
}

pin_of() {
    printf 'sha256/%s' "$(openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)"
}

# server_up NAMESPACE NAME ADDRESS VERSION [DOT DOH]: Unbound; the library's configuration holds it to TLS 1.2.
server_up() {
    {
        lab_unbound_head
        echo "  interface: $3@${5:-853}"
        echo "  interface: $3@${6:-443}"
        echo "  tls-port: ${5:-853}"
        echo "  https-port: ${6:-443}"
        echo "  tls-service-key: \"$LAB_DIR/$2.key\""
        echo "  tls-service-pem: \"$LAB_DIR/$2.pem\""
        echo "  pad-responses: yes"
        lab_zone
        echo '  local-zone: "use-application-dns.net." always_nxdomain'
        echo '  local-zone: "mask.icloud.com." always_nxdomain'
        echo '  local-zone: "mask-h2.icloud.com." always_nxdomain'
    } | sed "s/_dns.resolver.arpa. 300 IN SVCB 1 $LAB_A_NAME./_dns.resolver.arpa. 300 IN SVCB 1 right13.lab.example./" >"$LAB_DIR/$2.conf"
    lab_daemon "$1" "$2" env "OPENSSL_CONF=$LAB_DIR/tls$4.cnf" unbound -d -c "$LAB_DIR/$2.conf"
}

tls_configuration() {
    printf 'openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1.2\nMaxProtocol = TLSv1.%s\n' "${1#1}" >"$LAB_DIR/tls$1.cnf"
}

servers_up() {
    local fault version n=100
    for version in $VERSIONS; do
        tls_configuration "$version"
        for fault in $FAULTS; do
            n=$((n + 1))
            ADDRESS[$fault$version]=203.0.113.$n
            ip -n "$LAB-server" addr add 203.0.113.$n/32 dev lo
            certificate "$fault" "$version"
            server_up server "$fault$version" "203.0.113.$n" "$version"
        done
    done
    for fault in $HOSTILE; do
        n=$((n + 1))
        ADDRESS[$fault]=203.0.113.$n
        ip -n "$LAB-server" addr add 203.0.113.$n/32 dev lo
    done
    # shellcheck disable=SC2046
    lab_daemon server peer "$LAB_HERE/probe-peer.py" "$LAB_DIR/a.pem" "$LAB_DIR/a.key" \
        $(for fault in $HOSTILE; do echo "$fault=${ADDRESS[$fault]}"; done)
    for fault in ${ADDRESS[right12]} ${ADDRESS[wrongpin13]} ${ADDRESS[http1]}; do
        lab_wait 10 lab_in server bash -c "exec 3<>/dev/tcp/$fault/443" || lab_die "no server at $fault"
    done
}

resolver() {
    local pin='' ca=", ca: $LAB_CA"
    case $1 in
    right13) pin=$(pin_of "$LAB_DIR/right13.pem") ;;
    wrongpin*) pin=$(pin_of "$LAB_DIR/a.pem") ;;
    selfsigned*) ca= ;; # with an authority of the policy's own a listener cannot tell what that signed
    esac
    echo "  - {id: $1, name: $1.lab.example, addresses: [${ADDRESS[$1]}], transports: [dot, doh2]$ca${pin:+, pins: [\"$pin\"]}}"
}

policy() {
    local fault version ids=()
    printf 'sensor: {name: lab, interfaces: [lan0], mode: monitor}\nstore: {path: %s/sealdns.db}\n' "$LAB_DIR"
    printf 'control: {socket: %s/sealdns.sock}\nprobe: {interval: 15s, timeout: 2s, on_sight: true}\nresolvers:\n' "$LAB_DIR"
    for version in $VERSIONS; do
        for fault in $FAULTS; do
            resolver "$fault$version"
            ids+=("$fault$version")
        done
    done
    printf 'zones:\n  - {id: lab, networks: [10.53.0.0/16], approve: [%s], cleartext: reject, unapproved: reject}\n' \
        "$(IFS=,; echo "${ids[*]}")"
}

probe() { sealdns probe -c "$LAB_DIR/policy.yaml" --timeout 2s "$@"; }

# Faults that are no remarks, of one probe of the document.
identity_of() {
    jq -r --arg id "$1" --arg transport "$2" '.resolvers[] | select(.resolver == $id) | .probes[] |
        select(.transport == $transport) | [.faults[] | select(IN("expires-soon", "accepts-old-version", "accepts-weak-cipher",
        "no-padding", "no-get", "no-post", "canary-answered", "designates-other") | not)] | join(",")' "$LAB_DIR/probe.json"
}

tls_of() {
    jq -r --arg id "$1" --arg transport "$2" '.resolvers[] | select(.resolver == $id) | .probes[] |
        select(.transport == $transport) | .tls_version' "$LAB_DIR/probe.json"
}

same() { [ "$2" = "$3" ] && ok "$1" || not_ok "$1" "\"$2\", not \"$3\""; }

phase_probe() {
    local fault version transport
    probe --format json >"$LAB_DIR/probe.json"
    same "probe: something is wrong, and the status says so" $? 1
    for version in $VERSIONS; do
        for fault in $FAULTS; do
            for transport in dot doh2; do
                same "probe: $fault over $transport, TLS 1.${version#1}" \
                    "$(identity_of "$fault$version" $transport) $(tls_of "$fault$version" $transport)" "${WORD[$fault]} 1.${version#1}"
            done
        done
    done
    check "probe: the right ones alone are right" probe right12 right13
    same "probe: text has the verdict first" "$(probe right13 | head -1)" "right13 (right13.lab.example): right, with remarks"
    check "probe: NAME@ADDRESS of somebody else is wrong" fails probe --ca "$LAB_CA" "dns.else.example@${ADDRESS[right13]}"
    check "probe: NAME@ADDRESS is right" probe --ca "$LAB_CA" "right13.lab.example@${ADDRESS[right13]}"
    check "probe: without the private authority it is wrong" fails probe --ca "$LAB_DIR/forged-ca.pem" right12
    jq -e '.resolvers[] | select(.resolver == "right13") | .probes | all(.[]; .canaries["mask.icloud.com"] == "negative"
        and .designated == "right13.lab.example" and .answer_us > 0 and .tls_versions == ["1.2", "1.3"]) and
        any(.[]; .padding > 0) and any(.[]; .post and .get)' "$LAB_DIR/probe.json" >/dev/null &&
        ok "probe: canaries, designation, padding, versions, latency" || not_ok "probe: canaries, designation, padding, versions, latency"
}
fails() { "$@"; [ $? = 1 ]; }

# hostile MODE TRANSPORT WORDS: the fault and the sentence, within the time of three timeouts.
hostile() {
    local start=$EPOCHREALTIME said end ms
    said=$(probe --transport "$2" --ca "$LAB_CA" "$LAB_A_NAME@${ADDRESS[$1]}")
    end=$EPOCHREALTIME ms=$(((${end/./} - ${start/./}) / 1000))
    if grep -qE "$3" <<<"$said" && [ $ms -lt 9000 ]; then ok "hostile: $1 over $2 ($ms ms)"
    else not_ok "hostile: $1 over $2" "$ms ms: $(paste -sd' ' <<<"$said")"; fi
}

phase_hostile() {
    local pids=() log=$LAB_DIR/hostile i=0 line
    # All at once: what takes long is their silence.
    while read -r line; do
        i=$((i + 1))
        # shellcheck disable=SC2086
        (IFS='|'; set -- $line; hostile "$@") >"$log.$i" &
        pids+=($!)
    done <<'END'
mute|dot|wrong: the TLS handshake did not end in time
mute|doh2|handshake-failed
silent|dot|no-answer
silent|doh2|no-answer
garbage|dot|not-tls
garbage|doh2|not-tls
noise|dot|bad-answer
noise|doh2|bad-answer
drip|dot|no-answer
drip|doh2|no-answer
endless|dot|too-much
endless|doh2|too-much
http1|doh2|speaks HTTP/1 only
END
    wait "${pids[@]}"
    for line in $(seq $i); do
        cat "$log.$line"
        grep -q '^ok' "$log.$line" && PASSED=$((PASSED + 1)) || FAILED=$((FAILED + 1))
    done
    check "hostile: a closed port" fails probe --port 1 "${ADDRESS[right13]}"
}

events() { sealdns events --db "$LAB_DIR/sealdns.db" --format json --type resolver-identity | jq -cs flatten; }

# told NAME RESOLVER JQ-CONDITION
told() {
    events | jq -e --arg id "$2" "any(.[]; .sealdns.evidence.resolver == \$id and ($3))" >/dev/null &&
        ok "$1" || not_ok "$1" "$(events | jq -c --arg id "$2" '[.[] | select(.sealdns.evidence.resolver == $id) | .sealdns.evidence | {faults, seen_by, unlike_probe}]')"
}

ask() { lab_in "$1" kdig +short +retry=0 +time=3 "+$3" "@${ADDRESS[$2]}" www.example.org A >/dev/null 2>&1; }

probed_all() {
    [ "$(events | jq '[.[] | select(.sealdns.evidence.seen_by == "probe")] | length')" -ge 24 ]
}

# Somebody on one client's way, whom the sensor does not meet: TLS 1.2 with a certificate of his own authority.
interceptor_up() {
    lab_leaf intercept forged-ca DNS:right13.lab.example
    server_up isp intercept 0.0.0.0 12 8632 8633
    lab_wait 10 lab_listens isp 8632
    lab_in isp nft -f - <<END
table ip intercept {
  chain bend {
    type nat hook prerouting priority -90;
    ip saddr $(lab_client4 2) ip daddr ${ADDRESS[right13]} tcp dport 853 redirect to :8632
  }
}
END
}

phase_sensor() {
    local fault version transport id
    check "sensor: it starts" sensor_up monitor
    for version in $VERSIONS; do
        for fault in $FAULTS; do
            ask c1 "$fault$version" tls
            ask c1 "$fault$version" https
        done
    done
    check "sensor: the probes have come round" lab_wait 25 probed_all
    interceptor_up
    ask c2 right13 tls
    ask c1 right13 tls
    lab_in c3 kdig +short +retry=0 +time=3 +tls @$LAB_B4 www.example.org A >/dev/null 2>&1
    sleep 14 # conversations are told every ten seconds, and then it is asked
    for version in $VERSIONS; do
        for fault in $FAULTS; do
            id=$fault$version
            [ "$fault" = right ] && continue
            for transport in dot doh2; do
                told "sensor: $fault over $transport, TLS 1.${version#1}, by probe" "$id" \
                    ".sealdns.evidence.seen_by == \"probe\" and .sealdns.transport == \"$transport\" and .sealdns.evidence.faults == \"${WORD[$fault]}\""
                [ "$version" = 13 ] || [ "$fault" = wrongca ] ||
                    told "sensor: $fault over $transport, TLS 1.2, in passing" "$id" \
                        ".sealdns.evidence.seen_by != \"probe\" and .sealdns.transport == \"$transport\" and .sealdns.evidence.faults == \"${WORD[$fault]}\""
            done
        done
    done
    told "sensor: the client whose way leads elsewhere" right13 \
        ".sealdns.evidence.unlike_probe == \"certificate version\" and .sealdns.client == \"$(lab_client4 2)\""
    same "sensor: nothing else of the right ones" \
        "$(events | jq '[.[] | select((.sealdns.evidence.resolver | startswith("right")) and .sealdns.evidence.unlike_probe == null)] | length')" 0
    sensor_down
    check "sensor: a new resolver was probed on sight" memory_of $LAB_B4
    check "explain: the last probe of a right one" explained right13 "dot port 853: right"
    check "explain: the last probe of an expired one" explained expired13 "dot port 853: expired"
}
memory_of() { sqlite3 "$LAB_DIR/sealdns.db" "SELECT key FROM memory WHERE topic = 'probe'" | grep -q "^$1 853 dot"; }
explained() { sealdns explain -c "$LAB_DIR/policy.yaml" "$1" | grep -q "$2"; }

main() {
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    lab_client c2 2
    lab_client c3 3
    servers_up
    offers_up
    doq_servers_up
    policy >"$LAB_DIR/policy.yaml"
    check "the policy is right" sealdns check -c "$LAB_DIR/policy.yaml"
    phase_probe
    phase_offers
    phase_doq
    phase_hostile
    phase_sensor
    tally
}
main
