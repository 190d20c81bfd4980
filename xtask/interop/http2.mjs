// The `WebSocket` of Node `ws` over Node's own `http2` (RFC 8441): the handshake is written here, what follows it is
// theirs.

import http2 from "node:http2";
import { createRequire } from "node:module";

// `NODE_PATH` is read by `require` alone.
const require = createRequire(import.meta.url);
const ws = require("ws");
const { PerMessageDeflate, extension } = ws;

const DEFLATE = "permessage-deflate";
const NOTHING = Buffer.alloc(0);
const OPTIONS = { autoPong: true, closeTimeout: 20_000 };

/** One end of a connection over a stream of HTTP/2. */
class Over extends ws.WebSocket {
  begin(stream, isServer, protocol, deflate) {
    this._isServer = isServer;
    this._protocol = protocol ?? "";
    if (deflate) this._extensions[DEFLATE] = deflate;
    const allowSynchronousEvents = true;
    this.setSocket(stream, NOTHING, { allowSynchronousEvents, maxPayload: 0, skipUTF8Validation: false });
  }
}

/** A client, with the constructor and the events of `ws`; each has a connection of HTTP/2 of its own. */
export class WebSocket extends Over {
  constructor(address, subprotocols, options = {}) {
    const [offered, { ca, origin }] = Array.isArray(subprotocols)
      ? [subprotocols, options]
      : [[], subprotocols ?? options];
    super(null, undefined, OPTIONS);
    const url = new URL(address.replace("ws", "http"));
    const session = http2.connect(url.origin, { ca });
    const fail = (error) => this.emit("error", error);
    session.on("error", fail);
    session.once("remoteSettings", ({ enableConnectProtocol }) => {
      if (!enableConnectProtocol) return fail(new Error("the server takes no extended CONNECT"));
      const deflate = new PerMessageDeflate({});
      const fields = {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":path": url.pathname + url.search,
        "sec-websocket-version": "13",
        "sec-websocket-extensions": `${DEFLATE}; client_max_window_bits`,
      };
      if (offered.length > 0) fields["sec-websocket-protocol"] = offered.join(", ");
      if (origin) fields.origin = origin;
      const stream = session.request(fields, { endStream: false });
      stream.on("close", () => session.close());
      stream.once("response", (answer) => {
        if (answer[":status"] !== 200) {
          const request = { destroy: () => session.destroy() };
          this.emit("unexpected-response", request, { statusCode: answer[":status"] });
          return;
        }
        const agreed = extension.parse(answer["sec-websocket-extensions"] ?? "")[DEFLATE];
        if (!agreed) return fail(new Error(`${DEFLATE} was not agreed`));
        deflate.accept(agreed);
        this.begin(stream, false, answer["sec-websocket-protocol"], deflate);
      });
    });
  }
}

/** A server of HTTP/2: for each WebSocket `connection(ws, path)`, unless `refuses(path)`. */
export function createServer({ cert, key, subprotocols, refuses, connection }) {
  const settings = { enableConnectProtocol: true };
  const server = cert
    ? http2.createSecureServer({ cert, key, settings })
    : http2.createServer({ settings });
  server.on("stream", (stream, request) => {
    const path = request[":path"];
    stream.on("error", () => {});
    if (request[":method"] !== "CONNECT" || request[":protocol"] !== "websocket") {
      return stream.respond({ ":status": 400 }, { endStream: true });
    }
    if (refuses(path)) return stream.respond({ ":status": 403 }, { endStream: true });
    const answer = { ":status": 200 };
    const offered = (request["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    const protocol = subprotocols.find((name) => offered.includes(name));
    if (protocol) answer["sec-websocket-protocol"] = protocol;
    const offers = extension.parse(request["sec-websocket-extensions"] ?? "")[DEFLATE];
    let deflate;
    if (offers) {
      deflate = new PerMessageDeflate({ isServer: true });
      answer["sec-websocket-extensions"] = extension.format({ [DEFLATE]: [deflate.accept(offers)] });
    }
    stream.respond(answer);
    const socket = new Over(null, undefined, OPTIONS);
    socket.begin(stream, true, protocol, deflate);
    connection(socket, path);
  });
  return server;
}
