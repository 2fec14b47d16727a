#!/bin/bash
# Other ways to stand: zones that are enforced for some of their clients first, and the sets alone, for somebody's own rules.
#
#   run-places.sh [--keep]
#
# SEALDNS names the binary (build/sealdns).
set -u
. "$(dirname "$0")/lab.sh"
. "$LAB_HERE/report.sh"
. "$LAB_HERE/sensor.sh"
[ "${1:-}" = --keep ] && export LAB_KEEP=1

P='' # the policy
nft() { lab_in gw nft "$@"; }
status_of() { sealdns status --socket "$LAB_DIR/sealdns.sock" --format json; }
rules_say() { [ "$(status_of | jq "$1")" = true ]; }
reload() { sealdns status reload --socket "$LAB_DIR/sealdns.sock"; }
events_of() { sealdns events --db "$LAB_DIR/sealdns.db" --format json | jq -s "[flatten[] | select($1)] | length"; }
events_there() { [ "$(events_of "$1")" -ge "$2" ]; }
clear_text() { lab_in "$1" dig +tries=1 +time=1 "@$2" www.example.org A 2>/dev/null | grep -q 'status: NOERROR'; }
over_tls() { lab_in "$1" kdig +tls +retry=0 +timeout=2 "@$2" www.example.org A 2>/dev/null | grep -q 'status: NOERROR'; }

# --- rollout

HUNDRED4=10.53.40. HUNDRED6=2001:db8:100::40

# 200 addresses of one client, alike but for their last part.
many_addresses() {
    seq -f "address add ${HUNDRED4}%g/16 dev eth0" 1 100 >"$LAB_DIR/addresses"
    for i in $(seq 1 100); do printf "address add ${HUNDRED6}%02x/64 dev eth0 nodad\n" "$i"; done >>"$LAB_DIR/addresses"
    ip -n "$LAB-c1" -batch "$LAB_DIR/addresses"
}

# What the kernel does with each of them against what explain says of each.
they_agree() {
    local name=$1 who what said differ=0 out=0
    lab_in c1 python3 "$LAB_HERE/rollout-ask.py" $LAB_B4 $LAB_B6 $HUNDRED4 $HUNDRED6 | sort >"$LAB_DIR/became.$name"
    cut -d' ' -f1 "$LAB_DIR/became.$name" | xargs -n 1 -P 2 sh -c \
        "said=\$(ip netns exec $LAB-gw $SEALDNS explain \"\$0\" -c $P --db /nowhere | sed -n 's/.*this client is \\(in\\|out\\).*/\\1/p'); echo \"\$0 \$said\"" | sort >"$LAB_DIR/said.$name"
    while read -r who what _ said; do
        [ "$what/$said" = cut/in ] || [ "$what/$said" = answered/out ] || { differ=$((differ + 1)); lab_say "$who: $what, $said"; }
        [ "$said" = out ] && out=$((out + 1))
    done < <(paste -d' ' "$LAB_DIR/became.$name" "$LAB_DIR/said.$name")
    [ "$(wc -l <"$LAB_DIR/said.$name")/$differ" = 200/0 ] && ok "$name: kernel and program agree on 200 clients, $out are out" ||
        not_ok "$name: kernel and program agree on 200 clients" "$differ differ of $(wc -l <"$LAB_DIR/said.$name")"
    [ "$out" -ge "$2" ] && [ "$out" -le "$3" ] && ok "$name: as many as it says" || not_ok "$name: as many as it says" "$out are out"
}

# Those that were in are in.
grew() { [ -z "$(comm -23 <(grep ' in$' "$LAB_DIR/said.$1" | sort) <(grep ' in$' "$LAB_DIR/said.$2" | sort))" ]; }

