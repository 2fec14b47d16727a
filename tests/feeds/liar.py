#!/usr/bin/env python3
"""A receiver that does not behave.

    liar.py PORT reset|garbage|headers|redirect|silent

reset: takes a request and resets the connection; garbage: answers octets that are no HTTP; headers: an answer whose headers never end;
redirect: sends the sender elsewhere; silent: takes everything and says nothing.
"""
import socket
import struct
import sys
import threading

GARBAGE = bytes(range(256)) * 16


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def headers(peer):
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        peer.sendall(b"X-Endless: " + b"a" * 4000 + b"\r\n")


WAYS = {"reset": reset, "garbage": lambda peer: peer.sendall(GARBAGE), "headers": headers,
        "redirect": lambda peer: peer.sendall(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
        "silent": lambda peer: peer.recv(1) and threading.Event().wait(30)}


def serve(peer, way):
    try:
        peer.recv(65536)
        way(peer)
    except OSError:
        return
    finally:
        peer.close()


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=serve, args=(peer, WAYS[sys.argv[2]]), daemon=True).start()


main()
