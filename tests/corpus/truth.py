#!/usr/bin/env python3
"""What an independent dissector saw in the corpus captures, as the comparison needs it.

A corpus is a directory with pcap/, truth/ and inventory.tsv. Run on its own, this file checks that the truth agrees with
itself: truth.py [CORPUS]
"""
import collections
import os
import sys

UNSEEN_VERSIONS = {"", "0x0000"}
# A captured flow is oriented by its SYN or its ClientHello; without either, who is the client is a guess.
ORIENTING = {"SYN", "CH"}
# A hello or a certificate is TLS for sure; without any, the dissector goes by the port.
PROVING = {"CH", "SH", "CERT"}


def read_tsv(path):
    """Rows of an unquoted tab-separated file; bytes that are not UTF-8 survive as surrogates."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        lines = file.read().split("\n")
    header = lines[0].split("\t")
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        fields = line.split("\t")
        if len(fields) != len(header):
            raise ValueError(f"{path}:{number}: {len(fields)} fields, the header has {len(header)}")
        yield dict(zip(header, fields))


def rows(corpus, capture, kind):
    """The rows of a capture's `dns` or `tls` truth; none when there is no such file."""
    path = os.path.join(corpus, "truth", f"{capture}.{kind}.tsv")
    return list(read_tsv(path)) if os.path.exists(path) else []


def captures(corpus):
    return sorted(os.listdir(os.path.join(corpus, "pcap")))


def dns_counts(dns_rows):
    """Messages by what they are; a malformed one is in neither of the other two."""
    counts = collections.Counter(queries=0, responses=0, malformed=0)
    for row in dns_rows:
        if row["malformed"] == "1":
            counts["malformed"] += 1
        else:
            counts["responses" if row["qr"] == "1" else "queries"] += 1
    return counts


def dns_conversations(dns_rows):
    """{(client, server, transport): [queries, responses]}, by the QR bit: ports do not tell when both are 53."""
    found = collections.defaultdict(lambda: [0, 0])
    for row in dns_rows:
        if row["malformed"] == "1":
            continue
        ends = (row["src"], row["dst"])
        response = row["qr"] == "1"
        client, server = reversed(ends) if response else ends
        found[(client, server, "do53-" + row["transport"])][response] += 1
    return dict(found)


class Peer:
    """Everything seen between one client and one server port over one of tcp and udp."""

    def __init__(self):
        self.kinds, self.names, self.versions = set(), set(), set()
        self.offers = set()
        self.oriented = self.proven = False
        self.flows = 0

    def add(self, row):
        self.flows += 1
        self.kinds.add(row["kind"])
        events = set(row["events"].split("+"))
        self.oriented = self.oriented or bool(ORIENTING & events)
        self.proven = self.proven or bool(PROVING & events)
        if row["sni"]:
            self.names.add(row["sni"].lower())
        if row["alpn_offered"]:
            self.offers.add(frozenset(row["alpn_offered"].split(",")))
        version = row["negotiated_version"].split("-")[0].removeprefix("TLS")
        if version not in UNSEEN_VERSIONS:
            self.versions.add(version)


def peers(tls_rows):
    """{(client, server, server port, tcp or udp): Peer}"""
    found = collections.defaultdict(Peer)
    for row in tls_rows:
        found[(row["src"], row["dst"], int(row["dport"]), row["transport"])].add(row)
    return dict(found)


def disagreements(corpus):
    """Captures whose inventory counts are not the number of truth rows."""
    for entry in read_tsv(os.path.join(corpus, "inventory.tsv")):
        seen = collections.Counter()
        for row in rows(corpus, entry["file"], "dns"):
            kind = "messages" if row["transport"] == "tcp" else \
                ("responses" if row["qr"] == "1" else "queries")
            seen[f"{row['transport']}53_{kind}"] += 1
        for field in ("udp53_queries", "udp53_responses", "tcp53_messages"):
            if int(entry[field]) != seen[field]:
                yield f"{entry['file']}: inventory {field} {entry[field]}, truth rows {seen[field]}"


def main():
    corpus = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SEALDNS_CORPUS", "")
    if not os.path.isdir(os.path.join(corpus, "truth")):
        print("no corpus: skipped")
        return 0
    total = collections.Counter()
    for capture in captures(corpus):
        total.update(dns_counts(rows(corpus, capture, "dns")))
    wrong = list(disagreements(corpus))
    print("\n".join(wrong + [f"{len(captures(corpus))} captures: " +
                             ", ".join(f"{count} {name}" for name, count in total.items()) +
                             f"; {len(wrong)} disagreements with the inventory"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
