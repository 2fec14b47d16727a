#!/usr/bin/env python3
"""Instructions of `sealdns analyze` over small fixed captures, held against those of instructions.tsv, stage by stage.
run.sh --instructions calls it; with --update it writes what it counted.

More than 3 % up is a failure: of a workload without its start, of the start, or of a stage that is worth a hundredth of its workload. Counts tell
nothing where compiler, libraries, valgrind or the processor's kind are others than the recorded ones: that is said, and skipped."""
import argparse
import collections
import concurrent.futures
import hashlib
import os
import re
import shutil
import subprocess
import sys

import callgrind
WORKLOADS = {"dns": 20000, "mix": 20000, "flood": 6000, "flood-syn": 6000, "dot": 20000}  # packets
MOST = 0.03   # up, of what is compared
WORTH = 0.01  # of a workload's instructions: what a single stage must grow by to count
RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.tsv")
# Who works on packets, and starts the program. The others do not show in the counts.
LIBRARIES = ("ld-linux", "libc.", "libfyaml", "libgmp", "libhogweed", "libjansson", "libknot", "libm.", "libndpi", "libnettle",
             "libpcap", "libpsl", "libsqlite3")
# What valgrind 3.19 hands on of the processor; libraries choose their code by it.
PROCESSOR = ("avx", "avx2", "f16c", "rdrand", "rdseed")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def libraries(binary):
    """Each library by what it is, not by what it is called."""
    for line in output("ldd", binary).splitlines():
        found = re.search(r"=> (/\S+)|^\s*(/\S+)", line)
        path = found and os.path.realpath(found.group(1) or found.group(2))
        if path and os.path.basename(path).startswith(LIBRARIES):
            with open(path, "rb") as file:
                yield os.path.basename(path), hashlib.sha256(file.read()).hexdigest()[:12]


def environment(binary, build):
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as file:
        cache = dict(re.findall(r"^(\w+):\w+=(.*)$", file.read(), re.MULTILINE))
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = set(re.search(r"^flags\s*:(.*)$", file.read(), re.MULTILINE).group(1).split())
    return {"compiler": output(cache["CMAKE_C_COMPILER"], "--version").splitlines()[0],
            "build": f"{cache['CMAKE_BUILD_TYPE']}, SEALDNS_LTO {cache['SEALDNS_LTO']}, flags '{cache['CMAKE_C_FLAGS']}'",
            "valgrind": output("valgrind", "--version").strip(),
            "processor": " ".join(word for word in PROCESSOR if word in flags), **dict(libraries(binary))}


def count(binary, generate, scratch, workload):
    """{stage: instructions}. What the program sees of its place and environment is always the same."""
    place = os.path.join(scratch, "instructions-" + workload)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    shutil.copy2(binary, os.path.join(place, "sealdns"))
    subprocess.run([generate, workload, os.path.join(place, "capture"), "--packets", str(WORKLOADS[workload])], check=True)
    with open(os.path.join(place, "messages"), "wb") as messages:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=counted", "./sealdns", "analyze",
                               "--one-thread", "--format", "json", "--db", "store", "capture"], cwd=place,
                              env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=messages, check=False)
    if done.returncode:
        with open(os.path.join(place, "messages"), encoding="utf-8", errors="replace") as file:
            sys.exit(f"{workload}: exit {done.returncode}\n{file.read()[-2000:]}")
    counted = callgrind.Profile(os.path.join(place, "counted")).by_stage()
    shutil.rmtree(place)
    return {stage: round(counted[stage]) for stage in callgrind.STAGES if round(counted[stage])}


def count_all(options):
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return dict(zip(WORKLOADS, pool.map(
            lambda workload: count(options.binary, options.generate, options.scratch, workload), WORKLOADS)))


def recorded():
    known, counts = {}, collections.defaultdict(dict)
    with open(RECORD, encoding="utf-8") as file:
        for line in file:
            kind, *fields = line.rstrip("\n").split("\t")
            if kind == "with":
                known[fields[0]] = fields[1]
            else:
                counts[kind][fields[0]] = int(fields[1])
    return known, counts


def write(known, counts):
    with open(RECORD, "w", encoding="utf-8") as file:
        for name, value in known.items():
            print("with", name, value, sep="\t", file=file)
        for workload, stages in counts.items():
            for stage, instructions in stages.items():
                print(workload, stage, instructions, sep="\t", file=file)


def change(before, now):
    return f"{before:,} to {now:,} instructions, {now / before - 1:+.1%}" if before else f"{now:,} instructions, none before"


def grown(before, now):
    """What is too much of one workload, a line each."""
    of_all, of_all_now = (sum(c for stage, c in stages.items() if stage != "start") for stages in (before, now))
    found = []
    if of_all_now > of_all * (1 + MOST):
        found.append(f"all but the start: {change(of_all, of_all_now)}")
    for stage in callgrind.STAGES:
        old, new = before.get(stage, 0), now.get(stage, 0)
        if new > old * (1 + MOST) and (stage == "start" or new - old > of_all * WORTH):
            found.append(f"{stage}: {change(old, new)}")
    return found


def compare(before, now):
    """Prints a line for each workload; returns how many have grown."""
    failed = 0
    for workload, stages in now.items():
        lines = grown(before[workload], stages)
        failed += bool(lines)
        total, total_now = sum(before[workload].values()), sum(stages.values())
        print(f"{'not ok' if lines else 'ok'} {workload}: {change(total, total_now)}" +
              (" (so much less: --update, or the next growth hides in it)" if total_now < total * (1 - MOST) else ""))
        for line in lines:
            print(f"not ok   {workload}: {line}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("binary", "build", "generate", "scratch"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("skip: valgrind is not installed\n0 passed, 0 failed, 1 skipped")
        return 0
    here = environment(options.binary, options.build)
    if options.update:
        write(here, count_all(options))
        print(f"written: {RECORD}")
        return 0
    known, before = recorded()
    others = [f"{name}: {here.get(name, 'none')}, recorded with {known.get(name, 'none')}"
              for name in sorted(known.keys() | here.keys()) if known.get(name) != here.get(name)]
    if others:
        print("skip: counts of another compiler, library or processor cannot be compared:\n  " + "\n  ".join(others))
        print(f"0 passed, 0 failed, {len(WORKLOADS)} skipped")
        return 0
    failed = compare(before, count_all(options))
    if failed:
        print("If it is worth it: tests/bench/run.sh --instructions --update, and say why in the commit")
    print(f"{len(WORKLOADS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
