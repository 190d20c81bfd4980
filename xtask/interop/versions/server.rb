# Ruby em-websocket as a server for `hybi connect`.
#
# server.rb [CERT KEY]: prints its URL, and for each connection that ends one JSON line: the path,
# the version as it counts them, the subprotocol, the number of messages, the close code (1005 for
# a close without, 1006 for none) and reason.

require "em-websocket"
require "json"

$stdout.sync = true

def serve(ws)
  path, version, subprotocol, messages, pings = nil, nil, nil, 0, 0
  ws.onopen do |handshake|
    path, version = handshake.path, handshake.protocol_version
    # It agrees to whatever is asked for, and to nothing from draft 05 on.
    subprotocol = handshake.headers_downcased["sec-websocket-protocol"]
    ws.ping("are you there") if path == "/ping"
    ws.supports_close_codes? ? ws.close(4004, "server says so") : ws.close if path == "/close"
  end
  ws.onmessage do |text|
    messages += 1
    ws.send(text)
  end
  ws.onbinary do |bytes|
    messages += 1
    ws.send_binary(bytes)
  end
  ws.onping do
    pings += 1
    ws.send("pinged") if path == "/pinged" && pings == 1
  end
  ws.onpong { |data| ws.send(data == "are you there" ? "answered" : data) }
  ws.onclose do |close|
    report = { path: path, version: version.to_s, subprotocol: subprotocol, messages: messages }
    puts JSON.generate(report.merge(code: close[:code], reason: close[:reason].to_s))
  end
  ws.onerror { |error| warn error.full_message }
end

options = { host: "127.0.0.1", port: 0 }
if ARGV.any?
  options[:secure] = true
  options[:tls_options] = { cert_chain_file: ARGV[0], private_key_file: ARGV[1] }
end
EM.run do
  listener = EM::WebSocket.run(options) { |ws| serve(ws) }
  port, = Socket.unpack_sockaddr_in(EM.get_sockname(listener))
  puts "listening #{ARGV.any? ? "wss" : "ws"}://127.0.0.1:#{port}"
end
