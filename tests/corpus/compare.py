#!/usr/bin/env python3
"""Runs `sealdns analyze` over every capture of the corpus and holds the document against the truth files.

    compare.py [--binary PATH] [--corpus DIR] [--summary] [--only TEXT] [--jobs N]
    compare.py --markdown      the table of explained differences, for readers

Differences that are explained stand in differences.tsv; what is encrypted DNS, and how surely, in encrypted.tsv.
Exit status: 0 all as expected, 1 something is not, 2 the command line is wrong.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys

import truth

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CORPUS_CAPTURES = 575
WATCHED = {443, 784, 853, 8443}
ENCRYPTED = {"dot", "doq", "doh2", "doh3", "dnscrypt"}
OVER_UDP = {"doq", "doh3", "quic", "dnscrypt"}
SANITIZER = re.compile(rb"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|"
                       rb"Assertion .* failed")

Difference = collections.namedtuple("Difference", "field ours theirs")
Run = collections.namedtuple("Run", "status output errors")


def analyze(binary, path, timeout):
    try:
        done = subprocess.run([binary, "analyze", "--format", "json", path], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return Run("timeout", b"", b"")
    return Run(done.returncode, done.stdout, done.stderr)


def compare_runs(runs):
    """Crashes, sanitizer reports, and whether the same input gave the same output."""
    for run in runs:
        if SANITIZER.search(run.errors):
            report = next(line for line in run.errors.splitlines() if SANITIZER.search(line))
            yield Difference("sanitizer", report.decode(errors="replace")[:160], "none")
            break
    if runs[0].status != 0:
        yield Difference("exit", str(runs[0].status), "0")
    if runs[0] != runs[1]:
        yield Difference("repeat", "another output", "the same output")


def compare_counts(document, dns_rows):
    expected = truth.dns_counts(dns_rows)
    for name in ("queries", "responses", "malformed"):
        if document["dns"][name] != expected[name]:
            yield Difference("dns." + name, str(document["dns"][name]), str(expected[name]))


def compare_totals(document):
    """What the conversations hold and what was folded away must add up to the exact totals."""
    clear = [c for c in document["conversations"] if c["transport"].startswith("do53")
             and c["server_port"] == 53]
    queries = sum(c["queries"] for c in clear)
    omitted = document["omitted"]
    folded = omitted["queries"] if omitted["conversations"] else 0
    if omitted["queries"] and not omitted["conversations"]:
        yield Difference("omitted.queries", str(omitted["queries"]), "0")
    if queries + folded != document["dns"]["queries"]:
        yield Difference("sum.queries", str(queries + folded), str(document["dns"]["queries"]))
    keys = [conversation_key(c) + (c["transport"],) for c in document["conversations"]]
    if len(keys) != len(set(keys)):
        yield Difference("conversations", f"{len(keys) - len(set(keys))} repeated", "each once")


def conversation_key(conversation):
    return conversation["client"], conversation["server"], conversation["server_port"]


def compare_do53(document, dns_rows):
    """Client, server and transport of every conversation on port 53, with its messages."""
    ours = {}
    for c in document["conversations"]:
        if c["transport"].startswith("do53") and c["server_port"] == 53 and c["queries"] + c["responses"]:
            ours[(c["client"], c["server"], c["transport"])] = [c["queries"], c["responses"]]
    theirs = truth.dns_conversations(dns_rows)
    for key in sorted(set(ours) | set(theirs)):
        mine, expected = ours.get(key), theirs.get(key)
        if mine != expected:
            yield Difference("do53 " + " ".join(key), shown(mine), shown(expected))


def shown(counts):
    return "absent" if counts is None else "{} q {} r".format(*counts)


def matches(label, conversation):
    wanted = (label["client"], label["server"], label["port"], label["transport"])
    seen = (*map(str, conversation_key(conversation)), conversation["transport"])
    return all(want in ("*", have) for want, have in zip(wanted, seen))


def compare_encrypted(document, labels):
    """Encrypted DNS: all that must be there, and nothing that may not."""
    found = [c for c in document["conversations"] if c["transport"] in ENCRYPTED]
    for label in labels:
        if label["certainty"] == "must" and not any(matches(label, c) for c in found):
            yield Difference("encrypted {client} {server} {port}".format(**label), "absent", label["transport"])
    for c in found:
        if not any(matches(label, c) for label in labels):
            yield Difference("encrypted {} {} {}".format(*conversation_key(c)), c["transport"], "absent")


def over(conversation):
    return "udp" if conversation["transport"] in OVER_UDP else "tcp"


def compare_peers(document, tls_rows):
    """TLS and QUIC on the watched ports: who spoke with whom, under which name, ALPN and version."""
    ours = {}
    for c in document["conversations"]:
        if c["transport"] in ENCRYPTED - {"dnscrypt"} | {"tls", "quic"}:
            ours[(*conversation_key(c), over(c))] = c
    theirs = truth.peers(tls_rows)
    for key, peer in sorted(theirs.items()):
        if key[2] in WATCHED and peer.proven and peer.oriented:
            yield from compare_peer(key, ours.get(key), peer)
    for key, c in sorted(ours.items()):
        if key[2] in WATCHED and theirs_of(theirs, key).kinds <= {"-"}:
            yield Difference(f"{c['transport']} {key[0]} {key[1]} {key[2]}", "present", "absent")


def theirs_of(theirs, key):
    return theirs.get(key, truth.Peer())


def compare_peer(key, conversation, peer):
    label = "{3} {0} {1} {2}".format(*key)
    if conversation is None:
        yield Difference(label, "absent", "/".join(sorted(peer.kinds)))
        return
    name = (conversation.get("name") or "").lower()
    # a name may also come from the catalogue or a certificate; what must not differ is the one in the hello
    in_hello = peer.names or "sni" in conversation.get("identified_by", ())
    if in_hello and name not in peer.names:
        yield Difference(label + " name", name or "none", ",".join(sorted(peer.names)) or "none")
    alpn = frozenset(conversation.get("alpn") or ())
    union = frozenset().union(*peer.offers) if peer.offers else frozenset()
    if alpn != union and alpn not in peer.offers:
        yield Difference(label + " alpn", listed(alpn), listed(union))
    version = re.sub(r"^TLSv?", "", conversation.get("tls_version") or "")
    if peer.versions and version not in peer.versions:
        yield Difference(label + " version", version or "none", ",".join(sorted(peer.versions)))


def listed(names):
    return ",".join(sorted(names)) or "none"


def compare_capture(options, capture):
    path = os.path.join(options.corpus, "pcap", capture)
    runs = [analyze(options.binary, path, options.timeout) for _ in range(2)]
    found = list(compare_runs(runs))
    if runs[0].status != 0:
        return found
    try:
        document = json.loads(runs[0].output)
        dns_rows, tls_rows = (truth.rows(options.corpus, capture, kind) for kind in ("dns", "tls"))
        found += compare_counts(document, dns_rows)
        found += compare_totals(document)
        found += compare_do53(document, dns_rows)
        found += compare_encrypted(document, options.labels.get(capture, []))
        found += compare_peers(document, tls_rows)
    except (ValueError, KeyError, TypeError) as problem:
        found.append(Difference("document", f"{type(problem).__name__}: {problem}", "an analyze document"))
    return found


def by_capture(path):
    table = collections.defaultdict(list)
    for row in truth.read_tsv(path):
        table[row["capture"]].append(row)
    return table


def split_explained(capture, found, explained):
    """Differences nobody explained, and how many somebody did; lines that were of use are struck out."""
    left = []
    for difference in found:
        line = (capture, *difference)
        if line in explained:
            explained[line] = True
        else:
            left.append(difference)
    return left, len(found) - len(left)


def print_capture(capture, left, known, summary):
    if summary:
        return
    note = f" ({known} explained)" if known else ""
    print(f"{'not ok' if left else 'ok'} {capture}{note}")
    for difference in left[:12]:
        print(f"    {difference.field}: ours {difference.ours}, truth {difference.theirs}")
    if len(left) > 12:
        print(f"    … and {len(left) - 12} more")


def print_summary(failures):
    fields = collections.Counter()
    for differences in failures.values():
        fields.update({d.field.split()[0] + (" " + d.field.split()[-1] if d.field.split()[-1].isalpha() and
                                             " " in d.field else "") for d in differences})
    for field, count in fields.most_common():
        print(f"{count:5} captures differ in {field}")
    for capture, differences in sorted(failures.items()):
        print(f"not ok {capture}: {len(differences)}, first {' / '.join(differences[0])}")


def print_markdown(path):
    print("| capture | field | ours | the dissector's | reason |\n| --- | --- | --- | --- | --- |")
    for row in truth.read_tsv(path):
        print("| " + " | ".join(row[f].replace("|", "\\|") for f in ("capture", "field", "ours", "tshark", "reason")) + " |")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=os.environ.get("SEALDNS", os.path.join(ROOT, "build", "sealdns")))
    parser.add_argument("--corpus", default=os.environ.get(
        "SEALDNS_CORPUS", os.path.join(os.path.dirname(ROOT), "shared", "corpus")))
    parser.add_argument("--differences", default=os.path.join(HERE, "differences.tsv"))
    parser.add_argument("--summary", action="store_true", help="totals by field instead of a line a capture")
    parser.add_argument("--markdown", action="store_true", help="print the explained differences and end")
    parser.add_argument("--only", default="", help="captures whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one run")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if options.markdown:
        print_markdown(options.differences)
        return 0
    if not os.path.isdir(os.path.join(options.corpus, "pcap")):
        print(f"no corpus at {options.corpus}: skipped\n0 passed, 0 failed, {CORPUS_CAPTURES} skipped")
        return 0
    if not os.access(options.binary, os.X_OK):
        print(f"{options.binary} is no program; name it with --binary", file=sys.stderr)
        return 2
    options.labels = by_capture(os.path.join(HERE, "encrypted.tsv"))
    explained = {(r["capture"], r["field"], r["ours"], r["tshark"]): False
                 for r in truth.read_tsv(options.differences)}
    chosen = [c for c in truth.captures(options.corpus) if options.only in c]
    failures = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for capture, found in zip(chosen, pool.map(lambda c: compare_capture(options, c), chosen)):
            left, known = split_explained(capture, found, explained)
            print_capture(capture, left, known, options.summary)
            if left:
                failures[capture] = left
    if options.summary:
        print_summary(failures)
    stale = [line for line, used in explained.items() if not used and line[0] in chosen]
    for line in stale:
        print("stale line in the table of differences: " + " ".join(line))
    print(f"{len(chosen) - len(failures)} passed, {len(failures)} failed, 0 skipped")
    return 1 if failures or stale else 0


if __name__ == "__main__":
    sys.exit(main())
