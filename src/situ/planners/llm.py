"""Layouts from any OpenAI-compatible chat endpoint, or from a language model in this process: checked,
repaired once, and never without a fallback.

The reply format is asked for as a JSON schema, which several servers accept and ignore; so an answer is
believed only after the same checks that a scene file goes through.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from situ.files.atomic import write_bytes
from situ.planners.answers import (
    INSTRUCTION,
    SCHEMA,
    Answer,
    as_answer,
    nearest,
    read_answer,
    symbols_of,
)
from situ.planners.rules import Planned, plan_by_rules
from situ.scene import Scene, SceneError, SituError
from situ.scene.strict_json import parse

LOCAL = "local:"  # before the folder or hub id of a model that is loaded into this process
KEY_VARIABLES = ("SITU_PLANNER_KEY", "OPENAI_API_KEY")
EXAMPLES = 5
MAX_CAPTION_CHARACTERS = 8000
MAX_ANSWER_CHARACTERS = 100_000
_VERSION = 1  # of what is asked; a change of it makes cached answers old

Message = dict[str, str]


class Ask(Protocol):
    """Messages to the text of an answer. Raises SituError when there is none."""

    def __call__(self, messages: Sequence[Message], seed: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A chat server and how patient to be with it. The key comes from the environment and stays there.

    model: a name that the server knows, or LOCAL and a folder or hub id, which needs no server.
    """

    model: str
    base_url: str | None = None  # None is OpenAI's own
    timeout_s: float = 60.0  # for a whole answer
    max_tokens: int = 4000
    temperature: float = 0.0

    def __post_init__(self) -> None:
        if not self.model.removeprefix(LOCAL).strip():
            raise SituError("model: name the model that the endpoint shall use")
        if self.model.startswith(LOCAL) and self.base_url is not None:
            raise SituError("base_url: a local model has no address; leave it out")
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            raise SituError(f"base_url: {self.base_url!r} must begin with http:// or https://")
        if "@" in (self.base_url or "").split("//")[-1].split("/")[0]:
            raise SituError("base_url: leave the key out of the address; set SITU_PLANNER_KEY")
        if not 0 < self.timeout_s <= 3600:
            raise SituError(f"timeout_s: {self.timeout_s} must be above 0 and at most 3600")


def plan_by_llm(
    caption: str,
    endpoint: Endpoint,
    seed: int = 0,
    width: int = 512,
    height: int = 512,
    cache_folder: Path | None = None,
    ask: Ask | None = None,
) -> Planned:
    """Plan with a language model; where it fails twice or cannot be reached, with the rules.

    The warnings of the result say which it was and why. Only checked answers are cached, under a name
    made of all that was asked. Raises SituError for an empty caption or if the client is not installed.
    """
    by_rules = plan_by_rules(caption, seed, width, height)
    try:
        answer = _answer_to(caption, endpoint, seed, cache_folder, ask)
    except _NotInstalledError:
        raise
    except SituError as error:
        return _fallen_back(by_rules, str(error))
    scene = Scene(caption, answer.layout, width, height)
    return Planned(scene, symbols_of(answer), planner="llm")


def conversation(caption: str, examples: int = EXAMPLES) -> list[Message]:
    """Instruction, examples from the least to the most similar, and the caption."""
    messages = [{"role": "system", "content": INSTRUCTION}]
    for record in nearest(caption, _examples(), examples):
        messages.append({"role": "user", "content": _request(record["caption"])})
        messages.append({"role": "assistant", "content": as_answer(record)})
    return [*messages, {"role": "user", "content": _request(caption)}]


def client(endpoint: Endpoint) -> Ask:
    """Ask a local model, or a server through the `openai` library, without the library's own retries: a
    dead server is told at once."""
    if endpoint.model.startswith(LOCAL):
        return _local(endpoint)
    library = _library(endpoint)
    import openai

    def ask(messages: Sequence[Message], seed: int) -> str:
        try:
            return _within(endpoint.timeout_s, lambda: _text(library, endpoint, messages, seed))
        except SituError:
            raise
        except openai.APITimeoutError:
            raise SituError(f"no answer within {endpoint.timeout_s:g} s") from None
        except openai.APIStatusError as error:
            raise SituError(f"the endpoint refused with status {error.status_code}") from None
        except openai.OpenAIError as error:
            raise SituError(f"the endpoint cannot be used: {type(error).__name__}") from None
        except (ValueError, TypeError, AttributeError, IndexError):
            raise SituError(_NO_COMPLETION) from None

    return ask


_NO_COMPLETION = "the endpoint answered with something that is no chat completion"


