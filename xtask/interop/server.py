"""Python `websockets` as a server for `hybi connect`.

server.py [CERT KEY]: prints its URL, and for each connection that ends one JSON line: the path,
the subprotocol, the close code and reason that came in, the number of messages.
"""

import asyncio
import json
import ssl
import sys
from http import HTTPStatus

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def handle(ws):
    path, messages = ws.request.path, 0
    try:
        if path == "/ping":
            await asyncio.wait_for(await ws.ping(b"are you there"), 20)
            await ws.send("answered")
        elif path == "/fragments":
            await ws.send(["frag", "", "mented"])
        elif path == "/close":
            await ws.close(4004, "server says so")
        async for message in ws:
            messages += 1
            await ws.send(message)
    except ConnectionClosed:
        pass
    report = {"path": path, "subprotocol": ws.subprotocol, "messages": messages}
    close = ws.protocol.close_rcvd
    report |= {"code": close and close.code, "reason": close and close.reason}
    print(json.dumps(report), flush=True)


def refuse(connection, request):
    if request.path == "/refuse":
        return connection.respond(HTTPStatus.FORBIDDEN, "not here\n")


def choose(connection, offered):
    """Our own order decides, and no subprotocol at all is fine."""
    return next((name for name in ["chat.v2", "chat.v1"] if name in offered), None)


async def main():
    context = None
    if len(sys.argv) > 1:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    hooks = {"process_request": refuse, "select_subprotocol": choose}
    async with serve(handle, "127.0.0.1", 0, max_size=1 << 21, ssl=context, **hooks) as server:
        port = server.sockets[0].getsockname()[1]
        scheme = "wss" if context else "ws"
        print(f"listening {scheme}://127.0.0.1:{port}", flush=True)
        await server.serve_forever()


asyncio.run(main())
