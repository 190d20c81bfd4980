"""A browser on the console page of `hybi serve`.

browser.py chromium|firefox URL [CA]: prints one JSON line for each check: its name, the target of its connection,
and the close code or HTTP status that the server must have seen, with the version of HTTP if there is no choice. The last check prints "waiting"
first and ends when the server goes away. With a CA, which a browser would want installed, it is
told to accept any certificate instead.
"""

import hashlib
import json
import os
import sys
import tempfile

import chromium
import firefox

NAME, URL = sys.argv[1:3]
PAGE = URL.replace("ws", "http", 1) + "/"
# Chromium makes no connection of HTTP/2 for a WebSocket, and takes none for another host than it was made for.
BROWSER, ELSEWHERE = {
    "chromium": (chromium, {"http": "1.1"}),
    "firefox": (firefox, {}),
}[NAME]

# What the page itself does not offer a driver: waiting for a line of its log that has not been
# taken yet, and the digest of a large payload.
HELPERS = """
const $$ = id => document.getElementById(id);
let taken = 0;
const nextLine = (kind, direction) => new Promise((resolve, reject) => {
  const look = () => {
    for (const line of [...$$("log").children].slice(taken)) {
      taken += 1;
      if (line.dataset.kind === kind && line.dataset.direction === direction) {
        observer.disconnect();
        clearTimeout(timer);
        return resolve(line);
      }
    }
  };
  const observer = new MutationObserver(look);
  observer.observe($$("log"), { childList: true });
  const timer = setTimeout(() => reject(new Error("no line " + kind + " " + direction + " after: " +
    $$("log").innerText.slice(-300))), 15000);
  look();
});
const digest = async bytes => Array.from(
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)),
  byte => byte.toString(16).padStart(2, "0")).join("");
"""


class Tab(BROWSER.Tab):
    """The console page."""

    def open(self, url):
        super().open(url)
        self.run(HELPERS + "; 0")

    def fill(self, field, text):
        """Types into a field as a keyboard would, over what it holds."""
        self.run(f"$$('{field}').focus(); $$('{field}').select()")
        if text:
            self.insert(text)
        else:
            self.run(f"$$('{field}').value = ''")

    def click(self, button):
        self.run(f"if ($$('{button}').matches(':disabled')) throw new Error('{button} is disabled');"
                 f"$$('{button}').click()")

    def dial(self, url, protocols=""):
        self.fill("url", url)
        self.fill("protocols", protocols)
        self.click("connect")

    def close(self, code, reason=""):
        self.fill("code", str(code))
        self.fill("reason", reason)
        self.click("close")

    def closed(self, code, reason=""):
        """Waits for the close line and compares what came in."""
        got = self.run("nextLine('close', 'info').then(line => line.payload)")
        same("close", got, {"code": code, "reason": reason, "wasClean": True})
        same("state", self.run("$$('state').dataset.state"), "closed")


count = 0


def target(path):
    """The path with a mark by which the access log finds this check."""
    global count
    count += 1
    return f"{path}{'&' if '?' in path else '?'}check={count}"


def same(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got!r:.200}, not {wanted!r:.200}")


def done(check, where, **seen):
    print(json.dumps({"check": check, "target": where, **seen}), flush=True)


def check_all(tab, folder):
    tab.open(PAGE)
    same("title", tab.run("document.title"), "hybi console")

    where = target("/echo")
    text = "Grüße, 世界 \U0001f44b"
    tab.dial(URL + where)
    tab.run("nextLine('open', 'info').then(() => 0)")
    tab.fill("text", text)
    tab.click("send")
    same("echo", tab.run("nextLine('text', 'in').then(line => line.payload)"), text)
    tab.close(1000)
    tab.closed(1000)
    done("text comes back", where, code=1000)

    where = target("/echo")
    tab.dial(URL + where)
    tab.run("nextLine('open', 'info').then(() => 0)")
    tab.fill("hex", "00 01 7f 80 fe ff")
    tab.click("send-hex")
    got = tab.run("nextLine('binary', 'in').then(line => [...new Uint8Array(line.payload)])")
    same("echo", got, [0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF])
    tab.close(1000)
    tab.closed(1000)
    done("binary comes back", where, code=1000)

    where = target("/echo")
    mebibyte = os.urandom(1 << 20)
    path = os.path.join(folder, "mebibyte")
    with open(path, "wb") as file:
        file.write(mebibyte)
    tab.dial(URL + where)
    tab.run("nextLine('open', 'info').then(() => 0)")
    tab.choose_files("file", [path])
    tab.click("send-file")
    got = tab.run("nextLine('binary', 'in').then(line => digest(line.payload))")
    same("digest of the echo", got, hashlib.sha256(mebibyte).hexdigest())
    tab.close(1000)
    tab.closed(1000)
    done("a file of 1 MiB comes back", where, code=1000)

    where = target("/echo")
    tab.dial(URL + where, "chat.v1, chat.v2")
    tab.run("nextLine('open', 'info').then(() => 0)")
    same("subprotocol", tab.run("$$('subprotocol').textContent"), "chat.v2")
    tab.close(1000)
    tab.closed(1000)
    done("the server's preferred subprotocol is agreed", where, code=1000)

    where = target("/echo")
    tab.dial(URL + where)
    tab.run("nextLine('open', 'info').then(() => 0)")
    tab.close(4001, "done with it")
    got = tab.run("nextLine('close', 'info').then(line => line.payload)")
    same("close", (got["code"], got["wasClean"]), (4001, True))
    done("the client closes with code and reason", where, code=4001)

    where = target("/close?code=4002&reason=enough")
    tab.dial(URL + where)
    tab.closed(4002, "enough")
    done("the server closes with code and reason", where, code=4002)

    # The page's own origin is 127.0.0.1, which localhost is not.
    elsewhere = URL.replace("127.0.0.1", "localhost")
    for check, url, path, seen in [
        ("an unknown path is refused with 404", URL, "/nowhere", {"status": 404}),
        ("a foreign origin is refused with 403", elsewhere, "/echo", {"status": 403, **ELSEWHERE}),
    ]:
        where = target(path)
        tab.dial(url + where)
        got = tab.run("nextLine('close', 'info').then(line => line.payload)")
        same("close", (got["code"], got["wasClean"]), (1006, False))
        done(check, where, **seen)

    where = target("/echo")
    tab.dial(URL + where)
    tab.run("nextLine('open', 'info').then(() => 0)")
    print("waiting", flush=True)
    got = tab.run("nextLine('close', 'info').then(line => line.payload)")
    same("close", (got["code"], got["wasClean"]), (1001, True))
    done("a server that ends says 1001", where, code=1001)


with tempfile.TemporaryDirectory() as folder, BROWSER.browser(Tab, takes_any=len(sys.argv) > 3) as tab:
    check_all(tab, folder)
