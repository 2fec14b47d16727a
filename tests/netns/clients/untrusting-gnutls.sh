CLIENT_IS="A script: kdig over DoT that trusts another authority than the server's, dig in clear text when that fails"
client_ask() {
    answered "dot $1" kdig +short +retry=0 +time=2 @"$SERVER" +tls-ca="$LAB_DIR/forged-ca.pem" \
        +tls-hostname="$LAB_A_NAME" "$1" A || ask_clear "$1"
}
