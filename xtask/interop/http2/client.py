"""A client of `hybi serve` over one connection of HTTP/2, by Python `h2` and `wsproto`.

client.py URL [CA]: prints one JSON line for each check: its name, the target of its stream, and the close code or HTTP
status that the server must have seen. The last check prints "waiting" first and ends when the server does.
"""

import asyncio
import json
import os
import ssl
import sys

from over import Refused, WebSocket, connect
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

URL = sys.argv[1]
CONTEXT = ssl.create_default_context(cafile=sys.argv[2]) if len(sys.argv) > 2 else None
count = 0


def target(path):
    """The path with a mark by which the access log finds this check."""
    global count
    count += 1
    return f"{path}{'&' if '?' in path else '?'}check={count}"


def same(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r:.200}, not {wanted!r:.200}")


def done(check, where, **seen):
    print(json.dumps({"check": check, "target": where, **seen}), flush=True)


async def closed(ws):
    same("the code that came back", (await ws.close(1000)).code, 1000)


async def echo(session, check, message, compresses=True):
    where = target("/echo")
    ws = await WebSocket.open(session, where, compresses=compresses)
    same("compression", ws.compresses, compresses)
    await ws.say(message)
    same("echo", await ws.next(), message)
    await closed(ws)
    done(check, where, code=1000)


async def refused(session, check, where, status, **fields):
    try:
        await WebSocket.open(session, where, **fields)
    except Refused as refusal:
        same("status", refusal.args, (status,))
        return done(check, where, status=status)
    raise AssertionError("the server accepted")


async def together(session):
    """Sixteen, of which each says what it is before any other closes."""
    where = target("/echo")
    all = [await WebSocket.open(session, where) for _ in range(16)]
    for number, ws in enumerate(all):
        await ws.say(str(number) * 50_000)
    for number, ws in reversed(list(enumerate(all))):
        same("echo", await ws.next(), str(number) * 50_000)
    await asyncio.gather(*map(closed, all))
    done("sixteen at a time come back to each", where, code=1000)


async def main():
    session = await connect(URL, CONTEXT)
    await echo(session, "text comes back", "Grüße, 世界 \U0001f44b")
    await echo(session, "empty text comes back", "")
    await echo(session, "binary comes back", bytes(range(256)))
    await echo(session, "1 MiB comes back", os.urandom(1 << 20))
    await echo(session, "1 MiB comes back uncompressed", bytes(1 << 20), compresses=False)

    where = target("/echo")
    ws = await WebSocket.open(session, where)
    pieces = ["frag", "", "mented"]
    await ws.send(*(TextMessage(piece, message_finished=piece == "mented") for piece in pieces))
    same("echo", await ws.next(), "fragmented")
    await closed(ws)
    done("fragments come back as one message", where, code=1000)

    where = target("/echo")
    ws = await WebSocket.open(session, where)
    await ws.send(Ping(b"are you there"))
    same("pong", await ws.next(), Pong(b"are you there"))
    await closed(ws)
    done("ping is answered", where, code=1000)

    where = target("/echo")
    ws = await WebSocket.open(session, where, ["chat.v1", "chat.v2"])
    same("subprotocol", ws.subprotocol, "chat.v2")
    await closed(ws)
    done("the server's preferred subprotocol is agreed", where, code=1000)

    where = target("/echo")
    ws = await WebSocket.open(session, where)
    same("code that came back", (await ws.close(4001, "done with it")).code, 4001)
    done("the client closes with code and reason", where, code=4001)

    where = target("/close?code=4002&reason=enough")
    ws = await WebSocket.open(session, where)
    same("close", await ws.next(), CloseConnection(4002, "enough"))
    done("the server closes with code and reason", where, code=4002)

    await refused(session, "an unknown path is refused with 404", target("/nowhere"), 404)
    foreign = {"origin": "http://other.test"}
    await refused(session, "a foreign origin is refused with 403", target("/echo"), 403, **foreign)

    where = target("/echo")
    _, head = await session.request("another", where, {"sec-websocket-version": "13"})
    same("status", head[":status"], "501")
    done("another protocol is refused with 501", where, status=501)

    await together(session)

    where = target("/echo")
    ws = await WebSocket.open(session, where)
    await ws.say("still here")
    same("echo", await ws.next(), "still here")
    print("waiting", flush=True)
    same("close code", (await ws.next()).code, 1001)
    done("a server that ends says 1001", where, code=1001)


asyncio.run(main())
