"""A user study of result folders: build its page, and analyse the answers that come back.

Pictures of the folders belong together when they show the same caption and layout; of several, the
first by seed goes with the first. They are written anew for the page, for the record inside a picture
tells which method drew it.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from situ.app import manifest
from situ.app.sheet import read_png
from situ.evaluation.statistics import Estimate
from situ.evaluation.study.analysis import Duel, Result, analyse
from situ.evaluation.study.answers import Collection, Rule, collect, read_answers, write_csv
from situ.evaluation.study.chart import chart
from situ.evaluation.study.design import Design, Picture, Study, assign, from_json, to_json
from situ.evaluation.study.page import TITLE, data_uri, page
from situ.files.atomic import write_bytes
from situ.files.record import Record, read_record
from situ.scene import SituError, codec, strict_json
from situ.scene.errors import at, shown

PAGE, KEY, PICTURES = "study.html", "study.json", "pictures"
NOISE_CELLS = 32  # on a side: coarse, so that no one takes it for fine texture
LOSSLESS = 100

Pairing = Literal["scene", "caption"]
Shelf = dict[str, list[Path]]  # the pictures of a scene, in the order of their seeds


@dataclass(frozen=True)
class Options:
    """How a study is made; see Design for raters, images, each, against, checks and seed."""

    raters: int = 20
    images: int = 1
    each: int = 1
    against: str | None = None
    checks: int = 6
    seed: int = 0
    pairing: Pairing = "scene"  # caption: layouts may differ, as against a method without one
    quality: int = 95  # of the pictures' WebP; 100 loses nothing
    beside: bool = False  # pictures as files beside the page, not inside it
    title: str = TITLE
    note: str = ""
    overwrite: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= LOSSLESS:
            raise SituError(f"quality: {self.quality} must be in 1..{LOSSLESS}")


@dataclass(frozen=True)
class Analysis:
    """A result to each question, and who took part."""

    results: tuple[Result, ...]
    collection: Collection


def build_study(folders: Mapping[str, Path], out: Path, options: Options | None = None) -> Study:
    """Write study.html for the raters and study.json, the key, which stays with the experimenter."""
    options = options or Options()
    shelves = {name: _shelf(folder, options.pairing) for name, folder in folders.items()}
    scenes = _shared(shelves, options.images)
    captions = tuple(_caption(next(iter(shelves.values()))[scene][0]) for scene in scenes)
    names = ("raters", "images", "each", "against", "checks", "seed")
    settings = {name: getattr(options, name) for name in names}
    design = Design(tuple(folders), captions, **settings)
    study = assign(design, _fingerprint(shelves, scenes, options))
    _check_free(out / KEY, study, options.overwrite)
    _write(
        study, {name: [shelf[s] for s in scenes] for name, shelf in shelves.items()}, out, options
    )
    return study


def analyse_study(
    study_json: Path, answers: Sequence[Path], out: Path, rule: Rule | None = None
) -> Analysis:
    """Read answers, files or folders of them, and write result.json, judgements.csv and result.svg."""
    study = read_study(study_json)
    files = [read_answers(path, study) for path in _answer_files(answers)]
    rule = rule or Rule()
    collection = collect(study, files, rule)
    if not collection.judgements:
        raise SituError(f"no answers count: {'; '.join(collection.remarks)}")
    results = analyse(collection.judgements, study.systems)
    content = {
        "situ_study_result": 1,
        "study": study.id,
        "systems": study.systems,
        "rule": asdict(rule),
        "results": [result.to_json() for result in results],
        "raters": [asdict(rater) for rater in collection.raters],
        "remarks": collection.remarks,
    }
    write_bytes(out / "result.json", json.dumps(content, ensure_ascii=False, indent=1).encode())
    write_csv(out / "judgements.csv", collection.judgements)
    write_bytes(out / "result.svg", chart(results).encode())
    return Analysis(results, collection)


def read_study(path: Path) -> Study:
    """The key that build_study wrote."""
    content = strict_json.read(path, limited=False)
    with at(path):
        return from_json(strict_json.parse(content))


def table(analysis: Analysis) -> str:
    """The analysis as lines for a terminal; shares in per cent, ties half, 95 % over prompts."""
    raters = analysis.collection.raters
    counted = sum(not rater.excluded for rater in raters)
    lines = [f"{counted} of {len(raters)} raters count"]
    for result in analysis.results:
        lines += [
            "",
            f"{result.question}: {result.judgements} judgements, {result.prompts} prompts",
        ]
        lines += [f"  {_against(duel)}" for duel in result.duels]
        for standing in result.standings:
            elo = standing.elo
            lines.append(
                f"  {standing.system}: Elo {elo.value:+.0f} [{elo.low:+.0f}, {elo.high:+.0f}]"
            )
        if result.agreement.alpha_nominal is not None:
            lines.append(f"  Krippendorff's alpha {result.agreement.alpha_nominal:.3f}")
        lines.append(f"  left picture {_percent(result.left)}")
    return "\n".join(lines)


def _against(duel: Duel) -> str:
    signs = duel.majorities
    return (
        f"{duel.one} against {duel.other}: {_percent(duel.over_prompts)}, over raters "
        f"{_percent(duel.over_raters)}, ties {100 * duel.ties / duel.share.n:.0f} %, "
        f"sign test {signs.wins}:{signs.losses} p = {signs.p:.2g}"
    )


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} % [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def _shelf(folder: Path, pairing: Pairing) -> Shelf:
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in manifest.pictures(folder):
        record = read_record(path)
        found.setdefault(_scene(record, pairing), []).append((record.seed, path))
    if not found:
        raise SituError(f"{folder} lists no pictures; give a folder that situ generate wrote")
    return {scene: [path for _, path in sorted(paths)] for scene, paths in found.items()}


def _scene(record: Record, pairing: Pairing) -> str:
    """What pictures must share. The size of the canvas is the model's, not the scene's."""
    layout = record.scene.layout if pairing == "scene" else ()
    objects = [codec.format_object(item) for item in layout]
    return json.dumps([record.scene.caption, *objects], ensure_ascii=False)


def _caption(path: Path) -> str:
    return read_record(path).scene.caption


def _shared(shelves: Mapping[str, Shelf], images: int) -> list[str]:
    """The scenes, in the order of the first folder; all folders must have all of them."""
    scenes = list(dict.fromkeys(scene for shelf in shelves.values() for scene in shelf))
    for name, shelf in shelves.items():
        for scene in scenes:
            count = len(shelf.get(scene, ()))
            if count < images:
                caption = shown(json.loads(scene)[0])
                raise SituError(
                    f"{name}: {count} of {images} pictures of {caption}; draw what is missing, or "
                    "pair by caption where layouts differ"
                )
    return scenes


def _fingerprint(shelves: Mapping[str, Shelf], scenes: Sequence[str], options: Options) -> str:
    """Of all pictures, so that answers about others are never taken for answers about these."""
    digest = hashlib.sha256(str(options.quality).encode())
    for name, shelf in shelves.items():
        digest.update(name.encode())
        for scene in scenes:
            for path in shelf[scene][: options.images]:
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _check_free(key: Path, study: Study, overwrite: bool) -> None:
    """Without its key, no answer to a study that is under way can be read any more."""
    if key.exists() and not overwrite and read_study(key).id != study.id:
        raise SituError(
            f"{key} is the key of another study; give another --out, or --overwrite it if no answers "
            "to it matter"
        )


def _write(
    study: Study, pictures: Mapping[str, Sequence[Sequence[Path]]], out: Path, options: Options
) -> None:
    addresses: dict[str, str] = {}
    size = read_png(next(iter(pictures.values()))[0][0]).size
    for picture, token in study.tokens.items():
        content = _encoded(_picture(picture, pictures, size), options.quality)
        if options.beside:
            addresses[token] = f"{PICTURES}/{token}.webp"
            write_bytes(out / addresses[token], content)
        else:
            addresses[token] = data_uri(content, "image/webp")
    key = json.dumps(to_json(study), ensure_ascii=False)
    write_bytes(out / KEY, key.encode())
    write_bytes(out / PAGE, page(study, addresses, options.title, options.note).encode())


def _picture(
    picture: Picture, pictures: Mapping[str, Sequence[Sequence[Path]]], size: tuple[int, int]
) -> Image.Image:
    if picture.system is not None:
        return read_png(pictures[picture.system][picture.prompt][picture.image])
    cells = np.random.default_rng(picture.image).integers(0, 256, (NOISE_CELLS, NOISE_CELLS, 3))
    return Image.fromarray(cells.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)


def _encoded(image: Image.Image, quality: int) -> bytes:
    """The pixels alone as WebP."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, lossless=quality == LOSSLESS, method=4)
    return buffer.getvalue()


def _answer_files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += sorted(path.glob("answers-*.json")) if path.is_dir() else [path]
    if not found:
        raise SituError(f"answers: no answers-*.json in {', '.join(map(str, paths)) or 'nothing'}")
    return list(dict.fromkeys(found))
