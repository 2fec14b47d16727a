#!/usr/bin/env python3
"""move-capture.py FROM TO: the packets of a pcap file (microseconds), moved so that the last was a minute ago."""
import struct
import sys
import time


def packets(data, order):
    at = 24
    while at + 16 <= len(data):
        seconds, micros, length, _ = struct.unpack_from(order + "IIII", data, at)
        yield at, seconds, micros
        at += 16 + length


def main():
    with open(sys.argv[1], "rb") as source:
        data = bytearray(source.read())
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    found = list(packets(data, order))
    moved = int(time.time()) - 60 - found[-1][1]
    for at, seconds, _ in found:
        struct.pack_into(order + "I", data, at, seconds + moved)
    with open(sys.argv[2], "wb") as target:
        target.write(data)


main()
