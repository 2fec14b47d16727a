#!/usr/bin/env python3
"""Makes a browser look up one name after another: a page that it shows, and who tells that page where to go next.

  browse.py serve PORT           the page, on the loopback of the namespace; it is ready once the browser asks for a name
  browse.py ready PORT SECONDS   waits until the browser shows the page
  browse.py visit PORT NAME SECONDS
                                 has it fetch http://NAME/; status 0: the page came (so the name was resolved)
"""
import http.server
import queue
import sys
import threading
import urllib.error
import urllib.request

PAGE = b"""<!DOCTYPE html><meta charset=utf-8><title>lab</title><script>
(async () => {
    for (;;) {
        let name = '', how = 'done';
        try {
            name = await (await fetch('/next', {cache: 'no-store'})).text();
        } catch (e) {
            await new Promise(r => setTimeout(r, 200));
        }
        if (!name) continue;
        try {
            await fetch('http://' + name + '/', {mode: 'no-cors', cache: 'no-store', signal: AbortSignal.timeout(8000)});
        } catch (e) {
            how = 'failed';
        }
        await fetch('/' + how + '?' + name, {cache: 'no-store'});
    }
})();
</script>"""


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    names, results, shown = queue.Queue(), queue.Queue(), threading.Event()

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass

    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def next_name(self):
        self.shown.set()
        try:
            return self.names.get(timeout=20).encode("ascii")
        except queue.Empty:
            return b""

    def visit(self, name, seconds):
        self.names.put(name)
        try:
            while True:
                how, of = self.results.get(timeout=seconds)
                if of == name:
                    return how.encode("ascii")
        except queue.Empty:
            return b"failed"

    def do_GET(self):  # pylint: disable=invalid-name
        verb, _, words = self.path[1:].partition("?")
        if verb == "next":
            self.answer(self.next_name())
        elif verb in ("done", "failed"):
            self.results.put((verb, words))
            self.answer(b"")
        elif verb == "ready":
            self.answer(b"done" if self.shown.wait(float(words)) else b"failed")
        elif verb == "visit":
            name, _, seconds = words.partition("&")
            self.answer(self.visit(name, float(seconds)))
        elif verb == "":
            self.answer(PAGE)
        else:
            self.answer(b"", 404)


def ask(port, words, seconds):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{words}", timeout=seconds + 5) as answer:
        return answer.read() == b"done"


def main():
    verb, port = sys.argv[1], int(sys.argv[2])
    if verb == "serve":
        http.server.ThreadingHTTPServer(("127.0.0.1", port), Page).serve_forever()
        return 0
    seconds = float(sys.argv[-1])
    words = f"ready?{seconds}" if verb == "ready" else f"visit?{sys.argv[3]}&{seconds}"
    try:
        return 0 if ask(port, words, seconds) else 1
    except (urllib.error.URLError, TimeoutError) as problem:
        print(f"browse.py {verb}: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
