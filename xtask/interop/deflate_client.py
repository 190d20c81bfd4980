"""Python `websockets` as a client with permessage-deflate.

deflate_client.py FOLDER JOBS: for each job of the JSON list sends every file of the folder, in
numeric order, and wants it back as it went; prints the job's number when all came back.
"""

import json
import pathlib
import sys

from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.sync.client import connect

FOLDER, JOBS = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
PATIENCE = 20
FRAGMENT = 10007

for number, job in enumerate(JOBS):
    offer = {"client_max_window_bits": True, **job["parameters"]}
    with connect(
        job["url"],
        extensions=[ClientPerMessageDeflateFactory(**offer)],
        compression=None,
        max_size=None,
        ping_interval=None,
        open_timeout=PATIENCE,
        close_timeout=PATIENCE,
        proxy=None,
    ) as ws:
        text = not job["binary"]
        for file in sorted(FOLDER.iterdir(), key=lambda path: int(path.name)):
            message = file.read_bytes()
            if job["fragments"]:
                starts = range(0, len(message) or 1, FRAGMENT)
                ws.send([message[start : start + FRAGMENT] for start in starts], text=text)
            else:
                ws.send(message, text=text)
            got = ws.recv(PATIENCE)
            if isinstance(got, str) != text:
                raise AssertionError(f"{file.name}: came back with the other type")
            if (got.encode() if text else got) != message:
                raise AssertionError(f"{file.name}: came back different")
    if ws.close_code != 1000:
        raise AssertionError(f"closed with {ws.close_code}")
    print(number, flush=True)
