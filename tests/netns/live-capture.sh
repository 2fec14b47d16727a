#!/bin/bash
# The capture of an interface, in a network namespace of its own: what the kernel's filter takes,
# bare and inside VLAN, QinQ and PPPoE, in both directions, and that it goes on after the interface
# was down, and after it was removed and made again; and how two readers share it.
# usage: live-capture.sh PATH-TO-live_capture      (root; 77: cannot run here)
set -u
driver=$1
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] && command -v ip >/dev/null && command -v python3 >/dev/null || exit 77
a=sdlc-a-$$ b=sdlc-b-$$
work=$(mktemp -d) || exit 1
pid=
cleanup() {
    [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    ip netns del "$a" 2>/dev/null
    ip netns del "$b" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
ip netns add "$a" 2>/dev/null && ip netns add "$b" || exit 77

cable() {
    ip -n "$a" link add w0 type veth peer name w1 netns "$b" &&
        ip -n "$a" link set w0 up && ip -n "$b" link set w1 up
}
for ns in "$a" "$b"; do # no router solicitations of the kernel's own among the frames
    ip netns exec "$ns" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done

failed=0
check() { # WHAT EXPECTED GOT
    if [ "$2" = "$3" ]; then
        echo "ok   $1"
    else
        echo "FAIL $1: expected $2, got $3"
        failed=1
    fi
}
# TAG ROUND: what the frames of one injection give.
check_round() {
    local tag=$1 text=$2 out=$work/out
    sleep 0.6
    check "$text: packets to port 53" 10 "$(grep -c "\.$tag .*\.53 " "$out")"
    check "$text: 443, 853 and 784" 4 "$(grep "\.$tag " "$out" | grep -cE '\.(443|853|784) ')"
    check "$text: answers of VPNs" "500 3 1194 3 4500 3 51820 3" \
        "$(for port in 500 1194 4500 51820; do
            echo "$port $(grep -cE "\.$port [0-9a-f.:]+\.$tag " "$out")"
        done | paste -sd' ')"
    check "$text: fragments put together" 2 "$(grep -c "\.$tag .*\.5053 " "$out")"
    check "$text: innermost VLANs" "0 10 11 7 8 9" \
        "$(grep "\.$tag " "$out" | grep -o 'vlan [0-9]*' | cut -d' ' -f2 | sort -u | paste -sd' ')"
    check "$text: nothing else" 0 "$(grep "\.$tag " "$out" | grep -cE '\.(1234|80) ')"
}

ip netns exec "$a" "$driver" w0 2>"$work/no"
check "no such interface is one line" "w0: no such interface; see: ip link" "$(cat "$work/no")"
cable || exit 77
ip netns exec "$a" "$driver" w0 >"$work/out" 2>&1 &
pid=$!
sleep 0.5
ip netns exec "$b" "$here/inject.py" w1 1001
check_round 1001 "incoming"
check "ICMP errors, router advertisement, DHCP" "1/3 1 58/1 1 58/134 1 67 1" \
    "$(echo 1/3 $(grep -c 'proto 1 .*type 3 ' "$work/out") \
        58/1 $(grep -c 'proto 58 .*type 1 ' "$work/out") \
        58/134 $(grep -c 'proto 58 .*type 134 ' "$work/out") 67 $(grep -c '\.67 ' "$work/out"))"
check "no echo" 0 "$(grep -cE 'proto 1 .*type 8 |proto 58 .*type 128 ' "$work/out")"
check "seen within 50 ms" "" "$(grep -o 'lag [0-9.]*' "$work/out" | awk '$2 > 50')"
ip netns exec "$a" "$here/inject.py" w0 1002
check_round 1002 "outgoing"

ip -n "$a" link set w0 down
sleep 0.5
ip -n "$a" link set w0 up
sleep 0.2
ip netns exec "$b" "$here/inject.py" w1 1003
check_round 1003 "after down and up"

ip -n "$a" link del w0
sleep 0.7
check "says that the interface is gone" 1 "$(grep -c '^gone' "$work/out")"
cable
sleep 0.5
ip netns exec "$b" "$here/inject.py" w1 1004
check_round 1004 "after removal and return"
check "promiscuous again" 1 "$(ip -n "$a" -d link show w0 | grep -c 'promiscuity 1')"
kill "$pid"
wait "$pid"
pid=
check "counts what it received, loses none" "dropped 0" "$(grep -o 'dropped [0-9]*' "$work/out")"
# What one reader takes, two take in parts: of two addresses all in one, whatever is around them.
shared=()
for n in 0 1; do
    ip netns exec "$a" "$driver" w0 $n 2 >"$work/share$n" 2>&1 &
    shared+=($!)
done
ip netns exec "$a" "$driver" w0 >"$work/whole" 2>&1 &
shared+=($!)
sleep 0.5
ip netns exec "$b" "$here/inject.py" w1 1006
ip netns exec "$a" "$here/inject.py" w0 1006
sleep 0.5
kill "${shared[@]}"
wait "${shared[@]}"
seen() { grep -hE '^(proto|frame)' "$@" | sed 's/ lag.*//' | sort; }
check "two readers: each packet at one of them" "$(seen "$work/whole")" "$(seen "$work/share0" "$work/share1")"
check "two readers: IPv4 and its ICMP errors at one, IPv6 at one" "1 1" \
    "$(for of in '192.0.2.1[. ]' '2001:db8::1[. ]'; do
        grep -lE "$of" "$work/share0" "$work/share1" | wc -l
    done | paste -sd' ')"
check "no error on the way" 0 "$(grep -c '^error' "$work/out")"
[ $failed = 0 ] || sed 's/^/    /' "$work/out"
exit $failed
