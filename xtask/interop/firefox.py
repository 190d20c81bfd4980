"""A headless Firefox and one page of it, driven through WebDriver BiDi."""

import contextlib
import json
import os
import subprocess
import tempfile

from chromium import die_with_parent
from websockets.sync.client import connect

PATIENCE = 20
# Nothing that it does by itself reaches beyond loopback.
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class Tab:
    """One page of a browser."""

    def __init__(self, socket):
        self.socket = socket
        self.number = 0
        # It opens a window by itself, some time after it takes commands, and then goes where it likes with it.
        self.send("session.subscribe", events=["browsingContext.contextCreated"])
        said = {}
        while said.get("method") != "browsingContext.contextCreated":
            said = json.loads(self.socket.recv(PATIENCE))
        self.context = self.call("browsingContext.create", type="tab")["context"]

    def send(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))

    def call(self, method, **params):
        self.send(method, **params)
        while True:
            answer = json.loads(self.socket.recv(PATIENCE))
            if answer.get("id") == self.number:
                if answer["type"] == "error":
                    raise AssertionError(f"{method}: {answer['error']}: {answer['message']}")
                return answer["result"]

    def open(self, url):
        """Loads a page and waits until its scripts have run. What a browser that has only begun opens by itself may
        come in between, and then it is asked again."""
        for is_last in [False, False, True]:
            try:
                options = {"context": self.context, "url": url, "wait": "complete"}
                return self.call("browsingContext.navigate", **options)
            except AssertionError as error:
                if is_last or "NS_BINDING_ABORTED" not in str(error):
                    raise

    def run(self, script):
        """The value of an expression; a promise is waited for."""
        return plain(self.evaluate(script))

    def evaluate(self, script):
        result = self.call(
            "script.evaluate",
            expression=script,
            target={"context": self.context},
            awaitPromise=True,
        )
        if result["type"] == "exception":
            raise AssertionError(result["exceptionDetails"]["text"])
        return result["result"]

    def insert(self, text):
        """Types into what has the focus."""
        self.run(f"document.execCommand('insertText', false, {json.dumps(text)})")

    def choose_files(self, field, paths):
        element = {"sharedId": self.evaluate(f"document.getElementById('{field}')")["sharedId"]}
        self.call("input.setFiles", context=self.context, element=element, files=paths)


def plain(value):
    """What a value of a script is here."""
    match value["type"]:
        case "array":
            return [plain(item) for item in value["value"]]
        case "object":
            return {name: plain(item) for name, item in value["value"]}
        case _:
            return value.get("value")


@contextlib.contextmanager
def browser(tab, takes_any=False):
    """A browser with a profile of its own and one page, a `tab`, until the block ends; one that takes any certificate,
    if it is told so."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        with open(os.path.join(profile, "user.js"), "w") as file:
            for name, value in PREFERENCES.items():
                file.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
        browser = subprocess.Popen(
            ["firefox-esr", "--headless", "--remote-debugging-port", "0", "--profile", profile],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
            # Of its own as well: it writes there, whoever's home it is.
            env={**os.environ, "HOME": profile},
        )
        try:
            said = []
            for line in browser.stderr:
                said.append(line)
                if line.startswith("WebDriver BiDi listening on "):
                    break
            else:
                raise AssertionError(f"no WebDriver BiDi: {''.join(said)}")
            address = line.split()[-1] + "/session"
            with connect(address, max_size=None, compression=None, proxy=None) as socket:
                asked = {"alwaysMatch": {"acceptInsecureCerts": takes_any}}
                request = {"id": 0, "method": "session.new", "params": {"capabilities": asked}}
                socket.send(json.dumps(request))
                yield tab(socket)
        finally:
            browser.kill()
            browser.wait(PATIENCE)
