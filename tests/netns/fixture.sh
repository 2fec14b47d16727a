# shellcheck shell=bash
# The cells as fixtures for `sealdns analyze`: tests/pcap/downgrade-*/. Sourced by run-downgrade.sh.

cell_client() { if [ "$1" = v6 ]; then lab_client6 "$2"; else lab_client4 "$2"; fi; }

cell_policy() {
    cat <<EOF
sensor: {name: lab, interfaces: [lan0], mode: monitor}
resolvers:
  - id: lab
    name: $LAB_A_NAME
    addresses: [$LAB_A4, "$LAB_A6"]
    transports: [dot, doh2]
zones:
  - id: lab
    networks: [10.53.0.0/16, "2001:db8:100::/64"]
    approve: [lab]
    cleartext: alert
    unapproved: alert
    bootstrap: true
EOF
}

# What the cell alone shows: a word with a `?` is not shown.
fixture_shown() { case $1 in *\?) echo unknown ;; *) echo "$1" ;; esac; }

fixture_expected() {
    [ "$6" = yes ] || { echo '[]'; return; }
    printf '[\n  {"kind": "downgrade", "cause": "%s", "origin": "%s", "client": "%s"}\n]\n' "$7" \
        "$(fixture_shown "$8")" "$(cell_client "$4" "$1")"
}

# Client and profile.
fixture_profile() { echo "$(cell_client "$4" "$1") $(fixture_shown "$9")"; }

fixture_why() {
    local moment=", from the start"
    [ "$5" = after ] && moment=", after encrypted DNS has worked"
    [ "$3" = none ] && moment=
    # shellcheck disable=SC1090
    (. "$LAB_HERE/clients/$2.sh" && echo "$CLIENT_IS. $(fault_words "$3" | sed 's/^./\u&/')$moment.")
    if [ "$6" = yes ]; then
        echo "It went on in clear text: one downgrade, cause $7, origin ${8/\?/ (which these packets cannot show)}."
    else
        echo "No clear-text query that counts followed a failure: no downgrade."
    fi
    echo "The client's profile is ${9/\?/, which these packets do not show yet}."
}

# fixture_record NAME NUMBER CLIENT FAULT FAMILY WHEN EXPECTED CAUSE ORIGIN PROFILE
fixture_record() {
    local case=$LAB_ROOT/tests/pcap/downgrade-$1 capture=$LAB_DIR/cell$2/capture.pcap size
    shift
    size=$(stat -c %s "$capture")
    [ "$size" -lt 150000 ] || lab_say "fixture $case is large: $size bytes"
    mkdir -p "$case"
    cp "$capture" "$case/capture.pcap"
    cell_policy >"$case/policy.yaml"
    fixture_expected "$@" >"$case/expected.json"
    fixture_profile "$@" >"$case/profile"
    fixture_why "$@" >"$case/why"
}
