"""Whole builds: one command, stops at any moment, other back-ends, what is lost, and the page."""

import base64
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_server import Server, raw
from chromium import CHROMIUM, Browser
from PIL import Image

from situ.app import goal2k
from situ.app.goal2k import LOGGED, Build, build_all, open_build, run_stage
from situ.app.goal2k_verify import desk
from situ.cli.main import main
from situ.data.coco import read_coco
from situ.goal2k.settings import KEY_VARIABLE, Captions, Pictures, Ranking, Settings
from situ.goal2k.verify import Desk
from situ.scene import Scene, SituError, codec
from situ.storybook.render import render
from situ.storybook.world import sample_page

N = 12
SOURCE = str(Path(__file__).parents[2] / "src")


@pytest.fixture(autouse=True)
def few_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmarks' captions take a second to collect, and every build asks three times."""
    monkeypatch.setattr(goal2k.pages, "held_out_captions", lambda: {"a red fish"})


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build that nothing interrupted."""
    patch = pytest.MonkeyPatch()
    patch.setattr(goal2k.pages, "held_out_captions", lambda: {"a red fish"})
    out = tmp_path_factory.mktemp("goal2k") / "straight"
    assert main(["data", "goal2k", "--out", str(out), "--n", str(N)]) == 0
    patch.undo()
    return out


def test_one_command_makes_a_set_that_every_loader_reads(straight: Path) -> None:
    release = straight / "release"
    records = lines(release / "goal2k.jsonl")
    assert len(records) == N
    assert Counter(r["category"] == "natural" for r in records) == {True: N // 2, False: N // 2}
    items = read_coco(release)
    scenes = [codec.loads(line) for line in (release / "scenes.jsonl").read_text().splitlines()]
    for record, item, scene in zip(records, items, scenes, strict=True):
        assert scene.caption == record["prompt"] == item.captions[0]
        assert item.pixels(128).shape == (128, 128, 3)
        phrases = Counter(o["phrase"] for o in record["objects"])
        assert Counter(item.layout.phrases) == Counter(scene.layout.phrases) == phrases
        for attributes, phrase in zip(item.attributes, item.layout.phrases, strict=True):
            assert attributes["colour"] in phrase
            assert phrase.endswith(attributes["kind"])
        assert record["split"] in ("train", "val")
    halves = [
        read_coco(release, f"annotations/instances_{s}.json", f"annotations/captions_{s}.json")
        for s in ("train", "val")
    ]
    assert sorted(i.image_id for half in halves for i in half) == [i.image_id for i in items]


def test_the_renderer_draws_what_the_caption_says_and_the_boxes_are_the_judges(
    straight: Path,
) -> None:
    for record in lines(straight / "release" / "goal2k.jsonl"):
        source = record["provenance"]["scene"]
        page = sample_page(source["seed"], "train", source["things"])
        first = straight / "stages" / "pictures" / f"{record['id']}-0.png"
        assert np.array_equal(np.asarray(Image.open(first)), render(page))
        drawn = {"box": [thing.box.xyxy for thing in page.things]}["box"]
        assert not any(tuple(o["box"]) in drawn for o in record["objects"])


def test_the_card_tells_counts_losses_licences_and_the_measure(straight: Path) -> None:
    card = (straight / "release" / "README.md").read_text()
    assert f"{N} pictures with captions" in card
    assert "Apache-2.0" in card
    assert "No person has looked" in card
    assert "% of" in card
    assert "mean IoU" in card
    assert "| natural | 6 |" in card


def test_a_second_run_changes_nothing(straight: Path) -> None:
    before = contents(straight)
    assert main(["data", "goal2k", "--out", str(straight)]) == 0
    assert contents(straight) == before


@pytest.mark.parametrize("stage", ["pictures", "ranking", "boxes", "checks"])
def test_a_stop_in_any_stage_gives_the_same_set(
    straight: Path, tmp_path: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goal2k, "BATCH", 4)
    full = open_build(tmp_path / "full", n=N)
    _copy_stages(straight, full, LOGGED[: LOGGED.index(stage)])
    full.run(stage)
    build = open_build(tmp_path / "stopped", n=N)
    _copy_stages(straight, build, LOGGED[: LOGGED.index(stage)])
    calls = 0

    def interrupt(name: str, done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(build, progress=interrupt).run(stage)
    assert build.journal(stage).so_far()
    assert not build.journal(stage).finished
    build.run(stage)
    assert build.journal(stage).done.read_bytes() == full.journal(stage).done.read_bytes()


def _copy_stages(source: Path, build: Build, stages: Any) -> None:
    for stage in stages:
        target = build.journal(stage).done
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((source / "stages" / target.name).read_bytes())
        if stage == "pictures":
            for name, content in contents(source / "stages" / "pictures").items():
                (build.work / "pictures").mkdir(exist_ok=True)
                (build.work / "pictures" / name).write_bytes(content)


def test_a_killed_process_goes_on_to_the_same_set(straight: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    code = (
        "import sys, time, situ.app.goal2k as g\n"
        "from situ.goal2k import pictures\n"
        "g.pages.held_out_captions = lambda: {'a red fish'}\n"
        "row = pictures.row\n"
        "def slow(*a):\n time.sleep(0.1); return row(*a)\n"
        "pictures.row = slow\n"
        "from situ.cli.main import main\n"
        f"main(['data', 'goal2k', '--out', {str(out)!r}, '--n', '{N}'])"
    )
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    log = out / "stages" / "5-pictures.part.jsonl"
    end = time.monotonic() + 300
    while not (log.exists() and log.read_bytes().count(b"\n") >= 5):
        assert process.poll() is None, "it was done before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 5 <= log.read_bytes().count(b"\n") < 2 * N
    build_all(open_build(out))
    assert contents(out / "release") == contents(straight / "release")
    assert (out / "ledger.jsonl").read_bytes() == (straight / "ledger.jsonl").read_bytes()


def test_other_settings_need_another_folder_or_a_stage_made_anew(
    straight: Path, tmp_path: Path
) -> None:
    build = open_build(tmp_path, n=N)
    _copy_stages(straight, build, LOGGED)
    with pytest.raises(SituError, match="set.n was 12 and is 13.*--stage templates --again"):
        open_build(tmp_path, n=13)
    recipe = tmp_path / "r.toml"
    recipe.write_text(f'stage = "goal2k"\n[set]\nn = {N}\n[ranking]\nsource = "first"\n')
    with pytest.raises(SituError, match="ranking.source was 'presence' and is 'first'"):
        open_build(tmp_path, recipe)
    again = open_build(tmp_path, recipe, again="ranking")
    assert again.journal("pictures").finished
    assert not again.journal("ranking").begun
    assert run_stage(again, "ranking").startswith("ranking: ")
    rows = again.journal("ranking").rows()
    assert all(row["file"].endswith("-0.png") for row in rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('stage = "train"\n', "stage is 'train'"),
        ('stage = "goal2k"\n[picture]\n', "did you mean 'pictures'"),
        ('stage = "goal2k"\n[pictures]\nsorce = "x"\n', "did you mean 'source'"),
        ('stage = "goal2k"\n[pictures]\nsource = "endpoint"\n', "name the model"),
        ('stage = "goal2k"\n[objects]\nsource = "coco.json"\n', "draws its own pages only"),
        ('stage = "goal2k"\n[pictures]\nkey = "sk-123"\n', "NAME of an environment variable"),
        ('stage = "goal2k"\n[set]\ncategories = ["colour"]\n', "did you mean 'color'"),
        ('stage = "goal2k"\n[captions]\nsource = "gpt"\n', "allowed: grammar, llm"),
    ],
)
def test_a_bad_recipe_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (tmp_path / "r.toml").write_text(text)
    words = ["--out", str(tmp_path / "out"), "--recipe", str(tmp_path / "r.toml")]
    assert main(["data", "goal2k", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
    assert "sk-123" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--again"], "name the stage"),
        (["--stage", "picture"], "did you mean 'pictures'"),
        (["--stage", "boxes"], "boxes needs objects to be done"),
        (["--stage", "verify"], "--verify"),
        (["--verify"], "objects is not done yet"),
        (["--n", "0"], "n: 0"),
        (["--verify", "--audit", "2"], "audit"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["data", "goal2k", "--out", str(tmp_path / "out"), *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1


class Studio(Server):
    """Writes captions as told, and draws squares; refuses one prompt and is wrong about another."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = 0
        self.replies = [self.reply]

    def reply(self, handler: Any) -> None:
        asked = self.asked[-1]
        if "messages" in asked:
            told = [m["content"] for m in asked["messages"] if m["content"].startswith("Things:")]
            return raw(handler, _completion(_told(told[-1])))
        self.drawn += 1
        if "truck" in asked["prompt"]:
            error = {"error": {"code": "content_policy_violation", "message": "no"}}
            return raw(handler, json.dumps(error), 400)
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (10, 200, 10)).save(buffer, "PNG")
        content = base64.b64encode(buffer.getvalue()).decode()
        return raw(handler, json.dumps({"created": 0, "data": [{"b64_json": content}]}))


