# shellcheck shell=bash
# Resolvers of run-probe.sh that are who they should be and leave something to be desired, each beside a twin that only
# looks like it; what a probe says of each must be exactly its remark. Sourced by it.

# Name, transport, the faults in full. What stands in front of plain DNS does not pad.
OFFERS="
plain      dot   -
nopad      dot   no-padding
canary     dot   canary-answered
strayed    dot   designates-other
undecided  dot   -
soon       dot   expires-soon
shortlived dot   -
modern     dot   no-padding
oldtoo     dot   accepts-old-version,no-padding
oldonly    dot   old-version
weak       dot   accepts-weak-cipher,no-padding
both       doh2  no-padding
getonly    doh2  no-padding,no-post
postonly   doh2  no-padding,no-get"

offer_names() { awk 'NF { print $1 }' <<<"$OFFERS"; }

# offer_zone NAME: the lines of Unbound's configuration that make the difference.
offer_zone() {
    local target=$1.lab.example
    [ "$1" = canary ] || printf '  local-zone: "%s." always_nxdomain\n' use-application-dns.net mask.icloud.com mask-h2.icloud.com
    [ "$1" = strayed ] && target=dns.elsewhere.example
    [ "$1" = undecided ] || echo "  local-data: \"_dns.resolver.arpa. 300 IN SVCB 1 $target. alpn=dot\""
    [ "$1" != nopad ] || echo '  pad-responses: no'
}

# offer_unbound NAME ADDRESS: DoT, and Do53 for those who stand in front of it.
offer_unbound() {
    {
        lab_unbound_head
        printf '  interface: %s@%s\n' "$2" 853 "$2" 53
        printf '  tls-service-key: "%s.key"\n  tls-service-pem: "%s.pem"\n' "$LAB_DIR/$1" "$LAB_DIR/$1"
        lab_zone | grep -v _dns.resolver.arpa
        offer_zone "$1"
    } >"$LAB_DIR/$1.conf"
    lab_daemon server "$1" env "OPENSSL_CONF=$LAB_DIR/tls13.cnf" unbound -d -c "$LAB_DIR/$1.conf"
}

# offer_socat NAME ADDRESS OPTIONS: TLS in front of the resolver called plain.
offer_socat() {
    lab_daemon server "$1" env OPENSSL_CONF=/dev/null socat \
        "OPENSSL-LISTEN:853,bind=$2,reuseaddr,fork,verify=0,cert=$LAB_DIR/$1.pem,key=$LAB_DIR/$1.key,$3" \
        "TCP:${ADDRESS[plain]}:53"
}

day() { date -u -d "$1 days" +%Y%m%d%H%M%SZ; }

offer_up() {
    local old='cipher=ECDHE-ECDSA-AES128-SHA\:ECDHE-ECDSA-AES128-GCM-SHA256\:@SECLEVEL=0'
    case $1 in
    soon) dated_leaf "$1" "$1.lab.example" "$(day -85)" "$(day +5)" ;;
    shortlived) dated_leaf "$1" "$1.lab.example" "$(day -1)" "$(day +5)" ;;
    *) lab_leaf "$1" lab-ca "DNS:$1.lab.example" ;;
    esac
    case $1 in
    modern) offer_socat "$1" "$2" openssl-min-proto-version=TLS1.2 ;;
    oldtoo) offer_socat "$1" "$2" "openssl-min-proto-version=TLS1,$old" ;;
    oldonly) offer_socat "$1" "$2" "openssl-max-proto-version=TLS1.1,$old" ;;
    weak) offer_socat "$1" "$2" 'openssl-min-proto-version=TLS1.2,cipher=ALL\:aNULL\:@SECLEVEL=0' ;;
    both | getonly | postonly) ;;
    *) offer_unbound "$1" "$2" ;;
    esac
}

offers_up() {
    local name n=150
    for name in $(offer_names); do
        n=$((n + 1))
        ADDRESS[$name]=203.0.113.$n
        ip -n "$LAB-server" addr add 203.0.113.$n/32 dev lo
        offer_up "$name" "203.0.113.$n"
    done
    # One certificate for the three; whom it names is another cell's matter.
    lab_leaf doh lab-ca DNS:both.lab.example DNS:getonly.lab.example DNS:postonly.lab.example
    lab_daemon server doh "$LAB_HERE/doh-peer.py" "$LAB_DIR/doh.pem" "$LAB_DIR/doh.key" "${ADDRESS[plain]}" \
        "GET,POST=${ADDRESS[both]}" "GET=${ADDRESS[getonly]}" "POST=${ADDRESS[postonly]}"
    for name in plain nopad shortlived modern oldtoo oldonly weak; do
        lab_wait 10 lab_in server bash -c "exec 3<>/dev/tcp/${ADDRESS[$name]}/853" || lab_die "no server called $name"
    done
    lab_wait 10 lab_in server bash -c "exec 3<>/dev/tcp/${ADDRESS[postonly]}/443" || lab_die "no server of one method"
}

# offers_policy ACTION: a zone that cuts what it does not approve, or lets it be.
offers_policy() {
    local name transport faults
    printf 'sensor: {name: lab, interfaces: [lan0], mode: monitor}\nresolvers:\n'
    while read -r name transport faults; do
        [ -z "$name" ] ||
            echo "  - {id: $name, name: $name.lab.example, addresses: [${ADDRESS[$name]}], transports: [$transport], ca: $LAB_CA}"
    done <<<"$OFFERS"
    printf 'zones:\n  - {id: lab, networks: [10.53.0.0/16], approve: [%s], cleartext: %s, unapproved: %s}\n' \
        "$(offer_names | paste -sd,)" "$1" "$1"
}

offer_found() { jq -r --arg id "$1" '.resolvers[] | select(.resolver == $id) | .probes[0] | '"$2" "$LAB_DIR/offers.json"; }

phase_offers() {
    local name transport faults
    offers_policy reject >"$LAB_DIR/offers.yaml"
    offers_policy allow >"$LAB_DIR/lenient.yaml"
    sealdns probe -c "$LAB_DIR/offers.yaml" --timeout 2s --format json >"$LAB_DIR/offers.json"
    while read -r name transport faults; do
        [ -z "$name" ] ||
            same "offers: $name over $transport: $faults" "$(offer_found "$name" '.faults | join(",") | if . == "" then "-" else . end')" "$faults"
    done <<<"$OFFERS"
    same "offers: versions of one that takes old ones too" "$(offer_found oldtoo '.tls_versions | join(" ")')" "1.0 1.1 1.2 1.3"
    same "offers: versions of one that does not" "$(offer_found modern '.tls_versions | join(" ")')" "1.2 1.3"
    check "offers: the weak suite by name" grep -qE '^(AECDH|ADH|ECDHE-ECDSA-NULL)' <<<"$(offer_found weak .weak_cipher)"
    same "offers: nothing weak at its twin" "$(offer_found modern .weak_cipher)" ""
    same "offers: canaries answered" "$(offer_found canary '.canaries["use-application-dns.net"] + " " + .canaries["mask.icloud.com"]')" "positive positive"
    same "offers: designation of another" "$(offer_found strayed .designated)" dns.elsewhere.example
    same "offers: no designation" "$(offer_found undecided '.canaries["_dns.resolver.arpa"]')" negative
    check "offers: a remark is no failure" sealdns probe -c "$LAB_DIR/offers.yaml" --timeout 2s soon nopad canary strayed oldtoo weak getonly
    check "offers: canaries may be answered where others are allowed" \
        grep -qx '.*dot port 853: right' <<<"$(sealdns probe -c "$LAB_DIR/lenient.yaml" --timeout 2s canary)"
}
