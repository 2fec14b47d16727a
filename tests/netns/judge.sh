#!/bin/bash
# judge.sh CAPTURE...: what an independent dissector (tshark) says about downgrades in a capture of one client.
#
# Prints `yes` or `no`, then figures. The rule is the documented one: an attempt at encrypted DNS that nothing answered,
# no success by any transport since, then a clear-text query that is no bootstrap, DDR, connectivity probe, internal
# name or recursion, and that the client did not ask in clear text before.
set -u

# HTTPS to anything but the resolver that the policy knows is no attempt at encrypted DNS.
judge_fields() {
    tshark -n -r "$1" -o tcp.relative_sequence_numbers:TRUE -d tcp.port==853,tls -Y 'tcp.port == 853 or udp.port == 853 or
        ((tcp.port == 443 or udp.port == 443) and (ip.addr == 203.0.113.53 or ipv6.addr == 2001:db8:53::53)) or
        (dns and (udp.dstport == 53 or tcp.dstport == 53))' \
        -T fields -E separator='|' -E occurrence=a -E aggregator=, \
        -e frame.time_relative -e tcp.stream -e udp.stream -e tcp.dstport -e udp.dstport -e tcp.flags.str \
        -e tls.record.content_type -e tls.record.opaque_type -e tls.record.length \
        -e dns.qry.name -e dns.flags.recdesired -e icmp.type -e icmpv6.type 2>/dev/null
}

# Fields: 1 time, 2 and 3 stream, 4 and 5 destination port, 6 TCP flags as letters, 7 and 8 record types, 9 record lengths,
# 10 name, 11 RD, 12 and 13 ICMP type.
judge_awk='
function sealed(port) { return port == 853 || port == 443 }
function innocent(name) {
    return name ~ /^dns\.(lab|other)\.example$/ || name ~ /\.resolver\.arpa$/ || name ~ /\.(home|in-addr|ip6)\.arpa$/ ||
        name ~ /\.corp\.example$/ ||
        name ~ /^(connectivitycheck\.gstatic\.com|captive\.apple\.com|detectportal\.firefox\.com|nmcheck\.gnome\.org)$/ ||
        name ~ /^(example\.org|cloudflare-dns\.com|ipv4only\.arpa|use-application-dns\.net)$/ # of Firefox
}
# Is there application data of a size in it that is neither a Finished, an alert nor (OpenSSL) a session ticket?
function message(ours,   i, n, len) {
    if ($7 "," $8 !~ /23/) return 0
    n = split($9, len, ",")
    for (i = 1; i <= n; i++) {
        if (ours && len[i] >= 36 && len[i] != 53 && len[i] != 69) return 1
        if (!ours && len[i] >= 60 && (len[i] < 200 || len[i] > 260)) return 1
    }
    return 0
}
function outstanding(   s) { for (s in asked) return 1; return 0 }
$12 != "" || $13 != "" { icmp++; next }
sealed($5) && $3 != "" { if (!(("u" $3) in asked)) attempts++; asked["u" $3] = $1; next }
sealed($4) {
    if ($6 ~ /S/ && $6 !~ /A/) { if (!($2 in asked)) attempts++; asked[$2] = $1; query[$2] = 0 }
    if (message(1)) { asked[$2] = $1; query[$2] = 1 }
    next
}
$10 != "" && ($4 == 53 || $5 == 53) {
    if ($11 == "0" || $11 == "False") { excluded++; next }
    if (innocent($10)) { excluded++; next }
    if (!outstanding()) { before[$10] = 1; plain++; next }
    if ($10 in before) { excluded++; next }
    if (!clear++) hit = $1
    next
}
$2 != "" {
    if ($6 ~ /R/) resets++
    if (query[$2] && message(0)) { answers++; query[$2] = 0; delete asked }
}
END {
    printf "%s attempts=%d answers=%d resets=%d icmp=%d clear-when-healthy=%d clear-that-counts=%d not-counted=%d\n",
        clear ? "yes" : "no", attempts, answers, resets, icmp, plain, clear, excluded
}'

for capture in "$@"; do
    judge_fields "$capture" | awk -F'|' "$judge_awk"
done