def _completion(text: str) -> str:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    head = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
    return json.dumps(head | {"choices": [choice]})


def _told(request: str) -> str:
    """What a good model would answer; of zebras it never says a word."""
    things = request.removeprefix("Things: ").split(". Relations:")[0].split(", ")
    names = [thing.split(" x ")[1] for thing in things if "zebra" not in thing]
    return json.dumps({"caption": " and ".join(f"a {name}" for name in names) or "a dog"})


class Finder:
    """A detector that sees everything that it is asked for, in a row."""

    def find(self, pictures: Any, phrases: Any) -> Any:
        from situ.evaluation.detections import Detection
        from situ.scene import Box

        def place(i: int, count: int) -> Box:
            return Box(i / count, 0.2, (i + 0.9) / count, 0.8)

        return [
            [Detection(p, 0.9, place(i, len(some))) for i, p in enumerate(some)] for some in phrases
        ]


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    pytest.importorskip("openai")
    monkeypatch.setenv(KEY_VARIABLE, "sk-secret")
    monkeypatch.setattr("situ.goal2k.looking.load_detector", lambda *a, **k: Finder())
    running = Studio()
    yield running
    running.http.shutdown()
    running.http.server_close()


def open_world(folder: Path, url: str) -> Path:
    """A recipe on a small COCO folder of our own, with endpoints for captions and pictures."""
    names = ["dog", "cat", "bench", "truck", "zebra", "bowl", "kite", "chair"]
    images = [{"id": i, "width": 100, "height": 100} for i in range(8)]
    boxes = [
        {"id": i, "image_id": i, "category_id": i, "bbox": [0, 0, 50, 50], "iscrowd": 0}
        for i in range(8)
    ]
    categories = [{"id": i, "name": name} for i, name in enumerate(names)]
    content = {"images": images, "annotations": boxes, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content))
    text = f"""stage = "goal2k"
[set]
n = 12
natural = 0.0
categories = ["color"]
[objects]
source = "{folder}/instances.json"
[captions]
source = "llm"
model = "m"
base_url = "{url}"
pause_s = 0.0
attempts = 2
workers = 1
[pictures]
source = "endpoint"
model = "d"
base_url = "{url}"
pause_s = 0.0
attempts = 2
workers = 1
size = 64
candidates = 1
[boxes]
source = "stub"
[checks]
source = "none"
"""
    (folder / "r.toml").write_text(text)
    return folder / "r.toml"


