// Node `ws` as a server for `hybi connect`.
//
// server.mjs [--http2] [CERT KEY]: prints its URL, and for each connection that ends one JSON line: the
// path, the subprotocol, the close code and reason that came in, the number of messages.

import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";

// `NODE_PATH` is read by `require` alone.
const { WebSocketServer } = createRequire(import.meta.url)("ws");

const args = process.argv.slice(2);
const overHttp2 = args[0] === "--http2";
const [cert, key] = args.slice(overHttp2 ? 1 : 0).map((path) => readFileSync(path));
const subprotocols = ["chat.v2", "chat.v1"];
const refuses = (path) => path === "/refuse";

function connection(ws, path) {
  let messages = 0;
  ws.on("message", (data, binary) => {
    messages += 1;
    ws.send(data, { binary });
  });
  ws.on("close", (code, reason) => {
    const report = { path, subprotocol: ws.protocol || null, messages };
    console.log(JSON.stringify({ ...report, code, reason: reason.toString() }));
  });
  if (path === "/ping") {
    ws.on("pong", (data) => ws.send(data.equals(Buffer.from("are you there")) ? "answered" : data));
    ws.ping("are you there");
  } else if (path === "/fragments") {
    ws.send("frag", { fin: false });
    ws.send("", { fin: false });
    ws.send("mented", { fin: true });
  } else if (path === "/close") {
    ws.close(4004, "server says so");
  }
}

/** A server of HTTP/1.1, with the same choices. */
function createServer() {
  const server = cert ? https.createServer({ cert, key }) : http.createServer();
  const webSockets = new WebSocketServer({
    server,
    verifyClient: ({ req }, answer) => answer(!refuses(req.url), 403),
    handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
  });
  webSockets.on("connection", (ws, request) => connection(ws, request.url));
  return server;
}

const server = overHttp2
  ? (await import("./http2.mjs")).createServer({ cert, key, subprotocols, refuses, connection })
  : createServer();
server.listen(0, "127.0.0.1", () => {
  const scheme = cert ? "wss" : "ws";
  console.log(`listening ${scheme}://127.0.0.1:${server.address().port}`);
});
