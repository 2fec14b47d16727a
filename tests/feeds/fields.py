#!/usr/bin/env python3
"""Every event of the fixtures of tests/pcap (of the many downgrades each fourth) as ECS, OCSF and CEF, each field held against what the public schema says of it.

    fields.py

A field that the schema has not, a value of another type or none of its enumeration, and a required one that is missing are errors. What the
schemas say stands in fields/*.tsv, for the fields that are used. SEALDNS names the binary.
"""
import ipaddress
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARY = os.environ.get("SEALDNS", str(ROOT / "build" / "sealdns"))
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")
# CEF:0 and six fields, in which only \\ and \| are escaped, then key=value in which \\, \=, \n and \r are.
HEAD = re.compile(r"CEF:0(\|(?:[^|\\\n\r]|\\[|\\])+){4}\|(?:[^|\\\n\r]|\\[|\\])+\|(10|[0-9])\|(.*)")
PAIR = re.compile(r"([A-Za-z0-9]+)=((?:[^=\\]|\\[=\\nr])*?)(?= [A-Za-z0-9]+=|$)")
CEF_KEYS = set("act app c6a1 c6a1Label c6a2 c6a2Label c6a3 c6a3Label c6a4 c6a4Label cat cn1 cn1Label cn2 cn2Label cn3 cn3Label cnt cs1 cs1Label cs2 cs2Label cs3 cs3Label cs4 cs4Label cs5 cs5Label cs6 cs6Label "
               "destinationDnsDomain deviceDirection deviceExternalId deviceInboundInterface dhost dmac dpt dst dvc dvchost end externalId fname msg outcome proto reason "
               "request rt shost smac spt src start suser".split())


def is_ip(value):
    try:
        return bool(ipaddress.ip_address(value))
    except ValueError:
        return False


TYPES = {"string": lambda v: isinstance(v, str), "integer": lambda v: isinstance(v, int) and not isinstance(v, bool), "any": lambda v: True,
         "timestamp": lambda v: isinstance(v, int) and 10 ** 12 < v < 10 ** 13, "time": lambda v: isinstance(v, str) and TIME.fullmatch(v),
         "ip": lambda v: isinstance(v, str) and is_ip(v), "mac": lambda v: isinstance(v, str) and MAC.fullmatch(v)}


def schema(name):
    fields = {}
    for line in (HERE / "fields" / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            path, kind, *allowed = line.split("\t")
            fields[path.lstrip("!")] = (kind, allowed[0].split() if allowed else [], path.startswith("!"))
    return fields


def within(value, allowed):
    for one in allowed:
        ends = re.fullmatch(r"(-?\d+)-(\d+)", one)
        if str(value) == one or (ends and int(ends[1]) <= value <= int(ends[2])):
            return True
    return not allowed


def leaves(value, path):
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, path + "[]")
    else:
        yield path, value


def deviations(document, fields):
    seen = set()
    for path, value in leaves(document, ""):
        known = path if path in fields else next((f for f in fields if f.endswith(".*") and path.startswith(f[:-1])), None)
        seen.add(path)
        if known is None:
            yield f"{path} is not in the schema"
        elif not TYPES[fields[known][0]](value):
            yield f"{path} is no {fields[known][0]}: {value!r}"
        elif not within(value, fields[known][1]):
            yield f"{path} may not be {value!r}"
    yield from (f"{path} is missing" for path, field in fields.items() if field[2] and path not in seen)


def of_ocsf(line):
    document = json.loads(line)
    yield from deviations(document, schema("ocsf-detection-finding"))
    if document["type_uid"] != 100 * document["class_uid"] + document["activity_id"]:
        yield "type_uid is not class_uid * 100 + activity_id"
    if document["start_time"] > document["end_time"]:
        yield "it ends before it starts"


def of_ecs(line):
    return deviations(json.loads(line), schema("ecs"))


def of_cef(line):
    head = HEAD.fullmatch(line)
    if not head:
        yield f"no header: {line[:200]}"
        return
    pairs = list(PAIR.finditer(head[3]))
    if " ".join(p[0] for p in pairs) != head[3]:
        yield f"an extension that is no pairs: {head[3][:200]}"
    yield from (f"{p[1]} is no key of CEF" for p in pairs if p[1] not in CEF_KEYS)


def events_of(case, store):
    policy = ["-c", str(case / "policy.yaml")] if (case / "policy.yaml").exists() else []
    subprocess.run([BINARY, "analyze", *policy, "--db", store, str(case / "capture.pcap")], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name, judge in (("ecs", of_ecs), ("ocsf", of_ocsf), ("cef", of_cef)):
        told = subprocess.run([BINARY, "events", "--db", store, "--revisions", "--format", name], check=True, capture_output=True, text=True).stdout
        yield name, judge, told.splitlines()


def main():
    passed, failed, lines = 0, 0, 0
    cases = sorted(p.parent for p in (ROOT / "tests" / "pcap").glob("*/capture.pcap"))
    for case in [c for n, c in enumerate(cases) if n % 4 == 0 or not c.name.startswith("downgrade-")]:
        with tempfile.TemporaryDirectory() as scratch:
            for name, judge, told in events_of(case, f"{scratch}/store.db"):
                lines += len(told)
                wrong = sorted({w for line in told for w in judge(line)})
                passed, failed = (passed + 1, failed) if not wrong else (passed, failed + 1)
                if wrong:
                    print(f"not ok {case.name} as {name}: {'; '.join(wrong[:6])}")
    print(f"# {lines} lines")
    if lines < 400:
        print(f"not ok {lines} lines only")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