def test_what_endpoints_refuse_is_counted_and_never_dropped(studio: Studio, tmp_path: Path) -> None:
    recipe = open_world(tmp_path, studio.url)
    said = build_all(open_build(tmp_path / "out", recipe))
    rows = [json.loads(line) for line in (tmp_path / "out/stages/2-templates.jsonl").open()]
    zebras = {r["id"] for r in rows if any("zebra" in t["phrase"] for t in r["things"])}
    trucks = {r["id"] for r in rows if any("truck" in t["phrase"] for t in r["things"])} - zebras
    assert zebras
    assert trucks
    told = lines(tmp_path / "out/ledger.jsonl")
    gone = {(row["stage"], row["why"]): set() for row in told if row["event"] == "lost"}
    for row in told:
        if row["event"] == "lost":
            gone[row["stage"], row["why"]].add(row["id"].removesuffix("-0"))
    assert gone == {
        ("captions", "malformed"): zebras,
        ("pictures", "refused"): trucks,
        ("ranking", "no picture"): trucks,
    }
    released = lines(tmp_path / "out/release/goal2k.jsonl")
    assert f"{len(released)} pictures released" in said
    assert {r["id"] for r in released} <= {r["id"] for r in rows} - zebras - trucks
    card = (tmp_path / "out/release/README.md").read_text()
    assert f"| captions | malformed | {len(zebras)} |" in card
    assert f"| pictures | refused | {len(trucks)} |" in card
    assert "NOT STATED" in card
    everything = contents(tmp_path / "out")
    assert not any(b"sk-secret" in content for content in everything.values())
    asked = len(studio.asked)
    build_all(open_build(tmp_path / "out"))
    assert contents(tmp_path / "out") == everything
    assert len(studio.asked) == asked


