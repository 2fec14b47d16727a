#!/usr/bin/env python3
"""Names as the clients of a network ask for them, and an hour of them as a capture: what a detector of tunnels must not take
for one. Everything follows from the seed.

    soak.py --names N [--seed S]                       lines "name type" for dnsperf
    soak.py --capture FILE [--clients C] [--seconds T] [--seed S]
                                                       a pcap of T seconds (default 3600), with answers

The mix: popular sites by Zipf; content deliveries and long cloud host names; addresses backwards in block lists, hashes
asked of reputation services; telemetry under random identifiers; advertisers that make up a name for each view; mail (SPF,
DKIM, DMARC, MX); PTR; service discovery; search suffixes. Nothing is asked of any network.
"""
import argparse
import heapq
import random
import socket
import struct
import sys

A, PTR, MX, TXT, AAAA, SRV, HTTPS = 1, 12, 15, 16, 28, 33, 65
WORDS = ("news mail shop static media img cdn api login auth video store cloud data app web edge assets portal sync update "
         "maps search play docs photos chat time status metrics events config feeds live music forum blog bank travel").split()
TLDS = "com net org de fr io eu".split()
HEX, B32, ALNUM = "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz234567", "abcdefghijklmnopqrstuvwxyz0123456789"


class Names:
    def __init__(self, rng):
        self.rng = rng
        self.sites = [f"{rng.choice(WORDS)}{rng.choice(WORDS)}{i}.{rng.choice(TLDS)}" for i in range(4000)]
        self.weights = [1 / (rank + 3) for rank in range(len(self.sites))]
        self.pages = {}
        self.kinds = [(self.site, 60), (self.delivery, 12), (self.cloud, 4), (self.block_list, 3), (self.reputation, 3),
                      (self.telemetry, 3), (self.advertiser, 4), (self.mail, 4), (self.reverse, 4), (self.discovery, 2),
                      (self.suffix, 1)]

    def coded(self, n, alphabet):
        return "".join(self.rng.choices(alphabet, k=n))

    def one(self):
        (kind,) = self.rng.choices([k for k, _ in self.kinds], [w for _, w in self.kinds])
        return kind()

    def site(self):
        (site,) = self.rng.choices(self.sites, self.weights)
        hosts = self.pages.setdefault(site, ["www." + site, site] + [f"{w}.{site}" for w in self.rng.sample(WORDS, 4)])
        return self.rng.choice(hosts), self.rng.choices([A, AAAA, HTTPS], [5, 4, 2])[0], 60

    def delivery(self):
        r = self.rng
        return r.choice([
            lambda: f"rr{r.randint(1, 9)}---sn-{self.coded(8, ALNUM)}.videodelivery.com",
            lambda: f"e{r.randint(1000, 99999)}.dsc{r.choice('abcdefg')}.edgekey{r.randint(1, 3)}.net",
            lambda: f"d{self.coded(13, ALNUM)}.frontdelivery.net",
            lambda: f"{self.coded(3, ALNUM)}-{r.choice(WORDS)}-{r.randint(1, 400)}.pops.fastdelivery.net",
        ])(), r.choice([A, AAAA]), r.randint(60, 180)

    def cloud(self):
        r = self.rng
        four = "-".join(str(r.randint(1, 254)) for _ in range(4))
        return r.choice([
            lambda: f"ec2-{four}.eu-central-1.compute.bigcloud.com",
            lambda: f"{r.choice(WORDS)}-{r.choice(WORDS)}-prod-{r.randint(1, 50)}.{self.coded(12, ALNUM)}.eu-west-1.rds.bigcloud.com",
            lambda: f"{r.choice(WORDS)}-{r.choice(WORDS)}-{r.randint(1, 9)}-{self.coded(10, ALNUM)}.internal-services.k8s.bigcloud.com",
            lambda: f"{self.coded(8, HEX)}-{self.coded(4, HEX)}-vault.storage-europe.othercloud.net",
        ])(), r.choice([A, AAAA]), r.randint(40, 160)

    def block_list(self):
        four = ".".join(str(self.rng.randint(1, 254)) for _ in range(4))
        six = ".".join(self.coded(32, HEX))
        name = self.rng.choice([f"{four}.zen.blocklist.org", f"{four}.bl.spamlist.net", f"{six}.zen.blocklist.org",
                                f"{self.rng.choice(WORDS)}{self.rng.randint(1, 9999)}.com.multi.urilist.org"])
        return name, self.rng.choice([A, A, A, TXT]), "verdict"

    def reputation(self):
        r = self.rng
        return r.choice([
            lambda: (f"{self.coded(26, ALNUM)}.files.reputation-a.com", A, "verdict"),
            lambda: (f"0.0.0.0.1.0.0.4e.{self.coded(26, ALNUM)}.avqs.mcafee.com", A, "verdict"),
            lambda: (f"{self.coded(40, HEX)}.{self.coded(8, HEX)}.s.sophosxl.net", TXT, 40),
            lambda: (f"{self.coded(32, B32)}._file.hbl.dq.spamhaus.net", A, "verdict"),
        ])()

    def telemetry(self):
        guid = "-".join(self.coded(n, HEX) for n in (8, 4, 4, 4, 12))
        return self.rng.choice([f"{guid}.events.telemetry.com", f"{self.coded(16, HEX)}.ping.measure.net",
                                f"v10.{self.rng.choice(WORDS)}.events.vendor.com"]), A, 120

    def advertiser(self):
        return self.rng.choice([f"{self.coded(24, ALNUM)}.view.adserver.com", f"{self.coded(20, HEX)}.cm.adexchange.net",
                                f"b{self.rng.randint(1, 10**9)}.bid.adserver.com"]), A, 40

    def mail(self):
        r, (site,) = self.rng, self.rng.choices(self.sites, self.weights)
        four = ".".join(str(r.randint(1, 254)) for _ in range(4))
        return r.choice([
            lambda: (site, MX, 120), lambda: (site, TXT, 400), lambda: ("_dmarc." + site, TXT, 120),
            lambda: (f"s{r.randint(2020, 2026)}._domainkey.{site}", TXT, 420),
            lambda: (f"{self.coded(32, ALNUM)}._domainkey.massmailer.com", TXT, 300),
            lambda: (f"{self.coded(32, ALNUM)}.dkim.massmailer.com", TXT, 300),
            lambda: (f"{four}._spf.sender.com", A, "verdict"),
        ])()

    def reverse(self):
        four = ".".join(str(self.rng.randint(1, 254)) for _ in range(4))
        return self.rng.choice([f"{four}.in-addr.arpa", ".".join(self.coded(32, HEX)) + ".ip6.arpa"]), PTR, 40

    def discovery(self):
        return self.rng.choice(["_ldap._tcp.dc._msdcs.corp.example.com", "_kerberos._tcp.corp.example.com",
                                f"_sip._tcp.{self.rng.choice(self.sites)}", f"_xmpp-client._tcp.{self.rng.choice(self.sites)}"]), SRV, 80

    def suffix(self):
        host, _, _ = self.site()
        return host + ".corp.example.com", A, "verdict"


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def query(ident, name, qtype):
    return struct.pack(">6H", ident, 0x0100, 1, 0, 0, 0) + wire(name) + struct.pack(">2H", qtype, 1)


