"""pywebsocket's own multiplexing client, which is part of its end-to-end test, against a server of ours.

mux_client.py HOST:PORT QUOTA: prints a line for each check that passed. QUOTA is what the server grants on each
channel. The client opens channels with whole requests, sends single frames, and closes; what else there is, the class
here adds to it. PYTHONPATH has to have the sources of pywebsocket, for its package `test`.
"""

import struct
import sys
import threading
import Queue

from test import client_for_testing, mux_client_for_testing, test_endtoend

ADDRESS, QUOTA = sys.argv[1].split(":"), int(sys.argv[2])
WAIT = 20
MODULE = mux_client_for_testing
BINARY, CONTINUATION = client_for_testing.OPCODE_BINARY, client_for_testing.OPCODE_CONTINUATION
IDENTITY, DELTA = 0, 1
DROP_CHANNEL = 3
# Both ends of each length of an id, and more than two million of them in between.
IDS = [2, 0x7f, 0x80, 0x3fff, 0x4000, 0x1fffff, 0x200000, 3000000]


def options(resource="/echo", origin="http://localhost"):
    options = client_for_testing.ClientOptions()
    options.server_host, options.server_port = ADDRESS[0], int(ADDRESS[1])
    options.origin, options.resource = origin, resource
    options.socket_timeout = WAIT
    return options


class Client(MODULE.MuxClient):
    """The client, with requests of both encodings, DropChannel, and messages beyond the quota."""

    def __init__(self):
        MODULE.MuxClient.__init__(self, options())
        self._timeout = WAIT
        # Channel and code of each DropChannel that came.
        self.drops = Queue.Queue()
        # The channel of each frame, in the order in which they came.
        self.order = []
        self.news = threading.Event()

    def _process_mux_control_blocks(self):
        # Otherwise what was granted is granted again with each message of blocks.
        waiting = [block for block in self._control_blocks
                   if block.opcode == MODULE._MUX_OPCODE_ADD_CHANNEL_RESPONSE]
        MODULE.MuxClient._process_mux_control_blocks(self)
        for block in self._control_blocks:
            if block.opcode == DROP_CHANNEL:
                self.drops.put((block.channel_id, block.drop_code))
        self._control_blocks = waiting

    def _dispatch_frame(self, channel_id, payload):
        MODULE.MuxClient._dispatch_frame(self, channel_id, payload)
        if channel_id != 0:
            self.order.append(channel_id)
        self.news.set()

    def open(self, channel_id, encoding=IDENTITY, **changes):
        """Opens a channel; what a delta has no need to say is left out of it."""
        create = MODULE._create_add_channel_request

        def create_delta(channel_id, handshake):
            line = handshake.split("\r\n")[0]
            return create(channel_id, line + "\r\n\r\n", encoding=DELTA)

        if encoding == DELTA:
            MODULE._create_add_channel_request = create_delta
        try:
            self.add_channel(channel_id, options(**changes))
        finally:
            MODULE._create_add_channel_request = create
        self.send_flow_control(channel_id, 1000)

    def echo(self, channel_id, text):
        self.send_message(channel_id, text)
        # That a message begins costs an octet, which the client does not know.
        self._logical_channels[channel_id].send_quota -= 1
        self.assert_receive(channel_id, text)

    def is_refused(self, channel_id, **changes):
        try:
            self.open(channel_id, **changes)
        except Exception as error:
            return str(error) == "The server rejected AddChannelRequest"

    def drop(self, channel_id, code):
        block = chr(DROP_CHANNEL << 5) + MODULE._encode_channel_id(channel_id) + chr(2)
        self._stream.send_binary("\0" + block + struct.pack("!H", code))

    def end(self):
        self.send_physical_connection_close(1000)
        self.assert_physical_connection_receive_close()
        self.close_socket()

    def exchange(self, messages):
        """Sends a message on each of some channels, all at a time, and takes what comes back."""
        sent, received = dict.fromkeys(messages, 0), dict.fromkeys(messages, "")
        while any(received[id] != message for id, message in messages.items()):
            self.news.clear()
            moved = [self.send_some(id, messages[id], sent) + self.take_some(id, received)
                     for id in messages]
            if not any(moved):
                self.news.wait(WAIT)
                assert self.news.is_set(), "nothing comes: %r" % sent

    def send_some(self, channel_id, message, sent):
        """Sends what the quota allows."""
        channel, position = self._logical_channels[channel_id], sent[channel_id]
        begins = position == 0
        length = min(channel.send_quota - begins, len(message) - position)
        if length <= 0:
            return False
        last = position + length == len(message)
        first = (last << 7) | (BINARY if begins else CONTINUATION)
        self._logical_channels_condition.acquire()
        channel.send_quota -= length + begins
        self._logical_channels_condition.release()
        piece = message[position:position + length]
        self._stream.send_binary(MODULE._encode_channel_id(channel_id) + chr(first) + piece)
        sent[channel_id] += length
        return True

    def take_some(self, channel_id, received):
        """Takes a frame, if one came, and grants as much again."""
        try:
            frame = self._logical_channels[channel_id].queue.get_nowait()
        except Queue.Empty:
            return False
        assert frame.opcode == (CONTINUATION if received[channel_id] else BINARY), frame.opcode
        received[channel_id] += frame.payload
        self.send_flow_control(channel_id, len(frame.payload) + (frame.opcode != CONTINUATION))
        return True


