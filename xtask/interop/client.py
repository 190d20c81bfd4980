"""Python `websockets` as a client of `hybi serve`.

client.py URL [CA]: prints one JSON line for each check: its name, the target of its connection,
and the close code or HTTP status that the server must have seen. The last check prints "waiting" first and ends
when the server goes away.
"""

import asyncio
import json
import os
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

URL = sys.argv[1]
CONTEXT = ssl.create_default_context(cafile=sys.argv[2]) if len(sys.argv) > 2 else None
PATIENCE = 20
count = 0


def target(path):
    """The path with a mark by which the access log finds this check."""
    global count
    count += 1
    return f"{path}{'&' if '?' in path else '?'}check={count}"


def dial(where, **options):
    # Not the client with threads: two of them read and write one TLS connection at the same time, which
    # sometimes leaves the request where it is.
    return connect(
        URL + where,
        ssl=CONTEXT,
        open_timeout=PATIENCE,
        close_timeout=PATIENCE,
        # By default 1 MiB, which random bytes exceed when they are compressed.
        max_size=1 << 21,
        proxy=None,
        **options,
    )


async def received(ws):
    return await asyncio.wait_for(ws.recv(), PATIENCE)


def same(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r:.200}, not {wanted!r:.200}")


def done(check, where, **seen):
    print(json.dumps({"check": check, "target": where, **seen}), flush=True)


async def echo(check, message, wanted=None):
    where = target("/echo")
    async with dial(where) as ws:
        await ws.send(message)
        same("echo", await received(ws), message if wanted is None else wanted)
    same("close code", ws.close_code, 1000)
    done(check, where, code=1000)


async def refused(check, where, status, **options):
    try:
        await (await dial(where, **options)).close()
    except InvalidStatus as refusal:
        same("status", refusal.response.status_code, status)
        return done(check, where, status=status)
    raise AssertionError("the server accepted")


async def main():
    await echo("text comes back", "Grüße, 世界 \U0001f44b")
    await echo("empty text comes back", "")
    await echo("binary comes back", bytes(range(256)))
    await echo("1 MiB comes back", os.urandom(1 << 20))
    await echo("fragments come back as one message", ["frag", "", "mented"], "fragmented")

    where = target("/echo")
    async with dial(where) as ws:
        await asyncio.wait_for(await ws.ping(b"are you there"), PATIENCE)
    done("ping is answered", where, code=1000)

    where = target("/echo")
    async with dial(where, subprotocols=["chat.v1", "chat.v2"]) as ws:
        same("subprotocol", ws.subprotocol, "chat.v2")
    done("the server's preferred subprotocol is agreed", where, code=1000)

    where = target("/echo")
    async with dial(where) as ws:
        await ws.close(4001, "done with it")
    same("code that came back", ws.close_code, 4001)
    done("the client closes with code and reason", where, code=4001)

    where = target("/close?code=4002&reason=enough")
    async with dial(where) as ws:
        try:
            await received(ws)
            raise AssertionError("a message instead of a close")
        except ConnectionClosed as closed:
            same("close", (closed.rcvd.code, closed.rcvd.reason), (4002, "enough"))
            same("answer", closed.sent.code, 4002)
    done("the server closes with code and reason", where, code=4002)

    await refused("an unknown path is refused with 404", target("/nowhere"), 404)
    await refused(
        "a foreign origin is refused with 403", target("/echo"), 403, origin="http://other.test"
    )

    where = target("/echo")
    async with dial(where) as ws:
        await ws.send("still here")
        same("echo", await received(ws), "still here")
        print("waiting", flush=True)
        try:
            await received(ws)
            raise AssertionError("a message instead of a close")
        except ConnectionClosed as closed:
            same("close code", closed.rcvd.code, 1001)
    done("a server that ends says 1001", where, code=1001)


asyncio.run(main())
