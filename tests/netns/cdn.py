#!/usr/bin/python3
"""Several sites behind one address, as a CDN has them: who is meant is told by the name in the ClientHello.

    cdn.py ADDRESS DEFAULT NAME=ADDRESS...

Listens on port 443 of ADDRESS and passes connections on, unread, to port 443 of the address of their name, or DEFAULT.
"""
import asyncio
import sys

ADDRESS, DEFAULT = sys.argv[1:3]
SITES = dict(site.split("=", 1) for site in sys.argv[3:])
SPLICE = 65536


async def carry(reader, writer):
    try:
        while data := await reader.read(SPLICE):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def serve(reader, writer):
    hello = await reader.read(SPLICE)
    site = next((SITES[name] for name in SITES if name.encode() in hello), DEFAULT)
    try:
        from_site, to_site = await asyncio.open_connection(site, 443)
    except OSError:
        writer.close()
        return
    to_site.write(hello)
    await asyncio.gather(carry(reader, to_site), carry(from_site, writer))


async def main():
    server = await asyncio.start_server(serve, ADDRESS, 443)
    async with server:
        await server.serve_forever()


asyncio.run(main())
