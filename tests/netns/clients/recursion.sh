CLIENT_IS="A resolver that recurses by itself (RD=0) while its DoT forwarder is blocked"
client_story() {
    [ "$WHEN" = after ] && ask_dot docs.example.org
    fault
    for name in $CELL_NAMES; do
        ask_dot "$name"
        answered "recursion $name" dig +norecurse +short +tries=1 +time=2 @"$SERVER" "$name" A
    done
}
