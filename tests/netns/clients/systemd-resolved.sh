CLIENT_IS="systemd-resolved, DNSOverTLS=opportunistic"
. "$LAB_HERE/clients/resolved.inc"
client_start() { resolved_start opportunistic "$SERVER"; }
