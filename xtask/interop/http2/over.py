"""A connection of HTTP/2 by Python `h2`, in either role, and WebSockets by `wsproto` on its streams (RFC 8441).

Neither does I/O, so that each frame is where these scripts put it.
"""

import asyncio
from urllib.parse import urlsplit

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.settings import SettingCodes
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.handshake import client_extensions_handshake, server_extensions_handshake

PATIENCE = 20
EXTENSIONS = "sec-websocket-extensions"


class Refused(Exception):
    """The server answered with this status."""


class Session(asyncio.Protocol):
    """One connection; a server's calls `serve(stream)` for each request, in a task of its own."""

    def __init__(self, serve=None):
        self.serve = serve
        self.h2 = H2Connection(H2Configuration(client_side=serve is None, header_encoding="utf-8"))
        if serve:
            self.h2.local_settings[SettingCodes.ENABLE_CONNECT_PROTOCOL] = 1
            self.h2.local_settings.acknowledge()
        self.streams = {}
        self.tasks = set()
        self.extended = asyncio.get_running_loop().create_future()
        self.room = asyncio.Event()

    def connection_made(self, transport):
        self.transport = transport
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        self.transport.write(self.h2.data_to_send())

    def data_received(self, data):
        for event in self.h2.receive_data(data):
            stream = self.streams.get(getattr(event, "stream_id", None))
            match event:
                case RequestReceived():
                    stream = self.stream(event.stream_id)
                    stream.head.set_result(dict(event.headers))
                    task = asyncio.create_task(self.serve(stream))
                    self.tasks.add(task)
                    task.add_done_callback(self.tasks.discard)
                case ResponseReceived():
                    stream.head.set_result(dict(event.headers))
                case DataReceived():
                    stream.came.put_nowait((event.data, event.flow_controlled_length))
                case StreamEnded():
                    stream.came.put_nowait((b"", 0))
                case StreamReset():
                    stream.came.put_nowait((None, event.error_code))
                    stream.head.cancel()
                case RemoteSettingsChanged() if not self.extended.done():
                    offered = event.changed_settings.get(SettingCodes.ENABLE_CONNECT_PROTOCOL)
                    self.extended.set_result(bool(offered and offered.new_value))
            if isinstance(event, (RemoteSettingsChanged, WindowUpdated, StreamReset)):
                self.room.set()
        self.flush()

    def connection_lost(self, _error):
        for stream in self.streams.values():
            stream.came.put_nowait((None, "the connection is lost"))
        self.room.set()

    def stream(self, number):
        stream = self.streams[number] = Stream(self, number)
        return stream

    async def request(self, protocol, path, fields):
        """Asks for a stream that speaks this protocol; the stream, and the head of the answer."""
        assert await asyncio.wait_for(self.extended, PATIENCE), "no extended CONNECT is offered"
        stream = self.stream(self.h2.get_next_available_stream_id())
        host, port = self.transport.get_extra_info("peername")
        tls = self.transport.get_extra_info("ssl_object")
        head = {
            ":method": "CONNECT",
            ":protocol": protocol,
            ":scheme": "https" if tls else "http",
            ":path": path,
            ":authority": f"{host}:{port}",
        }
        self.h2.send_headers(stream.number, [*head.items(), *fields.items()])
        self.flush()
        return stream, await asyncio.wait_for(stream.head, PATIENCE)


async def connect(url, context):
    """A connection to the host of this URL, through TLS if there is a context."""
    if context:
        context.set_alpn_protocols(["h2"])
    url = urlsplit(url)
    create = asyncio.get_running_loop().create_connection
    return (await create(Session, url.hostname, url.port, ssl=context))[1]


