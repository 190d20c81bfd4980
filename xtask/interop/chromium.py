"""A headless Chromium and one page of it, driven through its DevTools protocol."""

import contextlib
import ctypes
import json
import signal
import subprocess
import tempfile

from websockets.sync.client import connect

PATIENCE = 20
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
]


class Tab:
    """One page of a browser."""

    def __init__(self, socket):
        self.socket = socket
        self.number = 0
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        self.socket.send(json.dumps(request))
        while True:
            answer = json.loads(self.socket.recv(PATIENCE))
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, url):
        """Loads a page and waits until its scripts have run."""
        self.call("Page.enable")
        error = self.call("Page.navigate", url=url).get("errorText")
        if error:
            raise AssertionError(f"{url}: {error}")
        self.run("new Promise(go => document.readyState === 'complete' ? go() : (onload = go))")

    def run(self, script):
        """The value of an expression; a promise is waited for."""
        options = {"awaitPromise": True, "returnByValue": True}
        result = self.call("Runtime.evaluate", expression=script, **options)
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def insert(self, text):
        """Types into what has the focus."""
        self.call("Input.insertText", text=text)

    def choose_files(self, field, paths):
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=document, selector=f"#{field}")["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=paths)


def die_with_parent():
    """Run in the browser's process: it must not outlive a script that is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@contextlib.contextmanager
def browser(tab, takes_any=False):
    """A browser with a profile of its own and one page, a `tab`, until the block ends; one that takes any certificate,
    if it is told so."""
    flags = ["--ignore-certificate-errors"] if takes_any else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = ["chromium", *FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"]
        browser = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )
        try:
            said = []
            for line in browser.stderr:
                said.append(line)
                if line.startswith("DevTools listening on "):
                    break
            else:
                raise AssertionError(f"no DevTools: {''.join(said)}")
            address = line.split()[-1]
            with connect(address, max_size=None, compression=None, proxy=None) as socket:
                yield tab(socket)
        finally:
            browser.kill()
            browser.wait(PATIENCE)
