#!/usr/bin/python3
"""A capture in which many clients ask several servers in clear text, one question each: as many events as pairs of them.

    many.py FILE CLIENTS SERVERS
"""
import struct
import sys
import time

SPAN = 3600 * 12  # of the capture, in seconds, up to an hour ago


def question(number):
    host = b"host%d" % (number % 977)
    labels = bytes([len(host)]) + host + b"\7example\3org\0"
    return struct.pack("!HHHHHH", number & 0xFFFF, 0x100, 1, 0, 0, 0) + labels + struct.pack("!HH", 1, 1)


def checksum(head):
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def frame(client, server, number):
    dns = question(number)
    udp = struct.pack("!HHHH", 1024 + number % 60000, 53, 8 + len(dns), 0) + dns
    ends = struct.pack("!II", 0x0A000000 + 1 + client, 0x09090900 + server)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), number & 0xFFFF, 0, 64, 17, 0) + ends
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return b"\2\0\0\0\0\1\2" + struct.pack("!IB", client, 0)[0:5] + b"\x08\0" + head + udp


def main():
    path, clients, servers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    count, begin = clients * servers, time.time() - 3600 - SPAN
    with open(path, "wb") as out:
        out.write(struct.pack("!IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number in range(count):
            packet = frame(number % clients, 1 + number // clients, number)
            at = begin + SPAN * number / count
            out.write(struct.pack("!IIII", int(at), int(at % 1 * 1e6), len(packet), len(packet)) + packet)


main()
