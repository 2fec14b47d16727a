#!/usr/bin/env python3
"""A router advertisement that says an encrypted resolver (DNR, RFC 9463 6), which no program of Debian 12 says yet.

    advertise.py INTERFACE NAME ADDRESS [TIMES]

To all nodes on the link, from the interface's own link-local address, once a second. For the lab's namespaces only.
"""
import socket
import struct
import sys
import time

ADVERTISEMENT, OPTION_DNR = 134, 144
ALPN, DOT = 1, b"\3dot"
ALL_NODES = "ff02::1"


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def designation(name, address):
    adn, addresses = wire(name), socket.inet_pton(socket.AF_INET6, address)
    params = struct.pack("!HH", ALPN, len(DOT)) + DOT
    body = struct.pack("!HIH", 1, 1200, len(adn)) + adn + struct.pack("!H", len(addresses)) + addresses
    body += struct.pack("!H", len(params)) + params
    body += bytes(-(len(body) + 2) % 8)
    return bytes([OPTION_DNR, (len(body) + 2) // 8]) + body


def main():
    interface, name, address = sys.argv[1:4]
    times = int(sys.argv[4]) if len(sys.argv) > 4 else 2
    # Hop limit 0 (unspecified), no flags, router lifetime 0: it is no default router. The kernel writes the checksum.
    packet = struct.pack("!BBHBBHII", ADVERTISEMENT, 0, 0, 0, 0, 0, 0, 0) + designation(name, address)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as s:
        index = socket.if_nametoindex(interface)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        for i in range(times):
            time.sleep(1 if i else 0)
            s.sendto(packet, (ALL_NODES, 0, 0, index))


if __name__ == "__main__":
    main()
