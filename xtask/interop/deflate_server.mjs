// Node `ws` as a server with permessage-deflate.
//
// deflate_server.mjs PARAMETERS: serves an echo for each element of the JSON list, and prints
// their URLs. Below /fragments each echo comes in fragments.

import { once } from "node:events";
import { createRequire } from "node:module";

// `NODE_PATH` is read by `require` alone.
const { WebSocketServer } = createRequire(import.meta.url)("ws");

const FRAGMENT = 10_007;

/** `server_max_window_bits` is `serverMaxWindowBits` here. */
const options = (parameters) => Object.fromEntries(Object.entries(parameters).map(
  ([name, value]) => [name.replace(/_./g, (pair) => pair[1].toUpperCase()), value],
));

for (const parameters of JSON.parse(process.argv[2])) {
  const perMessageDeflate = { threshold: 0, ...options(parameters) };
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate });
  server.on("connection", (ws, { url }) => ws.on("message", (message, binary) => {
    const step = url === "/fragments" ? FRAGMENT : Infinity;
    let at = 0;
    for (; message.length - at > step; at += step) {
      ws.send(message.subarray(at, at + step), { binary, fin: false });
    }
    ws.send(message.subarray(at), { binary, fin: true });
  }));
  await once(server, "listening");
  console.log(`listening ws://127.0.0.1:${server.address().port}`);
}
