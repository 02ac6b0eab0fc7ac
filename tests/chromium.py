"""A real browser for tests: Chromium, driven over its debugging pipe, so that no library is needed."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PATIENCE = 30.0  # seconds for anything a browser is asked for
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
LAUNCH = """if True:  # Chromium reads commands from file 3 and writes answers to file 4
    import fcntl, os, sys
    one, other = (fcntl.fcntl(int(f), fcntl.F_DUPFD, 10) for f in sys.argv[1:3])
    os.dup2(one, 3), os.dup2(other, 4)
    os.execvp(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """A headless Chromium with one tab."""

    def __init__(self, folder: Path) -> None:
        (to_read, self.to), (self.of, to_write) = os.pipe(), os.pipe()
        command = [CHROMIUM, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={folder}"]
        wrapped = [sys.executable, "-c", LAUNCH, str(to_read), str(to_write), *command]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(wrapped, pass_fds=(to_read, to_write), **quiet)
        os.close(to_read)
        os.close(to_write)
        self.events: list[dict[str, Any]] = []
        self.rest, self.count, self.session = b"", 0, ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.count:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.of], [], [], PATIENCE)
            found = os.read(self.of, 2**16) if ready else b""
            if not found:
                pytest.fail("the browser says nothing")
            self.rest += found
        line, _, self.rest = self.rest.partition(b"\0")
        return json.loads(line)

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def js(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, condition: str) -> None:
        end = time.monotonic() + PATIENCE
        while not self.js(condition):
            assert time.monotonic() < end, f"in vain: {condition}"
            time.sleep(0.02)

    def key(self, name: str, text: str = "") -> None:
        shared = {"key": name, "code": name, **({"text": text} if text else {})}
        self.call("Input.dispatchKeyEvent", type="keyDown", **shared)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name, code=name)

    def click(self, selector: str) -> None:
        """A real click in the middle of an element."""
        box = self.js(
            f"(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView();"
            " const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=box[0],
                y=box[1],
                button="left",
                clickCount=1,
            )

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def size(self, width: int, height: int, phone: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self.to)
        os.close(self.of)
