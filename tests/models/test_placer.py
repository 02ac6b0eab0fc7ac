"""The placer: what may depend on what, and that drawing is what training foretells."""

import json
import tomllib
from pathlib import Path

import pytest
import torch

from situ.models.placer import (
    INVERSES,
    MOST,
    PREDICATES,
    Placer,
    PlacerConfig,
    Query,
    encode,
    load_placer,
    noun_of,
    save_placer,
    to_bins,
)
from situ.scene import Box, SituError

TINY = PlacerConfig(width=24, layers=2, heads=4, bins=16, buckets=64, nouns=("fish", "house"))
QUERY = Query(
    ("red fish", "blue house", "red fish"),
    ((0, "above", 1), (2, "left of", 1)),
    ("", "bottom", ""),
)


@pytest.fixture
def placer() -> Placer:
    """Every parameter random, those that begin at zero too."""
    torch.manual_seed(3)
    made = Placer(TINY)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    with torch.no_grad():
        made.grams.weight[0] = 0
    return made.eval()


def batch_of(*queries: Query, seed: int = 0) -> dict[str, torch.Tensor]:
    batch = encode(queries, TINY.buckets)
    rng = torch.Generator().manual_seed(seed)
    shape = (*batch["there"].shape, 4)
    return batch | {"bins": torch.randint(TINY.bins, shape, generator=rng)}


@torch.no_grad()
def test_greedy_drawing_is_where_the_logits_of_training_are_highest(placer: Placer) -> None:
    """Training sees all boxes at once under a mask, drawing one value after the other."""
    longer = Query(("tree", "red fish", "big tree", "cup"), ((3, "on", 0),))
    batch = encode([QUERY, longer], TINY.buckets)
    boxes = placer.draw(batch, torch.Generator(), 0.0, 1.0)
    bins = (boxes * TINY.bins).long()
    foretold = placer({**batch, "bins": bins}).argmax(-1)
    assert torch.equal(foretold[batch["there"]], bins[batch["there"]])


@torch.no_grad()
def test_a_coordinate_depends_on_what_comes_before_it_alone(placer: Placer) -> None:
    batch = batch_of(QUERY)
    before = placer(batch)[0].flatten(0, 1)  # [12, bins]
    for place in range(12):
        changed = batch["bins"].clone()
        changed.view(-1)[place] = (changed.view(-1)[place] + 5) % TINY.bins
        differs = (placer({**batch, "bins": changed})[0].flatten(0, 1) != before).any(-1)
        assert not differs[: place + 1].any()
        assert differs[place + 1 :].all()


@torch.no_grad()
def test_padding_changes_nothing(placer: Placer) -> None:
    alone = batch_of(QUERY)
    both = encode([QUERY, Query(("cup",) * 5)], TINY.buckets)
    bins = torch.zeros(2, 5, 4, dtype=torch.long)
    bins[0, :3] = alone["bins"][0]
    beside = placer({**both, "bins": bins})[0, :3]
    torch.testing.assert_close(beside, placer(alone)[0], atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(
    "other",
    [
        Query(QUERY.phrases, ((0, "below", 1), (2, "left of", 1)), QUERY.places),
        Query(QUERY.phrases, QUERY.relations[1:], QUERY.places),
        Query(QUERY.phrases, QUERY.relations, ("", "top", "")),
        Query(("red fish", "blue house", "red ship"), QUERY.relations, QUERY.places),
        Query(("red fish", "green house", "red fish"), QUERY.relations, QUERY.places),
    ],
)
def test_the_first_box_depends_on_all_that_is_said(placer: Placer, other: Query) -> None:
    assert not torch.allclose(placer(batch_of(QUERY))[0, 0, 0], placer(batch_of(other))[0, 0, 0])


def test_a_relation_is_the_same_said_the_other_way_round() -> None:
    for name in PREDICATES:
        one = encode([Query(("a cat", "a dog"), ((0, name, 1),))], 64)["edges"]
        other = encode([Query(("a cat", "a dog"), ((1, INVERSES[name], 0),))], 64)["edges"]
        assert torch.equal(one, other)
        assert INVERSES[INVERSES[name]] == name


def test_drawing_is_seeded_and_varies(placer: Placer) -> None:
    batch = encode([QUERY], TINY.buckets)
    one, same, other = (
        placer.draw(batch, torch.Generator().manual_seed(seed), 1.0, 0.95) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)
    assert ((one >= 0) & (one < 1)).all()


def test_bins_hold_their_values() -> None:
    box = Box(0.1, 0.2, 0.5, 1.0)
    for value, bin_ in zip((0.4, 0.8, 0.3, 0.6), to_bins([box], 64)[0], strict=True):
        assert bin_ / 64 <= value < (bin_ + 1) / 64
    assert to_bins([Box(0, 0, 1, 1)], 64) == [[63, 63, 32, 32]]


def test_the_noun_of_a_phrase() -> None:
    assert [noun_of(p) for p in ("striped red fish", "Cup of tea", "man with a hat")] == [
        "fish",
        "cup",
        "man",
    ]


def test_a_placer_is_kept_in_half_precision(placer: Placer, tmp_path: Path) -> None:
    save_placer(placer, tmp_path)
    again = load_placer(tmp_path)
    assert again.config == TINY
    for name, value in placer.state_dict().items():
        assert torch.equal(again.state_dict()[name], value.half().float())


def test_what_is_no_placer_is_refused(placer: Placer, tmp_path: Path) -> None:
    with pytest.raises(SituError, match="config.json is missing"):
        load_placer(tmp_path)
    save_placer(placer, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    for changed, message in (
        ({**config, "layers": 3}, "does not fit"),
        ({**config, "widths": 3}, "configuration"),
        ([], "configuration"),
    ):
        (tmp_path / "config.json").write_text(json.dumps(changed))
        with pytest.raises(SituError, match=message) as caught:
            load_placer(tmp_path)
        assert "\n" not in str(caught.value)
    for phrases in ((), ("cat",) * (MOST + 1)):
        with pytest.raises(SituError, match="1 to 30"):
            Query(phrases)


def test_recipes_are_of_the_size_that_they_say() -> None:
    recipes = Path(__file__).parents[2] / "recipes"
    for name, least, most in (("storybook-placer", 0, 0.4e6), ("placer-coco", 5e6, 20e6)):
        model = tomllib.loads((recipes / f"{name}.toml").read_text())["model"]
        with torch.device("meta"):
            count = sum(p.numel() for p in _unstarted(PlacerConfig(**model)).parameters())
        assert least < count < most, (name, count)


def _unstarted(config: PlacerConfig) -> Placer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("situ.models.placer._begin_", lambda *_: None)
        return Placer(config)
