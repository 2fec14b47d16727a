#!/bin/bash
# Every C file is laid out as .clang-format says. To mend what it names: clang-format -i FILE
#
#   format.sh [TREE]
set -u
ROOT=$(cd "${1:-$(dirname "$0")/../..}" && pwd)
cd "$ROOT" || exit 2
command -v clang-format >/dev/null || { echo "not ok format: clang-format is missing"; echo "0 passed, 1 failed"; exit 1; }
mapfile -t files < <(find sensor tests -name '*.[ch]' | sort)
found=$(clang-format --dry-run --Werror --style=file "${files[@]}" 2>&1 | grep -E '^[^ ]+:[0-9]+:[0-9]+: ')
failed=0
while read -r file; do
    failed=$((failed + 1))
    echo "not ok $file is laid out: line $(grep -m1 "^$file:" <<<"$found" | cut -d: -f2)"
done < <(cut -d: -f1 <<<"$found" | sort -u | grep .)
[ ${#files[@]} -gt 0 ] || failed=1
echo "$((${#files[@]} - failed)) passed, $failed failed"
[ $failed = 0 ]
