# shellcheck shell=bash
# DoQ servers of run-probe.sh: knotd, which speaks QUIC over XDP sockets alone, so each stands in a namespace of its own
# behind lan0. Sourced by it.

# Name, what a probe must say of it.
DOQ_FAULTS="right= expired=expired wrongname=wrong-name wrongca=wrong-ca selfsigned=self-signed wrongpin=wrong-pin"

doq_certificate() {
    certificate "$1" doq
    [ -s "$LAB_DIR/$1doq.pem" ] || lab_die "no certificate for $1doq"
}

# doq_up FAULT NUMBER
doq_up() {
    local name=$1doq
    lab_client "$name" "$2"
    ADDRESS[$name]=$(lab_client4 "$2")
    doq_certificate "$1"
    lab_doq "$name" "$name" "$name" 53
}

doq_servers_up() {
    local entry n=60
    for entry in $DOQ_FAULTS; do
        n=$((n + 1))
        doq_up "${entry%%=*}" $n
    done
    ADDRESS[oddquic]=$(lab_client4 70) ADDRESS[dumbquic]=$(lab_client4 71)
    lab_client oddquic 70
    lab_client dumbquic 71
    lab_daemon oddquic oddquic socat -T2 "UDP4-LISTEN:853,fork" EXEC:'head -c 1200 /dev/urandom'
    lab_daemon dumbquic dumbquic socat -u "UDP4-RECV:853" /dev/null
    for entry in $DOQ_FAULTS; do lab_doq_wait "${entry%%=*}doq"; done
}

doq_policy() {
    local entry name ca pin
    printf 'sensor: {name: lab, interfaces: [lan0], mode: monitor}\nresolvers:\n'
    for entry in $DOQ_FAULTS; do
        name=${entry%%=*}doq ca=", ca: $LAB_CA" pin=''
        [ "$name" = wrongpindoq ] && pin=", pins: [\"$(pin_of "$LAB_DIR/a.pem")\"]"
        [ "$name" = rightdoq ] && pin=", pins: [\"$(pin_of "$LAB_DIR/rightdoq.pem")\"]"
        [ "$name" = selfsigneddoq ] && ca=
        echo "  - {id: $name, name: $name.lab.example, addresses: [${ADDRESS[$name]}], transports: [doq]$ca$pin}"
    done
    printf 'zones:\n  - {id: lab, networks: [10.53.0.0/16], approve: [%s], cleartext: reject, unapproved: reject}\n' \
        "$(for entry in $DOQ_FAULTS; do echo "${entry%%=*}doq"; done | paste -sd,)"
}

doq_probe() { sealdns probe --transport doq --timeout 2s --ca "$LAB_CA" "$@"; }

phase_doq() {
    local entry name found=$LAB_DIR/doq.json
    if grep -qE "$NO_XDP" "$LAB_DIR/rightdoq.log"; then
        for entry in $DOQ_FAULTS padded kdig noise silence closed doh3 words; do
            skip "doq: ${entry%%=*}" "no XDP sockets, without which knotd speaks no QUIC"
        done
        return
    fi
    doq_policy >"$LAB_DIR/doq.yaml"
    sealdns probe -c "$LAB_DIR/doq.yaml" --timeout 2s --format json >"$found"
    for entry in $DOQ_FAULTS; do
        name=${entry%%=*}doq
        same "doq: ${entry%%=*}" "$(jq -r --arg id "$name" '.resolvers[] | select(.resolver == $id) | .probes[0] |
            (.faults | join(",")) + " " + .tls_version + " " + .alpn' "$found")" "${entry#*=} 1.3 doq"
    done
    check "doq: the answer is padded, and says how long it took" jq -e '.resolvers[] | select(.resolver == "rightdoq") | .probes[0] |
        .answer_octets == 468 and .padding > 0 and .answer_us > 0 and .handshake_us > 0 and .tls_versions == ["1.3"]' "$found"
    check "doq: kdig hears the same server" grep -q 'ALPN\|QUICv1' \
        <<<"$(lab_in gw kdig +time=2 +retry=0 "@${ADDRESS[rightdoq]}" +quic . NS)"
    check "doq: a server of QUIC that talks noise" grep -q 'no-connection\|handshake-failed' <<<"$(doq_probe "x.lab.example@${ADDRESS[oddquic]}")"
    check "doq: a server that says nothing" grep -q 'no-connection: right would' <<<"$(doq_probe "x.lab.example@${ADDRESS[dumbquic]}")"
    check "doq: a closed port" grep -q 'Connection refused' <<<"$(doq_probe --port 854 "x.lab.example@$LAB_GW4")"
    check "what no probe speaks is said to be not probed" jq -e '.resolvers[0] | .verdict == "right" and
        (.probes[0] | .verdict == "not-probed" and .transport == "doh3" and .faults == [])' \
        <<<"$(sealdns probe --transport doh3 --format json "${ADDRESS[rightdoq]}")"
    check "and in words, with the reason" grep -q 'not probed: this version speaks no HTTP/3 and no DNSCrypt' \
        <<<"$(sealdns probe --transport doh3 "${ADDRESS[rightdoq]}")"
}
