"""The llm planner with the real client, against a local server that answers well, badly or not at all."""

import json
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from chat_server import KEY, Server, dripping, raw, silent

from situ.planners import plan_by_rules
from situ.planners.answers import SCHEMA, UNITS, nearest, read_answer
from situ.planners.llm import KEY_VARIABLES, Endpoint, _examples, client, conversation, plan_by_llm
from situ.scene import SituError

CAPTION = "a cat on a mat"
GOOD = {
    "objects": [
        {"phrase": "cat", "x0": 300, "y0": 300, "x1": 600, "y1": 700},
        {"phrase": "mat", "x0": 100, "y0": 600, "x1": 900, "y1": 900},
    ],
    "relations": [{"subject": "cat", "predicate": "on", "object": "mat"}],
}


def changed(index: int = 0, **fields: Any) -> str:
    objects = [dict(row) for row in GOOD["objects"]]
    objects[index] |= fields
    return json.dumps(GOOD | {"objects": objects})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    pytest.importorskip("openai")
    for name in KEY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(KEY_VARIABLES[0], KEY)
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


def endpoint(server: Server, timeout_s: float = 20) -> Endpoint:
    return Endpoint("tiny", server.url, timeout_s)


def is_by_rules(plan: Any) -> bool:
    return plan.planner == "rules" and plan.layout == plan_by_rules(CAPTION).layout


def test_a_good_answer_is_the_layout(server: Server) -> None:
    server.replies = [json.dumps(GOOD)]
    plan = plan_by_llm(CAPTION, endpoint(server))
    assert plan.planner == "llm"
    assert plan.layout[0].box.xyxy == (0.3, 0.3, 0.6, 0.7)
    assert plan.symbols.describe() == "1 cat; 1 mat; cat on mat"
    assert plan.warnings == ()
    request = server.asked[0]
    assert request["response_format"]["json_schema"]["schema"] == SCHEMA
    assert request["messages"][-1]["content"].endswith(CAPTION)
    assert (request["temperature"], request["seed"]) == (0, 0)


def test_json_in_a_fence_is_forgiven(server: Server) -> None:
    server.replies = [f"Sure! Here it is:\n```json\n{json.dumps(GOOD)}\n```"]
    assert plan_by_llm(CAPTION, endpoint(server)).planner == "llm"
    assert len(server.asked) == 1


BAD = [
    ("I cannot help with that.", "no JSON object"),
    ('{"objects": [{"phrase": "cat", "x0": 1', "not"),
    (changed(x1=1400), "0..1000"),
    (changed(x0=-5), "0..1000"),
    (changed(x0=700), "less than"),
    (changed(x0=0.3), "whole number"),
    (changed(x0="300"), "whole number"),
    (changed(phrase=""), "empty"),
    (json.dumps({"objects": []}), "objects is empty"),
    (json.dumps({"layout": []}), "'objects' is missing"),
    (json.dumps(GOOD | {"objects": GOOD["objects"] * 20}), "at most 30"),
    (json.dumps(GOOD | {"relations": [{"subject": "cow", "predicate": "on", "object": "mat"}]}), "cow"),
    (json.dumps(GOOD | {"relations": [{"subject": "cat", "predicate": "eats", "object": "mat"}]}), "eats"),
    ('{"objects": NaN}', "NaN"),
    ("[" * 5000, "no JSON object"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "complaint"), BAD)
def test_a_bad_answer_is_repaired_with_the_exact_complaint(
    server: Server, answer: str, complaint: str
) -> None:
    server.replies = [answer, json.dumps(GOOD)]
    plan = plan_by_llm(CAPTION, endpoint(server))
    assert plan.planner == "llm"
    assert len(server.asked) == 2
    assert complaint in server.asked[1]["messages"][-1]["content"]


@pytest.mark.parametrize(("answer", "complaint"), BAD)
def test_two_bad_answers_leave_it_to_the_rules(server: Server, answer: str, complaint: str) -> None:
    server.replies = [answer]
    plan = plan_by_llm(CAPTION, endpoint(server))
    assert is_by_rules(plan)
    assert len(server.asked) == 2
    assert "planned by rules" in plan.warnings[0]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_an_error_of_the_server_leaves_it_to_the_rules(server: Server, status: int) -> None:
    server.replies = [status]
    plan = plan_by_llm(CAPTION, endpoint(server))
    assert is_by_rules(plan)
    assert str(status) in plan.warnings[0]
    assert KEY not in " ".join(plan.warnings)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    ["", "nonsense", "[]", "{}", '{"choices": []}', '{"choices": [{"message": {}}]}', "null"],
)
def test_a_body_that_is_no_chat_completion_leaves_it_to_the_rules(
    server: Server, body: str
) -> None:
    server.replies = [lambda handler: raw(handler, body)]
    assert is_by_rules(plan_by_llm(CAPTION, endpoint(server)))


