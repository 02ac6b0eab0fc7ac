"""The aligner's objective and its data: closed forms of losses, false captions, empty places, collapse."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from situ.conditioning.text import TextEncoder
from situ.data.coco import Crop, Item
from situ.data.shards import Shards, write_shards
from situ.diffusion.schedule import Schedule
from situ.models.aligner import Aligner, AlignerConfig
from situ.models.clip import text_encoder, train_tokenizer
from situ.ops.masks import coverage
from situ.scene import Box, Layout, Object, SituError
from situ.training.alignment import (
    AlignmentObjective,
    AlignmentSettings,
    caption_contrast,
    phrase_contrast,
    probe,
)
from situ.training.alignment_data import (
    AlignmentData,
    Table,
    empty_places,
    false_captions,
    pooled,
)
from situ.training.loop import Loop, step_generator, train

SCALE = torch.tensor(10.0)
CONFIG = AlignerConfig(channels=4, patch=2, width=32, blocks=1, heads=2, text_width=6)
WORDS = ("red cat", "blue cat", "red house")


def item(k: int) -> Item:
    """One thing in the left or right half, and a caption about it."""
    phrase, x = WORDS[k % 3], 0.5 * (k % 2)
    layout = Layout((Object(phrase, Box(x, 0.1, x + 0.5, 0.9)),)) if k % 4 else Layout()
    return Item(k, Path("none.png"), Crop(8, 8), (f"a {phrase} at night",), layout, ())


ITEMS = tuple(item(k) for k in range(12))


def table(texts: list[str]) -> Table:
    unique = list(dict.fromkeys(texts))
    vectors = torch.randn(len(unique), 6, generator=torch.Generator().manual_seed(4))
    return Table({text: row for row, text in enumerate(unique)}, vectors.half())


PHRASES = table(list(WORDS))


def data(**options: int) -> AlignmentData:
    """Latents whose left or right half holds a pattern that belongs to the phrase."""
    patterns = torch.randn(3, 4, 8, 4, generator=torch.Generator().manual_seed(1))
    latents = np.zeros((len(ITEMS), 4, 8, 8), np.float16)
    for k in range(len(ITEMS)):
        start = 4 * (k % 2)
        latents[k, :, :, start : start + 4] = patterns[k % 3].numpy()
    false = false_captions(ITEMS, np.random.default_rng(0))
    texts = [caption for one in ITEMS for caption in one.captions]
    captions = table([*texts, *(caption for some in false for caption in some)])
    return AlignmentData(ITEMS, latents, captions, PHRASES, false, **options)


def objective(**settings: float) -> AlignmentObjective:
    torch.manual_seed(0)
    schedule = Schedule.scaled_linear()
    chosen = AlignmentSettings(**settings)  # type: ignore[arg-type]
    return AlignmentObjective(Aligner(CONFIG), PHRASES.vectors, schedule, chosen)


def test_the_literal_loss_is_the_sum_of_both_omegas() -> None:
    batch = data().batch(8, step_generator(0, 0))
    said = objective(lambda_local=0.5)(batch)
    assert said["loss"].item() == pytest.approx(
        (said["omega_global"] + 0.5 * said["omega_local"]).item()
    )
    assert 0 < said["omega_global"] < 2


def test_pictures_without_objects_cost_nothing_locally() -> None:
    """Eq. 7 with M = 0: the mean over a batch counts them as 0."""
    batch = data().batch(8, step_generator(0, 0))
    halved = {name: rows.clone() for name, rows in batch.items()}
    none = {**batch, "masks": batch["masks"] * 0, "phrases": batch["phrases"] * 0 - 1}
    assert objective()(none)["omega_local"] == 0
    assert objective(contrast=1)(none)["loss"].isfinite()
    halved["masks"][4:], halved["phrases"][4:] = 0, -1
    part = objective()({name: rows[:4] for name, rows in batch.items()})["omega_local"]
    assert objective()(halved)["omega_local"].item() == pytest.approx(part.item() / 2, rel=1e-5)


def test_a_constant_answer_has_no_margin() -> None:
    """Collapse, as the log shows it: whatever Omega is, nothing fits better than anything else."""
    one, batch = objective(), data().batch(12, step_generator(0, 1))
    for head in (one.aligner.to_caption, one.aligner.to_phrase):
        head[-1].weight.data.zero_()
    said = one(batch)
    assert said["margin_global"].abs() < 1e-5
    assert said["margin_local"].abs() < 1e-5
    assert one.aligner(batch["noise"], torch.full((12,), 0.5), batch["t"]).scene.std(0).max() > 0.1


def test_margins_of_a_perfect_answer() -> None:
    one, batch = objective(), data().batch(12, step_generator(0, 1))
    captions, seen = batch["captions"], one._vectors(batch["phrases"])
    said = one._cosines(batch, captions, seen)
    assert said["omega_global"].item() == pytest.approx(0, abs=1e-5)
    assert said["omega_local"].item() == pytest.approx(0, abs=1e-5)
    other = 1 - torch.cosine_similarity(captions, captions.roll(1, 0))
    assert said["margin_global"].item() == pytest.approx(other.mean().item(), abs=1e-5)
    assert said["margin_local"] > 0.1


def unit(*numbers: int) -> Tensor:
    return torch.eye(6)[list(numbers)]


def test_captions_that_are_equal_are_positives_of_each_other() -> None:
    """Rows 0 and 1 share a caption: a perfect answer costs log 2, split between the two, and hits."""
    texts, numbers = unit(0, 0, 1), torch.tensor([5, 5, 9])
    loss, hits = caption_contrast(texts, texts, -texts, numbers, torch.tensor(50.0))
    assert loss.item() == pytest.approx(2 / 3 * math.log(2), rel=1e-4)
    assert hits == 1


def test_a_false_caption_that_fits_as_well_costs_log_two_one_way() -> None:
    texts, numbers = unit(0, 1), torch.arange(2)
    loss, _ = caption_contrast(texts, texts, texts, numbers, torch.tensor(50.0))
    assert loss.item() == pytest.approx(math.log(2) / 2, rel=1e-4)


def test_a_phrase_must_find_its_boxes_among_all_and_not_in_empty_places() -> None:
    seen, numbers, texts = unit(0, 1, 0), torch.tensor([0, 1, 0]), unit(0, 1, 2)
    fifty = torch.tensor(50.0)
    clean, hits = phrase_contrast(seen, numbers, texts, unit(4), fifty)
    assert hits == 1
    assert clean.item() == pytest.approx(math.log(2) / 4, rel=1e-4)  # phrase 0 has two boxes
    fooled, _ = phrase_contrast(seen, numbers, texts, unit(1), fifty)  # looks like phrase 1
    assert (fooled - clean).item() == pytest.approx(math.log(2) / 4, rel=1e-4)


def test_it_learns_and_resumes_in_the_loop(tmp_path: Path) -> None:
    loop = Loop(steps=60, batch=12, lr=5e-3, warmup=5, seed=1)
    one = objective(contrast=1)
    said = [record.losses for record in train(one, data(), loop, tmp_path)]
    first, last = (sum(r["loss"] for r in rows) / 10 for rows in (said[:10], said[-10:]))
    assert last < first - 0.3
    found = probe(one, data().batch(12, step_generator(3, 3)), (50,))
    assert found["margin_local_50"] > 0.1
    assert next(train(objective(contrast=1), data(), Loop(61, 12, 5e-3), tmp_path)).step == 61


def test_a_batch_is_a_function_of_its_step() -> None:
    one, two = (data().batch(6, step_generator(2, 9)) for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    parts = (one["t"].sort().values * 6 // 1000).tolist()
    assert parts == [0, 1, 2, 3, 4, 5]  # one in each sixth of the schedule


def test_false_captions_name_another_thing() -> None:
    for one, lies in zip(ITEMS, false_captions(ITEMS, np.random.default_rng(1)), strict=True):
        assert len(lies) == (1 if len(one.layout) else 0)
        for lie in lies:
            assert lie != one.captions[0]
            assert any(phrase in lie for phrase in WORDS)
            assert lie.endswith("at night")


def test_empty_places_hold_little() -> None:
    boxes = torch.tensor([[[0.0, 0.0, 1.0, 0.5]], [[0.0, 0.0, 0.5, 1.0]]]).repeat(20, 1, 1)
    places = empty_places(boxes, torch.ones(40, 1), 2, torch.Generator().manual_seed(0))
    assert places.shape == (40, 2, 4)
    assert ((places >= 0) & (places <= 1)).all()
    assert (places[..., 2:] > places[..., :2]).all()
    inside = coverage(places, 32, 32)
    shared = (inside * coverage(boxes, 32, 32)).sum((-1, -2)) / inside.sum((-1, -2))
    assert shared.mean() < 0.1  # at random it would be a half


def test_pooled_vectors_equal_those_of_the_encoder() -> None:
    """Cutting what follows the end token changes nothing, for short texts and for those of 77 and more."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(WORDS, 600)
    encoder = TextEncoder(tokenizer, text_encoder(tokenizer, 32, 2, 2, 16).eval())
    texts = ["red cat", "a blue cat and a red house", "red cat", " ".join(["house"] * 90)]
    with pytest.warns(UserWarning, match="only 77 are read"):
        found, true = pooled(encoder, texts), encoder.encode(texts).pooled
    mine = torch.stack([found.vectors[found.numbers[text]].float() for text in texts])
    assert len(found.vectors) == 3
    torch.testing.assert_close(mine, true, atol=2e-3, rtol=2e-3)


