#!/usr/bin/env python3
"""ask.py doh|api HOST SECONDS SEED: one program that asks over HTTPS, in the rhythm of somebody who opens pages: several questions
at once, then a pause. As `doh` it asks a resolver: GET or POST, padded (RFC 8467) or not, HTTP/2 or 1.1; as `api` the same library
asks a service of its own about keys."""
import asyncio
import base64
import random
import struct
import sys

import httpx

from names import NAMES

KIND, HOST, SECONDS, SEED = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
R = random.Random(SEED)
GET, PADDED, COOKIE = R.random() < 0.5, R.random() < 0.5, R.random() < 0.3
WIDTH, PAUSE = R.choice([1, 2, 4, 8]), R.choice([0.2, 0.6, 1.5])
TYPES = R.choice([[1], [1, 28], [1, 28, 65]])


def question(name, kind):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    head = struct.pack(">HHHHHH", 0, 0x100, 1, 0, 0, 1) + labels + struct.pack(">HH", kind, 1)
    pad = (-(len(head) + 15)) % 128 if PADDED else None
    option = b"" if pad is None else struct.pack(">HH", 12, pad) + b"\0" * pad
    return head + b"\0" + struct.pack(">HHIH", 41, 1232, 0, len(option)) + option


async def ask(client, name, kind):
    if KIND == "api":
        key = R.choice([name, name.split(".")[0], str(R.randrange(1 << 40))])
        await client.get(f"https://{HOST}/api?n={R.randrange(20, R.choice([200, 700, 1500]))}&key={key}&t={kind}")
    elif GET:
        dns = base64.urlsafe_b64encode(question(name, kind)).rstrip(b"=").decode()
        await client.get(f"https://{HOST}/dns-query?dns={dns}", headers={"accept": "application/dns-message"})
    else:
        await client.post(f"https://{HOST}/dns-query", content=question(name, kind),
                          headers={"accept": "application/dns-message", "content-type": "application/dns-message"})


async def main():
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS
    headers = {"cookie": "s=" + "c" * R.randrange(10, 200)} if COOKIE and KIND == "api" else {}
    if R.random() < 0.5:
        headers["user-agent"] = "program/" + str(R.randrange(1, 99))
    async with httpx.AsyncClient(http2=R.random() < 0.85, verify=False, headers=headers, timeout=5,
                                 limits=httpx.Limits(max_connections=1)) as client:
        while loop.time() < end:
            names = R.sample(NAMES, R.randint(1, WIDTH))
            await asyncio.gather(*(ask(client, name, kind) for name in names for kind in TYPES), return_exceptions=True)
            await asyncio.sleep(R.expovariate(1 / PAUSE))

asyncio.run(main())
