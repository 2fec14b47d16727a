#!/usr/bin/env python3
"""What stands behind the lab's web servers: objects, an API, suggestions, server-sent events, WebSocket; and relays
that add delay in front of any server.

  backend.py web                       HTTP/1.1 on 127.0.0.1:8080, WebSocket on 127.0.0.1:8081
  backend.py http                      the former alone
  backend.py relay ADDR=TARGET=MS...   each listens on ADDR:443 and passes TCP on to TARGET:443, MS later each way
"""
import asyncio
import os
import random
import sys
import urllib.parse

from names import NAMES

HEAD = "HTTP/1.1 %s\r\nContent-Type: %s\r\n%s\r\n"

PAGE = """<!doctype html><title>p</title><body><script>
const names = %s;
let n = 0;
const q = new URLSearchParams(location.search);
function again() {
  n++;
  %s
  setTimeout(again, +q.get('every') * (0.4 + 1.2 * Math.random()));
}
again();
</script></body>"""
SCRIPTS = {
    # Other names each time: what resolves them has work.
    "hosts": "for (let i = 0; i < 1 + Math.random() * 3; i++) new Image().src = "
             "'http://' + names[Math.floor(Math.random() * names.length)] + '/s?' + n + i;",
    "poll": "fetch('/api?n=' + Math.floor(80 + Math.random() * +q.get('n')) + '&d=' + Math.floor(Math.random() * 60));",
    "tiles": "for (let i = 0; i < 1 + Math.random() * 6; i++) new Image().src = "
             "'/obj/' + Math.floor(300 + Math.random() * +q.get('n')) + '?' + n + i;",
}


def text(n):
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=n))


async def events(writer, query):
    writer.write((HEAD % ("200 OK", "text/event-stream", "Connection: close\r\n")).encode())
    for _ in range(int(query.get("n", "30"))):
        writer.write(f"data: {text(random.randint(20, 400))}\n\n".encode())
        await writer.drain()
        await asyncio.sleep(float(query.get("every", "500")) / 1000 * random.uniform(0.2, 1.8))


async def body_of(path, query):
    if path.startswith("/obj/"):
        return "application/octet-stream", os.urandom(min(int(path[5:]), 20_000_000))
    if path.startswith("/page/"):
        return "text/html", (PAGE % (NAMES if path == "/page/hosts" else [], SCRIPTS[path[6:]])).encode()
    if path == "/suggest":
        random.seed(query.get("q", ""))
        words = [query.get("q", "") + text(random.randint(2, 14)) for _ in range(random.randint(3, 10))]
        random.seed()
        await asyncio.sleep(random.uniform(0.001, 0.05))
        return "application/json", repr(words).encode()
    if path == "/api":
        await asyncio.sleep(float(query.get("d", "0")) / 1000)
        return "application/json", ('{"ok":1,"v":"%s"}' % text(int(query.get("n", "200")))).encode()
    return "text/plain", b"ok\n"


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            length = sum(int(line[15:]) for line in lines if line.lower().startswith("content-length:"))
            await reader.readexactly(length)
            url = urllib.parse.urlsplit(lines[0].split(" ")[1])
            query = dict(urllib.parse.parse_qsl(url.query))
            if url.path == "/events":
                await events(writer, query)
                break
            kind, body = await body_of(url.path, query)
            writer.write((HEAD % ("200 OK", kind, f"Content-Length: {len(body)}\r\n")).encode() + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, KeyError, IndexError):
        pass
    finally:
        writer.close()


async def talk(socket):
    async def push():
        while True:
            await asyncio.sleep(random.expovariate(0.5))
            await socket.send(text(random.randint(20, 500)))
    task = asyncio.create_task(push())
    try:
        async for _ in socket:
            await socket.send(text(random.randint(10, 60)))
    except Exception:  # pylint: disable=broad-except
        pass  # the client went away
    finally:
        task.cancel()


async def web():
    import websockets
    await websockets.serve(talk, "127.0.0.1", 8081)


async def pump(reader, writer, delay):
    queue = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def send():
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                writer.close()
                return
            writer.write(data)
    task = asyncio.create_task(send())
    data = b"-"
    while data:
        try:
            data = await reader.read(65536)
        except ConnectionError:
            data = b""
        queue.put_nowait((loop.time() + delay, data))
    await asyncio.gather(task, return_exceptions=True)


async def relay(address, target, delay):
    async def accept(reader, writer):
        try:
            up = await asyncio.open_connection(target, 443)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, up[1], delay), pump(up[0], writer, delay), return_exceptions=True)
    await asyncio.start_server(accept, address, 443)


async def main():
    if sys.argv[1] in ("web", "http"):
        await asyncio.start_server(serve, "127.0.0.1", 8080)
        if sys.argv[1] == "web":
            await web()
    else:
        for word in sys.argv[2:]:
            address, target, delay = word.split("=")
            await relay(address, target, float(delay) / 1000)
    await asyncio.Event().wait()

asyncio.run(main())
