"""The page of stage 9 and the small server behind it.

A local server rather than an offline page with a file of answers: each verdict is on the disk before the next
picture is shown, nothing has to be downloaded and carried back, and pictures of any size stay where they are.
It listens on 127.0.0.1 alone, answers under a secret path, and refuses other hosts and origins, so that no
page of the web can talk to it.
"""

import html
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

from situ.files.page import policy
from situ.goal2k.journal import Row
from situ.goal2k.verdicts import Verdict, from_json
from situ.scene import SituError, strict_json
from situ.scene.errors import at

HOST = "127.0.0.1"
MAX_BODY_BYTES = 64 * 1024
Item = Row  # id, caption, category, things, objects, failed, shown
Save = Callable[[Verdict], None]


class Desk(ThreadingHTTPServer):
    """The server: items to look at, their pictures, and where a verdict goes."""

    daemon_threads = True

    def __init__(
        self,
        items: Sequence[Item],
        pictures: Mapping[str, Path],
        said: Mapping[str, str],
        reviewer: str,
        save: Save,
        port: int = 0,
    ) -> None:
        self.pictures, self.reviewer, self.save = pictures, reviewer, save
        self.shown = {item["id"]: item["shown"] for item in items}
        self.phrases = {item["id"]: {t["phrase"] for t in item["things"]} for item in items}
        self.secret = secrets.token_urlsafe(16)
        self.page = _page({"reviewer": reviewer, "items": list(items), "said": dict(said)})
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise SituError(f"port: {port} cannot be used: {error.strerror}") from None

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.origin}/{self.secret}/"

    def take(self, body: bytes) -> None:
        """Check a verdict and save it. Raises SituError that says what is wrong with it."""
        with at("verdict"):
            try:
                text = body.decode()
            except UnicodeDecodeError:
                raise SituError("it is not UTF-8") from None
            record = strict_json.parse(text)
            if not isinstance(record, dict):
                raise SituError("it is no JSON object")
            verdict = from_json({**record, "reviewer": self.reviewer})
            if self.shown.get(verdict.id) != verdict.shown:
                raise SituError("it is about a picture that this page does not show")
            if not set(verdict.layout.phrases) <= self.phrases[verdict.id]:
                raise SituError("a phrase in it is none of the caption's")
        self.save(verdict)


class _Handler(BaseHTTPRequestHandler):
    server: Desk  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 30

    def do_GET(self) -> None:
        place = self._place()
        if place == "":
            self._answer(200, self.server.page, "text/html; charset=utf-8")
        elif place is not None and (path := self._picture(place)) is not None:
            self._send_picture(path)
        else:
            self._answer(404, b"not found", "text/plain")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self._place() != "verdict" or not self._is_ours():
            self._answer(404, b"not found", "text/plain")
        elif not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self._answer(413, b"too long", "text/plain")
        else:
            try:
                self.server.take(self.rfile.read(int(length)))
            except (SituError, OSError) as error:
                self._answer(400, str(error).encode(), "text/plain; charset=utf-8")
            else:
                self._answer(200, b"saved", "text/plain")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal is the user's."""

    def _place(self) -> str | None:
        """What is asked for below the secret, or None for whoever does not know it."""
        if self.headers.get("Host", "") != self.server.origin.removeprefix("http://"):
            return None
        _, _, rest = self.path.partition("/")
        secret, slash, place = rest.partition("/")
        return place if slash and secrets.compare_digest(secret, self.server.secret) else None

    def _is_ours(self) -> bool:
        return self.headers.get("Origin", self.server.origin) == self.server.origin

    def _picture(self, place: str) -> Path | None:
        folder, _, key = place.partition("/")
        return self.server.pictures.get(key) if folder == "picture" else None

    def _send_picture(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except OSError:
            self._answer(404, b"the picture is gone", "text/plain")
        else:
            self._answer(200, content, "image/png")

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)


def _page(content: Mapping[str, Any]) -> bytes:
    template = (files("situ.goal2k") / "verify.html").read_text("utf-8")
    parts = {
        "policy": html.escape(policy(template, "img-src 'self' data:", "connect-src 'self'")),
        "work": json.dumps(content, ensure_ascii=False).replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template).encode()
