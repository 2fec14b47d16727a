#!/usr/bin/env python3
"""Holds one report over a fleet against the reports of its sensors' own stores: what adds up must add up.

    fleet_report.py FLEET.json STORE.json...
"""
import collections
import json
import sys

ADDED = ["queries", "clear_unapproved_queries", "unapproved_queries", "downgrades", "downgrades_grave", "blocked", "would_block", "alerts", "alerts_open",
         "tunnel_events", "volume_events", "records_lost"]
NO_ALERTS = {"sensor", "enforcement"}  # which have no severity in a feed


def tables(report):
    return {t["id"]: [dict(zip([c["id"] for c in t["columns"]], row)) for row in t["rows"]] for s in report["sections"] for t in s["tables"]}


def summed(reports, table, keys, values):
    sums = collections.Counter()
    for report in reports:
        for row in tables(report)[table]:
            for value in values:
                sums[tuple(row[k] for k in keys) + (value,)] += row[value] or 0
    return {k: v for k, v in sums.items() if v and k[0] not in NO_ALERTS}


def differences(fleet, stores):
    for name in ADDED:
        one, many = fleet["measures"].get(name), sum(s["measures"].get(name, 0) for s in stores)
        if one != many:
            yield f"{name}: {one} of the fleet, {many} of the stores"
    for table, keys, values in (("resolvers", ["server", "port", "transport"], ["queries", "responses", "failed"]), ("violations", ["kind", "severity", "verdict"], ["events", "count"]),
                                ("alerts", ["kind", "severity"], ["events", "open"]), ("zones", ["zone"], ["queries"])):
        one, many = summed([fleet], table, keys, values), summed(stores, table, keys, values)
        if not many:
            yield f"{table}: nothing to compare"
        for key in sorted(set(one) | set(many)):
            if one.get(key) != many.get(key):
                yield f"{table} {key}: {one.get(key)} of the fleet, {many.get(key)} of the stores"


def main():
    fleet, *stores = [json.load(open(name, encoding="utf-8")) for name in sys.argv[1:]]
    wrong = list(differences(fleet, stores))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