def passed(name):
    print "ok: " + name
    sys.stdout.flush()


def its_own_test():
    """As it is, also in what it does not know. It sends the connection a Close frame without a code, and wants one
    in the answer."""
    client = MODULE.MuxClient(options())
    try:
        test_endtoend._mux_echo_check_procedure(client)
    finally:
        client.close_socket()


def together(encoding, name):
    client = Client()
    client.connect()
    client.send_flow_control(1, 1000)
    client.echo(1, "hello")
    for id in IDS:
        client.open(id, encoding)
        client.echo(id, "on %d" % id)
    passed(name + ": ids up to 3,000,000")

    assert client.is_refused(9, encoding=encoding, resource="/nothing")
    client.open(9, encoding)
    client.echo(9, "now it is there")
    passed(name + ": a channel is refused, and its id is used again")

    long = dict((id, "".join(chr((at * 31 + id) % 251) for at in range(10 * QUOTA)))
                for id in (2, 0x80, 3000000))
    client.order = []
    client.exchange(long)
    assert set(client.order) == set(long)
    # The first frame of each is in front of the last of each other.
    starts = [client.order.index(id) for id in long]
    ends = [len(client.order) - client.order[::-1].index(id) for id in long]
    assert max(starts) < min(ends), client.order
    passed(name + ": three channels with messages beyond both quotas at a time")

    client.drop(2, 1000)
    assert client.drops.get(timeout=WAIT) == (2, 3008)
    client.echo(0x7f, "kept")
    passed(name + ": a channel is dropped, and another kept")

    for id in IDS[1:] + [9, 1]:
        client.send_close(id, 1000)
        client.assert_receive_close(id)
    client.end()
    passed(name + ": channels and connection are closed")


def a_foreign_origin():
    client = Client()
    client.connect()
    assert client.is_refused(2, origin="http://elsewhere.example")
    client.send_flow_control(1, 1000)
    client.echo(1, "still there")
    client.end()


def grants_are_counted_again():
    client = MODULE.MuxClient(options())
    client.connect()
    client.add_channel(2, options())
    assert client._logical_channels[1].send_quota >= 2 * QUOTA
    client.close_socket()


def the_octet_of_a_beginning():
    """From ietf-07 on a message costs an octet more than it has. One that is as long as the quota is too long."""
    client = Client()
    client.connect()
    client.open(2)
    client.send_message(2, "x" * QUOTA)
    assert client.drops.get(timeout=WAIT) == (2, 3005)
    client.send_flow_control(1, 1000)
    client.echo(1, "still there")
    client.end()


its_own_test()
passed("its own: the end-to-end test")
together(IDENTITY, "identity")
together(DELTA, "delta")
a_foreign_origin()
passed("policy: a channel is refused for its origin")
grants_are_counted_again()
passed("difference: its client counts grants again with each message of blocks")
the_octet_of_a_beginning()
passed("difference: its client does not count the octet of a beginning")
