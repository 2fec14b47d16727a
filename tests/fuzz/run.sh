#!/bin/bash
# Builds the fuzz targets with clang and lets each run for a while, from its seeds.
#
#   run.sh [--seconds N] [--build DIRECTORY] [TARGET...]
#
# What it finds lies under DIRECTORY/found (default build/fuzz/found); put it into seeds/TARGET/ once it is mended.
set -u
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
BUILD=$ROOT/build/fuzz LONG=60 TARGETS=()
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) LONG=$2; shift ;;
    --build) BUILD=$2; shift ;;
    -*) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
    *) TARGETS+=("$1") ;;
    esac
    shift
done
if [ ${#TARGETS[@]} = 0 ]; then
    mapfile -t TARGETS < <(cd "$HERE" && ls fuzz_*.c | sed 's/fuzz_\(.*\)\.c/\1/')
fi
GENERATOR=()
command -v ninja >/dev/null && [ ! -e "$BUILD/CMakeCache.txt" ] && GENERATOR=(-G Ninja)
cmake -S "$ROOT" -B "$BUILD" "${GENERATOR[@]}" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSEALDNS_FUZZ=ON \
    -DSEALDNS_SANITIZE=ON >/dev/null && cmake --build "$BUILD" -j "$(nproc)" --target "${TARGETS[@]/#/fuzz_}" ||
    { echo "not ok the fuzz targets build with clang"; echo "0 passed, 1 failed"; exit 1; }

passed=0 failed=0
# fuzz TARGET: its seeds lie as they are, what it learns goes into a scratch corpus.
fuzz() {
    local seeds=$HERE/seeds/$1 corpus=$BUILD/corpus/$1 options=(-max_total_time="$LONG" -timeout=10 -rss_limit_mb=2048
        -print_final_stats=1 -verbosity=0 -artifact_prefix="$BUILD/found/$1-")
    mkdir -p "$corpus" "$BUILD/found"
    [ -d "$seeds" ] || seeds=
    "$BUILD/tests/fuzz/fuzz_$1" "${options[@]}" "$corpus" ${seeds:+"$seeds"} 2>&1
}

# As many at a time as there are cores.
rm -f "$BUILD"/said-* "$BUILD"/status-*
cores=$(nproc) pids=()
for target in "${TARGETS[@]}"; do
    { fuzz "$target" >"$BUILD/said-$target"; echo $? >"$BUILD/status-$target"; } &
    pids+=($!)
    [ $((${#pids[@]} % cores)) = 0 ] && wait "${pids[@]: -cores}"
done
wait "${pids[@]}"
for target in "${TARGETS[@]}"; do
    said=$(<"$BUILD/said-$target")
    if [ "$(<"$BUILD/status-$target")" = 0 ]; then
        passed=$((passed + 1))
        echo "ok $target: $(sed -n 's/stat::number_of_executed_units: *//p' <<<"$said") inputs in $LONG s"
    else
        failed=$((failed + 1))
        echo "not ok $target: $(grep -m1 -E 'ERROR|SUMMARY|differ|Assertion|runtime error' <<<"$said")"
        tail -n 40 <<<"$said"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