class Stream:
    """One stream of a connection."""

    def __init__(self, session, number):
        self.session, self.h2, self.number = session, session.h2, number
        self.head = asyncio.get_running_loop().create_future()
        self.came = asyncio.Queue()

    def answer(self, status, fields={}, end=False):
        self.h2.send_headers(self.number, [(":status", str(status)), *fields.items()], end)
        self.session.flush()

    async def send(self, data):
        while data:
            window = self.h2.local_flow_control_window(self.number)
            size = min(len(data), window, self.h2.max_outbound_frame_size)
            if size > 0:
                self.h2.send_data(self.number, data[:size])
                self.session.flush()
                data = data[size:]
            else:
                self.session.room.clear()
                await asyncio.wait_for(self.session.room.wait(), PATIENCE)

    def end(self):
        self.h2.end_stream(self.number)
        self.session.flush()

    async def receive(self):
        """What came next; nothing at the end of the stream, an error where it was reset."""
        data, told = await asyncio.wait_for(self.came.get(), PATIENCE)
        if data is None:
            raise ConnectionResetError(f"stream {self.number} was reset: {told}")
        if data:
            self.h2.acknowledge_received_data(told, self.number)
            self.session.flush()
        return data

    async def finished(self):
        """The end of the peer's half, whatever comes before it; an error where it was reset instead."""
        while await self.receive():
            pass


class WebSocket:
    """A WebSocket on a stream that was agreed on."""

    def __init__(self, stream, role, subprotocol, extensions):
        self.stream, self.subprotocol = stream, subprotocol
        self.compresses = bool(extensions)
        self.ws = Connection(role, extensions)
        self.waiting = []

    @classmethod
    async def open(cls, session, path, subprotocols=(), compresses=True, **fields):
        deflate = PerMessageDeflate()
        fields["sec-websocket-version"] = "13"
        if compresses:
            fields[EXTENSIONS] = f"{deflate.name}; {deflate.offer()}"
        if subprotocols:
            fields["sec-websocket-protocol"] = ", ".join(subprotocols)
        stream, head = await session.request("websocket", path, fields)
        if head[":status"] != "200":
            raise Refused(int(head[":status"]))
        accepted = [head[EXTENSIONS]] if EXTENSIONS in head else []
        extensions = client_extensions_handshake(accepted, [deflate])
        return cls(stream, ConnectionType.CLIENT, head.get("sec-websocket-protocol"), extensions)

    @classmethod
    async def accept(cls, stream, preferred):
        """Ours is the order that decides about subprotocols, and none at all is fine."""
        head, fields, extensions = await stream.head, {}, [PerMessageDeflate()]
        agreed = server_extensions_handshake(listed(head, EXTENSIONS), extensions)
        if agreed:
            fields[EXTENSIONS] = agreed.decode()
        offered = listed(head, "sec-websocket-protocol")
        subprotocol = next((name for name in preferred if name in offered), None)
        if subprotocol:
            fields["sec-websocket-protocol"] = subprotocol
        stream.answer(200, fields)
        return cls(stream, ConnectionType.SERVER, subprotocol, extensions if agreed else [])

    async def send(self, *events):
        for event in events:
            await self.stream.send(self.ws.send(event))

    async def say(self, message):
        await self.send(TextMessage(message) if isinstance(message, str) else BytesMessage(message))

    async def close(self, code, reason=None):
        """Closes; the event of the peer's own close, behind which its half of the stream ends in order."""
        await self.send(CloseConnection(code, reason))
        while not isinstance(closed := await self.next(), CloseConnection):
            pass
        return closed

    async def next(self):
        """The next message in full, as its payload; the next Pong, or the close."""
        pieces = []
        while True:
            while not self.waiting:
                data = await self.stream.receive()
                if not data:
                    raise ConnectionResetError("the stream ended without a Close frame")
                self.ws.receive_data(data)
                self.waiting = list(self.ws.events())
            match event := self.waiting.pop(0):
                case Message():
                    pieces.append(event.data)
                    if event.message_finished:
                        return type(event.data)().join(pieces)
                case Ping():
                    await self.send(event.response())
                case Pong():
                    return event
                case CloseConnection():
                    await self.ended(event)
                    return event

    async def ended(self, event):
        """The closing handshake, and the end of the stream, which the server's half has first (RFC 6455 section 7.1.1)."""
        if self.ws.state is ConnectionState.REMOTE_CLOSING:
            await self.send(event.response())
        if self.ws.client:
            await self.stream.finished()
        self.stream.end()
        if not self.ws.client:
            await self.stream.finished()


def listed(head, name):
    return [item.strip() for item in head.get(name, "").split(",") if item.strip()]
