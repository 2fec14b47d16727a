CLIENT_IS="Firefox, TRR only (mode 3): it fails closed"
. "$LAB_HERE/clients/firefox.inc"
CELL_NAMES="www.example.org news.example.net" # it waits long for each
client_start() { firefox_start 3; }
