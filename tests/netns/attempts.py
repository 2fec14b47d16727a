#!/usr/bin/env python3
"""Clients that fall back at once: a connection to port 853 that is reset, and within the same millisecond a question in
clear text to somebody else.

    attempts.py SEALED CLEAR ADDRESS...
"""
import socket
import sys

QUESTION = bytes.fromhex("123401000001000000000000") + b"\3www\7example\3org\0\0\1\0\1"


def fall_back(address, sealed, clear):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ask, socket.socket() as dot:
        ask.bind((address, 0))
        dot.bind((address, 0))
        dot.settimeout(2)
        try:
            dot.connect((sealed, 853))
        except OSError:
            ask.sendto(QUESTION, (clear, 53))
            ask.settimeout(2)
            ask.recv(512)


for client in sys.argv[3:]:
    fall_back(client, *sys.argv[1:3])
