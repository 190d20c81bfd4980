"""Chromium as a client with permessage-deflate.

deflate_browser.py PAGE FOLDER JOBS: loads the page, which must have a file field, and for each
job of the JSON list sends every file of the folder, in numeric order, and wants it back as it
went; prints the job's number when all came back. What it offers cannot be chosen.
"""

import json
import pathlib
import sys

import chromium

PAGE, FOLDER, JOBS = sys.argv[1], pathlib.Path(sys.argv[2]), json.loads(sys.argv[3])

ECHO = """
const field = document.getElementById("file");
field.multiple = true;
const echo = async (url, binary) => {
  const ws = new WebSocket(url);
  ws.binaryType = "arraybuffer";
  const next = event => new Promise((resolve, reject) => {
    ws.addEventListener(event, resolve, { once: true });
    ws.addEventListener("close", closed => reject(new Error("closed with " + closed.code)),
      { once: true });
  });
  await next("open");
  for (const file of [...field.files].sort((a, b) => a.name - b.name)) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const back = next("message");
    ws.send(binary ? bytes : new TextDecoder().decode(bytes));
    const { data } = await back;
    if ((typeof data === "string") === binary) throw new Error(file.name + ": the other type");
    const got = binary ? new Uint8Array(data) : new TextEncoder().encode(data);
    if (got.length !== bytes.length || !got.every((byte, at) => byte === bytes[at])) {
      throw new Error(file.name + ": came back different");
    }
  }
  const closed = next("close");
  ws.close(1000);
  const { code, wasClean } = await closed;
  if (code !== 1000 || !wasClean) throw new Error("closed with " + code);
};
"""

with chromium.browser(chromium.Tab) as tab:
    tab.open(PAGE)
    tab.run(ECHO + "; 0")
    tab.choose_files("file", [str(file) for file in FOLDER.iterdir()])
    for number, job in enumerate(JOBS):
        tab.run(f"echo({json.dumps(job['url'])}, {json.dumps(job['binary'])})")
        print(number, flush=True)
