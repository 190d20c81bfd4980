"""pywebsocket's own server, for the handler beside this file; prints its URL. Python 2.7."""

import logging
import os
import sys

from mod_pywebsocket import standalone

handlers = os.path.join(os.path.dirname(os.path.abspath(__file__)), "handlers")
logging.basicConfig(level=logging.WARN)
options, _ = standalone._parse_args_and_config(["-H", "127.0.0.1", "-p", "0", "-w", handlers])
# What its main program adds to what it was given.
options.cgi_directories = []
options.is_executable_method = None
server = standalone.WebSocketServer(options)
for path in ["/", "/close", "/ping", "/pinged"]:
    options.dispatcher.add_resource_path_alias(path, "/echo")
print "listening ws://127.0.0.1:%d" % server.server_port
sys.stdout.flush()
server.serve_forever()