def test_a_retry_asks_for_what_was_lost_alone(studio: Studio, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build_all(open_build(out, open_world(tmp_path, studio.url)))
    lost = sum("lost" in row for row in lines(out / "stages/5-pictures.jsonl"))
    before, drawn = contents(out), studio.drawn
    build = open_build(out)
    assert build.retry("pictures") == lost
    build_all(build)
    assert studio.drawn == drawn + 2 * lost  # two attempts each, all refused again
    assert contents(out) == before


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SituError, match="draws its own pages only"):
        Settings(captions=Captions(source="llm", model="m"))
    with pytest.raises(SituError, match="folder of its model"):
        Settings(ranking=Ranking(source="clip"))


def test_a_diffusers_folder_draws_by_prompt_and_seed(tmp_path: Path) -> None:
    from situ.goal2k import pictures
    from situ.goal2k.prompts import Asked, Prompt

    folder = tiny_pipeline(tmp_path / "pipe")
    settings = Pictures(source=str(folder), size=32, steps=2)
    paint = pictures.painter(settings)
    things = (Asked("dog", "dog"),)
    orders = [
        pictures.Order(Prompt(c, 0, "color", things, (), c), k)
        for c in ("dog", "cat")
        for k in (0, 1)
    ]
    made = [pictures.row(order, paint, tmp_path / "one") for order in orders]
    pixels = [(tmp_path / "one" / row["file"]).read_bytes() for row in made[:2]]
    assert pixels[0] != pixels[1]
    pictures.row(orders[1], paint, tmp_path / "two")
    assert (tmp_path / "two" / made[1]["file"]).read_bytes() == pixels[1]
    with pytest.raises(SituError, match=r"pictures: .*model_index\.json is missing"):
        pictures.painter(Pictures(source=str(tmp_path / "none")))


def tiny_pipeline(folder: Path) -> Path:
    """A random Stable Diffusion of a few thousand weights, in diffusers' own classes."""
    import torch
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel

    from situ.models.clip import train_tokenizer

    torch.manual_seed(0)
    tokenizer = train_tokenizer(["a dog and a cat"], 300)
    words = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, projection_dim=16, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), norm_num_groups=4,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=32, attention_head_dim=4,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(8,), norm_num_groups=4, latent_channels=4, sample_size=32
    )
    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=CLIPTextModel(words), tokenizer=tokenizer, unet=unet,
        scheduler=DDIMScheduler(), safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipe.save_pretrained(folder)
    return folder


@pytest.fixture
def doubtful(straight: Path, tmp_path: Path) -> Build:
    """A finished build of which two pictures are in doubt."""
    build = open_build(tmp_path / "doubtful", n=N)
    _copy_stages(straight, build, LOGGED)
    journal = build.journal("checks")
    rows = journal.rows()
    for row in rows[:2]:
        row |= {"verdict": "review", "failed": ["missing: 1 x <b>thing</b>"]}
    journal.write(rows)
    return build


