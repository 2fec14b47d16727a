#!/usr/bin/env python3
"""An endpoint for webhooks that checks signatures and writes each event as a line.

    webhook.py PORT SECRET OUT

A file OUT.refuse with a status makes it answer with that.
"""
import hashlib
import hmac
import http.server
import json
import os
import sys


class Endpoint(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, text=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mac = hmac.new(sys.argv[2].encode(), body, hashlib.sha256).hexdigest()
        if os.path.exists(sys.argv[3] + ".refuse"):
            with open(sys.argv[3] + ".refuse", encoding="ascii") as status:
                self.answer(int(status.read()), b"\x1b[31mnot now")
        elif self.headers["X-Sealdns-Signature"] != "sha256=" + mac:
            self.answer(401, b"bad signature")
        else:
            with open(sys.argv[3], "a", encoding="ascii") as out:
                for event in json.loads(body):
                    out.write(json.dumps(event, separators=(",", ":")) + "\n")
            self.answer(204)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Endpoint).serve_forever()
