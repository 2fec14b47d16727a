#!/usr/bin/env python3
"""Is a Grafana dashboard whole, and does what it asks mean something to the server it asks?

    grafana.py prometheus DASHBOARD URL [--empty TITLE]...
    grafana.py clickhouse DASHBOARD URL [--empty TITLE]...

Every query of every panel, and of every variable, goes to the real server, with Grafana's own words put in as it would. A panel
whose answer is empty is named, unless its title is among those that may be (the lab has no data for them).
"""
import argparse
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

SPAN = 3600
WORDS = {"$__rate_interval": "15s", "$__range": "15m", "$__interval": "15s", "$host": ".*", "$zone": ".*"}
ROWS = ["Overview", "Violations", "Resolvers", "Enforcement", "Sensor health"]
PANELS = {"timeseries", "stat", "table", "heatmap", "row", "barchart", "piechart"}


def fetch(url, body=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as e:
        raise ValueError(e.read().decode(errors="replace")[:300]) from e


def prometheus(url, expression):
    for word, value in WORDS.items():
        expression = expression.replace(word, value)
    expression = re.sub(r"^label_values\((.*), (\w+)\)$", r"count by (\2) (\1)", expression)
    return json.loads(fetch(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"))["data"]["result"]


def clickhouse(url, sql):
    now = int(time.time())
    sql = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime({now - SPAN}) AND \1 <= toDateTime({now + SPAN})", sql)
    sql = re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfFiveMinute(\1)", sql)
    for name in ("host", "zone"):
        column = {"host": "host", "zone": "zone"}[name]
        # Grafana quotes each chosen value; all of them are all there are.
        sql = re.sub(rf"\$\{{{name}:singlequote\}}", f"SELECT DISTINCT {column} FROM sealdns.events UNION ALL SELECT ''", sql)
    if "$" in sql:
        raise ValueError(f"a word nobody puts in: {sql}")
    return [json.loads(line) for line in fetch(url, (sql + " FORMAT JSONEachRow").encode()).splitlines()]


ASKS = {"prometheus": (prometheus, "expr", "prometheus"), "clickhouse": (clickhouse, "rawSql", "grafana-clickhouse-datasource")}


def structure(board, kind):
    seen, cells = set(), set()
    yield from (f"no member {m}" for m in ("title", "uid", "schemaVersion", "panels", "templating") if m not in board)
    if board["schemaVersion"] < 39:
        yield "an old schema"
    names = [v["name"] for v in board["templating"]["list"]]
    if names != ["source", "host", "zone"] or board["templating"]["list"][0]["query"] != kind:
        yield f"variables are {names}"
    if [p["title"] for p in board["panels"] if p["type"] == "row"] != ROWS:
        yield "rows are others"
    for p in board["panels"]:
        at = p["gridPos"]
        cell = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        if p["id"] in seen or cells & cell or at["x"] + at["w"] > 24:
            yield f"{p['title']}: its id or its place is another's"
        if p["type"] not in PANELS:
            yield f"{p['title']}: of a type that Grafana no longer has"
        seen.add(p["id"])
        cells |= cell
        for t in p.get("targets", []):
            if t["datasource"] != {"type": kind, "uid": "${source}"}:
                yield f"{p['title']}: asks another source"


def questions(board, field):
    for v in board["templating"]["list"][1:]:
        yield f"variable {v['name']}", v["query"]["query"] if isinstance(v["query"], dict) else v["query"]
    for p in board["panels"]:
        for t in p.get("targets", []):
            yield p["title"], t[field]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("kind", choices=ASKS)
    options.add_argument("dashboard")
    options.add_argument("url")
    options.add_argument("--empty", action="append", default=[])
    given = options.parse_args()
    ask, field, kind = ASKS[given.kind]
    with open(given.dashboard, encoding="utf-8") as f:
        board = json.load(f)
    wrong = list(structure(board, kind))
    asked = 0
    for title, question in questions(board, field):
        asked += 1
        try:
            if not ask(given.url, question) and title not in given.empty:
                wrong.append(f"{title}: no data: {question}")
        except (ValueError, KeyError, OSError) as e:
            wrong.append(f"{title}: {e}: {question}")
    print("\n".join(wrong))
    print(f"{asked} questions, {len(wrong)} wrong")
    sys.exit(1 if wrong or not asked else 0)


main()
