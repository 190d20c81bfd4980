"use strict";
const $ = id => document.getElementById(id);
const KEPT = 500, PREVIEW = 240;
let socket = null, totals, pendingTrip = null, frame = 0;

function show(direction, kind, size, text, payload) {
  const line = document.createElement("li");
  Object.assign(line.dataset, { direction, kind, size: size ?? "" });
  line.payload = payload;
  const cell = (tag, name, content) => {
    const element = document.createElement(tag);
    element.className = name;
    element.append(content);
    line.append(element);
    return element;
  };
  const mark = cell("span", "mark", { in: "↓", out: "↑", info: "·" }[direction]);
  mark.title = { in: "received", out: "sent", info: "" }[direction];
  const now = new Date();
  const two = n => String(n).padStart(2, "0");
  cell("time", "", `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}.${String(now.getMilliseconds()).padStart(3, "0")}`).dateTime = now.toISOString();
  cell("span", "size", size === null ? "" : bytes(size));
  const what = cell("span", "what", text);
  if (kind === "binary") what.prepend(Object.assign(document.createElement("i"), { textContent: "binary " }));
  const log = $("log");
  if (!frame) {
    // Once a frame: asking where the log is scrolled to lays the whole of it out.
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    frame = requestAnimationFrame(() => {
      frame = 0;
      if (atEnd) log.scrollTop = log.scrollHeight;
    });
  }
  log.append(line);
  while (log.children.length > KEPT) log.firstChild.remove();
  if (direction !== "info") {
    totals[direction].messages += 1;
    totals[direction].bytes += size;
    const sum = side => `${side.messages} (${bytes(side.bytes)})`;
    $("totals").textContent = `↑ ${sum(totals.out)}  ↓ ${sum(totals.in)}`;
  }
}

function clear() {
  $("log").replaceChildren();
  $("totals").textContent = "";
  totals = { in: { messages: 0, bytes: 0 }, out: { messages: 0, bytes: 0 } };
}

function bytes(n) {
  if (n < 1024) return `${n} B`;
  const unit = n < 1048576 ? ["KiB", 1024] : ["MiB", 1048576];
  return `${(n / unit[1]).toFixed(1)} ${unit[0]}`;
}

// Control characters become visible; the rest of a long payload is only counted.
const visible = text => text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
  c => "\\x" + c.charCodeAt(0).toString(16).padStart(2, "0"));
const cut = text => visible(text.slice(0, PREVIEW)) + (text.length > PREVIEW ? " …" : "");
const hex = buffer => Array.from(new Uint8Array(buffer, 0, Math.min(buffer.byteLength, PREVIEW / 4)),
  byte => byte.toString(16).padStart(2, "0")).join(" ") + (buffer.byteLength > PREVIEW / 4 ? " …" : "");
const utf8Length = text => new TextEncoder().encode(text).length;

function message(direction, data) {
  if (typeof data === "string") show(direction, "text", utf8Length(data), cut(data), data);
  else show(direction, "binary", data.byteLength, hex(data), data);
}

function send(data) {
  socket.send(data);
  message("out", data);
}

function state(name) {
  $("state").dataset.state = $("state").textContent = name;
  const open = name === "open", closed = name === "closed";
  $("connect").disabled = $("url").disabled = $("protocols").disabled = !closed;
  $("disconnect").disabled = closed;
  $("sending").disabled = $("closing").disabled = !open;
}

function connect() {
  const names = $("protocols").value.split(",").map(name => name.trim()).filter(Boolean);
  const began = performance.now();
  try {
    socket = new WebSocket($("url").value, names);
  } catch (error) {
    show("info", "error", null, error.message);
    return;
  }
  const current = socket;
  socket.binaryType = "arraybuffer";
  state("connecting");
  socket.onopen = () => {
    state("open");
    $("subprotocol").textContent = current.protocol;
    const chosen = current.protocol ? `, subprotocol ${current.protocol}` : "";
    show("info", "open", null, `open after ${(performance.now() - began).toFixed(1)} ms: ${current.url}${chosen}`);
    $("text").focus();
  };
  socket.onmessage = event => {
    message("in", event.data);
    if (pendingTrip && event.data === pendingTrip.text) {
      show("info", "rtt", null, `round trip ${(performance.now() - pendingTrip.began).toFixed(2)} ms`);
      pendingTrip = null;
    }
  };
  socket.onerror = () => show("info", "error", null, "failed; browsers tell pages no reason (the server's log may)");
  socket.onclose = event => {
    const reason = event.reason ? ` "${visible(event.reason)}"` : "";
    show("info", "close", null, `closed with ${event.code}${reason}, ${event.wasClean ? "clean" : "not clean"}`,
      { code: event.code, reason: event.reason, wasClean: event.wasClean });
    $("subprotocol").textContent = "";
    pendingTrip = null;
    state("closed");
  };
}

function close(...status) {
  try {
    socket.close(...status);
    state("closing");
  } catch (error) {
    show("info", "error", null, error.message);
  }
}

const sends = {
  text: () => send($("text").value),
  hex() {
    const digits = $("hex").value.replace(/\s+/g, "");
    if (digits.length % 2 || /[^0-9a-f]/i.test(digits)) {
      show("info", "error", null, "not sent: hexadecimal has two digits 0-9 a-f for each byte");
      return;
    }
    send(Uint8Array.from(digits.match(/../g) ?? [], pair => parseInt(pair, 16)).buffer);
  },
  async file() {
    const [file] = $("file").files;
    if (!file) {
      show("info", "error", null, "not sent: choose a file first");
      return;
    }
    const content = await file.arrayBuffer();
    if (socket.readyState === WebSocket.OPEN) send(content);
  },
  rtt() {
    pendingTrip = { text: `round trip ${crypto.getRandomValues(new Uint32Array(1))[0]}`, began: performance.now() };
    send(pendingTrip.text);
  },
  close: () => close(Number($("code").value), $("reason").value),
};

for (const form of document.querySelectorAll("form[data-sends]")) {
  form.onsubmit = event => {
    event.preventDefault();
    sends[form.dataset.sends]();
  };
}
$("connection").onsubmit = event => {
  event.preventDefault();
  connect();
};
$("text").onkeydown = event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    $("send").click();
  }
};
$("disconnect").onclick = () => close();
$("clear").onclick = clear;

const here = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
$("url").value = `${here}/echo`;
for (const path of ["/echo", "/chat?room=lobby", "/close", "/discard?ack=1", "/generate?count=10&interval=500ms"]) {
  $("urls").append(Object.assign(document.createElement("option"), { value: here + path }));
}
clear();
state("closed");
