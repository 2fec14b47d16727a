#!/bin/bash
# Every script parses, and is executable when it is a program of its own.
#
#   scripts.sh [TREE]
set -u
ROOT=$(cd "${1:-$(dirname "$0")/../..}" && pwd)
cd "$ROOT" || exit 2
passed=0 failed=0

# parses FILE FIRST-LINE
parses() {
    case $1:$2 in
    *python3 | *.py:*) python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$1" ;;
    *:'#!/bin/sh') sh -n "$1" ;;
    *) bash -n "$1" ;;
    esac
}

while read -r file; do
    read -r first <"$file"
    why=$(parses "$file" "$first" 2>&1)
    # lab.sh is sourced; all else that names its interpreter is run.
    [[ $first != '#!'* || -x $file || $file = */lab.sh ]] || why="it is not executable"
    if [ -z "$why" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok $file: $(tail -n 1 <<<"$why")"
    fi
done < <(find tests packaging .ci -name '*.sh' -o -name '*.py' -o -path 'tests/netns/*.inc' -o -path .ci/run | sort)
[ $passed -gt 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ $failed = 0 ]
