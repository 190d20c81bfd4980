"""pywebsocket's frames and extensions as a client.

client.py HOST:PORT FOLDER JOBS: for each job of the JSON list sends every file of the folder, in
numeric order, and wants it back as it went; prints the job's number when all came back. The
opening handshake is made here: that of its example client offers two of the extensions only.
"""

import base64
import hashlib
import json
import os
import socket
import sys

import mended
from mod_pywebsocket import common, deflate_stream_extension, extensions, util
from mod_pywebsocket.stream import Stream, StreamOptions

ADDRESS, FOLDER, JOBS = sys.argv[1].split(":"), sys.argv[2], json.loads(sys.argv[3])
FRAGMENT = 10007


class Request(object):
    """What its stream wants of the request it answers: a connection to read and write."""

    def __init__(self, transport, version):
        self._transport = transport
        self.connection = self
        self.ws_version = version
        self.remote_addr = transport.getpeername()

    def read(self, size):
        return self._transport.recv(size)

    def write(self, data):
        self._transport.sendall(data)

    def _drain_received_data(self):
        util.drain_received_data(self._transport)


def shake_hands(transport, job):
    """The extensions that the server accepted."""
    key = base64.b64encode(os.urandom(16))
    transport.sendall(
        "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: %d\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Extensions: %s\r\n\r\n"
        % (job["path"], ":".join(ADDRESS), job["version"], key, job["offer"])
    )
    head = ""
    while not head.endswith("\r\n\r\n"):
        byte = transport.recv(1)
        assert byte, "no answer: %r" % head
        head += byte
    lines = head.split("\r\n")
    assert lines[0].startswith("HTTP/1.1 101 "), lines[0]
    fields = dict((name.lower(), value.strip()) for name, _, value in
                  (line.partition(":") for line in lines[1:]))
    accept = base64.b64encode(hashlib.sha1(key + common.WEBSOCKET_ACCEPT_UUID).digest())
    assert fields["sec-websocket-accept"] == accept
    accepted = fields.get("sec-websocket-extensions")
    quotes = job["version"] >= 13
    return common.parse_extensions(accepted, allow_quoted_string=quotes) if accepted else []


def client_side(accepted):
    """The processor of an accepted extension. It is made for servers, so that what binds the
    client goes by the names of what binds a server."""
    method = accepted.get_parameter_value("method")
    if method:
        method, = common.parse_extensions(method)
        for at, (name, value) in enumerate(method.get_parameters()):
            other = {"c2s": "s2c", "s2c": "c2s"}.get(name[:3], name[:3])
            method._parameters[at] = (other + name[3:], value)
        accepted = common.ExtensionParameter(accepted.name())
        accepted.add_parameter("method", common.format_extension(method))
    processor = extensions.get_extension_processor(accepted)
    assert processor and processor.get_extension_response(), "cannot do %s" % accepted.name()
    return processor


def converse(job):
    transport = socket.create_connection((ADDRESS[0], int(ADDRESS[1])), 20)
    options = StreamOptions()
    options.mask_send, options.unmask_receive = True, False
    for accepted in shake_hands(transport, job):
        client_side(accepted).setup_stream_options(options)
    stream = Stream(Request(transport, job["version"]), options)
    for name in sorted(os.listdir(FOLDER), key=int):
        with open(os.path.join(FOLDER, name), "rb") as payload:
            message = payload.read()
        if not job["binary"]:
            message = message.decode("utf-8")
        rest = message
        while job["fragments"] and len(rest) > FRAGMENT:
            stream.send_message(rest[:FRAGMENT], end=False, binary=job["binary"])
            rest = rest[FRAGMENT:]
        stream.send_message(rest, binary=job["binary"])
        got = stream.receive_message()
        assert type(got) is type(message) and got == message, "%s: came back different" % name
    stream.close_connection()
    transport.close()


for number, job in enumerate(JOBS):
    converse(job)
    print number
    sys.stdout.flush()
