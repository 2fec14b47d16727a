#!/usr/bin/env python3
"""What a packet costs in each stage of `sealdns analyze`: instructions by callgrind, nanoseconds by sampling (perf, cpu-clock).
run.sh --profile calls it."""
import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys

import callgrind
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import binary

FREQUENCY = 4000  # samples a CPU second
VARIANT = re.compile(r"^_*(.*?)(_(sse|ssse|avx|evex|erms)\w*)?(@.*)?$")
# Time is told of the kernel by itself where nobody of ours is to blame.
KERNEL = "kernel, by nobody"


def plain(name):
    """memcpy has one name here for each kind of processor and each library's version of it."""
    return VARIANT.match(name).group(1).replace("memcpy", "memmove")


def run(command, output):
    with open(output, "wb") as out:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out, check=False)
    if done.returncode:
        with open(output, encoding="utf-8", errors="replace") as told:
            sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{told.read()[-2000:]}")


def counted(options, command):
    out = os.path.join(options.scratch, "callgrind.out")
    run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *command], os.path.join(options.scratch, "callgrind.err"))
    return callgrind.Profile(out)


def print_ring(options):
    """The only stage that analyze has not."""
    few, many = 100096, 20000000
    told = subprocess.run([options.ring, str(many)], capture_output=True, text=True, check=True).stdout.split()
    stages = counted(options, [options.ring, str(few)]).by_stage()
    print(f"ring, in a live sensor only: {told[0]} ns and {stages['ring'] / few:.1f} instructions an observation of {told[1]} octets, "
          "pushed and taken on one core")


def user_frame(chain):
    """(object, symbol) of the code that ran, or that made the kernel work for it."""
    for frame in chain:
        fields = re.match(r"\s*([0-9a-f]+) (.*) \((.*)\)$", frame)
        if fields and not fields.group(3).startswith("[") and not fields.group(1).startswith("ffff"):
            return os.path.basename(fields.group(3)), fields.group(2).split("+0x")[0]
    return None


def samples(options, capture):
    """Counters of (object, symbol), of all the time and of the kernel's part of it; and the CPU seconds."""
    data, err = (os.path.join(options.scratch, name) for name in ("perf.data", "perf.err"))
    run(["perf", "record", "-q", "-g", "-e", "cpu-clock", "-F", str(FREQUENCY), "-o", data, "--",
         *binary.analyze(options.binary, options.store, capture)], err)
    text = subprocess.run(["perf", "script", "-i", data, "-F", "ip,sym,dso"], capture_output=True, check=True).stdout
    every, kernel = collections.Counter(), collections.Counter()
    for block in text.decode(errors="replace").split("\n\n"):
        chain = block.strip("\n").split("\n")
        if chain == [""]:
            continue
        where = user_frame(chain)
        every[where] += 1
        kernel[where] += chain[0].strip().startswith("ffff")
    return every, kernel


def weights(profile):
    """How callgrind divides each function's own cost, and each object's, among the stages."""
    functions, objects = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
    for function, stages in profile.by_function().items():
        functions[function.object, plain(function.name)].update(stages)
        objects[function.object].update(stages)
    return functions, objects


def share_out(found, profile, binary):
    """Samples of functions to samples of stages. A function that callgrind did not see goes as its library does."""
    functions, objects = weights(profile)
    stages = collections.Counter()
    for where, count in found.items():
        of = where and (functions.get((where[0], plain(where[1]))) or objects.get(where[0]))
        if where and where[0] == os.path.basename(binary) and (where[0], plain(where[1])) not in functions:
            of = None
        total = sum(of.values()) if of else 0
        for stage, cost in of.items() if total else ((KERNEL if not where else "other", 1),):
            stages[stage] += count * cost / (total or 1)
    return stages


def capture(options, workload, packets):
    """Made unless it is there already."""
    path = os.path.join(options.scratch, f"profile-{workload}-{packets}.pcap")
    if not os.path.exists(path + ".json"):
        subprocess.run([options.generate, workload, path, "--packets", str(packets)], check=True)
    with open(path + ".json", encoding="utf-8") as file:
        return path, json.load(file)["packets"]


