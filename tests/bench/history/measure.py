#!/usr/bin/env python3
"""Times `sealdns plan` over the store that bench_history made, and checks what it counts against SQL of its own.

Prints one line; exit status 1 when a count is off or the median is above the limit. The limit is one of CPU time: one
thread over pages that are in memory, so the clock shows the same where nothing else runs.
"""
import argparse
import json
import os
import pathlib
import resource
import sqlite3
import statistics
import subprocess
import sys
import time

POLICY = """\
resolvers:
  - {id: quad9, catalog: quad9}
  - {id: corp, name: dns.corp.example, addresses: [10.0.0.53], transports: [do53]}
zones:
  - {id: office, networks: [10.20.0.0/16], approve: [corp], cleartext: reject, unapproved: reject}
  - {id: upstairs, networks: [10.20.2.0/24], approve: [quad9], cleartext: reject, unapproved: reject, bootstrap: false}
exceptions:
  - {client: 10.20.0.9, until: 2099-01-31, owner: bench, reason: counted}
"""
EXCEPTED = "client = '10.20.0.9'"
UPSTAIRS = "client LIKE '10.20.2.%'"
# What the policy means, in the words of SQL.
CUT = f"""NOT {EXCEPTED} AND server_port IN (53, 853, 443) AND transport <> 'tls' AND
    CASE WHEN {UPSTAIRS} THEN server <> '9.9.9.9' ELSE server <> '10.0.0.53' END"""
LIMIT_S = 3.0


def expected(store):
    database = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    rows = database.execute("SELECT count(*) FROM conversations").fetchone()[0]
    cut = database.execute(f"SELECT count(DISTINCT client), sum(queries) FROM conversations WHERE {CUT}").fetchone()
    conversations = database.execute(
        f"SELECT count(*) FROM (SELECT DISTINCT client, server, server_port, transport FROM conversations WHERE {CUT})")
    return {"rows": rows, "clients": cut[0], "queries": cut[1], "conversations": conversations.fetchone()[0]}


def counted(document):
    cut = [zone["cut"] for zone in document["zones"]]
    return {"rows": document["read"]["hours_of_conversations"], "clients": sum(c["clients"] for c in cut),
            "queries": sum(c["queries"] for c in cut), "conversations": sum(c["conversations"] for c in cut)}


def run(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, check=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1024, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=pathlib.Path, required=True)
    parser.add_argument("--scratch", type=pathlib.Path, required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    policy = arguments.scratch / "plan.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    command = [arguments.binary, "plan", "-c", str(policy), "--since", "400d", "--db", str(arguments.store),
               "--format", "json"]
    runs = [run(command) for _ in range(arguments.runs + 1)][1:]  # the first fills the page cache
    wanted, got = expected(arguments.store), counted(json.loads(runs[-1][3]))
    wall, cpu = (statistics.median(r[i] for r in runs) for i in (0, 1))
    size = os.path.getsize(arguments.store)
    print(f"plan: {got['rows']} hours of conversations ({size / 1e6:.0f} MB) in {wall:.2f} s by the clock, "
          f"{cpu:.2f} s of CPU, {runs[-1][2]:.0f} MB of memory; {got['clients']} clients lose "
          f"{got['queries']} queries in {got['conversations']} conversations")
    if wanted != got:
        print(f"plan: WRONG, SQL counts {wanted}")
    if cpu > LIMIT_S:
        print(f"plan: more than {LIMIT_S} s")
    sys.exit(wanted != got or cpu > LIMIT_S)


main()
