#!/usr/bin/env python3
"""Listens on a UNIX socket and appends what comes to a file: stream.py PATH OUT"""
import os
import socket
import sys

if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
door = socket.socket(socket.AF_UNIX)
door.bind(sys.argv[1])
door.listen()
while True:
    caller, _ = door.accept()
    with open(sys.argv[2], "ab") as out:
        while octets := caller.recv(65536):
            out.write(octets)
            out.flush()
