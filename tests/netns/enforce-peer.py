#!/usr/bin/env python3
"""Both ends of the packets that tests of the rules send. What is sent is no DNS unless a question is named.

enforce-peer.py serve ADDRESS...                 answers on 53, 443, 853 and 80, UDP and TCP, until it is ended
enforce-peer.py ask udp|tcp SOURCE SERVER PORT [NAME TYPE]   one line: answered|refused|silent MILLISECONDS
enforce-peer.py hold udp|tcp SOURCE SERVER PORT FLAG  connects, makes the file FLAG.open, waits for FLAG.go, sends, tells as ask does
enforce-peer.py keep SOURCE SERVER FLAG          the same with DNS on port 53, over TCP and UDP: tcp WORD udp WORD
"""
import errno
import os
import selectors
import socket
import struct
import sys
import time

PORTS = (53, 80, 443, 853)
PATIENCE = 1.5


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve(addresses):
    selector = selectors.DefaultSelector()
    for address in addresses:
        for port in PORTS:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                s = socket.socket(family(address), kind)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind((address, port))
                if kind == socket.SOCK_STREAM:
                    s.listen(64)
                selector.register(s, selectors.EVENT_READ, kind)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            s = key.fileobj
            try:
                if key.data == socket.SOCK_DGRAM:
                    s.sendto(*s.recvfrom(2048))
                elif key.data == socket.SOCK_STREAM:
                    selector.register(s.accept()[0], selectors.EVENT_READ, 0)
                else:
                    data = s.recv(2048)
                    if not data:
                        raise ConnectionError
                    s.sendall(data)
            except OSError:
                if key.data == 0:
                    selector.unregister(s)
                    s.close()


def tell(word, start):
    print(word, int((time.monotonic() - start) * 1000))


def question(name, number):
    """A query with EDNS, as stub resolvers send it."""
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0"
    edns = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)
    return struct.pack("!6H", 853, 0x0120, 1, 0, 0, 1) + labels + struct.pack("!2H", int(number), 1) + edns


def exchange(s, message=b"are you there"):
    s.send(message)
    return "answered" if s.recv(100) else "refused"


def attempt(action, start):
    try:
        tell(action(), start)
    except socket.timeout:
        tell("silent", start)
    except OSError as e:
        # a packet that the gateway's own rules drop on its way out is told at once
        tell("silent" if e.errno == errno.EPERM else "refused", start)


def opened(kind, source):
    s = socket.socket(family(source), kind)
    s.settimeout(PATIENCE)
    s.bind((source, 0))
    return s


def ask(transport, source, server, port, *asked):
    s = opened(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM, source)
    start = time.monotonic()

    def action():
        s.connect((server, int(port)))
        return exchange(s, question(*asked) if asked else b"are you there")

    attempt(action, start)


def hold(transport, source, server, port, flag):
    s = opened(socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM, source)
    s.connect((server, int(port)))
    exchange(s)
    open(flag + ".open", "w").close()
    while not os.path.exists(flag + ".go"):
        time.sleep(0.02)
    attempt(lambda: exchange(s), time.monotonic())


def resolved(s, stream):
    message = question("www.example.org", 1)
    s.send(struct.pack("!H", len(message)) + message if stream else message)
    return "answered" if len(s.recv(600)) > 2 else "refused"


def keep(source, server, flag):
    sockets = [(name, opened(kind, source), name == "tcp")
               for name, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM))]
    for _, s, stream in sockets:
        s.connect((server, 53))
        resolved(s, stream)
    open(flag + ".open", "w").close()
    while not os.path.exists(flag + ".go"):
        time.sleep(0.02)
    words = []
    for name, s, stream in sockets:
        try:
            words += [name, resolved(s, stream)]
        except OSError:
            words += [name, "lost"]
    print(*words)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2:])
    elif sys.argv[1] == "hold":
        hold(*sys.argv[2:7])
    elif sys.argv[1] == "keep":
        keep(*sys.argv[2:5])
    else:
        ask(*sys.argv[2:])
