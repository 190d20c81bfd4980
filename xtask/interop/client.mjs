// Node `ws` as a client of `hybi serve`.
//
// client.mjs [--http2] URL [CA]: prints one JSON line for each check: its name, the target of its
// connection, and the close code or HTTP status that the server must have seen. The last check prints "waiting"
// first and ends when the server goes away.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const args = process.argv.slice(2);
const overHttp2 = args[0] === "--http2";
// `NODE_PATH` is read by `require` alone.
const { WebSocket } = overHttp2 ? await import("./http2.mjs") : createRequire(import.meta.url)("ws");
const [url, ca] = args.slice(overHttp2 ? 1 : 0);
const options = { ca: ca && readFileSync(ca), handshakeTimeout: 20_000 };
let count = 0;

/** The path with a mark by which the access log finds this check. */
const target = (path) => `${path}${path.includes("?") ? "&" : "?"}check=${++count}`;

const done = (check, target, seen) => console.log(JSON.stringify({ check, target, ...seen }));

/** The arguments of the next `event` of `ws`; rejects on any other end. */
function next(ws, event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} in time`)), 20_000);
    const settle = (how) => (...got) => {
      clearTimeout(timer);
      how(...got);
    };
    ws.once(event, settle((...got) => resolve(got)));
    ws.once("error", settle(reject));
    if (event !== "close") {
      ws.once("close", settle((code) => reject(new Error(`closed with ${code}, no ${event}`))));
    }
  });
}

async function open(where, subprotocols = []) {
  const ws = new WebSocket(url + where, subprotocols, options);
  await next(ws, "open");
  return ws;
}

/** Closes and returns the code and reason that came back. */
async function close(ws, code, reason) {
  const closed = next(ws, "close");
  ws.close(code, reason);
  const [gotCode, gotReason] = await closed;
  return [gotCode, gotReason.toString()];
}

async function echo(check, send, wanted, binary) {
  const where = target("/echo");
  const ws = await open(where);
  const message = next(ws, "message");
  send(ws);
  const [data, isBinary] = await message;
  assert.equal(isBinary, binary);
  assert.ok(data.equals(Buffer.from(wanted)), "the echo differs");
  assert.equal((await close(ws, 1000))[0], 1000);
  done(check, where, { code: 1000 });
}

async function refused(check, where, status, headers = {}) {
  const ws = new WebSocket(url + where, { ...options, ...headers });
  const [request, response] = await next(ws, "unexpected-response");
  assert.equal(response.statusCode, status);
  request.destroy();
  done(check, where, { status });
}

const text = "Grüße, 世界 \u{1f44b}";
const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const mebibyte = randomBytes(1 << 20);
await echo("text comes back", (ws) => ws.send(text), text, false);
await echo("empty text comes back", (ws) => ws.send(""), "", false);
await echo("binary comes back", (ws) => ws.send(bytes), bytes, true);
await echo("1 MiB comes back", (ws) => ws.send(mebibyte), mebibyte, true);
await echo(
  "fragments come back as one message",
  (ws) => {
    ws.send("frag", { fin: false });
    ws.send("", { fin: false });
    ws.send("mented", { fin: true });
  },
  "fragmented",
  false,
);

{
  const where = target("/echo");
  const ws = await open(where);
  const pong = next(ws, "pong");
  ws.ping("are you there");
  assert.equal((await pong)[0].toString(), "are you there");
  await close(ws, 1000);
  done("ping is answered", where, { code: 1000 });
}
{
  const where = target("/echo");
  const ws = await open(where, ["chat.v1", "chat.v2"]);
  assert.equal(ws.protocol, "chat.v2");
  await close(ws, 1000);
  done("the server's preferred subprotocol is agreed", where, { code: 1000 });
}
{
  const where = target("/echo");
  const ws = await open(where);
  assert.equal((await close(ws, 4001, "done with it"))[0], 4001);
  done("the client closes with code and reason", where, { code: 4001 });
}
{
  const where = target("/close?code=4002&reason=enough");
  const ws = new WebSocket(url + where, options);
  const [code, reason] = await next(ws, "close");
  assert.deepEqual([code, reason.toString()], [4002, "enough"]);
  done("the server closes with code and reason", where, { code: 4002 });
}
await refused("an unknown path is refused with 404", target("/nowhere"), 404);
await refused("a foreign origin is refused with 403", target("/echo"), 403, {
  origin: "http://other.test",
});
{
  const where = target("/echo");
  const ws = await open(where);
  const message = next(ws, "message");
  ws.send("still here");
  assert.equal((await message)[0].toString(), "still here");
  const closed = next(ws, "close");
  console.log("waiting");
  assert.equal((await closed)[0], 1001);
  done("a server that ends says 1001", where, { code: 1001 });
}
