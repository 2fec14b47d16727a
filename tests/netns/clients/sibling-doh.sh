CLIENT_IS="A client whose DoT is blocked and whose DoH to the same resolver works; a clear-text query afterwards is no fallback"
client_story() {
    fault
    for name in $CELL_NAMES; do
        ask_dot "$name"
        ask_doh "$name"
    done
    ask_clear www.example.org
}
