#!/usr/bin/env python3
"""The dashboard's files: nothing reads a string as markup or as code, nothing stands inline, nobody else is asked.

    web.py [TREE]
"""
import re

from lint import Checks, ROOT, shown, sources

FOLDER = "dashboards/web"
MARKUP = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTMLUnsafe|parseHTMLUnsafe|srcdoc|DOMParser)\b|document\.write")
CODE = re.compile(r"\beval\s*\(|\bnew\s+Function\b|\bset(Timeout|Interval)\s*\(\s*[\"'`]|javascript:", re.IGNORECASE)
STYLE = re.compile(r"\.style\.(?!setProperty\b)|cssText|setAttribute(NS)?\s*\(\s*[\"']style")
INLINE = re.compile(r"<[^>]+\s(on\w+|style)\s*=|<style\b|<script(?![^>]*\ssrc=)", re.IGNORECASE)
ELSEWHERE = re.compile(r"https?://(?!www\.w3\.org/)|(src|href)=\"//|url\(|@import", re.IGNORECASE)
# dom.js refuses what these name.
REFUSES = {f"{FOLDER}/dom.js": re.compile(r"\(\?*.*srcdoc")}


def found(paths, pattern):
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            refuses = REFUSES.get(shown(path))
            if pattern.search(line) and not (refuses and refuses.search(line)):
                yield f"{shown(path)}:{number}: {line.strip()[:100]!r}"


def main():
    checks = Checks()
    scripts, pages, styles = (sources(FOLDER, s) for s in (".js", ".html", ".css"))
    checks.that("there is something to read", [] if len(scripts) > 10 and pages and styles else ["too few files"])
    checks.that("no string is read as markup", found(scripts, MARKUP))
    checks.that("no string is read as code", found(scripts + pages, CODE))
    checks.that("styles are set by classes and custom properties", found(scripts, STYLE))
    checks.that("no script, style or handler stands inline", found(pages, INLINE))
    checks.that("nobody else is asked", found(scripts + pages + styles, ELSEWHERE))
    checks.that("the lock file names no host", found([ROOT / f / "package-lock.json" for f in (FOLDER, "tests/web")], re.compile(r'"resolved"')))
    checks.end()


main()
