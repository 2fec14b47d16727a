#!/usr/bin/env python3
"""Is every revision of every event that the sensor told its file also where a receiver put it?

    arrived.py EVE RECEIVED [--least N]

EVE is the sensor's file, RECEIVED what the receiver wrote: lines with the events somewhere in them. True when none is missing;
repeats are counted, and N events at least must be there at all.
"""
import re
import sys

REVISION = re.compile(rb'\\?"id\\?":\\?"([0-9a-f]{16})\\?",\\?"revision\\?":([0-9]+)')


def revisions(path):
    with open(path, "rb") as lines:
        return [m.groups() for line in lines for m in REVISION.finditer(line)]


def main():
    least = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    told, received = set(revisions(sys.argv[1])), revisions(sys.argv[2])
    missing = told - set(received)
    for event, revision in sorted(missing)[:5]:
        print(f"missing {event.decode()}-{revision.decode()}")
    print(f"told {len(told)}, received {len(set(received))}, missing {len(missing)}, twice {len(received) - len(set(received))}")
    sys.exit(1 if missing or len(told) < least else 0)


main()
