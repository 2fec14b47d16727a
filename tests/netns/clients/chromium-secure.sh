CLIENT_IS="Chromium, DNS over HTTPS secure: it fails closed"
. "$LAB_HERE/clients/chromium.inc"
CELL_NAMES="www.example.org news.example.net" # it waits long for each
client_start() { chromium_start secure; }