rollout() {
    P=$LAB_DIR/policy.yaml
    sensor_policy reject reject | sed 's/^sensor: {/&preflight: false, /; s/    bootstrap: true/&\n    rollout: {percent: 20}/' >"$P"
    check "rollout: the sensor starts" sensor_up enforce
    check "rollout: status tells" rules_say '.rules.rollouts == [{"zone": "lab", "percent": 20, "clients": 0}]'
    they_agree "20 percent" 140 180
    check "rollout: the rules count those who are out" eval '[ "$(nft list chain inet sealdns zone_lab | sed -n "s/.*udp dport 53 counter packets \([0-9]*\).*lab.cleartext-udp.*/\1/p")" -ge 140 ]'
    check "rollout: one who is out would be blocked, says his event" lab_wait 5 events_there '.sealdns.verdict == "would-block" and .sealdns.kind == "cleartext"' 100
    check "rollout: one who is in was blocked, says his event" events_there '.sealdns.verdict == "blocked" and .sealdns.kind == "cleartext"' 15
    sed -i "s/rollout: {percent: 20}/rollout: {percent: 60, clients: [${HUNDRED4}0\/26]}/" "$P"
    check "rollout: it grows" reload
    they_agree "60 percent and a prefix" 35 85
    check "rollout: nobody who was in went out" grew "20 percent" "60 percent and a prefix"
    check "rollout: desired is installed" rules_say '.rules | (.drifted | not) and .digest == .digest_wanted'
    sensor_down
    check "rollout: rules remove" sealdns rules remove -c "$P"
}

# --- the sets alone

# Somebody's own rules, in our table.
own_rules() {
    nft -f - <<'END'
table inet sealdns {
    chain mine {
        type filter hook forward priority -10; policy accept;
        ip saddr @excepted_ip4 accept
        ip saddr @zone_lab_net_ip4 tcp dport 853 ip daddr @zone_lab_dot_ip4 accept
        ip saddr @zone_lab_net_ip4 th dport @dns_ports counter reject
    }
}
END
}
set_has() { nft list set inet sealdns "$1" | grep -q "$2"; }
set_lacks() { nft list set inet sealdns "$1" && ! set_has "$1" "$2"; }
mine_is_there() { nft list chain inet sealdns mine | grep -q 'counter packets [1-9]'; }

