#!/bin/bash
# Weeks of a simulated network against the detector of volume, as the Release build has it: false alarms for a host and day,
# what is found of injected anomalies, and how soon. Fails when that is worse than tests/README.md says.
#
#   tests/volume/run.sh [--all] [BUILD]     --all: the five seeds of the figures, and other noise; minutes
#
# BUILD is build/, a Release build.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
all=no
[ "${1:-}" != --all ] || { all=yes; shift; }
build=${1:-$root/build}
rule=$root/rules/detections/volume-anomaly.yaml
out=$(mktemp -d "${TMPDIR:-/tmp}/sealdns-volume.XXXXXX")
trap 'rm -rf "$out"' EXIT
trap 'exit 1' INT TERM

libraries=()
for stage in detect conf model base; do
    libraries+=("$build/sensor/libstage_$stage.a")
done
${CC:-cc} -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra -I"$root/sensor" "$here/simulate.c" "${libraries[@]}" \
    $(pkg-config --libs libxxhash libfyaml) -lm -o "$out/simulate"

# Seeds 1, 3, 4 and 5 are those that thresholds were chosen on, so they prove nothing.
if [ $all = yes ]; then
    for seed in 2 6 7 8 9; do
        echo "seed $seed"
        "$out/simulate" --detection "$rule" --seed $seed --most 0.01 \
            --least 0.70,0.85,0.90,0.90 --least-added 0.95,0.95,0.95,0.90
    done
    echo "milder noise"
    "$out/simulate" --detection "$rule" --shape 1.43 --seed 2 --seed 6 --seed 7
    echo "noise that lasts"
    "$out/simulate" --detection "$rule" --lasting 0.8 --seed 2 --seed 6
else
    "$out/simulate" --detection "$rule" --seed 2 --most 0.01 --least 0.70,0.85,0.90,0.80 --least-added 0.95,0.95,0.95,0.80
fi
