// Node `websocket-driver` as a client of `hybi serve`.
//
// client.mjs URL: speaks the one version it has as a client, 13, and prints one JSON line for each
// check: its name, the target of its connection, and the close code or HTTP status that the server
// must have seen. The last check prints "waiting" first and ends when the server goes away.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { connect } from "node:net";

// `NODE_PATH` is read by `require` alone.
const driver = createRequire(import.meta.url)("websocket-driver");

const url = new URL(process.argv[2]);
let checks = 0;

/** A connection; its target has a mark by which the access log finds this check. */
function dial(path, protocols = []) {
  const target = `${path}${path.includes("?") ? "&" : "?"}check=${++checks}`;
  const socket = connect(url.port, url.hostname);
  const ws = driver.client(`ws://${url.host}${target}`, { protocols });
  socket.pipe(ws.io).pipe(socket);
  ws.on("close", () => socket.end());
  ws.start();
  return { ws, target };
}

const next = async (ws, event) =>
  (await once(ws, event, { signal: AbortSignal.timeout(20_000) }))[0];

const done = (check, target, seen) => console.log(JSON.stringify({ check, target, ...seen }));

async function echo(ws, message) {
  const back = next(ws, "message");
  typeof message === "string" ? ws.text(message) : ws.binary(message);
  const { data } = await back;
  assert.equal(typeof data, typeof message, "the echo has the other type");
  assert.ok(Buffer.from(data).equals(Buffer.from(message)), "the echo differs");
}

async function hangUp(check, { ws, target }, code, reason) {
  const closed = next(ws, "close");
  ws.close(reason, code);
  assert.equal((await closed).code, code);
  done(check, target, { code });
}

async function open(path, protocols) {
  const connection = dial(path, protocols);
  await next(connection.ws, "open");
  return connection;
}

const text = "Grüße, 世界 \u{1f44b}";
const sizes = [0, 125, 126, 65_535, 65_536, 204_800];
{
  const connection = await open("/echo");
  for (const message of ["hello", text, text.repeat(10_000), ...sizes.map((n) => "x".repeat(n))]) {
    await echo(connection.ws, message);
  }
  await hangUp("text comes back", connection, 1000);
}
{
  const connection = await open("/echo");
  for (const size of sizes) {
    await echo(connection.ws, Buffer.from(Array.from({ length: size }, (_, at) => at % 256)));
  }
  await hangUp("binary comes back", connection, 1000);
}
{
  const connection = await open("/echo");
  const pong = next(connection.ws, "pong");
  connection.ws.ping("are you there");
  assert.equal((await pong).data, "are you there");
  await hangUp("ping is answered", connection, 1000);
}
{
  const connection = await open("/echo", ["talk", "chat"]);
  assert.equal(connection.ws.protocol, "chat");
  await hangUp("the subprotocol is agreed", connection, 1000);
}
await hangUp("the client closes with code and reason", await open("/echo"), 4001, "done with it");
{
  const { ws, target } = dial("/close?code=4002&reason=enough");
  const { code, reason } = await next(ws, "close");
  assert.deepEqual([code, reason], [4002, "enough"]);
  done("the server closes with code and reason", target, { code });
}
{
  const { ws, target } = dial("/nowhere");
  assert.match((await next(ws, "error").catch((error) => error)).message, /response code: 404/);
  done("an unknown path is refused with 404", target, { status: 404 });
}
{
  const { ws, target } = await open("/echo");
  await echo(ws, "still here");
  const closed = next(ws, "close");
  console.log("waiting");
  assert.equal((await closed).code, 1001);
  done("a server that ends says 1001", target, { code: 1001 });
}
