CLIENT_IS="A strict client whose system probes for connectivity in clear text"
client_story() {
    [ "$WHEN" = after ] && ask_dot docs.example.org
    fault
    for name in $CELL_NAMES; do ask_dot "$name"; done
    for name in connectivitycheck.gstatic.com captive.apple.com detectportal.firefox.com nmcheck.gnome.org; do
        ask_clear "$name"
    done
}
