#!/bin/bash
# The Debian package: a copy of the tree, debian/ laid into it, dpkg-buildpackage, lintian.
#
#   packaging/deb.sh [OPTION]...
#
#   --out DIR        where the packages go; build/deb is the rule
#   --work DIR       where it is built; must not be there, and stays. The rule: a scratch directory
#   --built PROGRAM  packs a program that was built already
#   --version V      another version than that of packaging/debian/changelog
#   --no-lint        without lintian
#   --help
#
# The same tree gives the same bytes, wherever it is built. Needs what Build-Depends names: packaging/build-packages.txt and
# packaging/deb-packages.txt.
set -eu
ROOT=$(cd "$(dirname "$0")/.." && pwd)
PACKAGES_ROOT=$ROOT
. "$ROOT/packaging/packages.sh"

wrong() { echo "deb.sh: $*; see --help" >&2; exit 2; }
OUT=$ROOT/build/deb WORK= BUILT= VERSION= LINT=1
while [ $# -gt 0 ]; do
    case $1 in
    --out | --work | --built | --version) [ -n "${2:-}" ] || wrong "$1 needs a value" ;;&
    --out) OUT=$2; shift ;;
    --work) WORK=$2; shift ;;
    --built) BUILT=$(realpath "$2"); shift ;;
    --version) VERSION=$2; shift ;;
    --no-lint) LINT=0 ;;
    --help | -h) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) wrong "no option $1" ;;
    esac
    shift
done
[ -z "$BUILT" ] || [ -x "$BUILT" ] || wrong "no program $BUILT"
[ -z "$WORK" ] || [ ! -e "$WORK" ] || wrong "$WORK is there already"

# What git knows, or all of a tree without git; nothing that was built.
files() {
    if git -C "$ROOT" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$ROOT" ls-files -z --cached --others --exclude-standard
    else
        (cd "$ROOT" && find . \( -name 'build*' -prune -o -name __pycache__ -prune \) -o -type f -print0)
    fi
}

SCRATCH=
if [ -z "$WORK" ]; then
    SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/sealdns-deb.XXXXXX")
    WORK=$SCRATCH/work
    trap 'rm -rf "$SCRATCH"' EXIT
fi
TREE=$WORK/sealdns
mkdir -p "$TREE" "$OUT"
files | tar -C "$ROOT" --null --files-from=- -c | tar -C "$TREE" -x
mv "$TREE/packaging/debian" "$TREE/debian"
# npm fetches the charts where there is one; a package is made without it all the same.
depends=$(packages_of packaging/build-packages.txt packaging/deb-packages.txt | grep -vxE 'npm|lintian|debhelper|dpkg-dev|fakeroot' |
    sort -u | sed 's/^/ /; s/$/,/')
depends=$(printf ' debhelper-compat (= 13),\n dh-sequence-installsysusers,\n%s\n' "$depends" | sed '$s/,$//')
awk -v depends="$depends" '$0 == "@BUILD@" { print depends; next } { print }' "$ROOT/packaging/debian/control" >"$TREE/debian/control"
[ -z "$VERSION" ] || sed -i "1s/([^)]*)/($VERSION)/" "$TREE/debian/changelog"

export LC_ALL=C.UTF-8 TZ=UTC CCACHE_DISABLE=1
umask 0022
log=$WORK/build.log
if ! (cd "$TREE" && ${BUILT:+env SEALDNS_BUILT="$BUILT"} dpkg-buildpackage -us -uc ${BUILT:+-b -d}) >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    exit 1
fi
find "$WORK" -maxdepth 1 -type f -name 'sealdns*' -exec cp {} "$OUT" \;
if [ $LINT = 1 ]; then
    lintian --fail-on error,warning --tag-display-limit 0 "$WORK"/*.changes
fi
find "$WORK" -maxdepth 1 -name '*.deb' -printf "$OUT/%f\n" | sort