@pytest.fixture
def page(doubtful: Build) -> Iterator[Desk]:
    server = desk(doubtful, "ann", audit=0.0)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(
    server: Desk, method: str, path: str, body: str | None = None, **headers: str
) -> tuple[int, bytes]:
    host = f"127.0.0.1:{server.server_address[1]}"
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request(method, path, body, {"Host": host, **headers})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_the_page_answers_its_own_browser_only(page: Desk, doubtful: Build) -> None:
    secret = f"/{page.secret}/"
    key = next(iter(page.shown))
    good = json.dumps({"id": key, "verdict": "reject", "objects": [], "shown": page.shown[key]})
    assert ask(page, "GET", secret)[0] == 200
    status, picture = ask(page, "GET", f"{secret}picture/{key}")
    assert (status, picture[:4]) == (200, b"\x89PNG")
    for method, path, headers in (
        ("GET", "/", {}),
        ("GET", "/wrong/", {}),
        ("GET", f"{secret}picture/../../../settings.json", {}),
        ("GET", secret, {"Host": "evil.example"}),
        ("POST", f"{secret}verdict", {"Origin": "http://evil.example"}),
        ("POST", "/wrong/verdict", {}),
    ):
        assert ask(page, method, path, good if method == "POST" else None, **headers)[0] == 404
    zebra = [{"phrase": "zebra", "box": [0.1, 0.1, 0.5, 0.5]}]
    other = json.dumps({**json.loads(good), "verdict": "accept", "objects": zebra})
    for body in (
        "",
        "{",
        "[]",
        other,
        good.replace(key, "other"),
        good.replace("reject", "accept"),
    ):
        assert ask(page, "POST", f"{secret}verdict", body)[0] == 400
    assert ask(page, "POST", f"{secret}verdict", "x" * 70_000)[0] == 413
    assert not (doubtful.out / "verdicts.jsonl").exists()
    assert ask(page, "POST", f"{secret}verdict", good) == (200, b"saved")
    (row,) = lines(doubtful.out / "verdicts.jsonl")
    assert (row["id"], row["reviewer"], row["verdict"]) == (key, "ann", "reject")


@pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed")
def test_a_person_goes_from_the_first_key_to_a_release(
    page: Desk, doubtful: Build, tmp_path: Path
) -> None:
    browser = Browser(tmp_path / "browser")
    try:
        first, second = page.shown
        browser.size(1280, 800)
        browser.open(page.url)
        assert (
            browser.js("document.getElementById('failed').textContent")
            == "missing: 1 x <b>thing</b>"
        )
        browser.until("document.getElementById('picture').naturalWidth === 128")
        before = browser.js("things[0].box")
        browser.key("Tab")
        for key in ("ArrowLeft", "ArrowUp"):
            browser.key(key)
        moved = browser.js("things[0].box")
        assert np.allclose(np.subtract(before, moved), 1 / 128)
        browser.key("Delete")
        assert browser.js("things[0].box") is None
        browser.key("n", "n")
        added = browser.js("things[0].box")
        browser.key("a", "a")
        browser.until("here === 1")
        browser.click("#back")
        assert browser.js("document.getElementById('accept').className") == "said"
        browser.key("Escape")
        browser.key("ArrowRight")
        browser.click("#reject")
        browser.until("!document.getElementById('done').hidden")
        browser.js("1")
        for event in browser.events:
            assert event.get("method") not in ("Runtime.exceptionThrown", "Log.entryAdded"), event
    finally:
        browser.close()
    rows = {row["id"]: row for row in lines(doubtful.out / "verdicts.jsonl")}
    assert (rows[first]["verdict"], rows[second]["verdict"]) == ("accept", "reject")
    assert rows[first]["objects"][0]["box"] == added
    doubtful.release()
    released = {r["id"]: r for r in lines(doubtful.out / "release/goal2k.jsonl")}
    assert second not in released
    assert released[first]["objects"][0]["box"] == added
    assert released[first]["verification"]["by"] == "person"
    card = (doubtful.out / "release/README.md").read_text()
    assert "2 pictures seen by 1 people" in card
    assert "| release | rejected by a person | 1 |" in card


def test_a_scene_of_the_release_can_be_drawn_from(straight: Path) -> None:
    scene = codec.loads((straight / "release/scenes.jsonl").read_text().splitlines()[0])
    assert isinstance(scene, Scene)
    assert len(scene.layout)
