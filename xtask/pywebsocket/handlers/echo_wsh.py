"""pywebsocket's side of an echo. In the query, `fragments` cuts each echo, and `limit` demands of
the client that it compresses with a window of 9 bits and without takeover."""

FRAGMENT = 10007


def web_socket_do_extra_handshake(request):
    if "limit" in request.ws_resource:
        for processor in request.ws_extension_processors:
            if hasattr(processor, "set_compression_processor_hook"):
                processor.set_compression_processor_hook(limit)
            else:
                limit(processor)


def limit(processor):
    if hasattr(processor, "set_c2s_max_window_bits"):
        processor.set_c2s_max_window_bits(9)
        processor.set_c2s_no_context_takeover(True)
    else:
        processor.set_response_window_bits(9)
        processor.set_response_no_context_takeover(True)


def web_socket_transfer_data(request):
    stream = request.ws_stream
    step = FRAGMENT if "fragments" in request.ws_resource else None
    while True:
        message = stream.receive_message()
        if message is None:
            return
        binary = not isinstance(message, unicode)
        while step and len(message) > step:
            stream.send_message(message[:step], end=False, binary=binary)
            message = message[step:]
        stream.send_message(message, binary=binary)
