"""pywebsocket's side of `hybi connect`. For each connection that ends it prints one JSON line: the
path, the version as it counts them, the subprotocol, the number of messages, the close code (1005
for a close without, 1006 for none) and reason."""

import json
import sys

from mod_pywebsocket import common, msgutil


def web_socket_do_extra_handshake(request):
    # With the old handshake it has agreed to what was asked for.
    if getattr(request, "ws_requested_protocols", None):
        request.ws_protocol = request.ws_requested_protocols[0]


def web_socket_transfer_data(request):
    report = {"path": request.ws_resource, "version": str(request.ws_version), "messages": 0}
    report["subprotocol"] = request.ws_protocol
    try:
        converse(request, report)
        closed = request.client_terminated
    except msgutil.ConnectionTerminatedException:
        closed = False
    code = getattr(request, "ws_close_code", None) or common.STATUS_NO_STATUS_RECEIVED
    report["code"] = code if closed else common.STATUS_ABNORMAL_CLOSURE
    report["reason"] = getattr(request, "ws_close_reason", None) or ""
    print json.dumps(report)
    sys.stdout.flush()


def web_socket_passive_closing_handshake(request):
    """What answers a close: the same code and reason."""
    code = request.ws_close_code
    return None if code == common.STATUS_NO_STATUS_RECEIVED else code, request.ws_close_reason


def converse(request, report):
    stream = request.ws_stream
    if request.ws_resource == "/ping":
        request.on_pong_handler = answered
        stream.send_ping("are you there")
    elif request.ws_resource == "/pinged":
        request.on_ping_handler = pinged
    elif request.ws_resource == "/close":
        return stream.close_connection(4004, "server says so")
    message = stream.receive_message()
    while message is not None:
        report["messages"] += 1
        stream.send_message(message, binary=not isinstance(message, unicode))
        message = stream.receive_message()


def answered(request, payload):
    request.ws_stream.send_message(u"answered" if payload == "are you there" else payload)


def pinged(request, payload):
    """Stands in for the answer to the first ping, and gives it."""
    request.on_ping_handler = None
    request.ws_stream._send_pong(payload)
    request.ws_stream.send_message(u"pinged")
