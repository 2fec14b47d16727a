#!/usr/bin/env python3
"""Measures programs on the captures of the generator; run.sh calls it."""
import argparse
import collections
import json
import os
import shutil
import statistics
import subprocess
import sys

import check

WORKLOADS = ("dns", "mix", "flood", "flood-syn", "flood-hash", "flood-fragments", "dot")
Run = collections.namedtuple("Run", "wall cpu memory")
Figure = collections.namedtuple("Figure", "tool runs packets wall cpu memory")


def run_once(stopwatch, command, output):
    """Wall-clock and CPU seconds and peak resident megabytes of one program, on one core."""
    with open(output, "wb") as out:
        done = subprocess.run([stopwatch, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                              check=True)
    *messages, last = done.stderr.decode(errors="replace").splitlines()
    wall, cpu, kib, status = last.split()
    if status != "0":
        sys.exit(f"{' '.join(command)}: exit {status}: " + "\n".join(messages[-10:]))
    return Run(float(wall), float(cpu), int(kib) / 1024)


def median_of(tool, runs, packets):
    return Figure(tool, len(runs), packets, *(statistics.median(getattr(r, f) for r in runs) for f in Run._fields))


class Bench:
    def __init__(self, options):
        self.options = options
        self.wrong = []

    def path(self, name):
        return os.path.join(self.options.scratch, name)

    def run(self, command, output):
        return run_once(self.options.stopwatch, command, output)

    def capture(self, workload, packets):
        """The capture and its manifest; made unless the same one is there already."""
        o = self.options
        path = self.path(f"{workload}-{packets}-{o.seed}-{o.resolvers or 'default'}.pcap")
        if not os.path.exists(path + ".json"):
            extra = ["--resolvers", str(o.resolvers)] if o.resolvers else []
            subprocess.run([o.generate, workload, path, "--packets", str(packets), "--seed", str(o.seed), *extra],
                           check=True)
        with open(path + ".json", encoding="utf-8") as file:
            return path, json.load(file)

    def warm(self, path):
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass

    def sealdns(self, workload, path, manifest):
        runs, output = [], self.path("analyze.json")
        for _ in range(self.options.runs):
            for suffix in ("", "-wal", "-shm"):
                if os.path.exists(self.path("bench.db") + suffix):
                    os.remove(self.path("bench.db") + suffix)
            runs.append(self.run([self.options.binary, "analyze", "--format", "json", "--db",
                                  self.path("bench.db"), path], output))
            with open(output, encoding="utf-8") as file:
                document = json.load(file)
            for line in check.check(document, manifest):
                self.wrong.append(f"{workload}: {line}")
        events = ", ".join(f"{count} {kind}" for kind, count in sorted(check.event_counts(document).items()))
        print(f"{workload}: events: {events or 'none'}")
        return median_of("sealdns", runs, manifest["packets"])

    def tcpdump(self, path, packets):
        runs = [self.run([tool("tcpdump"), "-r", path, "-w", "/dev/null"], self.path("tcpdump.out"))
                for _ in range(self.options.runs)]
        return median_of("tcpdump", runs, packets)

    def ndpi(self, workload, packets):
        """Its own smaller capture, once: what it takes grows at least in proportion."""
        path, manifest = self.capture(workload, min(packets, self.options.ndpi_packets))
        self.warm(path)
        runs = [self.run([tool("ndpiReader"), "-q", "-i", path], self.path("ndpi.out"))]
        return median_of("ndpiReader", runs, manifest["packets"])

    def workload(self, workload):
        path, manifest = self.capture(workload, self.options.packets)
        self.warm(path)
        figures = [self.sealdns(workload, path, manifest), self.tcpdump(path, manifest["packets"])]
        if self.options.ndpi:
            figures.append(self.ndpi(workload, manifest["packets"]))
        return {f.tool: f for f in figures}


def tool(name):
    found = shutil.which(name)
    if found is None:
        sys.exit(f"{name} is not installed; it comes with the package "
                 f"{'libndpi-bin (or leave it out with --no-ndpi)' if name == 'ndpiReader' else name}")
    return found


def speed(figure):
    return figure.packets / figure.wall


def ratio(figure, other):
    """By CPU time a packet, which other load on the machine does not bend."""
    return (other.cpu / other.packets) / (figure.cpu / figure.packets) if other else None


def print_table(results):
    head = ("workload", "program", "packets", "runs", "kpkt/s", "kpkt/CPU-s", "CPU s", "MB", "x tcpdump", "x ndpiReader")
    rows = [head]
    for workload, figures in results.items():
        for f in figures.values():
            ratios = (ratio(f, figures.get(name)) for name in ("tcpdump", "ndpiReader"))
            rows.append((workload, f.tool, str(f.packets), str(f.runs), f"{speed(f) / 1e3:.0f}",
                         f"{f.packets / f.cpu / 1e3:.0f}", f"{f.cpu:.2f}", f"{f.memory:.0f}",
                         *("-" if r is None else f"{r:.2f}" for r in ratios)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for row in rows:
        print("  ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))))


def targets(results):
    """(what, has it been met) for every target that these results can tell."""
    ours = {workload: figures["sealdns"] for workload, figures in results.items()}
    if "dns" in ours:
        yield f"dns at least 1.5 million packets/s: {speed(ours['dns']) / 1e6:.2f}", speed(ours["dns"]) >= 1.5e6
        ndpi = ratio(ours["dns"], results["dns"].get("ndpiReader"))
        if ndpi is not None:
            yield f"dns at least 10 times ndpiReader: {ndpi:.1f}", ndpi >= 10
    if "mix" in ours:
        yield f"mix at least 1.0 million packets/s: {speed(ours['mix']) / 1e6:.2f}", speed(ours["mix"]) >= 1e6
    for name in ("flood", "flood-syn"):
        if name in ours:
            yield f"{name} below 200 MB: {ours[name].memory:.0f}", ours[name].memory < 200
            if "dns" in ours:
                part = speed(ours[name]) / speed(ours["dns"])
                yield f"{name} at least half the speed of dns: {part:.2f}", part >= 0.5


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generate", required=True)
    parser.add_argument("--stopwatch", required=True)
    parser.add_argument("--scratch", required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--packets", type=int)
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resolvers", type=int)
    parser.add_argument("--no-ndpi", dest="ndpi", action="store_false")
    parser.add_argument("--ndpi-packets", type=int)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    defaults = (1, 200000, 50000) if options.quick else (5, 2000000, 500000)
    for name, default in zip(("runs", "packets", "ndpi_packets"), defaults):
        if getattr(options, name) is None:
            setattr(options, name, default)
    options.workloads = options.workloads.split(",")
    if set(options.workloads) - set(WORKLOADS):
        parser.error("workloads are " + ", ".join(WORKLOADS))
    if not os.access(options.binary, os.X_OK):
        parser.error(f"{options.binary} is no program; build it or name it in $SEALDNS")
    return options


def main():
    options = parse_arguments()
    bench = Bench(options)
    results = {workload: bench.workload(workload) for workload in options.workloads}
    print_table(results)
    met = list(targets(results))
    for what, good in met:
        print(f"target {'met' if good else 'MISSED'}: {what}")
    for line in sorted(set(bench.wrong)):
        print("WRONG COUNT " + line)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({w: {t: f._asdict() for t, f in r.items()} for w, r in results.items()}, file, indent=1)
    print(f"{'counts as made' if not bench.wrong else 'counts are OFF'}")
    return 1 if bench.wrong or options.strict and not all(good for _, good in met) else 0


if __name__ == "__main__":
    sys.exit(main())