def test_shards_go_on_where_they_were_interrupted(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(10, 2, 3)).astype(np.float16)
    made: list[int] = []

    def make(start: int, stop: int) -> np.ndarray:
        made.append(start)
        if len(made) == 3:
            raise KeyboardInterrupt
        return rows[start:stop]

    for _ in range(2):
        try:
            shards = write_shards(tmp_path, 10, make, rows=4)
        except KeyboardInterrupt:
            continue
    assert made == [0, 4, 8, 8]
    assert len(shards) == len(Shards(tmp_path)) == 10
    assert np.array_equal(np.stack(list(shards)), rows)
    with pytest.raises(SituError, match="holds 10 rows instead of 9"):
        write_shards(tmp_path, 9, make, rows=4)


def test_processes_begin_at_different_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, orders, told = np.arange(20.0).reshape(10, 2), [], []
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "3")
        made: list[int] = []
        make = lambda start, stop, made=made: made.append(start) or rows[start:stop]  # noqa: E731
        assert np.array_equal(
            np.stack(list(write_shards(tmp_path / str(rank), 10, make, told.append, 3))), rows
        )
        orders.append(made)
    assert orders == [[0, 3, 6, 9], [3, 6, 9, 0], [6, 9, 0, 3]]
    assert told == [3, 6, 9, 10] * 3


def test_latents_of_another_set_are_refused() -> None:
    with pytest.raises(SituError, match="latents: 5 for 12 pictures; cache them again"):
        AlignmentData(ITEMS, np.zeros((5, 4, 8, 8)), table([]), PHRASES)
