#!/usr/bin/env python3
"""Clear-text DNS queries of as many clients, each the begin of an event of its own.

    queries.py INTERFACE FIRST COUNT RATE [DELAY]

Client n is 10.(n >> 16).(n >> 8).n. RATE is of packets a second. With a DELAY each is answered after so many milliseconds.
"""
import socket
import struct
import sys
import time


def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def message(client, response=False):
    flags, port = 0x8180 if response else 0x0100, 1024 + client % 60000
    question = struct.pack("!6H", client & 0xFFFF, flags, 1, 0, 0, 0) + b"\x03www\x07example\x03org\x00" + struct.pack("!2H", 1, 1)
    ports = (53, port) if response else (port, 53)
    udp = struct.pack("!4H", *ports, 8 + len(question), 0) + question
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    ends = [struct.pack("!I", 0x0A000000 + client), socket.inet_aton("192.0.2.53")]
    ends = b"".join(reversed(ends) if response else ends)
    ip = head[:10] + struct.pack("!H", checksum(head + ends)) + ends
    return b"\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00" + ip + udp


def main():
    interface, first, count, rate = sys.argv[1], *map(int, sys.argv[2:5])
    delay = int(sys.argv[5]) / 1000 if len(sys.argv) > 5 else None
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((interface, 0))
    begin = time.monotonic()
    for n in range(count):
        wire.send(message(first + n))
        if delay is not None:
            time.sleep(delay)
            wire.send(message(first + n, True))
        ahead = begin + n / rate - time.monotonic()
        if ahead > 0.005:
            time.sleep(ahead)


main()
