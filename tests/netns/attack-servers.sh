# shellcheck shell=bash
# The servers of run-attacks.sh: BIND as primary and secondary, resolvers open, closed and unknown. Sourced by it.

named_head() {
    cat <<END
options {
    directory "$LAB_DIR/$1";
    pid-file none;
    session-keyfile none;
    listen-on { any; };
    listen-on-v6 { none; };
    recursion no;
    dnssec-validation no;
    max-udp-size 4096;
    minimal-any no;
    notify yes;
};
controls { };
END
}

# zone_file NAME: the zone with two name servers, and what else it holds from standard input.
zone_file() {
    cat <<END
\$ORIGIN $1.
\$TTL 300
@ SOA ns hostmaster 2 3600 600 86400 300
@ NS ns
@ NS ns2
ns A $(address_of primary)
ns2 A $(address_of secondary)
www A 192.0.2.80
END
    cat
}

primary_config() {
    local dir=$LAB_DIR/primary text
    mkdir -p "$dir"
    text=$(printf '"%0250d" ' 0 0 0 0)
    seq -f 'host%g A 192.0.2.7' 400 | zone_file lab.example >"$dir/lab.zone"
    seq -f 'secret%g A 192.0.2.8' 40 | zone_file leaky.example >"$dir/leaky.zone"
    { echo "* TXT $text"; echo "any TXT $text"; echo "any TXT \"second\" $text"; } | zone_file big.example >"$dir/big.zone"
    zone_file torture.example </dev/null >"$dir/torture.zone"
    {
        named_head primary
        echo "zone \"lab.example\" { type primary; file \"lab.zone\"; allow-transfer { $(address_of secondary); }; };"
        echo 'zone "leaky.example" { type primary; file "leaky.zone"; allow-transfer { any; }; notify no; };'
        echo 'zone "big.example" { type primary; file "big.zone"; allow-transfer { none; }; notify no; };'
        echo 'zone "torture.example" { type primary; file "torture.zone"; allow-transfer { none; }; notify no; };'
    } >"$dir/named.conf"
}

secondary_config() {
    mkdir -p "$LAB_DIR/secondary"
    {
        named_head secondary
        echo "zone \"lab.example\" { type secondary; file \"lab.zone\"; primaries { $(address_of primary); }; };"
    } >"$LAB_DIR/secondary/named.conf"
}

start_secondary() {
    secondary_config
    lab_daemon secondary secondary named -g -c "$LAB_DIR/secondary/named.conf"
    lab_wait 10 test -s "$LAB_DIR/secondary/lab.zone" || lab_die "the secondary did not fetch its zone"
}

# resolver_config NAME CONTROL...: an unbound that forwards to the lab's public resolver.
resolver_config() {
    local name=$1 control
    shift
    {
        lab_unbound_head | grep -v access-control
        for control in "$@"; do echo "  access-control: $control"; done
        echo "  interface: $(address_of "$name")@53"
        printf 'forward-zone:\n  name: "."\n  forward-addr: %s\n' $LAB_A4
    } >"$LAB_DIR/$name.conf"
}

attack_servers() {
    local where
    primary_config
    resolver_config open "0.0.0.0/0 allow"
    resolver_config closed "10.53.0.0/16 allow" "0.0.0.0/0 refuse"
    lab_daemon primary primary named -g -c "$LAB_DIR/primary/named.conf"
    lab_daemon open open unbound -d -c "$LAB_DIR/open.conf"
    lab_daemon closed closed unbound -d -c "$LAB_DIR/closed.conf"
    lab_daemon rogue rogue dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= \
        --server=$LAB_B4 --log-facility=-
    for where in primary open closed rogue; do
        lab_wait 10 lab_listens "$where" 53 || lab_die "no server in $where: $(tail -n 2 "$LAB_DIR/$where.log")"
    done
}
