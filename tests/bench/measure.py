#!/usr/bin/env python3
"""Measures sealdns and other programs on the captures of the generator; run.sh calls it."""
import argparse
import collections
import json
import os
import statistics
import subprocess
import sys

import binary
import check
import goals
import programs

WORKLOADS = ("dns", "mix", "flood", "flood-syn", "flood-hash", "flood-fragments", "dot")
Run = collections.namedtuple("Run", "wall cpu memory")
Figure = collections.namedtuple("Figure", "runs packets wall cpu memory")


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


def median_of(runs, packets):
    return Figure(len(runs), packets, *(statistics.median(getattr(r, f) for r in runs) for f in Run._fields))


def warm(path):
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


class Results:
    """What the goals ask: {workload: {program: Figure}}, and how many counts were off."""

    def __init__(self):
        self.figures, self.off = {}, set()

    @property
    def wrong(self):
        return len(self.off)

    def ratio(self, workload, other):
        """By CPU time a packet, which other load on the machine does not bend."""
        ours, theirs = (self.figures.get(workload, {}).get(name) for name in ("sealdns", other))
        return (theirs.cpu / theirs.packets) / (ours.cpu / ours.packets) if ours and theirs and ours.cpu else None

    def memory(self, workload):
        ours = self.figures.get(workload, {}).get("sealdns")
        return ours and ours.memory


class Bench:
    def __init__(self, options):
        self.options, self.results = options, Results()
        self.others = []
        for program in programs.all_programs(options.loop):
            if options.programs and program.name not in options.programs:
                continue
            if program.path():
                self.others.append(program)
            else:
                print(f"{program.name} is not installed and left out; it comes with the package {program.package}")

    def path(self, name):
        return os.path.join(self.options.scratch, name)

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

    def sealdns(self, workload, path, manifest):
        output = self.path("analyze.json")
        taken = run_once(self.options.stopwatch, binary.analyze(self.options.binary, self.path("bench.db"), path), output)
        with open(output, encoding="utf-8") as file:
            document = json.load(file)
        self.results.off.update(f"{workload}: {line}" for line in check.check(document, manifest))
        return taken, ", ".join(f"{count} {kind}" for kind, count in sorted(check.event_counts(document).items()))

    def other(self, program, path, manifest):
        taken = run_once(self.options.stopwatch, program.command(path, self.options.scratch), "/dev/null")
        return taken, program.told(manifest, self.options.scratch)

    def workload(self, workload):
        """All programs in turns, so that what else the machine does falls on all."""
        packets = self.options.packets
        large = self.capture(workload, packets)
        small = self.capture(workload, min(packets, self.options.small)) if any(p.small for p in self.others) else None
        runs, told, used = collections.defaultdict(list), {}, {}
        for name in (c[0] for c in (large, small) if c):
            warm(name)
        for _ in range(self.options.runs):
            taken, told["sealdns"] = self.sealdns(workload, *large)
            runs["sealdns"].append(taken)
            for program in self.others:
                used[program.name] = small if program.small else large
                taken, told[program.name] = self.other(program, *used[program.name])
                runs[program.name].append(taken)
        for name, line in told.items():
            if line:
                print(f"{workload}: {name}: {line}")
        self.results.figures[workload] = {
            name: median_of(taken, used.get(name, large)[1]["packets"]) for name, taken in runs.items()}


def table(rows, left):
    """Columns as wide as they must be, the first `left` of them to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(w) if i < left else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip())


def print_figures(results):
    rows = [("workload", "program", "packets", "runs", "kpkt/s", "kpkt/CPU-s", "CPU s", "MB", "sealdns against it")]
    for workload, figures in results.figures.items():
        for name, f in figures.items():
            rows.append((workload, name, str(f.packets), str(f.runs), f"{f.packets / f.wall / 1e3:.0f}",
                         f"{f.packets / max(f.cpu, 1e-3) / 1e3:.0f}", f"{f.cpu:.2f}", f"{f.memory:.0f}",
                         "" if name == "sealdns" else f"{results.ratio(workload, name):.2f}"))
    table(rows, 2)


def print_goals(judged):
    print()
    table([("goal", "wanted", "reached", "verdict"), *judged], 4)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("generate", "stopwatch", "loop", "scratch", "binary"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--packets", type=int)
    parser.add_argument("--small", type=int)
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--programs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resolvers", type=int)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    defaults = (1, 200000, 50000) if options.quick else (5, 2000000, 500000)
    for name, default in zip(("runs", "packets", "small"), defaults):
        if getattr(options, name) is None:
            setattr(options, name, default)
    options.workloads = options.workloads.split(",")
    options.programs = options.programs and options.programs.split(",")
    if set(options.workloads) - set(WORKLOADS):
        parser.error("workloads are " + ", ".join(WORKLOADS))
    known = {program.name for program in programs.all_programs(options.loop)}
    if set(options.programs or ()) - known:
        parser.error("programs are " + ", ".join(sorted(known)))
    if not os.access(options.binary, os.X_OK):
        parser.error(f"{options.binary} is no program; build it or name it in $SEALDNS")
    return options


def main():
    options = parse_arguments()
    bench = Bench(options)
    for workload in options.workloads:
        bench.workload(workload)
    results = bench.results
    print_figures(results)
    judged = goals.judge(results)
    print_goals(judged)
    for line in sorted(results.off):
        print("WRONG COUNT " + line)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"figures": {w: {t: f._asdict() for t, f in r.items()} for w, r in results.figures.items()},
                       "goals": judged}, file, indent=1)
    print("counts are OFF" if results.off else "counts as made")
    return 1 if results.off or options.strict and any(row[3] == "MISSED" for row in judged) else 0


if __name__ == "__main__":
    sys.exit(main())
