"""The command line: what is cheap stays cheap, and every mistake is one line."""

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image
from tiny_backbone import SIDE

from situ.cli.main import COMMANDS, main, usage
from situ.files import atomic
from situ.files.png import text_info
from situ.files.record import read_record

CAPTION = "a red fish to the left of a striped blue house"
FISH = "red fish: 0.05 0.4 0.45 0.8"
FEW = ["--steps", "3"]
LINE = {
    "situ": 1,
    "caption": "a red fish",
    "objects": [{"phrase": "red fish", "box": [0.1, 0.1, 0.9, 0.9]}],
}
HEAVY = ("torch", "numpy", "PIL", "diffusers", "transformers", "safetensors", "tqdm", "tokenizers")
SOURCE = str(Path(__file__).parents[2] / "src")
SHIPPED_ALIGNER = Path(SOURCE) / "situ/storybook/weights/backbone/aligner.safetensors"


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def situ(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    """Runs a command line in an empty folder, in this process."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*words: object) -> Outcome:
        try:
            status = main([str(word) for word in words])
        except SystemExit as stop:  # the parser's way to leave
            status = int(stop.code or 0)
        return Outcome(status, *capsys.readouterr())

    return run


def jsonl(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def python(*words: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Seconds of processor time of a fresh interpreter: on a busy machine the clock says little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=environment, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


@pytest.mark.parametrize(
    "words",
    [
        ["-c", "import situ"],
        ["-m", "situ", "--help"],
        ["-m", "situ", "--version"],
    ],
)
def test_the_cheap_things_take_less_than_0_3_seconds(words: list[str]) -> None:
    python(*words)  # compiles the byte code
    seconds, done = min((python(*words) for _ in range(3)), key=lambda pair: pair[0])
    assert done.returncode == 0, done.stderr
    assert seconds < 0.3


@pytest.mark.parametrize(
    "words", [["--help"], ["generate", "--help"], ["show", "--help"], ["generate"]]
)
def test_nothing_heavy_is_imported_to_parse(words: list[str]) -> None:
    code = (
        "import sys, situ, situ.cli.main as m\n"
        f"try: m.main({words!r})\nexcept SystemExit: pass\n"
        f"sys.exit(repr([n for n in {HEAVY!r} if n in sys.modules] or ''))"
    )
    _, done = python("-c", code)
    assert done.stderr.strip().splitlines()[-1] == "''"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(situ: Any, name: str) -> None:
    outcome = situ(*name.split(), "--help")
    assert outcome.status == 0
    assert f"usage: situ {name}" in outcome.out
    assert name in usage()


def test_help_leaves_it_to_the_method_what_no_flag_decides(situ: Any) -> None:
    words = re.sub(r"[│\s]+", " ", situ("generate", "--help").out)
    flags = words[words.index("--align-global") : words.index("--avoid")]
    assert flags.count("(default: the method's)") == 4
    assert "False" not in flags


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_the_commands(situ: Any, words: list[str]) -> None:
    assert situ(*words) == (0, usage() + "\n", "")


def test_a_misspelt_command_gets_a_guess(situ: Any) -> None:
    outcome = situ("genrate")
    assert outcome.status == 2
    assert outcome.err.startswith(
        "situ: error: unknown command 'genrate': did you mean 'generate'?"
    )


def test_a_scene_is_drawn_and_shown(situ: Any, tiny_folder: Path) -> None:
    words = [CAPTION, "--object", FISH, "--object", "blue house: 0.5 0.3 0.95 0.9"]
    outcome = situ("generate", *words, "--model", tiny_folder, "--seed", 7, "--n", 2, *FEW)
    assert outcome == (0, "2 of 2 pictures drawn into out\n", "")
    record = read_record(Path("out/0008.png"))
    assert record.scene.caption == CAPTION
    assert record.scene.canvas == (SIDE, SIDE)
    assert record.scene.layout.phrases == ("red fish", "blue house")
    shown = situ("show", "out/0008.png")
    assert shown.status == 0
    assert "object   red fish: 0.05 0.4 0.45 0.8" in shown.out
    assert "seed     8" in shown.out
    assert record.model["weights"] in shown.out
    as_json = situ("show", "--json", "out/0007.png", "out/0008.png").out.splitlines()
    assert json.loads(as_json[1]) == record.to_json()
    assert situ("show", "out/0007.png", "--sheet", "sheet.png").status == 0
    assert Path("sheet.png").stat().st_size > 1000


def test_every_option_of_sampling_arrives(situ: Any, tiny_folder: Path) -> None:
    words = ["--steps", 4, "--solver", "ddim", "--eta", 0.5, "--guidance", 2, "--interval", 0, 0.5]
    words += ["--gate", 0.5, 0.25, 0.25, "--negative", "dull", "--width", 96, "--height", 32]
    words += ["--method", "gligen", "--dtype", "bfloat16", "--device", "cpu", "--batch", 2]
    outcome = situ("generate", "a fish", "--model", tiny_folder, *words, "--quiet")
    assert outcome == (0, "1 of 1 pictures drawn into out\n", "")
    record = read_record(Path("out/0000.png"))
    assert record.sampling == {
        "steps": 4,
        "solver": "ddim",
        "guidance": 2.0,
        "interval": (0.0, 0.5),
        "negative": "dull",
        "gate": (0.5, 0.25, 0.25),
        "eta": 0.5,
    }
    assert record.scene.canvas == (96, 32)
    assert record.model["dtype"] == "bfloat16"


def test_a_picture_is_repeated_bit_for_bit(situ: Any, tiny_folder: Path) -> None:
    situ("generate", CAPTION, "--object", FISH, "--model", tiny_folder, *FEW, "--solver", "ddim")
    outcome = situ("generate", "--from", "out/0000.png", "--model", tiny_folder)
    assert outcome.status == 0
    assert "out/again/0000.png is equal to out/0000.png bit for bit" in outcome.out
    assert Path("out/again/0000.png").read_bytes() == Path("out/0000.png").read_bytes()
    into_itself = situ("generate", "--from", "out/0000.png", "--model", tiny_folder, "--out", "out")
    assert into_itself.status == 2
    assert "drawn over itself" in into_itself.err


@pytest.mark.parametrize("name", ["tiny", "/etc", "evil/model"])
def test_a_picture_never_chooses_what_is_loaded(
    situ: Any, tiny_folder: Path, tmp_path: Path, name: str
) -> None:
    situ("generate", "a fish", "--model", tiny_folder, "--steps", 1)
    record = read_record(Path("out/0000.png"))
    other = replace(record, model={**record.model, "name": name})
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png", pnginfo=text_info(other.texts()))
    outcome = situ("generate", "--from", tmp_path / "a.png")
    assert outcome.status == 2
    assert f"was drawn by {name!r}; say where that model is with --model" in outcome.err


def test_another_version_is_a_warning_and_other_weights_are_an_error(
    situ: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    situ("generate", "a fish", "--model", tiny_folder, "--steps", 1)
    record = read_record(Path("out/0000.png"))
    older = replace(record, version="0.0.1")
    Image.open("out/0000.png").save(tmp_path / "a.png", pnginfo=text_info(older.texts()))
    outcome = situ("generate", "--from", tmp_path / "a.png", "--model", tiny_folder)
    assert outcome.status == 0
    assert "a.png was drawn by situ 0.0.1, this is" in outcome.err
    assert "bit for bit" in outcome.out
    other = replace(record, model={**record.model, "weights": "f" * 16})
    Image.new("RGB", (64, 64)).save(tmp_path / "b.png", pnginfo=text_info(other.texts()))
    outcome = situ("generate", "--from", tmp_path / "b.png", "--model", tiny_folder)
    assert outcome.status == 2
    assert f"with weights {'f' * 16}" in outcome.err


def test_findings_are_warnings_with_their_place(
    situ: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "many.jsonl", [LINE, {**LINE, "caption": "a blue house"}])
    words = ["generate", "--scenes", path, "--model", tiny_folder, *FEW]
    outcome = situ(*words)
    assert outcome.status == 0
    assert outcome.err.startswith(f"situ: warning: {path}:2: the caption does not contain")
    assert len(outcome.err.splitlines()) == 1
    assert situ(*words, "--quiet").err == ""


def test_thousands_of_findings_are_cut(situ: Any, tiny_folder: Path, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "many.jsonl", [{**LINE, "caption": "a house"}] * 30)
    outcome = situ("generate", "--scenes", path, "--model", tiny_folder, "--steps", 1)
    assert len(outcome.err.splitlines()) == 21
    assert "10 more remarks; `situ lint FILE` prints them all" in outcome.err


def bad(objects: Any) -> dict[str, Any]:
    return {**LINE, "objects": [{"phrase": p, "box": b} for p, b in objects]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            bad([("a", [0.1, 0.1, 1.2, 0.9])]),
            "objects[0]: box [0.1, 0.1, 1.2, 0.9]: x1=1.2 is outside 0..1",
        ),
        (bad([("a", [10, 10, 300, 200])]), "these look like pixels"),
        (bad([("a", [0.9, 0.1, 0.2, 0.9])]), "x0=0.9 must be less than x1=0.2"),
        (bad([("a", [0.5, 0.5, 0.2, 0.3])]), "if this is [x, y, width, height], write the corners"),
        (bad([("a", [0.1, 0.1, "0.5", 0.9])]), "x1 must be a number, got '0.5'"),
        (bad([("a", [0, 0, 1, 1])] * 31), "a layout holds at most 30 objects, got 31"),
        (bad([("  ", [0, 0, 1, 1])]), "objects[0]: phrase is empty"),
        ({**LINE, "caption": ""}, "caption is empty"),
        ({**LINE, "objekts": []}, "unknown key 'objekts': did you mean 'objects'"),
        ({**LINE, "situ": 2}, "a newer situ wrote this"),
        ({**LINE, "caption": "a fish " * 250}, "caption has 50"),
        (
            {**LINE, "width": 100},
            "width: 100 px cannot be drawn by tiny; use a multiple of 16, best 64",
        ),
    ],
)
def test_a_bad_scene_is_named_by_file_and_line(
    situ: Any, tiny_folder: Path, tmp_path: Path, line: dict[str, Any], message: str
) -> None:
    path = jsonl(tmp_path / "many.jsonl", [LINE, LINE, line])
    outcome = situ("generate", "--scenes", path, "--model", tiny_folder)
    assert outcome.status == 2
    assert outcome.err.startswith(f"situ: error: {path}:3: ")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not Path("out").exists()


def test_nan_and_broken_json_at_line_734(situ: Any, tmp_path: Path) -> None:
    lines = [json.dumps(LINE)] * 740
    for text, message in (
        (json.dumps(LINE)[:-2], "not valid JSON"),
        ('{"situ": NaN}', "NaN is not"),
    ):
        lines[733] = text
        (tmp_path / "many.jsonl").write_text("\n".join(lines))
        outcome = situ("generate", "--scenes", tmp_path / "many.jsonl")
        assert outcome.status == 2
        assert f"many.jsonl:734: {message}" in outcome.err
        assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "--object", "fish 0 0 1 1"], 'write "phrase: x0 y0 x1 y1"'),
        (["a", "--object", "fish: 0 0 1"], "a box is four numbers"),
        (["a", "--object", "fish: 0 0 nan 1"], "must be a finite number"),
        (["a", "--object", "fish: 0 0 x 1"], "'x' is not a number"),
        (["a", "--object", ": 0 0 1 1"], "phrase is empty"),
        ([""], "caption is empty"),
        ([], "give one of a caption, --scene, --scenes, --from; got none"),
        (["a", "--scene", "b.json"], "got a caption and --scene"),
        (["--scene", "gone.json"], "gone.json: cannot be read: No such file"),
        (["--scene", "gone.json", "--object", FISH], "--object: it goes with a caption"),
        (["--from", "gone.png"], "gone.png: cannot be read"),
        (["--from", "gone.png", "--n", "3"], "--n: --from repeats one picture"),
        (["a", "--model", "gone"], "no folder 'gone'"),
        (["a", "--batch", "0"], "--batch: 0 must be at least 1"),
        (["a", "--out", "/dev/null/x"], "cannot write into /dev/null/x: Not a directory"),
    ],
)
def test_mistakes_in_the_command_line_are_one_line(
    situ: Any, words: list[str], message: str
) -> None:
    outcome = situ("generate", *words)
    assert outcome.status == 2
    assert message in outcome.err
    assert outcome.err.startswith("situ: error: ")
    assert len(outcome.err.splitlines()) == 1
    assert outcome.out == ""
    assert contents(Path.cwd()) == {}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps", 0], "steps: 0"),
        (["--steps", 2000], "steps: 2000 must be in 1..1000"),
        (["--solver", "euler"], "solver: 'euler' is unknown"),
        (["--gate", 1, 1, 1], "gate: (1.0, 1.0, 1.0)"),
        (["--interval", 0.7, 0.2], "interval: (0.7, 0.2)"),
        (["--guidance", -1], "guidance: -1.0"),
        (["--guidance", "nan"], "guidance: nan"),
        (["--method", "gligan"], "did you mean 'gligen'"),
        (["--dtype", "half"], "dtype: 'half' is unknown"),
        (["--device", "cuda:99"], "device: 'cuda:99' is not on this machine"),
        (["--seed", -3], "seed: -3"),
        (["--n", 0], "n: 0 must be in 1.."),
        (["--width", 8], "width: 8 px cannot be drawn"),
    ],
)
def test_bad_settings_are_one_line_and_nothing_is_drawn(
    situ: Any, tiny_folder: Path, words: list[Any], message: str
) -> None:
    outcome = situ("generate", "a fish", "--model", tiny_folder, *words)
    assert outcome.status == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert contents(Path.cwd()) == {}


def copied(folder: Path, target: Path) -> Path:
    for name, content in contents(folder).items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    return target


UNET = "unet/diffusion_pytorch_model.safetensors"


def _truncate(folder: Path) -> None:
    path = folder / UNET
    path.write_bytes(path.read_bytes()[:-1000])


def _pickle(folder: Path) -> None:
    import torch

    torch.save({"weight": torch.zeros(3)}, folder / UNET)


def _no_tokenizer(folder: Path) -> None:
    for path in (folder / "tokenizer").iterdir():
        path.unlink()


def _broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer/tokenizer.json").write_text('{"version": "1.0"}')


def _broken_config(folder: Path) -> None:
    (folder / "unet/config.json").write_text('{\n"in_channels": 4,,\n}')


def _no_vae(folder: Path) -> None:
    (folder / "vae/diffusion_pytorch_model.safetensors").unlink()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_truncate, "diffusion_pytorch_model.safetensors is not a whole safetensors file"),
        (_pickle, "diffusion_pytorch_model.safetensors is a pickle, whatever its name says"),
        (_no_tokenizer, "missing: tokenizer/tokenizer.json"),
        (_broken_tokenizer, "cannot be loaded"),
        (_broken_config, "unet/config.json:2: not valid JSON"),
        (_no_vae, "missing: vae/diffusion_pytorch_model.safetensors"),
    ],
)
def test_a_damaged_model_is_named(
    situ: Any, tiny_folder: Path, tmp_path: Path, harm: Any, message: str
) -> None:
    folder = copied(tiny_folder, tmp_path / "damaged")
    harm(folder)
    outcome = situ("generate", "a fish", "--model", folder)
    assert outcome.status == 2
    assert message in outcome.err
    assert outcome.err.startswith("situ: error: ")
    assert len(outcome.err.splitlines()) == 1
    assert contents(Path.cwd()) == {}


def test_a_full_disk_is_one_line(
    situ: Any, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(atomic, "_write_and_sync", full)
    outcome = situ("generate", "a fish", "--model", tiny_folder, *FEW)
    assert outcome.status == 2
    assert outcome.err.startswith("situ: error: cannot write out/0000.png: No space left on device")
    assert len(outcome.err.splitlines()) == 1
    assert contents(Path.cwd()) == {}


def test_ctrl_c_says_how_to_go_on(
    situ: Any, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(path: Path, content: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic, "_write_and_sync", pressed)
    outcome = situ("generate", "a fish", "--model", tiny_folder, *FEW)
    assert outcome.status == 130
    assert (
        "situ: interrupted; 0 of 1 pictures are in out, and the same command goes on" in outcome.err
    )
    assert contents(Path.cwd()) == {}


def test_an_oserror_of_anywhere_is_one_line(situ: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Any) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "a/b")

    monkeypatch.setattr("situ.cli.scenes.Lint.run", denied)
    assert situ("lint", "x.json") == (2, "", "situ: error: a/b: Permission denied\n")


def test_text_from_strangers_cannot_steer_the_terminal(situ: Any, tmp_path: Path) -> None:
    hidden = "a fish \x1b[2J\x07 \u202e gone"
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps({**LINE, "caption": "x", "objects": [{"phrase": hidden, "box": [0, 0, 1, 1]}]})
    )
    outcome = situ("lint", path)
    assert "\x1b" not in outcome.out
    assert r"\x1b[2J" in outcome.out
    assert r"\u202e" in outcome.out


def test_lint_prints_places_and_suggestions(situ: Any, tmp_path: Path, tiny_folder: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [LINE, {**LINE, "caption": "word " * 100}])
    clean = jsonl(tmp_path / "clean.jsonl", [LINE])
    assert situ("lint", clean) == (0, "1 scenes, 0 warnings\n", "")
    outcome = situ("lint", path, "--model", tiny_folder)
    assert outcome.status == 1
    assert f"{path}:2: warning: the caption has" in outcome.out
    assert "[text-too-long]" in outcome.out
    assert "[phrase-not-in-caption]" in outcome.out


def test_scenes_are_converted(situ: Any, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [LINE, LINE])
    assert situ("convert", path, "b.jsonl", "--to", "ideogram").status == 0
    assert (
        json.loads(Path("b.jsonl").read_text().splitlines()[0])["high_level_description"]
        == "a red fish"
    )
    back = situ(
        "convert", "b.jsonl", "c.jsonl", "--from", "ideogram", "--width", 64, "--height", 64
    )
    assert back == (0, "2 scenes written to c.jsonl\n", "")
    one_side = situ("convert", "b.jsonl", "c.jsonl", "--from", "ideogram", "--width", 64)
    assert one_side.status == 2


def test_storybook_pages_are_written(situ: Any) -> None:
    outcome = situ("data", "storybook", "--n", 2, "--out", "book", "--workers", 1, "--size", 64)
    assert outcome.status == 0
    assert sorted(p.name for p in Path("book/images").iterdir()) == ["000000.png", "000001.png"]
    assert situ("data", "storybook", "--n", 0, "--out", "book").status == 2


def test_a_model_is_exported(situ: Any, tiny_folder: Path) -> None:
    assert situ("export", tiny_folder, "copy", "--dtype", "float32").status == 0
    assert situ("generate", "a fish", "--model", "copy", *FEW).status == 0
    assert situ("export", tiny_folder, "copy", "--dtype", "int8").status == 2
    assert "over itself" in situ("export", "copy", "copy").err


def test_killed_and_resumed_equals_uninterrupted(
    situ: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    lines = [
        {**LINE, "caption": f"a red fish and {k} boats", "height": 64 + 32 * (k % 2)}
        for k in range(12)
    ]
    path = jsonl(tmp_path / "many.jsonl", lines)
    words = [
        "generate",
        "--scenes",
        path,
        "--model",
        tiny_folder,
        "--steps",
        4,
        "--n",
        2,
        "--seed",
        5,
    ]
    words += ["--quiet", "--draw"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-m", "situ", *map(str, words), "--out", str(killed)]
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    while len(list(killed.rglob("0*.png"))) < 5 and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    there = {p: p.stat().st_mtime_ns for p in killed.rglob("00*-?.png")}
    assert 0 < len(there) < 24
    assert all(read_record(picture) for picture in there)
    with (killed / "manifest.jsonl").open("a") as file:
        file.write('{"file": "000/0000')
    resumed = situ(*words, "--out", killed, "--batch", 8)
    assert f"{24 - len(there)} of 24 pictures drawn" in resumed.out
    assert f"{len(there)} were there already" in resumed.out
    assert all(p.stat().st_mtime_ns == time_ns for p, time_ns in there.items())
    situ(*words, "--out", whole)
    assert contents(killed) == contents(whole)


def test_without_boxes_they_are_planned_and_told(situ: Any, tiny_folder: Path) -> None:
    words = ("--model", tiny_folder, "--steps", 1, "--out", "out")
    outcome = situ("generate", "two cats left of a tree", *words)
    assert outcome.status == 0, outcome.err
    assert "planned cat: " in outcome.out
    record = read_record(Path("out/0000.png"))
    assert record.scene.layout.phrases == ("cat", "cat", "tree")
    assert situ("generate", "two cats", *words, "--method", "base", "--seed", 5).status == 0
    assert not len(read_record(Path("out/0005.png")).scene.layout)


def test_options_of_a_method_travel_with_the_picture(situ: Any, tiny_folder: Path) -> None:
    off = ("--set", "align_local=false", "--set", "align_global=false")
    words = ("a cat", "--object", "cat: 0 0 1 1", "--model", tiny_folder, "--steps", 1)
    assert situ("generate", *words, "--method", "hcma", *off).status == 0
    settings = read_record(Path("out/0000.png")).sampling
    assert (settings["align_local"], settings["align_size"]) == (0, 6.0)
    refused = situ("generate", *words, "--set", "align_local=false", "--out", "b")
    assert (refused.status, "no such option" in refused.err) == (2, True)
    flags = ("--no-align-local", "--no-align-global")
    assert situ("generate", *words, "--method", "hcma", *flags, "--out", "c").status == 0
    assert read_record(Path("c/0000.png")).sampling == settings
    refused = situ("generate", *words, "--no-align-local", "--out", "b")
    assert (refused.status, "no such option" in refused.err) == (2, True)
    refused = situ("generate", *words, "--align-local", "--no-align-local", "--out", "b")
    assert (refused.status, "--no-align-local is given, too" in refused.err) == (2, True)
    other = ("--method", "hcma", "--aligner", SHIPPED_ALIGNER, "--out", "b")
    refused = situ("generate", *words, *other)
    assert (refused.status, "belongs to another autoencoder" in refused.err) == (2, True)
    assert len(refused.err.splitlines()) == 1
    refused = situ("generate", *words, "--set", "align_local", "--out", "b")
    assert (refused.status, "NAME=VALUE" in refused.err) == (2, True)