set_only() {
    local healed
    P=$LAB_DIR/sets.yaml
    sensor_policy reject reject | sed 's/^sensor: {/&set_only: true, on_exit: keep, /' >"$P"
    check "set_only: nft takes what rules show says" eval 'sealdns rules show -c "$P" >"$LAB_DIR/sets.nft" && nft -c -f "$LAB_DIR/sets.nft"'
    cp "$P" "$LAB_DIR/policy.yaml"
    P=$LAB_DIR/policy.yaml
    check "set_only: the sensor starts" sensor_up enforce
    [ "$(nft list table inet sealdns | grep -c 'chain\|hook')" = 0 ] && ok "set_only: no chain, no hook" || not_ok "set_only: no chain, no hook"
    check "set_only: clear text passes" clear_text c1 $LAB_B4
    own_rules || not_ok "set_only: somebody's rules" "nft refused"
    check "set_only: his rules cut, clear text" eval '! clear_text c1 $LAB_B4'
    check "set_only: his rules cut, an unapproved resolver" eval '! over_tls c1 $LAB_B4'
    check "set_only: his rules pass what is approved" over_tls c1 $LAB_A4
    check "set_only: his rules pass an exception" clear_text c2 $LAB_B4
    check "set_only: his rules are no drift" rules_say '.rules | .set_only and .installed and (.drifted | not) and .digest == .digest_wanted'
    check "set_only: rules diff agrees" eval '[ -z "$(sealdns rules diff -c "$P" --mode enforce)" ]'
    check "set_only: what we did not cut is not called so" lab_wait 3 events_there '.sealdns.kind == "cleartext" and .sealdns.verdict == "would-block" and .sealdns.client == "'"$(lab_client4 1)"'"' 1
    healed=$(status_of | jq .rules.drifts_healed)
    nft delete element inet sealdns zone_lab_dot_ip4 "{ $LAB_A4 }"
    check "set_only: a deleted element is put back" lab_wait 2 set_has zone_lab_dot_ip4 $LAB_A4
    check "set_only: ... and counted" lab_wait 2 rules_say ".rules.drifts_healed == $((healed + 1))"
    check "set_only: his chain is as it was" mine_is_there
    sed -i "s/addresses: \[$LAB_A4,/addresses: [$LAB_A4, 203.0.113.54,/; s/^exceptions:/  - {id: guest, networks: [10.53.9.0\/24], approve: [lab]}\n&/" "$P"
    check "set_only: reload" reload
    check "set_only: reload changes elements" set_has zone_lab_dot_ip4 203.0.113.54
    check "set_only: reload adds a zone" set_has zone_guest_net_ip4 10.53.9.0/24
    check "set_only: ... and takes it out of the other" eval '! set_has zone_lab_net_ip4 10.53.0.0/16'
    check "set_only: his chain outlives a reload" mine_is_there
    nft insert rule inet sealdns mine ip saddr @zone_guest_net_ip4 counter
    sed -i '/id: guest/d' "$P"
    check "set_only: a zone that his rules use goes" reload
    check "set_only: its set is left, empty" set_lacks zone_guest_net_ip4 10.53
    check "set_only: a set that nobody uses is deleted" eval '! nft list set inet sealdns zone_guest_dot_ip4'
    check "set_only: an empty one is no drift" rules_say '.rules.drifted | not'
    nft delete table inet sealdns
    check "set_only: a deleted table: the sets are put back" lab_wait 2 set_has zone_lab_dot_ip4 203.0.113.54
    own_rules
    sealdns rules remove -c "$P" >"$LAB_DIR/removed" 2>&1 && not_ok "set_only: rules remove" "exit status 0" ||
        { grep -q 'rules of somebody else (chains mine)' "$LAB_DIR/removed" && ok "set_only: rules remove says whose rules use them" || not_ok "set_only: rules remove" "$(cat "$LAB_DIR/removed")"; }
    check "set_only: ... and removes nothing" set_has zone_lab_dot_ip4 203.0.113.54
    sensor_down
    nft flush chain inet sealdns mine
    check "set_only: rules remove, no rule left" sealdns rules remove -c "$P"
    [ "$(nft list table inet sealdns | grep -c 'set ')/$(nft list table inet sealdns | grep -c 'chain mine')" = 0/1 ] &&
        ok "set_only: our sets are gone, his chain is not" || not_ok "set_only: our sets are gone, his chain is not" "$(nft list table inet sealdns | head -5)"
    check "set_only: installed into his table" sealdns rules apply -c "$P" --mode enforce
    check "set_only: nft takes the text beside his rules" eval 'sealdns rules show -c "$P" | nft -f - && nft list chain inet sealdns mine'
    nft delete table inet sealdns
    nft -f - <<'END'
table inet sealdns {
    set zone_lab_dot_ip4 { type ipv4_addr; }
    chain early { type filter hook forward priority -10; tcp dport 853 ip daddr != @zone_lab_dot_ip4 counter reject; }
}
END
    check "set_only: rules that were there first, with a set declared: installed" sealdns rules apply -c "$P" --mode enforce
    check "set_only: ... and they work" eval 'over_tls c1 $LAB_A4 && ! over_tls c1 $LAB_B4'
    check "set_only: and it is the same" eval '[ -z "$(sealdns rules diff -c "$P" --mode enforce)" ]'
}

main() {
    lab_up || exit 1
    [ -x "$SEALDNS" ] || { not_ok "the program" "$SEALDNS is missing"; tally; exit; }
    lab_client c1 1
    lab_client c2 2
    many_addresses
    rollout
    set_only
    tally
}
main