def sampled(options, profile, path):
    """Samples by stage, and those of the kernel; empty where perf is not at work."""
    times, kernel = collections.Counter(), collections.Counter()
    for _ in range(options.runs):
        every, of_kernel = samples(options, path)
        times.update(share_out(every, profile, options.binary))
        kernel.update(share_out(of_kernel, profile, options.binary))
    return times, kernel


class Costs:
    """Nanoseconds of one run over one capture by stage, and the kernel's part of them; none where perf is not installed."""

    def __init__(self, options, profile, path):
        times, kernel = sampled(options, profile, path) if shutil.which("perf") else (collections.Counter(),) * 2
        unit = 1e9 / FREQUENCY / options.runs
        self.times = {stage: count * unit for stage, count in times.items()}
        self.kernel = {stage: count * unit for stage, count in kernel.items()}

    def per_packet(self, once, packets, kind):
        mine, fixed = getattr(self, kind), getattr(once, kind)
        return {stage: (cost - fixed.get(stage, 0)) / packets for stage, cost in mine.items()}


def print_table(instructions, once, times, kernel):
    """Columns of {stage: figure}; what is done once, however many packets there are, is millions of instructions."""
    all_times, all_instructions = sum(times.values()) or 1, sum(instructions.values())
    print(f"{'stage':<18} {'ns/packet':>9} {'of it kernel':>12} {'share':>6} {'instructions/packet':>20} {'share':>6} {'once, million':>14}")
    for stage in (*callgrind.STAGES, KERNEL):
        if times.get(stage) or instructions[stage] or once[stage]:
            print(f"{stage:<18} {times.get(stage, 0):9.1f} {kernel.get(stage, 0):12.1f} {times.get(stage, 0) / all_times:6.1%} "
                  f"{instructions[stage]:20.1f} {instructions[stage] / all_instructions:6.1%} {once[stage] / 1e6:14.1f}")
    print(f"{'all':<18} {sum(times.values()):9.1f} {sum(kernel.values()):12.1f} {'':>6} {all_instructions:20.1f} {'':>6} "
          f"{sum(once.values()) / 1e6:14.1f}")


def print_functions(profile, empty, packets, most):
    own = collections.Counter()
    for sign, run_ in ((1, profile), (-1, empty)):
        for function, stages in run_.by_function().items():
            own.update({(stage, function): sign * cost for stage, cost in stages.items()})
    print(f"\n{'instructions/packet':>19} {'stage':<18} function, what it does itself")
    for (stage, function), cost in own.most_common(most):
        print(f"{cost / packets:19.1f} {stage:<18} {function.name} ({os.path.basename(function.file)}, {function.object})")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("binary", "scratch", "generate", "ring"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("workload")
    parser.add_argument("--packets", type=int, default=500000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="the N most costly ones, too")
    options = parser.parse_args()
    options.store = os.path.join(options.scratch, "profile.db")
    none, _ = capture(options, "dns", 2)
    path, packets = capture(options, options.workload, options.packets)
    profile, empty = (counted(options, binary.analyze(options.binary, options.store, of)) for of in (path, none))
    costs, once = Costs(options, profile, path), Costs(options, empty, none)
    print(f"{options.workload}: {packets} packets, counted by callgrind, " +
          (f"{options.runs} times sampled by perf" if costs.times else "no times: perf is not installed (linux-perf)"))
    fixed = empty.by_stage()
    instructions = {stage: (count - fixed[stage]) / packets for stage, count in profile.by_stage().items()}
    print_table(collections.Counter(instructions), fixed, costs.per_packet(once, packets, "times"),
                costs.per_packet(once, packets, "kernel"))
    print_ring(options)
    if options.functions:
        print_functions(profile, empty, packets, options.functions)


if __name__ == "__main__":
    main()
