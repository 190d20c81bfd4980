"""A server of HTTP/2 for `hybi connect`, by Python `h2` and `wsproto`.

server.py [CERT KEY]: prints its URL, and for each WebSocket that ends one JSON line: the path, the subprotocol, the
close code and reason that came in, the number of messages.
"""

import asyncio
import json
import ssl
import sys

from over import Session, WebSocket
from wsproto.events import CloseConnection, Ping, Pong, TextMessage


async def serve(stream):
    head = await stream.head
    path = head[":path"]
    if (head[":method"], head.get(":protocol")) != ("CONNECT", "websocket"):
        return stream.answer(501, end=True)
    if path == "/refuse":
        return stream.answer(403, end=True)
    ws = await WebSocket.accept(stream, ["chat.v2", "chat.v1"])
    report = {"path": path, "subprotocol": ws.subprotocol, "messages": 0}
    if path == "/ping":
        await ws.send(Ping(b"are you there"))
    elif path == "/fragments":
        pieces = ["frag", "", "mented"]
        await ws.send(*(TextMessage(piece, message_finished=piece == "mented") for piece in pieces))
    elif path == "/close":
        await ws.send(CloseConnection(4004, "server says so"))
    while not isinstance(came := await ws.next(), CloseConnection):
        if came == Pong(b"are you there"):
            await ws.say("answered")
        else:
            report["messages"] += 1
            await ws.say(came)
    print(json.dumps({**report, "code": came.code, "reason": came.reason or ""}), flush=True)


async def main():
    context = None
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        context.set_alpn_protocols(["h2"])
    create = asyncio.get_running_loop().create_server
    server = await create(lambda: Session(serve), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    print(f"listening {'wss' if context else 'ws'}://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


asyncio.run(main())
