#!/usr/bin/env python3
"""talk.py HOST SECONDS: a chat over WebSocket: now and then a line, the server answers and says things of its own."""
import asyncio
import random
import ssl
import sys

import websockets


async def main():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with websockets.connect(f"wss://{sys.argv[1]}/ws", ssl=context, compression=None) as socket:
        async def listen():
            async for _ in socket:
                pass
        task = asyncio.create_task(listen())
        end = asyncio.get_running_loop().time() + float(sys.argv[2])
        while asyncio.get_running_loop().time() < end:
            await socket.send("x" * random.randint(2, 160))
            await asyncio.sleep(random.expovariate(2))
        task.cancel()

asyncio.run(main())
