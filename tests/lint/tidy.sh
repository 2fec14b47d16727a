#!/bin/bash
# clang-tidy with the checks of .clang-tidy. Not part of tests/run.sh: it takes minutes, and its analyzer is at times mistaken.
#
#   tidy.sh BUILD [FILE...]
set -u
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
[ -f "${1:-}/compile_commands.json" ] || { echo "usage: tidy.sh BUILD [FILE...]" >&2; exit 2; }
build=$1
shift
[ $# -gt 0 ] || mapfile -t files < <(find "$ROOT/sensor" -name "*.c" | sort)
[ $# = 0 ] || files=("$@")
printf '%s\0' "${files[@]}" | xargs -0 -n 8 -P "$(nproc)" clang-tidy --quiet -p "$build" 2>/dev/null
