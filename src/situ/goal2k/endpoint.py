"""Texts and pictures from OpenAI-compatible endpoints: bounded retries, and every failure by its kind.

What a server says is repeated nowhere, for it may repeat the key: an error is told by its status and its
code alone.
"""

import base64
import binascii
import io
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PIL import Image

from situ.goal2k.journal import Row
from situ.goal2k.settings import Pictures, Server
from situ.scene import SituError

T = TypeVar("T")
Message = dict[str, str]

LONGEST_PAUSE_S = 60.0
MAX_TEXT_CHARACTERS = 100_000
MAX_PICTURE_BYTES = 64 * 2**20
POLICY = ("content_policy_violation", "moderation_blocked", "content_filter", "safety")
_CODE = re.compile(r"[a-z][a-z0-9_.]{0,60}")


class FailedError(Exception):
    """One attempt that came to nothing. why is a kind of failure, detail says more; neither is secret."""

    def __init__(self, why: str, detail: str, wait_s: float = 0.0) -> None:
        super().__init__(f"{why}: {detail}")
        self.why, self.detail, self.wait_s = why, detail, wait_s


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of the attempts: a value, or None when all failed."""

    value: T | None
    failures: tuple[Row, ...]

    @property
    def last(self) -> tuple[str, str]:
        """Why and detail of the last failure."""
        row = self.failures[-1]
        return row["why"], row["detail"]


def persist(
    attempt: Callable[[int, FailedError | None], T],
    server: Server,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome[T]:
    """Attempt until it works, server.attempts times at most, with longer and longer pauses.

    An attempt is told its number, from 0, and how the one before it failed.
    """
    failures: list[Row] = []
    before: FailedError | None = None
    for number in range(server.attempts):
        if before is not None:
            pause = max(server.pause_s * 2 ** (number - 1), before.wait_s)
            sleep(min(pause, LONGEST_PAUSE_S))
        try:
            return Outcome(attempt(number, before), tuple(failures))
        except FailedError as error:
            before = error
            failures.append({"attempt": number, "why": error.why, "detail": error.detail})
    return Outcome(None, tuple(failures))


class Client:
    """The `openai` library around one server, without its own retries: those are ours, and recorded."""

    def __init__(self, server: Server) -> None:
        try:
            import openai
        except ImportError:
            raise SituError(
                'endpoints need a client; install it with pip install "situ[planner]"'
            ) from None
        key = os.environ.get(server.key) or os.environ.get("OPENAI_API_KEY")
        if key is None and not server.base_url:
            raise SituError(f"the endpoint needs a key; set the environment variable {server.key}")
        self.server, self.openai = server, openai
        self.library = openai.OpenAI(
            base_url=server.base_url or None,
            api_key=key or "none",
            timeout=server.timeout_s,
            max_retries=0,
        )

    def text(
        self,
        messages: Sequence[Message],
        schema: Mapping[str, Any],
        seed: int,
        temperature: float,
        max_tokens: int,
    ) -> str:
        """The text of a chat completion that was asked to follow a JSON schema."""
        form = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)},
        }
        chat: Any = self.library.chat.completions
        reply = self._call(
            lambda: chat.create(
                model=self.server.model,
                messages=list(messages),
                response_format=form,
                temperature=temperature,
                max_tokens=max_tokens,
                seed=seed,
            )
        )
        return _text(reply)

    def picture(self, prompt: str, settings: Pictures) -> tuple[Image.Image, str]:
        """A picture of the size that was asked for, and the prompt as the server changed it, or ""."""
        side = settings.size
        asked = {"quality": settings.quality, "style": settings.style}
        asked["response_format"] = settings.form
        given: Any = {name: value for name, value in asked.items() if value}
        images: Any = self.library.images
        reply = self._call(
            lambda: images.generate(
                model=self.server.model, prompt=prompt, n=1, size=f"{side}x{side}", **given
            )
        )
        return _decoded(_encoded(reply), side), _revised(reply)

    def _call(self, work: Callable[[], T]) -> T:
        """The reply; a failure of the attempt is FailedError, one of all that follow SituError."""
        openai, limit = self.openai, self.server.timeout_s
        try:
            return within(limit, work)
        except (FailedError, SituError):
            raise
        except openai.APITimeoutError:
            raise FailedError("timeout", f"no answer within {limit:g} s") from None
        except openai.APIStatusError as error:
            raise self._status(error) from None
        except openai.APIConnectionError:
            raise FailedError("unreachable", "no connection") from None
        except openai.OpenAIError as error:
            raise FailedError("malformed", type(error).__name__) from None
        except (ValueError, TypeError, AttributeError, IndexError, KeyError):
            raise FailedError("malformed", "the answer is not of the protocol") from None

    def _status(self, error: Any) -> Exception:
        status, code = int(error.status_code), _code(error)
        said = f"status {status}" + (f", {code}" if code else "")
        if status in (401, 402, 403, 404) or code == "insufficient_quota":
            hint = f"; is {self.server.key} set rightly?" if status in (401, 403) else ""
            return SituError(
                f"the endpoint refuses {self.server.model}: {said}{hint}; what is done is kept, and "
                "the same command goes on"
            )
        if code in POLICY:
            return FailedError("refused", said)
        if status in (408, 409, 429) or status >= 500:
            return FailedError("busy", said, _wait(error))
        return FailedError("rejected", said)


def within(limit_s: float, work: Callable[[], T]) -> T:
    """The result of `work`, or FailedError when the whole of it takes longer.

    A client's own limit is between two bytes, and a server that sends one now and then would hold it for
    ever; so the work is done in a thread that nobody waits for after the limit.
    """
    outcome: list[tuple[T | None, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if not outcome:
        raise FailedError("timeout", f"no whole answer within {limit_s:g} s")
    value, error = outcome[0]
    if error is not None:
        raise error
    return value  # pyright: ignore[reportReturnType]


def _text(reply: Any) -> str:
    try:
        choice = reply.choices[0]
        text, ended = choice.message.content, choice.finish_reason
        refusal = getattr(choice.message, "refusal", None)
    except (AttributeError, IndexError, TypeError):
        raise FailedError("malformed", "the answer is no chat completion") from None
    if refusal or ended == "content_filter":
        raise FailedError("refused", "the model declined")
    if ended == "length":
        raise FailedError("malformed", "the answer was cut at max_tokens")
    if not isinstance(text, str) or not text.strip():
        raise FailedError("malformed", "the answer has no text")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise FailedError("malformed", f"the answer has more than {MAX_TEXT_CHARACTERS} characters")
    return text


def _encoded(reply: Any) -> str:
    try:
        content = reply.data[0].b64_json
    except (AttributeError, IndexError, TypeError):
        raise FailedError("malformed", "the answer holds no picture") from None
    if not isinstance(content, str) or not content:
        raise FailedError("malformed", 'the answer holds no picture; form = "b64_json" asks for it')
    return content


def _revised(reply: Any) -> str:
    said = getattr(reply.data[0], "revised_prompt", None)
    return " ".join(said.split())[:4000] if isinstance(said, str) else ""


def _decoded(content: str, side: int) -> Image.Image:
    """Pixels alone, RGB; sizes are looked at before anything is unpacked."""
    if len(content) > MAX_PICTURE_BYTES * 4 // 3:
        raise FailedError("malformed", f"the picture has more than {MAX_PICTURE_BYTES} bytes")
    try:
        data = base64.b64decode(content, validate=True)
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            if image.size != (side, side):
                got = f"{image.width}x{image.height}"
                raise FailedError("wrong size", f"{got} instead of {side}x{side}")
            return image.convert("RGB")
    except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise FailedError("malformed", "the picture cannot be decoded") from None


def _code(error: Any) -> str:
    """The server's own word for the error, if it looks like one."""
    body = error.body if isinstance(error.body, dict) else {}
    code = body.get("code") or body.get("type") or ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _wait(error: Any) -> float:
    """Seconds that the server asks to be left alone for."""
    try:
        return min(max(float(error.response.headers.get("retry-after", 0)), 0.0), LONGEST_PAUSE_S)
    except (TypeError, ValueError):
        return 0.0
