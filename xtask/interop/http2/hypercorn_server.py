"""An application of hypercorn's, which takes WebSockets over HTTP/2, for `hybi connect`.

hypercorn_server.py [CERT KEY]: prints its URL, and for each WebSocket that ends one JSON line: the path, the
subprotocol, the close code that hypercorn tells of, the number of messages.
"""

import asyncio
import json
import socket
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        return
    path = scope["path"]
    await receive()
    if path == "/refuse":
        return await send({"type": "websocket.close"})
    offered = scope["subprotocols"]
    subprotocol = next((name for name in ["chat.v2", "chat.v1"] if name in offered), None)
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    report = {"path": path, "subprotocol": subprotocol, "http": scope["http_version"], "messages": 0}
    while (event := await receive())["type"] == "websocket.receive":
        report["messages"] += 1
        await send({**event, "type": "websocket.send"})
    print(json.dumps({**report, "code": event["code"], "reason": ""}), flush=True)


listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
config = Config()
config.bind = [f"fd://{listener.detach()}"]
config.errorlog = None
if len(sys.argv) > 1:
    config.certfile, config.keyfile = sys.argv[1:]
    config.alpn_protocols = ["h2"]
print(f"listening {'wss' if len(sys.argv) > 1 else 'ws'}://127.0.0.1:{port}", flush=True)
asyncio.run(serve(application, config))
