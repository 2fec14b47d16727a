#!/bin/bash
# Who a client is, and who offers resolvers to it, with real DHCP, SLAAC and NAT: leases that move, privacy addresses, many
# behind one address, two interfaces that show the same packets, and offers by DHCP, routers, DDR and canary names.
#
#   run-who.sh [--record] [--keep]
#
# --record renews tests/pcap/who-* and designation-* from what crossed lan0. SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
. "$LAB_HERE/who-machines.sh"

RECORD=0
for argument in "$@"; do
    case $argument in
    --record) RECORD=1 ;;
    --keep) export LAB_KEEP=1 ;;
    *) echo "run-who.sh: no option $argument" >&2; exit 2 ;;
    esac
done

# who_policy INTERFACE...: the zone keeps its clients, but for those of `free`.
who_policy() {
    local list
    list=$(printf ', %s' "$@")
    cat <<END
sensor: {name: lab, interfaces: [${list#, }], mode: monitor}
resolvers:
  - {id: lab, name: $LAB_A_NAME, addresses: [$LAB_A4, "$LAB_A6"], transports: [dot, doh2]}
  - {id: house, addresses: [$(four_of house), "$(six_of house)"], transports: [do53]}
  - {id: wild, addresses: [$(four_of wild), "$(six_of wild)"], transports: [do53]}
zones:
  - {id: lab, networks: [10.53.0.0/16, "2001:db8:100::/64"], approve: [lab, house, wild], cleartext: alert, unapproved: alert}
  - {id: free, networks: [10.53.250.0/24], cleartext: allow, unapproved: allow}
END
}

# A sensor is named after what it watches; its files are in $LAB_DIR/NAME.
# watch NAME INTERFACE...: starts it.
watch() {
    local name=$1 dir=$LAB_DIR/$1
    shift
    mkdir -p "$dir"
    {
        who_policy "$@"
        echo "store: {path: $dir/sealdns.db}"
        echo "control: {socket: $dir/sealdns.sock}"
        echo "outputs: [{type: file, format: eve, path: $dir/eve.json}]"
    } >"$dir/policy.yaml"
    lab_daemon gw "sensor-$name" "$SEALDNS" run -c "$dir/policy.yaml"
    echo "$LAB_PID" >"$dir/pid"
    lab_wait 10 sealdns status --socket "$dir/sealdns.sock" && return 0
    lab_say "the sensor $name does not answer: $(tail -n 3 "$LAB_DIR/sensor-$name.log")"
    return 1
}

unwatch() {
    sealdns status --socket "$LAB_DIR/$1/sealdns.sock" --format json >"$LAB_DIR/$1/status"
    lab_stop "$(cat "$LAB_DIR/$1/pid")"
}

explain() { sealdns explain "$2" -c "$LAB_DIR/$1/policy.yaml"; }

# ask MACHINE ARGUMENTS OF DIG...: one question, one try.
ask() { lab_in "$1" timeout 10 dig +tries=1 +time=3 "${@:2}" >/dev/null 2>&1; }

# clear MACHINE LABEL TIMES [OPTION]...: so many names in clear text of the resolver that nobody approved.
clear() {
    local machine=$1 label=$2 i
    for i in $(seq "$3"); do ask "$machine" "@${SERVER:-$LAB_B4}" "${@:4}" "$label$i.example.net" A; done
}

# --- what happens ------------------------------------------------------------------------------------------------------

# A lease moves to another address; the old one goes to another machine. Each asks less than makes a profile by itself.
leases_move() {
    reserve laptop $LEASES.11
    takes_a_lease laptop || return 1
    clear laptop old 2
    gives_it_back laptop
    reserve laptop $LEASES.12
    takes_a_lease laptop -r $LEASES.11 || return 1
    clear laptop new 2
    reserve guest $LEASES.11
    takes_a_lease guest || return 1
    clear guest guest 2
    takes_a_lease_as phone phone.corp.example
    clear phone phone 1
}

# The same names from each of its addresses: every one is its own query.
privacy_addresses() {
    local round address
    configures_itself six
    for round in 1 2 3; do
        [ $round = 1 ] || new_sixes six
        sixes_of six >>"$LAB_DIR/six.addresses"
        address=$(sixes_of six | head -n 1)
        SERVER=$LAB_B6 clear six "round$round-" 2 -b "$address"
    done
}

several_clients() {
    local round i
    for round in 1 2 3 4 5; do
        for i in 1 2 3; do
            ask "nat-ttl-$i" "@$LAB_B4" "n$round-$i.example.net" A
        done
        ask nat-one-1 "@$LAB_B4" "n$round.example.net" A
        ask single "@$LAB_B4" "n$round.example.net" A
    done
    ask nat-checks-1 "@$LAB_B4" connectivity-check.ubuntu.com A
    ask nat-checks-2 "@$LAB_B4" www.msftconnecttest.com A
    ask nat-checks-3 "@$LAB_B4" captive.apple.com A
    for i in nat-one-1 single; do
        ask "$i" "@$LAB_B4" connectivity-check.ubuntu.com A
        ask "$i" "@$LAB_B4" nmcheck.gnome.org A
    done
}

# Twenty names, one of them again, by UDP; and two by TCP.
readonly COUNTED=23
counted_queries() {
    clear counted n 20
    clear counted n 1
    clear counted t 2 +tcp
}

# What a program does that looks for its resolver, at one that does what the policy wants and at one that does not.
looks_for_resolvers() {
    local machine=$1 name
    shift
    for name in use-application-dns.net mask.icloud.com mask-h2.icloud.com; do ask "$machine" "$@" $name A; done
    ask "$machine" "$@" _dns.resolver.arpa SVCB
}

designations() {
    looks_for_resolvers asker "@$(four_of house)"
    looks_for_resolvers asker "@$(four_of wild)"
    looks_for_resolvers free -b $FREE4 "@$(four_of wild)"
}

# The house offers what nobody approved: by DHCP, by router advertisements, plain and DNR.
the_house_errs() {
    the_house_gives $LAB_B4 "$(dnr_option $LAB_B_NAME $LAB_B4)"
    takes_a_lease tablet
    gives_it_back tablet
    the_house_gives
    the_house_advertises $LAB_B6
    lab_in gw python3 "$LAB_HERE/advertise.py" lan0 $LAB_B_NAME $LAB_B6 1
    sleep 1
    the_house_advertises "$(six_of house)"
}

# Another machine gives leases and advertises.
a_rogue_offers() {
    local leases
    dhcp_server rogue eth0 10.53.201.10 10.53.201.99 198.51.100.66
    leases=$LAB_PID
    advertiser rogue eth0 2001:db8:54::66
    ip -n "$LAB-tablet" addr flush dev eth0
    takes_a_lease tablet
    gives_it_back tablet
    sleep 1
    lab_stop "$leases"
    lab_stop "$LAB_PID"
}

# --- what was said -----------------------------------------------------------------------------------------------------

# Of a sensor's events: one line each for what this suite is about.
reported() {
    jq -rs '[.[] | select(.sealdns.rule? == "designation" or .sealdns.rule? == "several-clients")] | group_by(.sealdns.id)
        | map(max_by(.sealdns.revision)) | .[] | if .sealdns.rule == "several-clients" then "several-clients \(.sealdns.client)"
        else .sealdns.evidence as $e | [.sealdns.rule, $e.mechanism, $e.source // .sealdns.client, $e.station // .sealdns.server,
            ((.alert.severity) | tostring), $e.designated // "-", $e.addresses // "-"] | join(" ") end' "$LAB_DIR/$1/eve.json" | sort
}

expected() {
    local gateway=02:53:00:01:00:01 rogue
    rogue=$(mac_of rogue)
    sort <<END
several-clients $(four_of nat-ttl)
several-clients $(four_of nat-checks)
designation ddr $(four_of asker) $(four_of wild) 2 $LAB_B_NAME $LAB_B4
designation canary $(four_of asker) $(four_of wild) 3 use-application-dns.net mask.icloud.com mask-h2.icloud.com 192.0.2.80
designation dns-server dhcpv4 $gateway 2 - $LAB_B4
designation dnr dhcpv4 $gateway 2 $LAB_B_NAME $LAB_B4
designation dns-server router-advertisement $gateway 2 - $LAB_B6
designation dnr router-advertisement $gateway 2 $LAB_B_NAME $LAB_B6
designation dns-server dhcpv4 $rogue 1 - 198.51.100.66
designation dns-server router-advertisement $rogue 1 - 2001:db8:54::66
END
}

check_events() {
    local line said
    reported lan0 >"$LAB_DIR/said"
    expected >"$LAB_DIR/wanted"
    while read -r line; do
        grep -qxF -- "$line" "$LAB_DIR/said" && ok "$line" || not_ok "$line" "not said"
    done <"$LAB_DIR/wanted"
    said=$(grep -vxFf "$LAB_DIR/wanted" "$LAB_DIR/said" | paste -sd';')
    [ -z "$said" ] && ok "nothing else is said" || not_ok "nothing else is said" "$said"
}

# says SENSOR SUBJECT NAME PATTERN...: every pattern is in what explain says of it.
says() {
    local sensor=$1 subject=$2 name=$3 pattern missing=
    shift 3
    explain "$sensor" "$subject" >"$LAB_DIR/explained" 2>&1
    for pattern in "$@"; do
        case $pattern in
        !*) ! grep -Eq -- "${pattern#!}" "$LAB_DIR/explained" ;;
        *) grep -Eq -- "$pattern" "$LAB_DIR/explained" ;;
        esac || missing="$missing '$pattern'"
    done
    [ -z "$missing" ] && ok "$name" || not_ok "$name" "explain $subject: not$missing in: $(head -c 1500 "$LAB_DIR/explained" | tr '\n' '|')"
}

check_leases() {
    local laptop guest new=$LEASES.12 old=$LEASES.11
    laptop=$(mac_of laptop) guest=$(mac_of guest)
    says lan0 laptop "a host name leads to machine and addresses" "machine $laptop, called laptop" "$new" '4 times it asked in clear text'
    says lan0 $new "an address leads to host name, and a moved lease keeps the profile" "machine $laptop, called laptop" 'profile +clear-text-only'
    says lan0 $old "the old address is who has it now" "machine $guest, called guest" "!$laptop" '!clear-text-only'
    says lan0 phone.corp.example "a whole name is a host name, though the server cut it" "machine $(mac_of phone), called phone"
    jq -es --arg mac "$laptop" 'any(.[]; .sealdns.client_mac? == $mac and .sealdns.client_name == "laptop" and .sealdns.client == "'$old'")' \
        "$LAB_DIR/lan0/eve.json" >/dev/null && ok "events say MAC and host name" || not_ok "events say MAC and host name" "none of $laptop"
}

check_privacy_addresses() {
    local temporary last
    temporary=$(sort -u "$LAB_DIR/six.addresses" | grep -vc '::53:ff:fe00:2b')
    last=$(tail -n 2 "$LAB_DIR/six.addresses" | head -n 1)
    [ "$temporary" -ge 3 ] && ok "the machine had $temporary temporary addresses" || not_ok "temporary addresses" "$(paste -sd' ' "$LAB_DIR/six.addresses")"
    says lan0 "$last" "IPv6 privacy addresses are one client" "machine $(mac_of six)" 'profile +clear-text-only' '6 times it asked in clear text'
}

# The sensor starts anew; a machine comes back with an address that nobody has seen.
after_a_restart() {
    local address
    watch lan0 lan0 || return 1
    new_sixes six
    address=$(sixes_of six | head -n 1)
    SERVER=$LAB_B6 clear six again 1 -b "$address"
    unwatch lan0
    says lan0 "$address" "after a restart, by an address never seen, it is the same client" "machine $(mac_of six)" '[7-9] times it asked in clear text' # dig may say it again while the link comes up
    says lan0 laptop "what was known of others is still" "leased $LEASES.12 until" '4 times it asked in clear text'
}

# asked SENSOR CLIENT: queries of all its conversations, as stored.
asked() {
    explain "$1" "$2" | sed -n 's/.*do53-.* \([0-9]*\) queries.*/\1/p' | awk '{ n += $1 } END { print n + 0 }'
}

# Counts and events of a client, at least so many of what there is seen twice.
check_count() {
    local twice
    twice=$(jq '.counters.observations_twice' "$LAB_DIR/$1/status")
    [ "$twice" -ge "$3" ] && ok "$2: $twice observations were seen twice" || not_ok "$2: seen twice" "$twice"
    local queries events
    queries=$(asked "$1" "$(four_of counted)")
    events=$(jq -s --arg client "$(four_of counted)" '[.[] | select(.sealdns.client? == $client and .sealdns.rule == "cleartext")] | group_by(.sealdns.id)
        | map(max_by(.sealdns.revision).sealdns.count) | add' "$LAB_DIR/$1/eve.json")
    [ "$queries" = $COUNTED ] && ok "$2: $COUNTED queries are $COUNTED" || not_ok "$2: $COUNTED queries are $COUNTED" "counted $queries"
    [ "$events" = $COUNTED ] && ok "$2: so many in the events" || not_ok "$2: so many in the events" "$events"
}

# --- fixtures ----------------------------------------------------------------------------------------------------------

# record NAME FILTER KINDS EVENTS WHY [CLIENT PROFILE]: what of the run passes the filter.
record() {
    local case=$LAB_ROOT/tests/pcap/$1
    mkdir -p "$case"
    tcpdump -nn -r "$LAB_DIR/lan0.pcap" -w "$case/capture.pcap" "$2" 2>/dev/null
    [ "$(stat -c %s "$case/capture.pcap")" -lt 40000 ] || lab_say "fixture $1 is large: $(stat -c %s "$case/capture.pcap") bytes"
    who_policy lan0 >"$case/policy.yaml"
    printf '{"kinds": %s,\n "events": [%s]}\n' "$3" "$4" >"$case/expected.json"
    printf '%s\n' "$5" >"$case/why"
    [ -z "${6:-}" ] || echo "$6" >"$case/profile"
}

# event KIND RULE MEMBERS SEVERITY [EVIDENCE]
event() { printf '{"kind": "%s", "rule": "%s", %s, "severity": %s, "evidence": {%s}}' "$1" "$2" "$3" "$4" "${5:-}"; }

record_all() {
    local told='["designation"]' gateway='"station": "02:53:00:01:00:01"' machine
    from() { echo "ether host $(mac_of "$1")"; }
    record who-lease-moves "($(from laptop) or $(from guest)) and (udp port 53 or udp port 67)" '["sensor"]' "" \
        "dnsmasq gives udhcpc a lease, then another address; the old one goes to another machine, which asks as well." \
        "$LEASES.12 clear-text-only"
    record who-privacy-addresses "$(from six) and udp port 53" '["sensor"]' "" \
        "One machine asks from three temporary IPv6 addresses (RFC 8981), twice from each: one client that asks in clear text only." \
        "$(head -n 1 "$LAB_DIR/six.addresses") clear-text-only"
    for machine in nat-ttl nat-checks; do
        record "who-$machine" "host $(four_of $machine) and udp port 53" '["sensor"]' \
            "$(event sensor several-clients "\"client\": \"$(four_of $machine)\"" null)" \
            "Three clients behind one address, by nftables' masquerade: $([ $machine = nat-ttl ] && echo "they start with different TTLs" || echo "each asks for the connectivity check of its own system")."
    done
    record who-one-behind-nat "host $(four_of nat-one) and udp port 53" '["sensor"]' "" "A single client behind a router that translates addresses."
    record designation-ddr-and-canaries "host $(four_of wild) and net 10.53.0.0/16 and udp port 53" "$told" \
        "$(event designation designation "\"client\": \"$(four_of asker)\"" 2 "\"mechanism\": \"ddr\", \"designated\": \"$LAB_B_NAME\""),
  $(event designation designation "\"client\": \"$(four_of asker)\"" 3 '"mechanism": "canary", "designated": "use-application-dns.net mask.icloud.com mask-h2.icloud.com"')" \
        "Unbound designates another resolver (DDR) and answers canary names; a client of a zone that lets everybody choose asks the same."
    record designation-as-approved "host $(four_of house) and udp port 53" "$told" "" "Unbound designates the approved resolver and denies the canary names."
    record designation-by-dhcp "udp port 67" "$told" \
        "$(event designation designation '"zone": "lab"' 2 "\"mechanism\": \"dns-server\", $gateway, \"addresses\": \"$LAB_B4\""),
  $(event designation designation '"zone": "lab"' 2 "\"mechanism\": \"dnr\", $gateway, \"designated\": \"$LAB_B_NAME\""),
  $(event designation designation '"zone": "lab"' 1 "\"mechanism\": \"dns-server\", \"station\": \"$(mac_of rogue)\"")" \
        "dnsmasq offers what is approved, then a plain and an encrypted resolver that are not (option 6, and 162 of RFC 9463); then another machine gives leases."
    record designation-by-routers "icmp6 and ip6[40] == 134" "$told" \
        "$(event designation designation '"rule": "designation"' 2 "\"mechanism\": \"dns-server\", $gateway, \"addresses\": \"$LAB_B6\""),
  $(event designation designation '"rule": "designation"' 2 "\"mechanism\": \"dnr\", $gateway, \"designated\": \"$LAB_B_NAME\""),
  $(event designation designation '"rule": "designation"' 1 "\"mechanism\": \"dns-server\", \"station\": \"$(mac_of rogue)\"")" \
        "radvd advertises what is approved, then a resolver that is not (RDNSS), then an encrypted one (DNR); then another machine advertises."
}

