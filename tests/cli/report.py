#!/usr/bin/env python3
"""report.py FOLDER: r.csv, r.html, r.text and r.pdf in it have every table of r.json, cell by cell, and every sentence."""
import csv
import html.parser
import json
import re
import subprocess
import sys

wrong = []


def said(cell, kind):
    """As people read it."""
    if cell is None or cell == "":
        return "-"
    if kind == "share" and isinstance(cell, (int, float)):
        return f"{100 * cell:.1f} %"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:.2f}"
    return f"{cell[:10]} {cell[11:16]}" if kind == "time" else cell


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tables, self.text, self.cell, self.caption = {}, [], None, None

    def handle_starttag(self, tag, attributes):
        if tag == "caption":
            self.caption = ""
        elif tag == "tr":
            self.tables[self.caption].append([])
        elif tag == "td":
            self.cell = ""

    def handle_endtag(self, tag):
        if tag == "caption":
            self.tables[self.caption] = []
        elif tag == "td":
            self.tables[self.caption][-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        self.text.append(data)
        if self.cell is not None:
            self.cell += data
        elif self.caption == "":
            self.caption = data


def squeeze(text):
    """Without what a layout may add, or cannot show."""
    return re.sub(r"[^!-~]|-", "", text)


def holds(name, condition, what):
    if not condition:
        wrong.append(f"{name}: {what}")


def check_csv(path, tables):
    found, caption = {}, None
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as text:
        for row in csv.reader(text):
            if len(row) == 1 and caption is None:
                caption = row[0]
                found[caption] = []
            elif not row:
                caption = None
            else:
                found[caption].append(row)
    for table in tables:
        rows = found[table["caption"]]
        holds("csv", rows[0] == [c["id"] for c in table["columns"]], table["caption"])
        for ours, row in zip(table["rows"], rows[1:], strict=True):
            for cell, text in zip(ours, row, strict=True):
                if isinstance(cell, (int, float)):
                    holds("csv", abs(float(text) - cell) < 1e-5, f"{cell} is {text}")
                else:
                    holds("csv", squeeze(text).lstrip("'") == squeeze(cell or "").lstrip("'"), f"{cell!r} is {text!r}")


def main():
    folder = sys.argv[1]
    with open(f"{folder}/r.json", encoding="utf-8") as text:
        report = json.load(text)
    tables = [t for s in report["sections"] for t in s["tables"]]
    sentences = [s["text"] for section in report["sections"] for s in section["says"]]
    check_csv(f"{folder}/r.csv", tables)
    page = Page()
    with open(f"{folder}/r.html", encoding="utf-8", errors="replace") as text:
        page.feed(text.read())
    with open(f"{folder}/r.text", encoding="ascii") as text:
        plain = squeeze(text.read().replace("\\", ""))
    pdf = squeeze(subprocess.run(["pdftotext", "-raw", f"{folder}/r.pdf", "-"], capture_output=True, check=True).stdout.decode("utf-8", "replace"))
    for table in tables:
        kinds = [c["kind"] for c in table["columns"]]
        wanted = [[said(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in table["rows"]]
        got = page.tables[table["caption"]][1:]
        holds("html", [[squeeze(c) for c in row] for row in got] == [[squeeze(c) for c in row] for row in wanted] or (not wanted and got == [["none"]]), table["caption"])
        holds("pdf", squeeze(table["caption"]) in pdf, table["caption"])
        for row in wanted:
            for cell in row:
                if "\x1b" not in cell:
                    holds("pdf", squeeze(cell) in pdf, cell)
                    holds("text", squeeze(cell) in plain, cell)
    for sentence in sentences:
        for name, text in (("html", squeeze("".join(page.text))), ("text", plain)):
            holds(name, squeeze(sentence) in text.replace("!", "") or squeeze(sentence) in text, sentence)
    print("\n".join(wrong[:20]))
    sys.exit(1 if wrong or not tables or not sentences else 0)


main()
