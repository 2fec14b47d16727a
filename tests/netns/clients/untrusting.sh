CLIENT_IS="A script around openssl that trusts another authority than the server's, dig in clear text when that fails"
client_ask() {
    local answer
    answer=$(printf '' | lab_in "$NS" timeout 5 openssl s_client -quiet -verify_quiet -verify_return_error \
        -CAfile "$LAB_DIR/forged-ca.pem" -servername "$LAB_A_NAME" -connect "$(openssl_address "$SERVER"):853" 2>&1)
    note "openssl $1: ${answer##*$'\n'}"
    ask_clear "$1"
}
openssl_address() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }
