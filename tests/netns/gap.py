#!/usr/bin/env python3
"""Is there a moment in which rules are missing, or too many?

    gap.py FORBIDDEN APPROVED FILE

Until FILE is there, asks FORBIDDEN over UDP in clear text and connects to port 853 of APPROVED, each time anew and
without a pause. Prints: questions asked, answered, connections tried, failed.
"""
import os
import socket
import sys

QUESTION = bytes.fromhex("123401000001000000000000") + b"\3www\7example\3org\0\0\1\0\1"


def is_answered(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.02)
        try:
            s.connect((server, 53))
            s.send(QUESTION)
            return bool(s.recv(512))
        except OSError:
            return False


def is_connected(server):
    try:
        socket.create_connection((server, 853), 1).close()
        return True
    except OSError:
        return False


def main():
    forbidden, approved, enough = sys.argv[1:]
    asked = answered = tried = failed = 0
    while not os.path.exists(enough):
        asked += 1
        answered += is_answered(forbidden)
        tried += 1
        failed += not is_connected(approved)
    print(asked, answered, tried, failed)


main()
