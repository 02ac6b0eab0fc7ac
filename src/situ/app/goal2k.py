"""Build a GOAL2K: ten stages with files between them, each of which can be stopped, resumed and done again.

OUT/settings.json         what it is built of; no secrets
OUT/stages/1-objects.jsonl ... 8-checks.jsonl, pictures/
OUT/verdicts.jsonl        what people said (stage 9)
OUT/ledger.jsonl          every failed attempt and every loss of stages 1 to 8
OUT/release/              the data set (stage 10)
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from situ.app.recipe import Recipe, read_recipe
from situ.files.atomic import write_bytes
from situ.files.writable import check_writable
from situ.goal2k import boxes, captions, checks, natural, pages, pictures, ranking
from situ.goal2k.card import card, summary
from situ.goal2k.journal import Journal, Row, ledger, write_lines
from situ.goal2k.looking import Seen, looker, read_picture
from situ.goal2k.objects import objects
from situ.goal2k.prompts import Prompt, from_json, same_words
from situ.goal2k.release import Made, write_release
from situ.goal2k.settings import (
    STAGES,
    STORYBOOK,
    TABLES,
    Settings,
    first_changed,
)
from situ.goal2k.settings import from_json as settings_from_json
from situ.goal2k.templates import made as made_of
from situ.goal2k.templates import templates
from situ.goal2k.verdicts import FILE as VERDICTS
from situ.goal2k.verdicts import Verdicts, fingerprint, read_verdicts
from situ.scene import SituError, strict_json
from situ.scene.errors import at, did_you_mean, shown

SETTINGS, LEDGER, WORK, RELEASE = "settings.json", "ledger.jsonl", "stages", "release"
LOGGED = STAGES[:8]  # those with rows
BATCH = 16  # prompts that a network looks at together

Progress = Callable[[str, int, int], None]  # stage, done, total


def silent(stage: str, done: int, total: int) -> None:
    """No progress."""


@dataclass(frozen=True)
class Build:
    """A folder and its settings."""

    out: Path
    settings: Settings
    progress: Progress = silent

    @property
    def work(self) -> Path:
        return self.out / WORK

    def journal(self, stage: str) -> Journal:
        return Journal(self.work / f"{STAGES.index(stage) + 1}-{stage}.jsonl")

    def run(self, stage: str) -> None:
        """Run one stage of those before `verify`; a finished one is left as it is."""
        journal = self.journal(stage)
        if journal.finished:
            return
        for before in LOGGED[: LOGGED.index(stage)]:
            if not self.journal(before).finished:
                raise SituError(f"stage: {stage} needs {before} to be done before it")
        with self._recorded(), at(stage):
            _RUNS[stage](self, journal)

    def release(self) -> str:
        """Write OUT/release; one line on what is in it."""
        with self._recorded():
            made = self.made()
        write_release(made, self.work, self.out / RELEASE, card(made))
        return summary(made)

    def forget(self, stage: str) -> None:
        """Throw a stage away, and all that was made of it."""
        for later in LOGGED[LOGGED.index(stage) :]:
            self.journal(later).discard()

    def retry(self, stage: str) -> int:
        """Make a stage try again what it lost; how much that is. Pictures that are there are kept, what
        looks at them looks again."""
        count = self.journal(_stage(stage, LOGGED)).reopen()
        for later in LOGGED[LOGGED.index(stage) + 1 :] if count else ():
            if later == "pictures":
                self.journal(later).reopen()
            elif later != "natural":
                self.journal(later).discard()
        return count

    def prompts(self) -> list[Prompt]:
        """All prompts that have a caption, by number."""
        told = {row["id"]: row for row in self.journal("captions").rows() if "lost" not in row}
        made = [from_json(row) for row in self.journal("templates").rows()]
        found = [prompt.told(told[prompt.id]["caption"]) for prompt in made if prompt.id in told]
        return [*found, *(from_json(row) for row in self.journal("natural").rows())]

    def verdicts(self) -> Verdicts:
        return read_verdicts(self.out / VERDICTS, self.shown())

    def shown(self) -> dict[str, str]:
        """What a reviewer sees of each picture, as a fingerprint."""
        captions = {prompt.id: prompt.caption for prompt in self.prompts()}
        found = self._kept("boxes")
        return {key: fingerprint(captions[key], row) for key, row in found.items()}

    def made(self) -> Made:
        return Made(
            self.settings,
            self.prompts(),
            self._kept("captions"),
            {row["file"]: row for row in self._kept("pictures").values()},
            self._kept("boxes"),
            self._kept("checks"),
            self.verdicts(),
            ledger((stage, self.journal(stage)) for stage in LOGGED),
        )

    def seen(
        self, prompts: Sequence[Prompt], files: Mapping[str, Sequence[str]]
    ) -> list[list[Seen]]:
        """The pictures of prompts, read."""
        return [
            [Seen(p, name, read_picture(self.work, name)) for name in files.get(p.id, ())]
            for p in prompts
        ]

    def _kept(self, stage: str) -> dict[str, Row]:
        return {row["id"]: row for row in self.journal(stage).rows() if "lost" not in row}

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """However a stage ends, the ledger tells what failed in it."""
        try:
            yield
        finally:
            rows = ledger((stage, self.journal(stage)) for stage in LOGGED)
            write_lines(self.out / LEDGER, rows)


def open_build(
    out: Path,
    recipe: Path | None = None,
    n: int | None = None,
    seed: int | None = None,
    again: str | None = None,
    progress: Progress = silent,
) -> Build:
    """The build in a folder, begun or to be begun. What is not given is as the folder has it.

    again: a stage that is to be thrown away with all after it; from there on settings may be others than
    the folder was begun with.
    """
    check_writable(out)
    place = out / SETTINGS
    old = _read_settings(place) if place.exists() else None
    new = _settings(old, recipe, n, seed)
    build = Build(out, new, progress)
    if again is not None:
        build.forget(_stage(again, LOGGED))
    changed = first_changed(old, new) if old else None
    if changed:
        stage, said = changed
        if any(build.journal(s).begun for s in LOGGED[STAGES.index(stage) :] if s in LOGGED):
            raise SituError(
                f"{out} was begun otherwise: {said}; give another --out, or make it anew from there "
                f"with --stage {stage} --again"
            )
    content = json.dumps(new.to_json(), indent=1)
    write_bytes(place, (content + "\n").encode())
    return build


def check_stage(name: str) -> None:
    """Raise SituError unless a command can run the stage of this name."""
    if _stage(name, STAGES) == "verify":
        raise SituError("stage: verify is done by people; open its page with --verify")


def build_all(build: Build) -> str:
    """Every stage that is not done; one line on the release."""
    for stage in LOGGED:
        build.run(stage)
    return build.release()


def run_stage(build: Build, stage: str) -> str:
    """One stage by its name; one line on what came of it."""
    check_stage(stage)
    if stage == "release":
        return build.release()
    build.run(stage)
    rows = build.journal(stage).rows()
    lost = sum("lost" in row for row in rows)
    return f"{stage}: {len(rows)} rows" + (f", {lost} of them lost" if lost else "")


def _objects(build: Build, journal: Journal) -> None:
    journal.write(objects(build.settings.objects))


def _templates(build: Build, journal: Journal) -> None:
    settings = build.settings
    things = build.journal("objects").rows()
    taken = _held_out(settings)
    made = templates(settings.set, things, settings.objects.source, taken)
    journal.write(prompt.to_json() for prompt in made)


def _captions(build: Build, journal: Journal) -> None:
    settings = build.settings.captions
    prompts = [from_json(row) for row in build.journal("templates").rows()]
    taken = _held_out(build.settings)
    if settings.source == "grammar":
        journal.write(captions.doubles(captions.grammar_rows(prompts), taken))
        return
    ask = captions.asker(settings)
    jobs = [(prompt.id, prompt) for prompt in prompts]
    journal.run(
        jobs,
        lambda some: [ask(prompt) for prompt in some],
        workers=settings.workers,
        progress=lambda done: build.progress("captions", done, len(jobs)),
        finish=lambda rows: captions.doubles(rows, taken),
    )


def _natural(build: Build, journal: Journal) -> None:
    settings = build.settings
    made = [from_json(row) for row in build.journal("templates").rows()]
    told = build.journal("captions").rows()
    taken = _held_out(settings) | {same_words(row["caption"]) for row in told if "caption" in row}
    count = made_of(settings.set)["natural"]
    found = natural.natural(settings.natural, count, settings.set.seed, len(made), taken)
    journal.write(prompt.to_json() for prompt in found)


def _pictures(build: Build, journal: Journal) -> None:
    settings = build.settings.pictures
    orders = [
        pictures.Order(prompt, candidate)
        for prompt in build.prompts()
        for candidate in range(settings.candidates)
    ]
    paint = pictures.painter(settings)
    journal.run(
        [(order.id, order) for order in orders],
        lambda some: [pictures.row(order, paint, build.work) for order in some],
        workers=settings.workers if settings.source == "endpoint" else 1,
        progress=lambda done: build.progress("pictures", done, len(orders)),
    )


def _ranking(build: Build, journal: Journal) -> None:
    files: dict[str, list[str]] = {}
    for row in build.journal("pictures").rows():
        if "lost" not in row:
            files.setdefault(row["prompt"], []).append(row["file"])
    score = ranking.scorer(build.settings.ranking, build.settings.boxes)
    _looked(
        build,
        "ranking",
        build.prompts(),
        lambda some: ranking.rows(some, build.seen(some, files), score),
    )


def _boxes(build: Build, journal: Journal) -> None:
    chosen = {row["id"]: [row["file"]] for row in build._kept("ranking").values()}
    look = looker(build.settings.boxes)
    _looked(
        build,
        "boxes",
        [prompt for prompt in build.prompts() if prompt.id in chosen],
        lambda some: boxes.rows([one for (one,) in build.seen(some, chosen)], look),
    )


def _checks(build: Build, journal: Journal) -> None:
    found = build._kept("boxes")
    files = {key: [row["file"]] for key, row in found.items()}
    second = checks.opinion(build.settings.checks)

    def work(some: Sequence[Prompt]) -> list[Row]:
        rows = [found[prompt.id] for prompt in some]
        return checks.rows([one for (one,) in build.seen(some, files)], rows, second)

    _looked(build, "checks", [p for p in build.prompts() if p.id in found], work)


def _looked(
    build: Build,
    stage: str,
    prompts: Sequence[Prompt],
    work: Callable[[Sequence[Prompt]], list[Row]],
) -> None:
    build.journal(stage).run(
        [(prompt.id, prompt) for prompt in prompts],
        work,
        batch=BATCH,
        progress=lambda done: build.progress(stage, done, len(prompts)),
    )


_RUNS: dict[str, Callable[[Build, Journal], None]] = {
    "objects": _objects,
    "templates": _templates,
    "captions": _captions,
    "natural": _natural,
    "pictures": _pictures,
    "ranking": _ranking,
    "boxes": _boxes,
    "checks": _checks,
}


def _held_out(settings: Settings) -> set[str]:
    """Captions that must not be in the set."""
    taken = pages.held_out_captions() if settings.objects.source == STORYBOOK else set()
    for name in settings.set.held_out:
        path = Path(name).expanduser()
        taken |= {same_words(line) for line in strict_json.read(path).splitlines() if line.strip()}
    return taken


def _settings(
    old: Settings | None, recipe: Path | None, n: int | None, seed: int | None
) -> Settings:
    chosen = _of_recipe(read_recipe(recipe)) if recipe else old or Settings()
    given = {name: value for name, value in (("n", n), ("seed", seed)) if value is not None}
    return replace(chosen, set=replace(chosen.set, **given))


def _of_recipe(recipe: Recipe) -> Settings:
    if recipe.stage != "goal2k":
        raise SituError(f'{recipe.path.name}: stage is {shown(recipe.stage)}; write "goal2k"')
    for name in recipe.tables:
        if name not in TABLES:
            raise SituError(f"{recipe.path.name}: [{name}]: {did_you_mean(name, TABLES)}")
    with at(recipe.path.name):
        return Settings(**{name: recipe.table(name, kind) for name, kind in TABLES.items()})


def _read_settings(place: Path) -> Settings:
    with at(place):
        content = strict_json.parse(strict_json.read(place))
        if not isinstance(content, dict):
            raise SituError("these are no settings of a GOAL2K")
        return settings_from_json(content)


def _stage(name: str, allowed: Sequence[str]) -> str:
    if name not in allowed:
        raise SituError(f"stage: {shown(name)}: {did_you_mean(name, allowed)}")
    return name
