#!/usr/bin/env python3
"""Clear-text questions in a stream, and who gets them.

    flow.py send ADDRESS SECONDS    asks 500 a second; prints how many it sent
    flow.py count FILE              listens on port 53; writes how many came, after each
"""
import socket
import sys
import time

QUESTION = bytes.fromhex("12340100000100000000000003777777076578616d706c65036f72670000010001")


def send(address, seconds):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end, sent = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        s.sendto(QUESTION, (address, 53))
        sent += 1
        time.sleep(0.002)
    print(sent)


def count(path):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 53))
    came = 0
    while True:
        with open(path, "w", encoding="ascii") as f:
            f.write(f"{came}\n")
        s.recv(512)
        came += 1


if sys.argv[1] == "send":
    send(sys.argv[2], float(sys.argv[3]))
else:
    count(sys.argv[2])
