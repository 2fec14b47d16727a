#!/usr/bin/python3
"""From the packet that decides to the element in the kernel: the pieces of tests/bench/latency/run.sh.

    latency.py sink                        takes every connection to port 443 and says nothing
    latency.py hello COUNT RATE SOURCES    COUNT connections, RATE a second, from the addresses of SOURCES in turns, each to a
                                           server of its own in 198.18.0.0/16, with the hello of a resolver
    latency.py hear                        what nf_tables tells of its sets of pairs, until the end of standard input
    latency.py ask COUNT RATE SERVER       COUNT questions in clear text, each from an address of its own in 10.53.0.0/16
    latency.py lines FILE                  the alerts that come into an EVE file, until the end of standard input
    latency.py judge SENT HEARD LIMIT_MS   the times between; exit status 1 where p99 is above the limit, or one is missing

Times are the wall clock's of this machine, in microseconds; `sent` is read before the hello goes out.
"""
import json
import random
import socket
import ssl
import struct
import sys
import threading
import time

NAME = "doh.cdn.example"
GROUP_NFTABLES, SUBSYS_NFTABLES, MSG_NEWSETELEM = 7, 10, 12
ATTR_TABLE, ATTR_SET, ATTR_ELEMENTS = 1, 2, 3
ELEM_KEY, DATA_VALUE = 1, 1


def now():
    return time.time_ns() // 1000


def hello():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    sent = ssl.MemoryBIO()
    talk = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=NAME)
    try:
        talk.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return sent.read()


def server_of(number):
    return f"198.18.{number // 250}.{1 + number % 250}"


def send(count, rate, sources):
    message, begin, kept = hello(), time.monotonic(), []
    for number in range(count):
        wait = begin + (number + random.random()) / rate - time.monotonic()  # else in step with the ring's timer
        if wait > 0:
            time.sleep(wait)
        source, server = sources[number % len(sources)], server_of(number)
        connection = socket.create_connection((server, 443), timeout=3, source_address=(source, 0))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = now()
        connection.sendall(message)
        print(source, server, at, flush=True)
        kept.append(connection)
        if len(kept) > 200:
            kept.pop(0).close()


def attributes(data):
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            return
        yield kind & 0x3fff, data[at + 4:at + length]
        at += (length + 3) & ~3


def keys(elements):
    for _, element in attributes(elements):
        for kind, key in attributes(element):
            if kind == ELEM_KEY:
                yield dict(attributes(key)).get(DATA_VALUE, b"")


def tell(data, at):
    """The messages of one datagram: client and server of every element of a set of pairs."""
    offset = 0
    while offset + 20 <= len(data):
        length, kind = struct.unpack_from("=IH", data, offset)
        if length < 20:
            return
        if kind == SUBSYS_NFTABLES << 8 | MSG_NEWSETELEM:
            parts = dict(attributes(data[offset + 20:offset + length]))
            if parts.get(ATTR_SET, b"").rstrip(b"\0") == b"paired_ip4":
                for key in keys(parts.get(ATTR_ELEMENTS, b"")):
                    print(socket.inet_ntoa(key[:4]), socket.inet_ntoa(key[4:8]), at, flush=True)
        offset += (length + 3) & ~3


QUESTION = bytes.fromhex("123401000001000000000000") + b"\3www\7example\3org\0\0\1\0\1"


def ask(count, rate, server):
    begin = time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        for number in range(count):
            wait = begin + (number + random.random()) / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            source = f"10.53.{100 + number // 250}.{1 + number % 250}"
            udp = struct.pack("!HHHH", 20000 + number, 53, 8 + len(QUESTION), 0) + QUESTION
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0,
                               socket.inet_aton(source), socket.inet_aton(server))
            at = now()
            raw.sendto(head + udp, (server, 0))
            print(source, server, at, flush=True)


def lines(path):
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    rest = ""
    with open(path) as eve:
        eve.seek(0, 2)
        while not done.is_set():
            rest += eve.read()
            at = now()
            *whole, rest = rest.split("\n")
            for line in map(json.loads, whole):
                if line.get("sealdns", {}).get("kind") == "cleartext":
                    print(line["sealdns"]["client"], line["sealdns"]["server"], at, flush=True)
            if not whole:
                time.sleep(0.0005)


def hear():
    listen = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    listen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    listen.bind((0, 1 << (GROUP_NFTABLES - 1)))
    listen.settimeout(0.2)
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    while not done.is_set():
        try:
            data = listen.recv(1 << 20)
        except TimeoutError:
            continue
        tell(data, now())


def sink():
    listen = socket.create_server(("", 443), backlog=1024)
    kept = []
    while True:
        kept.append(listen.accept()[0])
        if len(kept) > 400:
            kept.pop(0).close()


def read(path):
    first = {}
    with open(path) as lines:
        for line in lines:
            client, server, at = line.split()
            first.setdefault((client, server), int(at))
    return first


def judge(sent, heard, limit_ms):
    sent, heard = read(sent), read(heard)
    times = sorted((heard[pair] - at) / 1000 for pair, at in sent.items() if pair in heard)
    missing = len(sent) - len(times)
    if not times:
        print("no element was heard of")
        return 1
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))]
    print(f"{len(times)} of {len(sent)} pairs: median {at(.5):.2f} ms, p90 {at(.9):.2f}, p99 {at(.99):.2f}, worst {times[-1]:.2f}")
    return int(missing > 0 or at(.99) > limit_ms)


def main():
    what, rest = sys.argv[1], sys.argv[2:]
    if what == "sink":
        sink()
    elif what == "hello":
        send(int(rest[0]), float(rest[1]), rest[2:])
    elif what == "ask":
        ask(int(rest[0]), float(rest[1]), rest[2])
    elif what == "lines":
        lines(rest[0])
    elif what == "hear":
        hear()
    else:
        sys.exit(judge(rest[0], rest[1], float(rest[2])))


main()
