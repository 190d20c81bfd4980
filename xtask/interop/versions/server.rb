# Ruby em-websocket as a server for `hybi connect`.
#
# server.rb: prints its URL, and for each connection that ends one JSON line: the path, the version
# as it counts them, the number of messages, the close code and reason, whether the end was clean.

require "em-websocket"
require "json"

$stdout.sync = true

def serve(ws)
  path, version, messages = nil, nil, 0
  ws.onopen do |handshake|
    path, version = handshake.path, handshake.protocol_version
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
  ws.onpong { |data| ws.send(data == "are you there" ? "answered" : data) }
  ws.onclose do |close|
    report = { path: path, version: version.to_s, messages: messages, code: close[:code] }
    puts JSON.generate(report.merge(reason: close[:reason].to_s, clean: close[:was_clean]))
  end
  ws.onerror { |error| warn error.full_message }
end

EM.run do
  listener = EM::WebSocket.run(host: "127.0.0.1", port: 0) { |ws| serve(ws) }
  port, = Socket.unpack_sockaddr_in(EM.get_sockname(listener))
  puts "listening ws://127.0.0.1:#{port}"
end
