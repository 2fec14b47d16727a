CLIENT_IS="Firefox, TRR first (mode 2): the system's resolver in clear text for what DoH does not answer"
. "$LAB_HERE/clients/firefox.inc"
client_start() { firefox_start 2; }
