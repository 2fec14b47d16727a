#!/bin/bash
# Each header compiles alone: who includes it needs to know nothing else.
#
#   headers.sh [TREE]
set -u
ROOT=$(cd "${1:-$(dirname "$0")/../..}" && pwd)
cd "$ROOT" || exit 2
flags=$(pkg-config --cflags jansson libfyaml libpcap libnftnl libmnl sqlite3 2>/dev/null)
passed=0 failed=0

# compiles DIRECTORY HEADER
compiles() {
    # shellcheck disable=SC2086
    printf '#include "%s"\n' "$2" | ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I"$1" $flags -xc - 2>&1
}

while read -r header; do
    if errors=$(compiles sensor "${header#sensor/}"); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok $header compiles alone: $(grep -m1 error <<<"$errors")"
    fi
done < <(find sensor -name '*.h' | sort)
[ $passed -gt 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ $failed = 0 ]
