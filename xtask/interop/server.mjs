// Node `ws` as a server for `hybi connect`.
//
// server.mjs [CERT KEY]: prints its URL, and for each connection that ends one JSON line: the
// path, the subprotocol, the close code and reason that came in, the number of messages.

import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";

// `NODE_PATH` is read by `require` alone.
const { WebSocketServer } = createRequire(import.meta.url)("ws");

const [cert, key] = process.argv.slice(2).map((path) => readFileSync(path));
const server = cert ? https.createServer({ cert, key }) : http.createServer();
const ours = ["chat.v2", "chat.v1"];
const webSockets = new WebSocketServer({
  server,
  verifyClient: ({ req }, answer) => answer(req.url !== "/refuse", 403),
  handleProtocols: (offered) => ours.find((name) => offered.has(name)) ?? false,
});

webSockets.on("connection", (ws, request) => {
  let messages = 0;
  ws.on("message", (data, binary) => {
    messages += 1;
    ws.send(data, { binary });
  });
  ws.on("close", (code, reason) => {
    const report = { path: request.url, subprotocol: ws.protocol || null, messages };
    console.log(JSON.stringify({ ...report, code, reason: reason.toString() }));
  });
  if (request.url === "/ping") {
    ws.on("pong", (data) => ws.send(data.equals(Buffer.from("are you there")) ? "answered" : data));
    ws.ping("are you there");
  } else if (request.url === "/fragments") {
    ws.send("frag", { fin: false });
    ws.send("", { fin: false });
    ws.send("mented", { fin: true });
  } else if (request.url === "/close") {
    ws.close(4004, "server says so");
  }
});

server.listen(0, "127.0.0.1", () => {
  const scheme = cert ? "wss" : "ws";
  console.log(`listening ${scheme}://127.0.0.1:${server.address().port}`);
});
