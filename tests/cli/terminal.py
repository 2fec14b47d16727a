#!/usr/bin/env python3
"""terminal.py [--size COLSxROWS] [--hang-up] COMMAND...: `sealdns top` on a pseudo-terminal, with a person's keys.

It must draw its share of sealed DNS (as far as the terminal has room), take another window, pause, and end with 0 on q.
--hang-up: the terminal goes away instead; then it must end by itself."""
import argparse
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PATIENCE = 15


def read_until(terminal, pattern):
    """Everything that was drawn until the pattern is in it, without the codes that move about."""
    drawn, end = b"", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            drawn += os.read(terminal, 65536)
        if re.search(pattern, re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]", b"", drawn)):
            return
    sys.exit(f"no {pattern!r} within {PATIENCE} s in {drawn[-500:]!r}")


def wait_end(pid):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.05)
    sys.exit("it does not end")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="100x30")
    parser.add_argument("--hang-up", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    columns, rows = map(int, options.size.split("x"))
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execv(options.command[0], options.command)
    read_until(terminal, rb"no sensor answers")
    if options.hang_up:
        os.close(terminal)
        status = wait_end(pid)
        sys.exit(0 if os.WIFSIGNALED(status) or os.WIFEXITED(status) else 1)
    os.write(terminal, b"w")
    if rows > 10:
        read_until(terminal, rb"week")
    os.write(terminal, b" ")
    if columns > 60:
        read_until(terminal, rb"paused")
    os.write(terminal, b"q")
    status = wait_end(pid)
    sys.exit(0 if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 else f"status {status}")


main()
