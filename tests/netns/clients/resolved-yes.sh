CLIENT_IS="systemd-resolved, DNSOverTLS=yes"
CELL_NAMES="www.example.org" # each costs it two dozen attempts
. "$LAB_HERE/clients/resolved.inc"
client_start() { resolved_start yes "$SERVER#$LAB_A_NAME"; }
