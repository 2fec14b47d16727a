#!/bin/bash
# The Debian package: built, judged by lintian, installed under a systemd of its own, at work, upgraded and purged.
#
#   run-package.sh [--debootstrap DIR] [--whole]
#
#   --debootstrap DIR   in a fresh Debian 12, made below DIR (needs a mirror; two minutes); the rule is an overlay of this
#                       machine's own root
#   --whole             compiles the package twice, in two places, and compares (four minutes)
#
# SEALDNS names the binary that is packed (build/sealdns). Needs root. systemd is the first process of namespaces of its own, so
# unit, sandbox, watchdog and maintainer scripts are the real ones; machine and kernel see nothing of it.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
LAB_ROOT=$(cd "$HERE/../.." && pwd)
. "$LAB_ROOT/tests/netns/report.sh"
DEBOOTSTRAP='' WHOLE=0
while [ $# -gt 0 ]; do
    case $1 in
    --debootstrap) DEBOOTSTRAP=${2:?}; shift ;;
    --whole) WHOLE=1 ;;
    *) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/sealdns-package.XXXXXX")
chmod 755 "$SCRATCH"
mkdir "$SCRATCH/up" "$SCRATCH/tree"
OUTER='' INIT=''
cleanup() {
    # Ending the first process of the namespaces ends all of them.
    [ -z "$INIT" ] || kill -KILL "$INIT"
    [ -z "$OUTER" ] || wait "$OUTER" 2>/dev/null
    rm -rf "$SCRATCH"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

soon() {
    local i
    for i in $(seq 150); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done
    return 1
}

# ---- Packages
DEB=$SCRATCH/one.deb NEXT=$SCRATCH/next.deb
pack() { DEB_BUILD_OPTIONS=noautodbgsym "$LAB_ROOT/packaging/deb.sh" --built "$SEALDNS" "$@"; }
same_bytes() { cmp "$SCRATCH"/first/sealdns_*.deb "$SCRATCH"/second/sealdns_*.deb; }
# The same with a later version: what an upgrade does does not depend on what is new in it.
later() {
    dpkg-deb -R "$DEB" "$SCRATCH/later" && sed -i 's/^Version: .*/&+1/' "$SCRATCH/later/DEBIAN/control" &&
        dpkg-deb --root-owner-group -b "$SCRATCH/later" "$NEXT" && rm -rf "$SCRATCH/later"
}
build() {
    check "the package is built, lintian is content" pack --out "$SCRATCH/first"
    check "built once more elsewhere it has the same bytes" \
        eval 'pack --no-lint --out "$SCRATCH/second" --work "$SCRATCH/some/other/place" && same_bytes'
    rm -rf "$SCRATCH/some"
    cp "$SCRATCH"/first/sealdns_*.deb "$DEB" && later || return 1
    check "the bill of materials is this program's" eval \
        'dpkg-deb --fsys-tarfile "$DEB" | tar -xO ./usr/share/doc/sealdns/sbom.cdx.json >"$SCRATCH/sbom" &&
         "$LAB_ROOT/packaging/sbom.py" --check "$SCRATCH/sbom" "$SEALDNS"'
}
compile_twice() {
    local n
    for n in 1 2; do
        check "compiled in place $n" "$LAB_ROOT/packaging/deb.sh" --no-lint --out "$SCRATCH/whole$n" --work "$SCRATCH/place$n$n$n/w"
    done
    for n in "$SCRATCH"/whole1/*.deb; do
        check "$(basename "$n"): the same bytes" cmp "$n" "$SCRATCH/whole2/$(basename "$n")"
    done
}

# ---- A machine
# systemd and what the package depends on, with nothing of ours.
fresh_debian() {
    local tree=$DEBOOTSTRAP/bookworm
    if [ ! -e "$tree/made" ]; then
        debootstrap --variant=minbase --include=systemd,systemd-sysv,adduser,iproute2,nftables,python3-minimal,procps bookworm "$tree" \
            http://deb.debian.org/debian && cp "$DEB" "$tree/tmp/" && chroot "$tree" apt-get install -y --no-install-recommends \
            /tmp/one.deb && chroot "$tree" apt-get purge -y sealdns && touch "$tree/made"
    fi >"$SCRATCH/debootstrap.log" 2>&1
}
boot() {
    local tree=/
    if [ -n "$DEBOOTSTRAP" ]; then
        check "a fresh Debian 12 takes it and is rid of it again" fresh_debian
        tree=$DEBOOTSTRAP/bookworm
    fi
    cp "$HERE/flow.py" "$SCRATCH/"
    unshare --mount --net --pid --uts --ipc --cgroup --fork "$HERE/boot.sh" "$tree" "$SCRATCH" >"$SCRATCH/boot.log" 2>&1 &
    OUTER=$!
    soon pgrep -P "$OUTER" || return 1
    INIT=$(pgrep -P "$OUTER")
    soon inside systemctl is-active package-test.target
}
enter() { nsenter --wd=/ --target "$INIT" --mount --net --pid --uts --ipc --cgroup "$@"; }
inside() { enter --root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
changed() { enter sh -c "cd $SCRATCH/up/new && find etc usr var opt root srv -type f -o -type l" 2>/dev/null |
    grep -vE '^var/(lib/(dpkg|systemd|prometheus)|cache|log/(journal|dpkg.log|wtmp))|^etc/(passwd|shadow|group|gshadow|sub[ug]id|.*-|\.pwd\.lock|ld\.so\.cache)$' | sort; }
has() { enter test "$1" "$SCRATCH/tree$2"; }

# client - lan0 gateway wan0 - server
network() {
    inside sh -e <<'END'
ip link set lo up
for side in client server; do ip netns add $side; ip -n $side link set lo up; done
ip link add lan0 type veth peer name c0 netns client
ip link add wan0 type veth peer name s0 netns server
ip addr add 10.53.1.1/24 dev lan0; ip addr add 10.53.2.1/24 dev wan0
ip link set lan0 up; ip link set wan0 up
ip route add default via 10.53.2.2
ip -n client addr add 10.53.1.2/24 dev c0; ip -n client link set c0 up; ip -n client route add default via 10.53.1.1
ip -n server addr add 10.53.2.2/24 dev s0; ip -n server link set s0 up; ip -n server route add default via 10.53.2.1
END
    # /proc/sys is the namespace's own where it is written from within.
    inside sysctl -qw net.ipv4.ip_forward=1
}

policy() {
    inside sh -c 'cat >/etc/sealdns/sealdns.yaml' <<END
sensor: {name: packed, interfaces: [lan0], mode: $1, preflight: false}
zones:
  - id: lan
    networks: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, "fc00::/7", "fe80::/10"]
    cleartext: drop
    unapproved: drop
outputs:
  - {type: file, format: eve, path: /var/log/sealdns/eve.json}
END
}

ask() { inside ip netns exec client python3 /run/test/flow.py send 10.53.2.2 "$1"; }
came() { enter cat "$SCRATCH/tree/run/test/came"; }
property() { inside systemctl show -P "$1" sealdns.service; }
main_status() { enter sh -c "cat $SCRATCH/tree/proc/$(property MainPID)/status"; }
children() { inside pgrep -P "$(property MainPID)"; }
rules() { inside nft list table inet sealdns; }
event() { inside sealdns events | grep -q "$1"; }

# ---- What is checked
installed() {
    check "it installs and starts" inside dpkg -i --force-confnew /run/test/one.deb
    check "the unit is up once the sensor has said so" eval '[ "$(property ActiveState)" = active ] && [ "$(property Type)" = notify ]'
    check "its user, none of root's" eval '[ "$(inside stat -c %U "/proc/$(property MainPID)")" = sealdns ]'
    # CAP_NET_ADMIN 12, CAP_NET_RAW 13, CAP_BPF 39
    check "three capabilities and no more, also of those it could get" eval \
        '[ "$(main_status | awk "/^Cap(Eff|Bnd):/ { print \$2 }" | sort -u)" = 0000008000003000 ]'
    check "no new ones, and system calls are filtered" eval \
        '[ "$(main_status | awk "/^(NoNewPrivs|Seccomp):/ { print \$2 }" | paste -sd,)" = 1,2 ]'
    check "parser and recorder have none" eval \
        '[ "$(for p in $(children); do inside grep CapEff "/proc/$p/status"; done | sort | uniq -c | tr -s " \t" " ")" = " 2 CapEff: 0000000000000000" ]'
    check "folders are its own" eval '[ "$(inside stat -c "%n %U:%G %a" /var/lib/sealdns /var/log/sealdns /run/sealdns)" = \
"/var/lib/sealdns sealdns:sealdns 750
/var/log/sealdns sealdns:sealdns 750
/run/sealdns sealdns:sealdns 750" ]'
    check "it cannot write where the policy is" eval '! inside nsenter -t "$(property MainPID)" -m touch /etc/sealdns/x'
    check "its watchdog is fed" eval '[ "$(property WatchdogUSec)" = 30s ] && soon fed "$(property WatchdogTimestampMonotonic)"'
    check "without a word of ours it watches the default route" eval 'inside sealdns status | grep -q wan0'
    check "and blocks nothing" eval '! rules'
}
fed() { [ "$(property WatchdogTimestampMonotonic)" -gt "$1" ]; }

at_work() {
    policy monitor
    check "another policy, and a restart" inside systemctl restart sealdns
    inside ip netns exec server python3 /run/test/flow.py count /run/test/came &
    soon came
    check "in monitor clear text goes through" eval '[ "$(ask 0.3)" -gt 10 ] && soon eval "[ \$(came) -gt 10 ]"'
    check "the event is told and stored" soon event 'cleartext.*10\.53\.1\.2'
    check "and is in the feed" soon has -s /var/log/sealdns/eve.json
    check "a member of the group may ask" inside setpriv --reuid nobody --regid nogroup --groups "$(inside id -g sealdns)" sealdns status
    check "nobody else" eval '! inside setpriv --reuid nobody --regid nogroup --clear-groups sealdns status'
    check "flows may stay in the kernel" eval 'inside sealdns status | grep -q "decided flows on port 443 stay in the kernel"'
    printf 'sensor: {mode: nonsense}\n' | inside sh -c 'cat >/etc/sealdns/sealdns.yaml'
    check "a reload of a wrong policy fails and says so" eval '! inside systemctl reload sealdns'
    check "the old one goes on" eval '[ "$(property ActiveState)" = active ] && inside sealdns status | grep -q packed'
    policy enforce
    check "a reload enforces" eval 'inside systemctl reload sealdns && soon rules'
    check "and nothing goes through" eval 'before=$(came); [ "$(ask 0.3)" -gt 10 ] && [ "$(came)" = "$before" ]'
}

# A client asks all the while; a moment without rules would let one of 500 a second through.
upgrade_without_a_gap() {
    local before pid sent asking
    before=$(came) pid=$(property MainPID)
    ask 8 >"$SCRATCH/sent" &
    asking=$!
    check "an upgrade" inside dpkg -i --force-confold /run/test/next.deb
    check "is another process" eval "[ \"\$(property MainPID)\" != $pid ] && [ \"\$(property ActiveState)\" = active ]"
    wait "$asking"
    sent=$(cat "$SCRATCH/sent")
    check "of $sent questions meanwhile none went through" eval "[ $sent -gt 1000 ] && [ $(came) = $before ]"
    check "the store is the old one" event 'cleartext.*10\.53\.1\.2'
    check "so is the policy" inside grep -q 'name: packed' /etc/sealdns/sealdns.yaml
    check "a killed sensor is started again, its rules stand meanwhile" killed
    check "a stop takes them away" eval 'inside systemctl stop sealdns && ! rules'
    check "a start puts them back" eval 'inside systemctl start sealdns && rules'
}
killed() {
    local pid before
    pid=$(property MainPID) before=$(came)
    inside kill -KILL "$pid"
    ask 1 >"$SCRATCH/sent"
    soon eval "[ \$(property MainPID) != $pid ] && [ \$(property ActiveState) = active ]" && [ "$(came)" = "$before" ]
}

purged() {
    inside sed -i 's/preflight: false/&, on_exit: keep/' /etc/sealdns/sealdns.yaml
    check "rules that would stay" eval 'inside systemctl reload sealdns && soon rules'
    check "it is purged" inside dpkg -P sealdns
    check "no rule is left" eval '! inside nft list ruleset | grep -q .'
    check "clear text goes through again" eval 'before=$(came); [ "$(ask 0.3)" -gt 10 ] && soon eval "[ \$(came) -gt $before ]"'
    check "no process, no user" eval '! inside pgrep -x sealdns && ! inside getent passwd sealdns'
    changed >"$SCRATCH/after"
    check "no file" diff "$SCRATCH/before" "$SCRATCH/after"
    diff "$SCRATCH/before" "$SCRATCH/after" | sed -n '1,20s/^/    /p'
}

unit() {
    local figure
    check "the units are as systemd wants them" inside systemd-analyze verify --man=no /lib/systemd/system/sealdns.service /lib/systemd/system/sealdns-probe.timer
    figure=$(inside systemd-analyze security --offline=true /lib/systemd/system/sealdns.service | grep -oE 'level for sealdns.service: [0-9.]+' | grep -oE '[0-9.]+$')
    check "exposure ${figure:-unknown}, below 2.0" eval "[ 0${figure/./} -gt 0 ] && [ 0${figure/./} -lt 20 ]"
}

if build && [ $WHOLE = 1 ]; then compile_twice; fi
if [ -e "$NEXT" ] && boot; then
    network || not_ok "the network" "could not be made"
    changed >"$SCRATCH/before"
    installed
    unit
    at_work
    upgrade_without_a_gap
    purged
else
    not_ok "systemd comes up in namespaces of its own" "$(tail -n 3 "$SCRATCH/boot.log" | paste -sd' ')"
fi
tally
