# shellcheck shell=bash
# Debian's packages, as lists of names. Sourced by quickstart.sh and tests/run.sh; PACKAGES_ROOT is the tree.
BUILD_PACKAGES=packaging/build-packages.txt
DEB_PACKAGES=packaging/deb-packages.txt
TEST_PACKAGES=packaging/test-packages.txt
LAB_PACKAGES=tests/netns/packages.txt

packages_of() { (cd "$PACKAGES_ROOT" && sed 's/#.*//' "$@" | tr -s ' \t\n' '\n' | grep .); }

# Where Node.js came from elsewhere npm came with it, and Debian's cannot stand beside it.
packages_has() {
    [ "$1" = npm ] && command -v npm >/dev/null && return 0
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# packages_missing LIST...: the names that are not installed, one a line.
packages_missing() {
    local name
    for name in $(packages_of "$@"); do
        packages_has "$name" || echo "$name"
    done
}

# apt_quietly COMMAND...: what it says is shown only when it fails.
apt_quietly() {
    local said
    said=$(mktemp)
    if DEBIAN_FRONTEND=noninteractive "$@" >"$said" 2>&1; then rm -f "$said"; return 0; fi
    tail -n 15 "$said" >&2
    rm -f "$said"
    return 1
}

packages_index() {
    apt_quietly apt-get update -q && return 0
    echo "apt-get update failed; once more" >&2
    sleep 3
    apt_quietly apt-get update -q
}

# packages_install LIST...: installs what is missing, and asks nothing of the network when nothing is. The lab's list goes
# through lab.sh, which keeps /etc/resolv.conf as it was.
packages_install() {
    local missing list names=()
    missing=$(packages_missing "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "as root: apt-get install" $missing >&2
        return 1
    fi
    echo "Installing" $missing >&2
    packages_index || echo "the lists of packages could not be renewed; trying with the old ones" >&2
    for list in "$@"; do
        [ "$list" = "$LAB_PACKAGES" ] || mapfile -t -O "${#names[@]}" names < <(packages_missing "$list")
    done
    if [ ${#names[@]} -gt 0 ]; then
        apt_quietly apt-get install -y -q --no-install-recommends "${names[@]}" || return 1
    fi
    [[ " $* " != *" $LAB_PACKAGES "* ]] || [ -z "$(packages_missing $LAB_PACKAGES)" ] ||
        (. "$PACKAGES_ROOT/tests/netns/lab.sh" && lab_install_packages)
}
