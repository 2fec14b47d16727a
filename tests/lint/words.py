#!/usr/bin/env python3
"""What must not stand in the tree: notes to be done later, skeletons, tests that cannot fail, tabs, places of one machine.

    words.py [TREE]
"""
import re

from lint import Checks, ROOT, shown

FOLDERS = ("sensor", "rules", "tests", "packaging", "dashboards", ".ci")
SINGLE = ("CMakeLists.txt", "README.md")
TEXT = {".c", ".h", ".py", ".sh", ".inc", ".md", ".txt", ".yaml", ".cmake", ".tsv", ".cases", ""}
# This file names what it looks for.
OWN = {"tests/lint/words.py", "tests/lint/spoil.py"}

EVERYWHERE = [
    ("no note of something to be done later", re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP|not (yet )?implemented)\b")),
    ("no merge marker", re.compile(r"^(<{7}|>{7}|={7})( |$)")),
    ("no path of one machine", re.compile(r"(?<![\w/.])/(work|root)/|/home/\w")),
]
CODE = [
    ("no tab, no blank at the end of a line", re.compile(r"\t|[ \t]+$"), {".c", ".h", ".py", ".sh"}),
    ("no code switched off", re.compile(r"^\s*#\s*if\s+0\b"), {".c", ".h"}),
]
# Only of what tests/ and .ci/ run: a status thrown away is a check that cannot fail.
CHECKS = [
    ("no status thrown away", re.compile(r"\|\|\s*(true|:)(?![\w])"), {".sh", ""}),
    ("no test that asserts nothing", re.compile(r"assert_true\((1|true)\)|assert True\b"), {".c", ".py"}),
]


def texts():
    for folder in FOLDERS:
        if (ROOT / folder).is_dir():
            yield from (p for p in sorted((ROOT / folder).rglob("*")) if is_text(p))
    yield from (ROOT / name for name in SINGLE if (ROOT / name).exists())


def is_text(path):
    if not path.is_file() or path.suffix not in TEXT or shown(path) in OWN or "/seeds/" in str(path):
        return False
    return b"\0" not in path.read_bytes()[:4096]


def found(paths, pattern):
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                yield f"{shown(path)}:{number}: {line.strip()[:100]!r}"


def main():
    checks = Checks()
    paths = list(texts())
    checks.that("there is something to read", [] if len(paths) > 50 else [f"only {len(paths)} files"])
    for name, pattern in EVERYWHERE:
        checks.that(name, found(paths, pattern))
    for name, pattern, suffixes in CODE:
        checks.that(name, found([p for p in paths if p.suffix in suffixes], pattern))
    tests = [p for p in paths if shown(p).split("/")[0] in ("tests", ".ci")]
    for name, pattern, suffixes in CHECKS:
        checks.that(name, found([p for p in tests if p.suffix in suffixes], pattern))
    checks.end()


main()
