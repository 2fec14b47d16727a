#!/usr/bin/python3
"""A TLS ClientHello in another client's name: for the lab's namespaces only.

    forge-hello.py CLIENT SERVER NAME [syn]        out of nothing, or behind a SYN that is forged too
"""
import random
import socket
import ssl
import struct
import sys

SYN, PSH_ACK = 0x02, 0x18


def hello(name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        return out.read()
    raise SystemExit("no hello")


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def segment(client, server, port, numbers, flags, payload=b""):
    ends = socket.inet_aton(client) + socket.inet_aton(server)
    head = struct.pack("!HHIIBBHHH", port, 443, *numbers, 5 << 4, flags, 64240, 0, 0)
    total = checksum(ends + struct.pack("!HH", 6, len(head) + len(payload)) + head + payload)
    head = head[:16] + struct.pack("!H", total) + head[18:]
    return struct.pack("!BBHHHBBH", 0x45, 0, 0, random.randrange(1, 65536), 0, 64, 6, 0) + ends + head + payload


def main():
    client, server, name, *syn = sys.argv[1:]
    said, first, guess = hello(name), random.randrange(1 << 32), random.randrange(1 << 32)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as to:
        if syn:
            to.sendto(segment(client, server, 50001, (first - 1 & 0xFFFFFFFF, 0), SYN), (server, 0))
        to.sendto(segment(client, server, 50001, (first, guess), PSH_ACK, said), (server, 0))


main()
