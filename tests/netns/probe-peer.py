#!/usr/bin/env python3
"""Servers that a probe must not fall for: each on an address of its own, ports 853 and 443.

    probe-peer.py CERTIFICATE KEY MODE=ADDRESS...

MODE: mute (accepts and says nothing), silent (TLS and then nothing), garbage (no TLS), noise (garbage within TLS),
drip (an answer that comes an octet a second), endless (an answer without end, in each protocol's own form), http1.
"""
import os
import socket
import ssl
import struct
import sys
import threading
import time

CERTIFICATE, KEY = sys.argv[1:3]
PROTOCOLS = {853: ["dot"], 443: ["h2"]}


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def sealed(connection, protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    context.set_alpn_protocols(protocols)
    return context.wrap_socket(connection, server_side=True)


def endless(connection, port):
    if port == 853:
        while True:
            connection.sendall(struct.pack(">H", 65535) + bytes(65535))
    connection.sendall(frame(4, 0, 0, b"") + frame(4, 1, 0, b"") + frame(1, 4, 1, b"\x88"))
    for _ in range(10000):
        connection.sendall(frame(0, 0, 1, bytes(4000)))


def drip(connection, port):
    connection.recv(4096)
    for octet in b"\x00\x40" + bytes(64) if port == 853 else frame(4, 0, 0, bytes(60)):
        connection.sendall(bytes([octet]))
        time.sleep(1)


# A socket closed over unread octets resets the connection, and what was sent may never be read.
def noise(connection):
    connection.recv(4096)
    connection.sendall(b"\x7f" * 400000)
    connection.settimeout(5)
    while connection.recv(4096):
        pass


def http1(connection, port):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def serve(connection, mode, port):
    try:
        if mode == "mute":
            time.sleep(30)
        elif mode == "garbage":
            connection.sendall(os.urandom(4000))
        else:
            talk = sealed(connection, ["http/1.1"] if mode == "http1" else PROTOCOLS[port])
            {"silent": lambda: time.sleep(30), "noise": lambda: noise(talk),
             "drip": lambda: drip(talk, port), "endless": lambda: endless(talk, port),
             "http1": lambda: http1(talk, port)}[mode]()
    except (OSError, ssl.SSLError):
        pass
    connection.close()


def listen(mode, address, port):
    listener = socket.create_server((address, port), backlog=64)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, mode, port), daemon=True).start()


for argument in sys.argv[3:]:
    how, where = argument.split("=")
    for number in PROTOCOLS:
        threading.Thread(target=listen, args=(how, where, number), daemon=True).start()
threading.Event().wait()