def _library(endpoint: Endpoint) -> Any:
    """The client of the library, with the key of the environment."""
    try:
        import openai
    except ImportError:
        raise _NotInstalledError(
            'the llm planner needs a client; install it with pip install "situ[planner]"'
        ) from None
    key = next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), None)
    if key is None and endpoint.base_url is None:
        raise _NotInstalledError(
            f"the llm planner needs a key; set {KEY_VARIABLES[0]} or a base_url"
        )
    return openai.OpenAI(
        base_url=endpoint.base_url, api_key=key or "none", timeout=endpoint.timeout_s, max_retries=0
    )


def _local(endpoint: Endpoint) -> Ask:
    from situ.planners.local import in_process

    name, tokens = endpoint.model.removeprefix(LOCAL), endpoint.max_tokens
    try:
        return in_process(name, tokens, endpoint.temperature, endpoint.timeout_s)
    except SituError as error:
        raise _NotInstalledError(str(error)) from None


class _NotInstalledError(SituError):
    """The caller must install or set something; the rules would only hide that."""


def _text(library: Any, endpoint: Endpoint, messages: Sequence[Message], seed: int) -> str:
    form = {
        "type": "json_schema",
        "json_schema": {"name": "layout", "strict": True, "schema": SCHEMA},
    }
    reply = library.chat.completions.create(
        model=endpoint.model,
        messages=list(messages),
        response_format=form,
        temperature=endpoint.temperature,
        max_tokens=endpoint.max_tokens,
        seed=seed,
    )
    text = reply.choices[0].message.content
    if not isinstance(text, str) or not text.strip():
        raise SituError("the endpoint answered without a text")
    if len(text) > MAX_ANSWER_CHARACTERS:
        raise SituError(f"the answer is longer than {MAX_ANSWER_CHARACTERS} characters")
    return text


def _within(limit_s: float, work: Callable[[], str]) -> str:
    """The result of work, or SituError when it takes longer.

    The client's own limit is between two bytes: a server that sends one now and then would hold it for
    ever. So it works in a thread that nobody waits for after the limit.
    """
    outcome: list[str | BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if not outcome:
        raise SituError(f"no whole answer within {limit_s:g} s")
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _answer_to(
    caption: str, endpoint: Endpoint, seed: int, cache_folder: Path | None, ask: Ask | None
) -> Answer:
    """The cached answer, or a new one that is cached; SituError where there is none."""
    if len(caption) > MAX_CAPTION_CHARACTERS:
        raise SituError(f"the caption has more than {MAX_CAPTION_CHARACTERS} characters")
    messages = conversation(caption)
    place = _cached_at(cache_folder, endpoint, messages, seed)
    if (known := _cached(place)) is not None:
        return known
    answer, text = _answered(ask or client(endpoint), messages, seed)
    if place:
        write_bytes(place, text.encode())
    return answer


def _answered(ask: Ask, messages: Sequence[Message], seed: int) -> tuple[Answer, str]:
    """A checked answer; the second try is told exactly what was wrong with the first."""
    text = ask(messages, seed)
    try:
        return read_answer(text), text
    except SceneError as error:
        complaint = (
            f"That cannot be used: {error}. Answer again with the corrected JSON object alone."
        )
    repair = [
        {"role": "assistant", "content": text[:20_000]},
        {"role": "user", "content": complaint},
    ]
    text = ask([*messages, *repair], seed)
    try:
        return read_answer(text), text
    except SceneError as error:
        raise SituError(f"two answers could not be used; of the second: {error}") from None


def _fallen_back(by_rules: Planned, why: str) -> Planned:
    told = f"planned by rules, not by the language model: {why}"
    return Planned(by_rules.scene, by_rules.symbols, by_rules.unknown, (told, *by_rules.warnings))


def _request(caption: str) -> str:
    return f"Caption: {' '.join(caption.split())}"


@cache
def _examples() -> tuple[Any, ...]:
    text = resources.files("situ.planners").joinpath("examples.jsonl").read_text(encoding="utf-8")
    return tuple(parse(line) for line in text.splitlines() if line.strip())


def _cached_at(
    folder: Path | None, endpoint: Endpoint, messages: Sequence[Message], seed: int
) -> Path | None:
    if folder is None:
        return None
    asked = [_VERSION, endpoint.base_url, endpoint.model, endpoint.temperature, endpoint.max_tokens]
    content = json.dumps([*asked, seed, SCHEMA, list(messages)], sort_keys=True)
    return folder / f"{hashlib.sha256(content.encode()).hexdigest()}.json"


def _cached(place: Path | None) -> Answer | None:
    """A cached answer, checked like a fresh one; what cannot be read is asked again."""
    if place is None:
        return None
    try:
        return read_answer(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SituError):
        return None
