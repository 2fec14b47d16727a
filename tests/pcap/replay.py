#!/usr/bin/env python3
"""Replays the recorded cases through `sealdns analyze` and holds the events against expected.json.

    replay.py [--jobs N] [PATTERN]

A case is a directory beside this file with capture.pcap, policy.yaml, expected.json and why; PATTERN is a regular
expression over their names. SEALDNS names the binary (build/sealdns).

expected.json: {"kinds": ["tunnel"], "events": [{"kind": "tunnel", "rule": "...", "client": "...", "severity": 2,
"evidence": {...}}]}: the events of these kinds are exactly these, however many there are of other kinds. What an event
names must be in the document's: `severity` in its `alert`, all else in its `sealdns`; objects may have more members
there than here. A list in place of the object is short for downgrades alone, as [{"kind", "cause", "origin", "client"}].

A case may also have a file `profile`, a line CLIENT WORD: what `sealdns explain` says of that client's usage profile,
from the store that the replay wrote.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FILES = ("capture.pcap", "policy.yaml", "expected.json", "why")


def expectation(path):
    """The kinds, and the events of them that must be there."""
    expected = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(expected, list):
        return ["downgrade"], [{"kind": e["kind"], "client": e["client"],
                                "evidence": {k: e[k] for k in ("cause", "origin") if k in e}} for e in expected]
    if sorted(expected) != ["events", "kinds"] or not expected["kinds"]:
        raise ValueError(f"{path.name} is not an object of kinds (some) and events")
    strange = [e for e in expected["events"] if e.get("kind") not in expected["kinds"]]
    if strange:
        raise ValueError(f"{path.name}: {strange[0]} is of no kind that it names")
    return expected["kinds"], expected["events"]


def covers(wanted, there):
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(k in there and covers(v, there[k]) for k, v in wanted.items())
    return wanted == there


def is_event(wanted, event):
    said = dict(event["sealdns"], severity=event.get("alert", {}).get("severity"))
    return covers(wanted, said)


def one_to_one(wanted, events):
    """Each wanted event is another one of the document's, and none is left."""
    if not wanted:
        return not events
    return any(is_event(wanted[0], e) and one_to_one(wanted[1:], events[:i] + events[i + 1:])
               for i, e in enumerate(events))


def brief(event):
    said = event["sealdns"]
    return {k: said.get(k) for k in ("kind", "rule", "client", "server", "evidence")} | {
        "severity": event.get("alert", {}).get("severity")}


def profile(binary, case, store):
    """Why the client's profile is not the one that the case names, or nothing."""
    client, wanted = (case / "profile").read_text(encoding="ascii").split()
    done = subprocess.run([binary, "explain", client, "-c", case / "policy.yaml", "--db", store],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"^  profile +([a-z-]+):", done.stdout, re.MULTILINE)
    got = found[1] if found else "unknown"
    if done.returncode or got != wanted:
        return f"profile of {client}: expected {wanted}, explain ({done.returncode}) says {got}: {done.stderr[:200]}"
    return None


def replay(binary, case):
    """Why the case fails, or nothing."""
    with tempfile.TemporaryDirectory(prefix="replay") as scratch:
        return replay_into(binary, case, pathlib.Path(scratch) / "store.db")


def replay_into(binary, case, store):
    missing = [f for f in FILES if not (case / f).is_file()]
    if missing:
        return f"it lacks {', '.join(missing)}"
    try:
        kinds, wanted = expectation(case / "expected.json")
    except (ValueError, KeyError, TypeError) as problem:
        return f"expected.json: {problem}"
    keep = ["--db", store] if (case / "profile").is_file() else []
    done = subprocess.run([binary, "analyze", "-c", case / "policy.yaml", "--format", "json", *keep,
                           case / "capture.pcap"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        return f"analyze failed ({done.returncode}): {done.stderr[:400]}"
    last = {}
    for event in json.loads(done.stdout)["events"]:
        if event["sealdns"]["kind"] in kinds:
            last[event["sealdns"]["id"]] = event
    events = list(last.values())
    if len(events) > 50 or not one_to_one(wanted, events):
        return f"expected {json.dumps(wanted)}, reported {json.dumps([brief(e) for e in events])[:1500]}"
    return profile(binary, case, store) if keep else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("pattern", nargs="?", default=".")
    arguments = parser.parse_args()
    binary = os.environ.get("SEALDNS", HERE.parent.parent / "build" / "sealdns")
    cases = sorted(d for d in HERE.iterdir() if d.is_dir() and re.search(arguments.pattern, d.name))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for case, why in zip(cases, pool.map(lambda c: replay(binary, c), cases)):
            failed += why is not None
            print(f"not ok {case.name}: {why}" if why else f"ok {case.name}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return failed > 0 or not cases


if __name__ == "__main__":
    sys.exit(main())
