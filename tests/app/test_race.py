"""Races of seeds: the winner is a plain picture, and scene, settings and first seed decide who it is."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from aligned import SCENE, aligned

from situ.app import manifest
from situ.app.generate import Output, Picture, generate, plan
from situ.app.pipeline import Pipeline
from situ.app.race import KEY, Race, race_of, run_race
from situ.app.repeat import again, compared
from situ.files.record import read_record
from situ.methods.plan import Request, Sampling
from situ.methods.verifier import finished, scores, watching
from situ.scene import SituError

__all__ = ["aligned"]

RACE = Race(candidates=4, keep=2, at=2)
STEPS = 5


def planned(pipe: Pipeline, race: Race | None = RACE, **more: Any) -> tuple[Picture, ...]:
    how = {"method": "gligen", "sampling": Sampling(steps=STEPS, guidance=3.0), "seed": 10, **more}
    return plan(pipe, [SCENE], race=race, **how)


def single(pipe: Pipeline, seed: int, method: str = "gligen") -> list[torch.Tensor]:
    """Latents after every step of an ordinary run."""
    request = Request((SCENE,), (seed,), Sampling(steps=STEPS, guidance=3.0))
    return [frame.z for frame in pipe.run(request, method)]


@pytest.mark.parametrize("method", ["gligen", "hcma"])
def test_the_winner_is_found_by_scoring_ordinary_runs(aligned: Pipeline, method: str) -> None:
    (picture,) = planned(aligned, method=method)
    steps = aligned.backbone.schedule.steps(STEPS)
    watch = watching(aligned.backbone, [SCENE])
    runs = {seed: single(aligned, seed, method) for seed in range(10, 14)}
    early = {seed: float(scores(watch, run[1], steps[1].ahead)) for seed, run in runs.items()}
    kept = sorted(early, key=lambda seed: early[seed])[-2:]
    late = {seed: float(scores(watch, runs[seed][-1], finished(steps[-1]))) for seed in kept}
    best = max(late, key=lambda seed: late[seed])
    ticks: list[None] = []
    won = run_race(aligned, picture.record, RACE, lambda: ticks.append(None))
    assert won.record == replace(picture.record, seed=best)
    assert torch.equal(won.z, runs[best][-1])
    assert len(ticks) == picture.steps == 4 * 2 + 2 * 3
    told = json.loads(won.told)
    assert told["early"] == [round(value, 4) for value in early.values()]
    assert set(told["late"]) == {str(seed) for seed in kept}


def test_a_race_to_the_end_is_best_of_n(aligned: Pipeline) -> None:
    (picture,) = planned(aligned)
    whole = run_race(aligned, picture.record, Race(4, 4, 1), lambda: None)
    late = run_race(aligned, picture.record, Race(4, 1, STEPS), lambda: None)
    assert whole.record == late.record
    assert torch.equal(whole.z, late.z)


def test_the_picture_is_what_its_record_draws(aligned: Pipeline, tmp_path: Path) -> None:
    pictures = planned(aligned)
    generate(aligned, pictures, Output(tmp_path / "race", quiet=True))
    path = tmp_path / "race/0010.png"
    record = read_record(path)
    assert record.seed in range(10, 14)
    assert [entry["seed"] for entry in manifest.read(tmp_path / "race")] == [record.seed]
    alone = again(aligned, path, record, {})
    assert alone.race is None
    generate(aligned, [alone], Output(tmp_path / "alone", quiet=True))
    assert compared(path, tmp_path / "alone" / alone.file).endswith("bit for bit")


def test_a_second_run_keeps_it_and_another_race_does_not(
    aligned: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = Output(tmp_path / "out", quiet=True)
    generate(aligned, planned(aligned), output)
    before = (
        (tmp_path / "out/0010.png").read_bytes(),
        (tmp_path / "out/manifest.jsonl").read_bytes(),
    )
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "run", None)
        summary = generate(aligned, planned(aligned), output)
        assert (summary.drawn, summary.kept) == (0, 1)
    after = (tmp_path / "out/0010.png").read_bytes(), (tmp_path / "out/manifest.jsonl").read_bytes()
    assert after == before
    for race in (Race(4, 1, 2), Race(4, 2, 3), Race(5, 2, 2)):
        with pytest.raises(SituError, match="is not the picture that would be drawn there"):
            generate(aligned, planned(aligned, race), output)


def test_a_text_that_lies_is_another_picture(aligned: Pipeline) -> None:
    (picture,) = planned(aligned)
    won = run_race(aligned, picture.record, RACE, lambda: None)
    texts = {"situ": won.record.dumps(), KEY: won.told}
    assert picture.has(texts)
    for changed in ("", "[]", "{", won.told.replace('"at": 2', '"at": 3')):
        assert not picture.has({**texts, KEY: changed})
    outside = replace(won.record, seed=99).dumps()
    assert not picture.has({**texts, "situ": outside})


def test_images_of_a_scene_race_with_seeds_of_their_own(aligned: Pipeline) -> None:
    pictures = planned(aligned, images=2)
    assert [picture.record.seed for picture in pictures] == [10, 14]
    assert [picture.file for picture in pictures] == ["0010.png", "0014.png"]
    many = plan(
        aligned, [SCENE] * 2, method="gligen", sampling=Sampling(), images=250, many=True, race=RACE
    )
    seeds = [seed for picture in many for seed in RACE.seeds(picture.record.seed)]
    assert len(set(seeds)) == len(seeds) == 2000
    with pytest.raises(SituError, match=r"n: 251 must be in 1..250"):
        plan(
            aligned, [SCENE], method="gligen", sampling=Sampling(), images=251, many=True, race=RACE
        )


def test_what_a_race_takes() -> None:
    assert race_of(50, 8) == Race(8, 2, 17)
    assert Race(8, 2, 10).steps(50) == 160
    assert race_of(3, 2).steps(3) == 2 * 1 + 2 * 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((1, 1, 1), "candidates: 1 is too few"),
        ((4, 5, 1), r"keep: 5 must be in 1..4"),
        ((4, 2, 0), "at: 0 must be at least 1"),
        ((4, 2, 51), r"at: 51 must be in 1..50, the steps"),
    ],
)
def test_a_race_that_cannot_be(given: tuple[int, int, int], message: str) -> None:
    candidates, keep, at = given
    with pytest.raises(SituError, match=message):
        race_of(50, candidates, keep, at)


def test_a_model_without_an_aligner_cannot_race(pipe: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(SituError, match="tiny has none"):
        generate(pipe, planned(pipe), Output(tmp_path, quiet=True))
    assert not list(tmp_path.glob("*.png"))
