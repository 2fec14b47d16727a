#!/bin/bash
# Weeks of a simulated network against the detector of volume, as the Release build has it: false alarms for a host and day,
# what is found of injected anomalies, and how soon. Fails when that is worse than tests/README.md says.
#
#   tests/volume/run.sh [--all] [BUILD]     --all: the twelve seeds of the figures, and the milder noise; minutes
#
# BUILD is build/, a Release build.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
all=no
[ "${1:-}" != --all ] || { all=yes; shift; }
build=${1:-$root/build}
out=$(mktemp -d "${TMPDIR:-/tmp}/sealdns-volume.XXXXXX")
trap 'rm -rf "$out"' EXIT
trap 'exit 1' INT TERM

libraries=()
for stage in detect conf model base; do
    libraries+=("$build/sensor/libstage_$stage.a")
done
${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra -I"$root/sensor" "$here/simulate.c" "${libraries[@]}" \
    $(pkg-config --libs libxxhash libfyaml) -lm -o "$out/simulate"

# Seed 1 is the one that thresholds were chosen on, so it proves nothing.
if [ $all = yes ]; then
    seeds=$(printf -- '--seed %d ' 2 3 4 5 6 7 8 9 10 11 12 13)
    "$out/simulate" --shape 1.43 $seeds
    "$out/simulate" $seeds --most 0.01 --least 0.60,0.80,0.90,0.90
else
    "$out/simulate" --seed 2 --most 0.01 --least 0.60,0.80,0.90,0.80
fi
