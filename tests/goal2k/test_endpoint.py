"""Captions and pictures from endpoints: the real client against a local server that behaves well or badly."""

import base64
import io
import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chat_server import Server, dripping, raw, send, silent
from PIL import Image

from situ.goal2k import captions, pictures
from situ.goal2k.endpoint import Client, FailedError, persist
from situ.goal2k.journal import Journal, ledger
from situ.goal2k.prompts import Asked, Prompt, Stated
from situ.goal2k.settings import KEY_VARIABLE, Captions, Pictures
from situ.scene import SituError

KEY = "sk-secret-0123456789"
THINGS = (Asked("red bus", "bus"), Asked("dog", "dog", 2))
PROMPT = Prompt("complex-00000", 0, "complex", THINGS, (Stated(0, "left of", 1),), "x")
GOOD = "A red bus stands to the left of two dogs."


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    pytest.importorskip("openai")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


def writer(server: Server, **more: Any) -> Captions:
    given = {"timeout_s": 20.0, "pause_s": 0.0, "workers": 1, **more}
    return Captions(source="llm", model="m", base_url=server.url, **given)


def drawer(server: Server, **more: Any) -> Pictures:
    given = {"timeout_s": 20.0, "pause_s": 0.0, "size": 32, **more}
    return Pictures(source="endpoint", model="d", base_url=server.url, **given)


def said(caption: str) -> str:
    return json.dumps({"caption": caption})


def png(side: int = 32, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (200, 30, 40)).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def picture(content: Any, **more: Any) -> Any:
    body = json.dumps({"created": 0, "data": [{"b64_json": content, **more}]})
    return lambda handler: raw(handler, body)


def refusal(code: str, status: int = 400) -> Any:
    body = json.dumps({"error": {"message": f"no, {KEY}", "code": code, "type": "invalid"}})
    return lambda handler: raw(handler, body, status)


def painted(server: Server, tmp_path: Path, **more: Any) -> dict[str, Any]:
    order = pictures.Order(PROMPT.told(GOOD), 1)
    return pictures.row(order, pictures.painter(drawer(server, **more)), tmp_path)


def test_a_good_caption_is_taken(server: Server) -> None:
    server.replies = [said(GOOD)]
    row = captions.asker(writer(server))(PROMPT)
    assert row == {"id": PROMPT.id, "caption": GOOD, "by": "m"}
    request = server.asked[0]
    assert request["response_format"]["json_schema"]["schema"] == captions.SCHEMA
    assert "2 x dog" in request["messages"][-1]["content"]
    assert "red bus left of dog" in request["messages"][-1]["content"]
    assert server.keys == [f"Bearer {KEY}"]


BAD = [
    ("I would rather not.", "no JSON object"),
    ('{"caption": a red bus}', "not valid JSON"),
    ('{"text": "a red bus"}', "'caption' is missing"),
    ('{"caption": 3}', "must be text"),
    (said("A red bus to the left of a dog."), "2 x dog"),
    (said("A blue bus to the left of two dogs."), "1 x red bus"),
    (said("A red bus and two dogs."), "red bus is left of dog"),
    (said("A red bus to the left of two dogs and a cat."), "'cat'"),
    (said(GOOD + " " * 3 + "word " * 100), "characters"),
]


@pytest.mark.parametrize(("answer", "complaint"), BAD)
def test_a_caption_of_another_scene_goes_back_with_the_complaint(
    server: Server, answer: str, complaint: str
) -> None:
    server.replies = [answer, said(GOOD)]
    row = captions.asker(writer(server))(PROMPT)
    assert row["caption"] == GOOD
    assert row["failures"][0]["why"] == "malformed"
    assert complaint in row["failures"][0]["detail"]
    assert complaint in server.asked[1]["messages"][-1]["content"]


def test_attempts_are_bounded_and_the_loss_is_told(server: Server, tmp_path: Path) -> None:
    server.replies = ["nothing of use"]
    row = captions.asker(writer(server, attempts=3))(PROMPT)
    assert len(server.asked) == 3
    assert row["lost"]["why"] == "malformed"
    assert [f["attempt"] for f in row["failures"]] == [0, 1, 2]
    journal = Journal(tmp_path / "3-captions.jsonl")
    journal.write([row])
    assert [r["event"] for r in ledger([("captions", journal)])] == ["failed"] * 3 + ["lost"]


def test_a_model_that_declines_is_a_refusal(server: Server) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I can't"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
    server.replies = [lambda h: raw(h, json.dumps(head | {"choices": [choice]})), said(GOOD)]
    row = captions.asker(writer(server))(PROMPT)
    assert row["caption"] == GOOD
    assert row["failures"] == [{"attempt": 0, "why": "refused", "detail": "the model declined"}]