together() {
    local f pids=()
    for f in "$@"; do
        (trap - EXIT INT TERM; "$f") &
        pids+=($!)
    done
    wait "${pids[@]}"
}

main() {
    lab_up || exit 1
    raise_machines
    inside_resolvers
    lease_script
    watch lan0 lan0 && watch uplink lan0 wan0 && watch port lan0 c46 || exit 1
    ok "three sensors start"
    lab_daemon gw tcpdump tcpdump --immediate-mode -U -nn -s 0 -i lan0 -w "$LAB_DIR/lan0.pcap" "port 53 or port 67 or port 68 or icmp6"
    local tcpdump=$LAB_PID
    lab_wait 5 test -s "$LAB_DIR/lan0.pcap"
    the_house_gives "$(four_of house)" "$(dnr_option $LAB_A_NAME $LAB_A4)"
    the_house_advertises "$(six_of house)"
    lab_in gw python3 "$LAB_HERE/advertise.py" lan0 $LAB_A_NAME $LAB_A6 1
    together leases_move privacy_addresses several_clients counted_queries designations
    the_house_errs
    a_rogue_offers
    unwatch lan0
    unwatch uplink
    unwatch port
    lab_stop "$tcpdump" INT
    [ $RECORD = 0 ] || record_all
    check_leases
    check_privacy_addresses
    check_events
    check_count lan0 "one interface" 0
    check_count uplink "clients' side and uplink" $COUNTED
    check_count port "a bridge and its port" $COUNTED
    after_a_restart
    tally
}
main
