#!/usr/bin/python3
"""DoH servers that know one method only: each on an address of its own, port 443; the answers are those of BACKEND:53.

    doh-peer.py CERTIFICATE KEY BACKEND METHODS=ADDRESS...

METHODS: GET, POST or GET,POST. Any other method is answered with status 405.
"""
import base64
import socket
import ssl
import sys
import threading
import urllib.parse

import h2.config
import h2.connection
import h2.events

CERTIFICATE, KEY, BACKEND = sys.argv[1:4]


def resolve(query):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(3)
        s.sendto(query, (BACKEND, 53))
        return s.recv(65535)


def query_of(headers, body):
    if headers[":method"] == "POST":
        return bytes(body)
    text = urllib.parse.parse_qs(urllib.parse.urlsplit(headers[":path"]).query)["dns"][0]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def answer(talk, stream, headers, body, methods):
    if headers[":method"] not in methods:
        talk.send_headers(stream, [(":status", "405")], end_stream=True)
        return
    message = resolve(query_of(headers, body))
    talk.send_headers(stream, [(":status", "200"), ("content-type", "application/dns-message")])
    talk.send_data(stream, message, end_stream=True)


def serve(connection, methods):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    context.set_alpn_protocols(["h2"])
    try:
        connection = context.wrap_socket(connection, server_side=True)
        talk = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        talk.initiate_connection()
        requests = {}
        while True:
            connection.sendall(talk.data_to_send())
            octets = connection.recv(65535)
            if not octets:
                break
            for event in talk.receive_data(octets):
                if isinstance(event, h2.events.RequestReceived):
                    headers = {k if isinstance(k, str) else k.decode(): v if isinstance(v, str) else v.decode()
                               for k, v in event.headers}
                    requests[event.stream_id] = (headers, bytearray())
                elif isinstance(event, h2.events.DataReceived):
                    requests[event.stream_id][1].extend(event.data)
                elif isinstance(event, h2.events.StreamEnded):
                    answer(talk, event.stream_id, *requests.pop(event.stream_id), methods)
    except OSError:
        pass
    connection.close()


def listen(methods, address):
    listener = socket.create_server((address, 443), backlog=64)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, methods), daemon=True).start()


for argument in sys.argv[4:]:
    known, where = argument.split("=")
    threading.Thread(target=listen, args=(known.split(","), where), daemon=True).start()
threading.Event().wait()
