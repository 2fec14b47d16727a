#!/usr/bin/env python3
"""The evidence chain of a store, worked out anew from its description in rules/README.md and by nothing of the program.

    chain.py STORE             exit status 0: every digest and hash is what it says
    chain.py STORE --remake    makes links of all rows anew, as somebody without the key can
"""
import hashlib
import sqlite3
import struct
import sys

EVENT = ("id revision state kind rule severity verdict time first last count client server zone resolver host json").split()
NOTE = "time why first last rows base_row base_hash list".split()


def column(value):
    if value is None:
        return b"n"
    if isinstance(value, int):
        return b"i" + struct.pack("<q", value)
    octets = value.encode() if isinstance(value, str) else value
    return (b"t" if isinstance(value, str) else b"b") + struct.pack("<Q", len(octets)) + octets


def digest(salt, values):
    return hashlib.sha256((salt or b"") + b"".join(column(v) for v in values)).digest()


def link(before, row, of):
    return hashlib.sha256(before + column(row) + of).digest()


def contents(store, row):
    for table, names in (("chain_notes", NOTE), ("events", EVENT)):
        found = store.execute(f"SELECT {', '.join(names)} FROM {table} WHERE row = ?", (row,)).fetchone()
        if found:
            return found
    return None


def check(store):
    before = store.execute("SELECT base_hash FROM chain_notes WHERE base_row > 0 ORDER BY row DESC LIMIT 1").fetchone()
    before = before[0] if before else bytes(32)
    erased = dict(store.execute("SELECT row, digest FROM chain_erased ORDER BY note"))
    count = 0
    for row, salt, of, hashed in store.execute("SELECT row, salt, digest, hash FROM chain ORDER BY row").fetchall():
        if link(before, row, of) != hashed:
            return f"row {row} does not follow"
        before, said = hashed, contents(store, row)
        if said and digest(salt, said) != erased.get(row, of):
            return f"row {row} is not what its digest says"
        if not said and row not in erased:
            return f"row {row} is gone"
        count += 1
    return None if count else "there is no chain"


def remake(store):
    before = bytes(32)
    for row, salt in store.execute("SELECT row, salt FROM chain ORDER BY row").fetchall():
        of = digest(salt, contents(store, row))
        before = link(before, row, of)
        store.execute("UPDATE chain SET digest = ?, hash = ? WHERE row = ?", (of, before, row))
    store.commit()


def main():
    store = sqlite3.connect(sys.argv[1])
    store.text_factory = lambda octets: octets.decode("utf-8", "surrogateescape")
    if sys.argv[2:] == ["--remake"]:
        sys.exit(remake(store))
    sys.exit(check(store))


main()
