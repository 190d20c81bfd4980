// undici as a client of `hybi serve` over HTTP/2, by TLS alone.
//
// undici.mjs URL CA: prints one JSON line for each check: its name, the target of its connection, and the close code
// that the server must have seen. The last check prints "waiting" first and ends when the server does.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// `NODE_PATH` is read by `require` alone.
const { Agent, WebSocket } = createRequire(import.meta.url)("undici");

const [url, ca] = process.argv.slice(2);
const dispatcher = new Agent({ allowH2: true, connect: { ca: readFileSync(ca) } });
let count = 0;

/** The path with a mark by which the access log finds this check. */
const target = (path) => `${path}${path.includes("?") ? "&" : "?"}check=${++count}`;

const done = (check, target, seen) => console.log(JSON.stringify({ check, target, ...seen }));

/** The next `name` event of `ws`; rejects on any other end. */
function next(ws, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} in time`)), 20_000);
    const settle = (how) => (event) => {
      clearTimeout(timer);
      how(event);
    };
    ws.addEventListener(name, settle(resolve), { once: true });
    if (name !== "close") {
      ws.addEventListener("close", settle(({ code }) => reject(new Error(`closed with ${code}, no ${name}`))));
    }
  });
}

async function open(where, protocols = []) {
  const ws = new WebSocket(url + where, { dispatcher, protocols });
  ws.binaryType = "arraybuffer";
  await next(ws, "open");
  return ws;
}

async function close(ws, code, reason) {
  const closed = next(ws, "close");
  ws.close(code, reason);
  return closed;
}

async function echo(check, message) {
  const where = target("/echo");
  const ws = await open(where);
  assert.match(ws.extensions, /^permessage-deflate/);
  const received = next(ws, "message");
  ws.send(message);
  const { data } = await received;
  assert.deepEqual(typeof data === "string" ? data : Buffer.from(data), message);
  assert.equal((await close(ws, 1000)).code, 1000);
  done(check, where, { code: 1000 });
}

await echo("text comes back", "Grüße, 世界 \u{1f44b}");
await echo("binary comes back", Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
await echo("1 MiB comes back", randomBytes(1 << 20));
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
  const { code, wasClean } = await close(ws, 4001, "done with it");
  assert.deepEqual([code, wasClean], [4001, true]);
  done("the client closes with code and reason", where, { code: 4001 });
}
{
  const where = target("/close?code=4002&reason=enough");
  const ws = new WebSocket(url + where, { dispatcher });
  const { code, reason } = await next(ws, "close");
  assert.deepEqual([code, reason], [4002, "enough"]);
  done("the server closes with code and reason", where, { code: 4002 });
}
{
  const where = target("/echo");
  const ws = await open(where);
  const closed = next(ws, "close");
  console.log("waiting");
  const { code, wasClean } = await closed;
  assert.deepEqual([code, wasClean], [1001, true]);
  done("a server that ends says 1001", where, { code: 1001 });
}
await dispatcher.close();
