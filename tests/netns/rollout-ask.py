"""Asks a server in clear text once from each of this machine's addresses that begin so, and prints what became of it.

rollout-ask.py SERVER4 SERVER6 PREFIX4 PREFIX6: lines "ADDRESS answered|cut"; silence counts as cut.
"""
import json
import selectors
import socket
import subprocess
import sys
import time

QUESTION = bytes.fromhex("123401000001000000000000" "03777777076578616d706c65036f7267" "00" "00010001")


def addresses(prefixes):
    links = json.loads(subprocess.run(["ip", "-j", "address"], stdout=subprocess.PIPE, check=True).stdout)
    all_of = [a["local"] for link in links for a in link["addr_info"]]
    return [a for a in all_of if a.startswith(prefixes)]


def main():
    server4, server6, *prefixes = sys.argv[1:]
    waiting = selectors.DefaultSelector()
    outcome = {}
    for address in addresses(tuple(prefixes)):
        v6 = ":" in address
        s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((address, 0))
        s.connect((server6 if v6 else server4, 53))
        s.send(QUESTION)
        s.setblocking(False)
        outcome[address] = "cut"
        waiting.register(s, selectors.EVENT_READ, address)
    end = time.monotonic() + 3
    while waiting.get_map() and time.monotonic() < end:
        for key, _ in waiting.select(0.2):
            try:
                key.fileobj.recv(512)
                outcome[key.data] = "answered"
            except OSError:
                pass
            waiting.unregister(key.fileobj)
    for address, what in outcome.items():
        print(address, what)


main()
