CLIENT_IS="Chromium, DNS over HTTPS automatic: the system's resolver in clear text when that fails"
. "$LAB_HERE/clients/chromium.inc"
client_start() { chromium_start automatic; }
