#!/bin/bash
# Runs what ctest knows of a build, and counts each case of each program.
#
#   run.sh BUILD
set -u
here=$(cd "$(dirname "$0")" && pwd)
[ -f "${1:-}/CTestTestfile.cmake" ] || { echo "usage: run.sh BUILD" >&2; exit 2; }
report=$(mktemp)
trap 'rm -f "$report"' EXIT
ctest --test-dir "$1" -j 2 --timeout 200 --test-output-size-passed 4000000 --test-output-size-failed 4000000 \
    --output-junit "$report" >"$report.log" 2>&1
status=$?
rm -f "$report.log"
python3 "$here/count.py" "$report" $status
