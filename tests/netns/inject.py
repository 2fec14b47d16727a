#!/usr/bin/env python3
"""Sends one frame of each kind that the kernel's filter must take, and of some that it must not.
usage: inject.py INTERFACE TAG    TAG is in the source port, so that the reader knows the round."""
import socket
import struct
import sys

MACS = bytes.fromhex("02000000000202000000000f")
A4, B4 = socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.2")
A6, B6 = (socket.inet_pton(socket.AF_INET6, a) for a in ("2001:db8::1", "2001:db8::2"))


def udp(sport, dport, payload=b"x" * 20):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def tcp(sport, dport):
    return struct.pack("!HHIIBBHHH", sport, dport, 1, 0, 0x50, 2, 1000, 0, 0)


def ip4(proto, payload, flags=0, options=b""):
    return struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                       20 + len(options) + len(payload), 77, flags, 64, proto, 0, A4, B4
                       ) + options + payload


def ip6(proto, payload):
    return struct.pack("!IHBB16s16s", 0x60000000, len(payload), proto, 64, A6, B6) + payload


def ether(kind, payload):
    return MACS + struct.pack("!H", kind) + payload


def vlan(number, kind, payload):
    return struct.pack("!HH", number, kind) + payload


def pppoe(kind, payload):
    return struct.pack("!BBHHH", 0x11, 0, 5, len(payload) + 2, kind) + payload


def vpns(datagram):
    yield ether(0x0800, ip4(17, datagram))
    yield ether(0x8100, vlan(7, 0x0800, ip4(17, datagram)))
    yield ether(0x86DD, ip6(17, datagram))


def frames(tag):
    dns4, dns6 = ip4(17, udp(tag, 53)), ip6(17, udp(tag, 53))
    ppp4, ppp6 = pppoe(0x21, dns4), pppoe(0x57, dns6)
    yield ether(0x0800, ip4(17, udp(tag, 53)))
    yield ether(0x86DD, ip6(17, udp(tag, 53)))
    yield ether(0x0800, ip4(6, tcp(tag, 443), options=b"\1\1\1\0"))
    yield ether(0x0800, ip4(6, tcp(tag, 853)))
    yield ether(0x86DD, ip6(17, udp(tag, 784)))
    yield ether(0x8100, vlan(7, 0x0800, ip4(17, udp(tag, 53))))
    yield ether(0x8100, vlan(7, 0x86DD, ip6(6, tcp(tag, 853))))
    yield ether(0x88A8, vlan(100, 0x8100, vlan(8, 0x0800, dns4)))
    yield ether(0x8100, vlan(100, 0x8100, vlan(9, 0x86DD, dns6)))
    yield ether(0x8864, ppp4)
    yield ether(0x8864, ppp6)
    yield ether(0x8100, vlan(10, 0x8864, ppp4))
    yield ether(0x88A8, vlan(100, 0x8100, vlan(11, 0x8864, ppp6)))
    yield ether(0x0800, ip4(1, b"\3\x0d\0\0\0\0\0\0" + ip4(17, udp(tag, 53))[:28]))
    yield ether(0x86DD, ip6(58, b"\1\1\0\0\0\0\0\0" + dns6[:48]))
    yield ether(0x86DD, ip6(58, b"\x86\0\0\0" + bytes(12)))
    whole = udp(tag, 5053, b"y" * 40)
    yield ether(0x0800, ip4(17, whole[:24], 0x2000))
    yield ether(0x0800, ip4(17, whole[24:], 3))
    yield ether(0x86DD, ip6(44, struct.pack("!BBHI", 17, 0, 1, 9) + whole[:24]))
    yield ether(0x86DD, ip6(44, struct.pack("!BBHI", 17, 0, 24, 9) + whole[24:]))
    yield ether(0x86DD, ip6(0, bytes([17, 0, 1, 4, 0, 0, 0, 0]) + udp(tag, 53)))
    yield ether(0x0800, ip4(17, udp(68, 67)))
    yield from vpns(udp(51820, tag, b"\2\0\0\0" + bytes(88)))
    yield from vpns(udp(500, tag, bytes(40)))
    yield from vpns(udp(4500, tag, bytes(40)))
    yield from vpns(udp(1194, tag, b"\x40" + bytes(20)))
    # not watched
    yield from vpns(udp(51820, tag, b"\4\0\0\0" + bytes(88)))
    yield from vpns(udp(4500, tag, b"\1" + bytes(40)))
    yield from vpns(udp(1194, tag, b"\x48" + bytes(20)))
    yield ether(0x0800, ip4(17, udp(tag, 1234)))
    yield ether(0x8100, vlan(7, 0x0800, ip4(6, tcp(tag, 80))))
    yield ether(0x0800, ip4(1, b"\x08\0\0\0" + bytes(20)))
    yield ether(0x8864, pppoe(0x21, ip4(17, udp(tag, 1234))))
    yield ether(0x86DD, ip6(58, b"\x80\0\0\0" + bytes(20)))


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
    s.bind((sys.argv[1], 0))
    for frame in frames(int(sys.argv[2])):
        s.send(frame)
