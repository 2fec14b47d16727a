#!/bin/bash
# No mutable global: nothing in the objects of the stages stands in .data or .bss. Constants may be anywhere else.
#
#   globals.sh BUILD        a build without sanitizers
set -u
[ -d "${1:-}/sensor" ] || { echo "usage: globals.sh BUILD" >&2; exit 2; }
passed=0 failed=0
# The objects of symbol tables that can be written to.
mutable() {
    objdump -t "$@" 2>/dev/null | awk '
        /^[^ ]+\.o: / { object = $1; sub(/:.*/, "", object); sub(/.*\//, "", object) }
        $3 == "O" && $4 ~ /^\.(t?data|t?bss)(\.|$)/ && $4 !~ /^\.data\.rel\.ro/ { print object ": " $NF }
        $2 == "O" && $3 == "*COM*" { print object ": " $NF }'
}

for folder in "$1"/sensor/CMakeFiles/*.dir; do
    mapfile -t objects < <(find "$folder" -name '*.o' | sort)
    [ ${#objects[@]} -gt 0 ] || continue
    found=$(mutable "${objects[@]}")
    name=$(basename "$folder" .dir)
    if [ -z "$found" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok $name has no mutable global: $(paste -sd' ' <<<"$found")"
    fi
done
[ $passed -gt 0 ] || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ $failed = 0 ]