@pytest.mark.parametrize("stall", [silent, dripping])
def test_a_slow_server_is_left_after_the_time_limit(server: Server, stall: Any) -> None:
    server.replies = [stall]
    begun = time.monotonic()
    plan = plan_by_llm(CAPTION, endpoint(server, 0.4))
    assert is_by_rules(plan)
    assert "0.4 s" in plan.warnings[0]
    assert time.monotonic() - begun < 2.8  # both servers would keep it for three seconds


def test_no_server_at_all_leaves_it_to_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    plan = plan_by_llm(CAPTION, Endpoint("tiny", f"http://127.0.0.1:{port}/v1", 5))
    assert is_by_rules(plan)
    assert "cannot be used" in plan.warnings[0]


def test_a_connection_that_breaks_leaves_it_to_the_rules(server: Server) -> None:
    server.replies = [lambda handler: handler.connection.close()]
    assert is_by_rules(plan_by_llm(CAPTION, endpoint(server)))


def test_answers_are_cached_by_what_was_asked(server: Server, tmp_path: Path) -> None:
    server.replies = [json.dumps(GOOD)]
    plans = [plan_by_llm(CAPTION, endpoint(server), cache_folder=tmp_path) for _ in range(3)]
    assert len(server.asked) == 1
    assert len({plan.layout for plan in plans}) == 1
    plan_by_llm(CAPTION, endpoint(server), seed=1, cache_folder=tmp_path)
    plan_by_llm("a dog", endpoint(server), cache_folder=tmp_path)
    assert len(server.asked) == 3
    assert len(list(tmp_path.iterdir())) == 3  # and no temporary files


def test_bad_answers_are_not_cached_and_broken_files_are_asked_again(
    server: Server, tmp_path: Path
) -> None:
    server.replies = [changed(x1=1400)]
    plan_by_llm(CAPTION, endpoint(server), cache_folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    server.replies = [json.dumps(GOOD)]
    plan_by_llm(CAPTION, endpoint(server), cache_folder=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text('{"objects": [')
    before = len(server.asked)
    assert plan_by_llm(CAPTION, endpoint(server), cache_folder=tmp_path).planner == "llm"
    assert len(server.asked) == before + 1
    assert read_answer(file.read_text()).layout


def test_the_key_is_sent_and_is_nowhere_else(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for reply in (json.dumps(GOOD), 401, "no", lambda handler: raw(handler, KEY)):
        server.replies = [reply]
        where = endpoint(server)
        plan = plan_by_llm(CAPTION, where, cache_folder=tmp_path, seed=len(server.asked))
        assert KEY not in repr((plan, where))
    assert set(server.keys) == {f"Bearer {KEY}"}
    logged = [
        record.getMessage() for record in caplog.records if not record.name.startswith("openai")
    ]
    assert KEY not in " ".join(logged)
    assert f"Bearer {KEY}" not in caplog.text
    assert all(KEY not in file.read_text() for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": " "}, "model"),
        ({"base_url": "localhost:8000"}, "base_url"),
        ({"base_url": f"http://me:{KEY}@host/v1"}, "leave the key out"),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_an_endpoint_checks_itself(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SituError, match=message) as caught:
        Endpoint(**({"model": "tiny"} | fields))
    assert KEY not in str(caught.value)


def test_without_a_key_or_a_server_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    for name in KEY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SituError, match="SITU_PLANNER_KEY"):
        plan_by_llm(CAPTION, Endpoint("tiny"))


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    with pytest.raises(SituError, match=r"situ\[planner\]"):
        client(Endpoint("tiny", "http://127.0.0.1:1/v1"))


def test_a_long_caption_never_reaches_the_server() -> None:
    def ask(messages: Sequence[dict[str, str]], seed: int) -> str:
        raise AssertionError("asked")

    plan = plan_by_llm("a cat " * 3000, Endpoint("tiny", "http://x/v1"), ask=ask)
    assert plan.planner == "rules"


def test_every_example_is_a_good_answer_to_its_caption() -> None:
    from situ.planners.answers import as_answer

    for record in _examples():
        answer = read_answer(as_answer(record))
        assert len(answer.layout) == len(record["objects"])
        for subject, predicate, landmark in answer.relations:
            _holds(answer.layout, subject, predicate, landmark)


def _holds(layout: Any, subject: str, predicate: str, landmark: str) -> None:
    from gold import stands

    ones = [item.box for item in layout if item.phrase == subject]
    others = [item.box for item in layout if item.phrase == landmark]
    if predicate != "between":
        predicate = "some next to" if predicate == "next to" else predicate
        assert stands(predicate, ones, others), (subject, predicate, landmark)


def test_the_most_similar_example_comes_last() -> None:
    records = _examples()
    for record in records:
        assert nearest(record["caption"], records, 5)[-1] == record
    roles = [message["role"] for message in conversation("a goldfish in a bowl", 2)]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "goldfish" in conversation("a goldfish in a bowl", 2)[-3]["content"]
    assert UNITS == 1000