@pytest.mark.parametrize(
    "body",
    ["", "nonsense", "[]", "{}", '{"choices": []}', '{"choices": [{"message": {}}]}', "null"],
)
def test_a_body_that_is_no_completion_is_malformed(server: Server, body: str) -> None:
    server.replies = [lambda handler: raw(handler, body), lambda handler: send(handler, said(GOOD))]
    row = captions.asker(writer(server))(PROMPT)
    assert row["caption"] == GOOD
    assert row["failures"][0]["why"] == "malformed"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_written_as_png(server: Server, tmp_path: Path, kind: str) -> None:
    server.replies = [picture(png(kind=kind), revised_prompt="A bus,\n redder")]
    row = painted(server, tmp_path, quality="hd")
    assert row["file"] == "pictures/complex-00000-1.png"
    assert row["revised_prompt"] == "A bus, redder"
    with Image.open(tmp_path / row["file"]) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (32, 32))
        red, green, blue = image.getpixel((5, 5))
    assert abs(red - 200) < 6 > abs(green - 30)
    assert abs(blue - 40) < 6
    asked = server.asked[0]
    assert {k: asked[k] for k in ("model", "prompt", "n", "size", "quality", "response_format")} == {
        "model": "d", "prompt": GOOD, "n": 1, "size": "32x32", "quality": "hd", "response_format": "b64_json",
    }  # fmt: skip
    assert "style" not in asked


@pytest.mark.parametrize(
    ("reply", "why", "detail"),
    [
        (picture(png(48)), "wrong size", "48x48 instead of 32x32"),
        (picture(png()[:40]), "malformed", "decoded"),
        (picture(base64.b64encode(b"<svg/>").decode()), "malformed", "decoded"),
        (picture(png(kind="GIF")), "malformed", "decoded"),
        (picture("***"), "malformed", "decoded"),
        (picture(None, url="http://127.0.0.1/x.png"), "malformed", "no picture"),
        (lambda handler: raw(handler, '{"data": []}'), "malformed", "no picture"),
        (lambda handler: raw(handler, "nonsense"), "malformed", ""),
        (refusal("content_policy_violation"), "refused", "status 400, content_policy_violation"),
        (refusal("unknown_parameter"), "rejected", "status 400, unknown_parameter"),
        (refusal(f"bad {KEY}"), "rejected", "status 400"),
        (429, "busy", "status 429"),
        (500, "busy", "status 500"),
        (503, "busy", "status 503"),
        (lambda handler: handler.connection.close(), "unreachable", "no connection"),
    ],
)
def test_a_failed_attempt_is_told_by_its_kind_and_repeated(
    server: Server, tmp_path: Path, reply: Any, why: str, detail: str
) -> None:
    server.replies = [reply, picture(png())]
    row = painted(server, tmp_path)
    assert (tmp_path / row["file"]).exists()
    (failure,) = row["failures"]
    assert failure["why"] == why
    assert detail in failure["detail"]
    assert KEY not in json.dumps(row)


@pytest.mark.parametrize("stall", [silent, dripping])
def test_a_slow_server_is_left_after_the_time_limit(
    server: Server, tmp_path: Path, stall: Any
) -> None:
    server.replies = [stall]
    row = painted(server, tmp_path, timeout_s=0.3, attempts=1)
    assert row["lost"]["why"] == "timeout"
    assert "0.3 s" in row["lost"]["detail"]


@pytest.mark.parametrize("reply", [401, 403, 404, refusal("insufficient_quota", 429)])
def test_what_no_repetition_mends_stops_at_once(server: Server, tmp_path: Path, reply: Any) -> None:
    server.replies = [reply]
    with pytest.raises(SituError, match="what is done is kept") as caught:
        painted(server, tmp_path)
    assert len(server.asked) == 1
    assert KEY not in str(caught.value)


def test_a_dead_server_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Pictures(
        source="endpoint",
        model="d",
        base_url=f"http://127.0.0.1:{port}/v1",
        pause_s=0.0,
        attempts=2,
    )
    row = pictures.row(pictures.Order(PROMPT, 0), pictures.painter(settings), tmp_path)
    assert row["lost"] == {"why": "unreachable", "detail": "no connection"}
    assert len(row["failures"]) == 2


def test_pauses_grow_and_heed_the_server() -> None:
    slept: list[float] = []

    def failing(number: int, before: FailedError | None) -> str:
        assert (before is None) == (number == 0)
        raise FailedError("busy", "x", wait_s=7.0 if number == 2 else 0.0)

    outcome = persist(failing, Pictures(attempts=8, pause_s=2.0), slept.append)
    assert outcome.value is None
    assert slept == [2, 4, 8, 16, 32, 60, 60]
    slept.clear()
    persist(failing, Pictures(attempts=4, pause_s=0.5), slept.append)
    assert slept == [0.5, 1, 7.0]


def test_the_key_is_sent_and_is_nowhere_else(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = drawer(server)
    for reply in (picture(png()), 500, refusal(KEY), lambda handler: raw(handler, KEY)):
        server.replies = [reply, picture(png())]
        assert KEY not in repr((painted(server, tmp_path), settings))
    assert set(server.keys) == {f"Bearer {KEY}"}
    assert f"Bearer {KEY}" not in caplog.text
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(KEY.encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": KEY}, "NAME of an environment variable"),
        ({"base_url": f"http://me:{KEY}@host/v1"}, "leave the key out"),
        ({"base_url": f"http://host/v1?key={KEY}"}, "leave the key out"),
        ({"base_url": "host:80"}, "must begin with http"),
        ({"model": " "}, "model"),
        ({"attempts": 0}, "attempts"),
        ({"size": 4}, "size"),
    ],
)
def test_settings_check_themselves_and_never_repeat_a_key(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(SituError, match=message) as caught:
        replace(Pictures(source="endpoint", model="d"), **fields)
    assert KEY not in str(caught.value)


def test_without_a_key_or_an_address_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    for name in (KEY_VARIABLE, "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SituError, match=KEY_VARIABLE):
        Client(Pictures(source="endpoint", model="d"))
