"""UDP in a VLAN across a bridge, frame by frame, for kernels that make no VLAN interfaces.

tagged.py send MAC SOURCE DESTINATION PORT...   one frame each, of VLAN 5, to the machine with this link address
tagged.py hear FILE SECONDS                     writes "ready", then the destination port of each UDP packet that comes
"""
import fcntl
import socket
import struct
import sys
import time

ALL = 3  # ETH_P_ALL


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def send(mac, source, destination, *ports):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("eth0", 0))
    own = fcntl.ioctl(s, 0x8927, struct.pack("256s", b"eth0"))[18:24]  # SIOCGIFHWADDR
    for port in ports:
        udp = struct.pack("!4H", 40000, int(port), 8 + 12, 0) + bytes(12)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                         socket.inet_aton(source), socket.inet_aton(destination))
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        s.send(bytes.fromhex(mac.replace(":", "")) + own + struct.pack("!HHH", 0x8100, 5, 0x0800) + ip + udp)


def hear(path, seconds):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    end = time.monotonic() + float(seconds)
    with open(path, "w", buffering=1) as to:
        to.write("ready\n")
        while (left := end - time.monotonic()) > 0:
            s.settimeout(left)
            try:
                frame, where = s.recvfrom(2048)
            except TimeoutError:
                return
            if where[2] != socket.PACKET_OUTGOING and frame[12:14] == b"\x08\x00" and frame[23] == 17:
                to.write(f"{struct.unpack('!H', frame[36:38])[0]}\n")


{"send": send, "hear": hear}[sys.argv[1]](*sys.argv[2:])
