#!/usr/bin/env python3
"""Binaries against the first of them on one capture, in turns, so that what else the machine does
falls on all: turns.py CAPTURE RUNS BINARY...  Prints medians of user and system time and ratios."""
import os
import resource
import statistics
import subprocess
import sys
import tempfile


def cpu(binary, capture):
    """Seconds of processor time of one `analyze` into a new store."""
    with tempfile.TemporaryDirectory() as scratch:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([binary, "analyze", "--format", "json", "--db", os.path.join(scratch, "db"), capture],
                       stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    capture, runs, binaries = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    taken = {binary: [] for binary in binaries}
    for run in range(runs + 1):
        for binary in binaries[::-1] if run % 2 else binaries:
            seconds = cpu(binary, capture)
            if run:  # the first reads the capture into the page cache
                taken[binary].append(seconds)
    first = taken[binaries[0]]
    for binary, seconds in taken.items():
        pairs = statistics.median(a / b for a, b in zip(seconds, first))
        print(f"{binary}: median {statistics.median(seconds):.3f} s, fastest {min(seconds):.3f} s; of the first: medians "
              f"{statistics.median(seconds) / statistics.median(first):.3f}, pairs {pairs:.3f}, fastest {min(seconds) / min(first):.3f}")


main()