def answer(ident, name, qtype, size):
    question = wire(name) + struct.pack(">2H", qtype, 1)
    if size == "verdict":
        soa = wire("a.ns.example.com") + b"\0" + struct.pack(">5I", 1, 1, 1, 1, 60)
        return (struct.pack(">6H", ident, 0x8183, 1, 0, 1, 0) + question +
                b"\xc0\x0c" + struct.pack(">2HIH", 6, 1, 60, len(soa)) + soa)
    if qtype in (A, AAAA):
        rdata = b"\xcb\x00\x71\x07" if qtype == A else socket.inet_pton(socket.AF_INET6, "2001:db8::7")
        count = max(1, size // 30)
        records = (b"\xc0\x0c" + struct.pack(">2HIH", qtype, 1, 300, len(rdata)) + rdata) * count
    else:
        rdata = b"".join(bytes([min(size - i, 255)]) + b"x" * min(size - i, 255) for i in range(0, size, 255))
        count, records = 1, b"\xc0\x0c" + struct.pack(">2HIH", TXT, 1, 300, len(rdata)) + rdata
    return struct.pack(">6H", ident, 0x8180, 1, count, 0, 0) + question + records


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(src, dst, sport, dport, payload):
    udp = struct.pack(">4H", sport, dport, 8 + len(payload), 0) + payload
    head = struct.pack(">2B3H2BH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, src, dst)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + udp


def sessions(rng, client, seconds):
    """Times at which a client asks: people in bursts, machines now and then."""
    at = rng.uniform(0, 30)
    while at < seconds:
        for _ in range(rng.randint(1, 25)):
            yield at, client
            at += rng.expovariate(8)
        at += rng.expovariate(1 / 40)


def capture(path, rng, clients, seconds):
    names, server, ident = Names(rng), socket.inet_aton("203.0.113.53"), 0
    mail_gateway = [(t * 0.7, 0) for t in range(int(seconds / 0.7))]
    merged = heapq.merge(mail_gateway, *(sessions(rng, c, seconds) for c in range(1, clients)))
    with open(path, "wb") as out:
        out.write(struct.pack("<I2H4I", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for at, client in merged:
            name, qtype, size = rng.choice([names.mail, names.block_list, names.reputation])() if client == 0 else names.one()
            ident = (ident + 7919) & 0xffff
            host, port = struct.pack(">4B", 10, 30, client >> 8, client & 255), rng.randint(20000, 60000)
            for when, data in ((at, packet(host, server, port, 53, query(ident, name, qtype))),
                               (at + 0.004, packet(server, host, 53, port, answer(ident, name, qtype, size)))):
                out.write(struct.pack("<4I", 1795262400 + int(when), int(when % 1 * 1e6), len(data), len(data)) + data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", type=int)
    parser.add_argument("--capture")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    if arguments.capture:
        capture(arguments.capture, rng, arguments.clients, arguments.seconds)
        return 0
    if not arguments.names:
        parser.error("say --names N or --capture FILE")
    words = {A: "A", PTR: "PTR", MX: "MX", TXT: "TXT", AAAA: "AAAA", SRV: "SRV", HTTPS: "HTTPS"}
    names = Names(rng)
    for _ in range(arguments.names):
        name, qtype, _ = names.one()
        print(name, words[qtype])
    return 0


if __name__ == "__main__":
    sys.exit(main())
