#!/usr/bin/env python3
"""Names what recorded flows were: joins what `features` printed of SESSION.pcap with who played what (SESSION.roles).

  label.py FEATURES.csv SESSION.roles >LABELLED.csv
  label.py FEATURES.csv doh|web >LABELLED.csv         a capture from elsewhere, of which one knows what it holds

A flow is DoH when its server's name begins with dns., or when it has none and the address is one of the resolvers' alone (see
record-doh.sh). Rows that judge.c has no use for are left out: flows that ended before they could be judged. Times count from the
first row, flows are numbered, names go: what is left are integers and addresses of the lab.
"""
import bisect
import csv
import sys

RESOLVERS = {f"203.0.113.{n}" for n in (101, 102, 103, 105, 121, 122, 123)}


def roles_of(path):
    played = {}
    with open(path, encoding="ascii") as file:
        for client, time, role in csv.reader(file):
            played.setdefault(client, []).append((int(time), role))
    return {client: sorted(rows) for client, rows in played.items()}


def role_at(played, client, time):
    """A flow is of what its client played last when it was first seen to do anything."""
    rows = played.get(client, [])
    at = bisect.bisect_right(rows, (time, "~"))
    return rows[at - 1][1] if at else "?"


def is_doh(row):
    return row["sni"].startswith("dns.") if row["sni"] else row["server"] in RESOLVERS


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    all_is = sys.argv[2] if sys.argv[2] in ("doh", "web") else None
    played = {} if all_is else roles_of(sys.argv[2])
    with open(sys.argv[1], encoding="ascii") as file:
        reader = csv.DictReader(file)
        features = reader.fieldnames[reader.fieldnames.index("sni") + 1:]
        rows = [row for row in reader if int(row["port"]) == 443]
    known, out = {}, csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["session", "outcome", "time_ms", "flow", "client", "server", "port", "role", "label", *features])
    start = int(rows[0]["time_ms"]) if rows else 0
    for row in rows:
        label = all_is or ("doh" if is_doh(row) else "web")
        number, role, label = known.setdefault(
            row["flow"], (len(known) + 1, role_at(played, row["client"], int(row["time_ms"])), label))
        if row["outcome"] in ("behaviour", "bulk"):
            out.writerow([row["session"], row["outcome"], int(row["time_ms"]) - start, number, row["client"], row["server"], row["port"],
                          role, label, *(row[name] for name in features)])


main()
