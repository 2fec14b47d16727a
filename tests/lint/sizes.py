#!/usr/bin/env python3
"""Size of what somebody has to read at once: functions, their parameters, files, headers; and their names.

    sizes.py [TREE]

Needs universal-ctags.
"""
import json
import re
import statistics
import subprocess

from lint import Checks, ROOT, shown, sources

LONGEST_FUNCTION, MEDIAN_FUNCTION, P95_FUNCTION = 150, 20, 80
LONGEST_FILE, MEDIAN_FILE, LONGEST_HEADER, MOST_PARAMETERS = 1000, 300, 119, 6
# Words that say nothing of what a thing is or does.
EMPTY_WORDS = re.compile(r"(^|_)(manager|handler|helper|util|utils|misc|common|info|stuff)(_|$)")


def functions(folder):
    files = [shown(p) for p in sources(folder, ".c", ".h")]
    tags = subprocess.run(["ctags", "--languages=C", "--kinds-C=f", "--fields=+neS", "--output-format=json",
                           "-f", "-", "-L", "-"], input="\n".join(files), cwd=ROOT, capture_output=True, text=True,
                          check=True)
    return [json.loads(line) for line in tags.stdout.splitlines()]


def length(function):
    return function.get("end", function["line"]) - function["line"] + 1


# What a library calls back has the parameters that it prescribes.
PRESCRIBED = ("nghttp2_data_source", "ngtcp2_conn", "MHD_Connection * c,const char * path")


def parameters(function):
    """How many, counting a parameter that is a function as one."""
    text = function.get("signature", "()")[1:-1]
    if any(word in text for word in PRESCRIBED):
        return 0
    depth = commas = 0
    for character in text:
        depth += character in "([{"
        depth -= character in ")]}"
        commas += character == "," and depth == 0
    return 0 if text.strip() in ("", "void") else commas + 1


def place(function):
    return f"{function['path']}:{function['line']}: {function['name']}()"


def lines(path):
    return path.read_text(encoding="utf-8").count("\n")


def at_most(name, figure, limit):
    return f"{name} of {figure:g} lines (at most {limit})", [] if figure <= limit else [f"it is {figure:g}"]


def check_functions(checks, folder, found):
    checks.that(f"{folder}: no function over {LONGEST_FUNCTION} lines",
                (f"{place(f)} has {length(f)}" for f in found if length(f) > LONGEST_FUNCTION))
    checks.that(f"{folder}: at most {MOST_PARAMETERS} parameters",
                (f"{place(f)} has {parameters(f)}" for f in found if parameters(f) > MOST_PARAMETERS))
    checks.that(f"{folder}: no function with an empty name",
                (place(f) for f in found if EMPTY_WORDS.search(f["name"])))


def check_spread(checks, found):
    lengths = sorted(map(length, found))
    checks.that("sensor: ctags finds the functions", [] if len(lengths) > 20 else [f"only {len(lengths)}"])
    if len(lengths) > 20:
        checks.that(*at_most("sensor: median function", statistics.median(lengths), MEDIAN_FUNCTION))
        checks.that(*at_most("sensor: 95th percentile", lengths[int(len(lengths) * 0.95)], P95_FUNCTION))


def check_files(checks, folder, files):
    headers = [p for p in files if p.suffix == ".h"]
    checks.that(f"{folder}: no file over {LONGEST_FILE} lines",
                (f"{shown(p)} has {lines(p)}" for p in files if lines(p) > LONGEST_FILE))
    checks.that(f"{folder}: no file with an empty name",
                (shown(p) for p in files if EMPTY_WORDS.search(p.stem)))
    if folder == "sensor":
        checks.that(f"{folder}: headers under {LONGEST_HEADER + 1} lines",
                    (f"{shown(p)} has {lines(p)}" for p in headers if lines(p) > LONGEST_HEADER))
        checks.that(*at_most(f"{folder}: median file", statistics.median(map(lines, files or [ROOT / "README.md"])),
                             MEDIAN_FILE))


def main():
    checks = Checks()
    for folder in ("sensor", "tests"):
        found = functions(folder)
        check_functions(checks, folder, found)
        check_files(checks, folder, sources(folder, ".c", ".h", ".py", ".sh"))
        if folder == "sensor":
            check_spread(checks, found)
    checks.end()


main()
