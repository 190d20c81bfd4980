"""Python `websockets` as a server with permessage-deflate.

deflate_server.py PARAMETERS: serves an echo for each element of the JSON list, and prints their
URLs. Below /fragments each echo comes in fragments.
"""

import asyncio
import json
import sys

from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

FRAGMENT = 10007


async def echo(ws):
    fragments = ws.request.path == "/fragments"
    async for message in ws:
        text = isinstance(message, str)
        message = message.encode() if text else message
        if fragments:
            starts = range(0, len(message) or 1, FRAGMENT)
            await ws.send([message[start : start + FRAGMENT] for start in starts], text=text)
        else:
            await ws.send(message, text=text)


async def main():
    options = {"compression": None, "max_size": None, "ping_interval": None}
    for parameters in json.loads(sys.argv[1]):
        extensions = [ServerPerMessageDeflateFactory(**parameters)]
        server = await serve(echo, "127.0.0.1", 0, extensions=extensions, **options)
        port = server.sockets[0].getsockname()[1]
        print(f"listening ws://127.0.0.1:{port}", flush=True)
    await asyncio.Future()


asyncio.run(main())
