// Node `websocket-driver` as a server for `hybi connect`.
//
// server.mjs: prints its URL, and for each connection that ends one JSON line: the path, the
// version by its name for it, the subprotocol, the number of messages, the close code (1005 for a
// close without, 1006 for none) and reason.
//
// It reads from the socket itself: Node's own HTTP server keeps back the eight bytes after the
// request of hixie-76.

import { createRequire } from "node:module";
import { createServer } from "node:net";

// `NODE_PATH` is read by `require` alone.
const driver = createRequire(import.meta.url)("websocket-driver");

const server = createServer((socket) => {
  const ws = driver.server({ protocols: ["chat"] });
  let messages = 0;
  let [code, reason] = [1006, ""];
  ws.on("connect", () => ws.start());
  ws.on("open", () => {
    code = ws.version === "hixie-75" ? 1005 : 1006;
    if (ws.url === "/ping") {
      ws.ping("are you there", () => ws.text("answered"));
    } else if (ws.url === "/close") {
      ws.close("server says so", 4004);
    }
  });
  ws.once("ping", () => {
    if (ws.url === "/pinged") {
      ws.text("pinged");
    }
  });
  ws.on("message", ({ data }) => {
    messages += 1;
    typeof data === "string" ? ws.text(data) : ws.binary(data);
  });
  ws.on("close", (close) => {
    [code, reason] = [close.code ?? 1005, close.reason ?? ""];
    socket.end();
  });
  socket.on("close", () => {
    const { url: path, version, protocol: subprotocol } = ws;
    console.log(JSON.stringify({ path, version, subprotocol, messages, code, reason }));
  });
  socket.pipe(ws.io).pipe(socket);
});

server.listen(0, "127.0.0.1", () => {
  console.log(`listening ws://127.0.0.1:${server.address().port}`);
});
