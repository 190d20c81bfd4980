// Node `ws` as a client with permessage-deflate.
//
// deflate_client.mjs FOLDER JOBS: for each job of the JSON list sends every file of the folder,
// in numeric order, and wants it back as it went; prints the job's number when all came back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

// `NODE_PATH` is read by `require` alone.
const { WebSocket } = createRequire(import.meta.url)("ws");

const [folder, jobs] = process.argv.slice(2);
const files = readdirSync(folder).sort((a, b) => a - b);
const FRAGMENT = 10_007;

/** `server_max_window_bits` is `serverMaxWindowBits` here. */
const options = (parameters) => Object.fromEntries(Object.entries(parameters).map(
  ([name, value]) => [name.replace(/_./g, (pair) => pair[1].toUpperCase()), value],
));

function send(ws, message, { binary, fragments }) {
  const step = fragments ? FRAGMENT : Infinity;
  let at = 0;
  for (; message.length - at > step; at += step) {
    ws.send(message.subarray(at, at + step), { binary, fin: false });
  }
  ws.send(message.subarray(at), { binary, fin: true });
}

for (const [number, job] of JSON.parse(jobs).entries()) {
  const perMessageDeflate = { threshold: 0, ...options(job.parameters) };
  const signal = AbortSignal.timeout(60_000);
  const ws = new WebSocket(job.url, { perMessageDeflate, maxPayload: 0 });
  await once(ws, "open", { signal });
  for (const file of files) {
    const message = readFileSync(`${folder}/${file}`);
    const back = once(ws, "message", { signal });
    send(ws, message, job);
    const [got, binary] = await back;
    assert.equal(binary, job.binary, `${file}: came back with the other type`);
    assert.ok(got.equals(message), `${file}: came back different`);
  }
  const closed = once(ws, "close", { signal });
  ws.close(1000);
  assert.equal((await closed)[0], 1000);
  console.log(number);
}
