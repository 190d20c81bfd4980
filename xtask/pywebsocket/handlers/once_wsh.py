"""Echoes one message, and returns."""


def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    message = request.ws_stream.receive_message()
    request.ws_stream.send_message(message, binary=not isinstance(message, unicode))
