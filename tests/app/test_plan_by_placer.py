"""Planning with the placer that ships: what is said holds, and the rules plan what it cannot."""

import hashlib
from pathlib import Path

import pytest
import torch

from situ.app.placer import BUILT_IN, Placing, load, owners_of, plan_by_placer, unfit
from situ.app.plan import plan_scenes, told
from situ.planners import Symbols, Thing, plan_by_rules
from situ.planners.projection import broken
from situ.scene import SituError
from situ.storybook import grammar
from situ.storybook.world import sample_page

CAPTION = "three red fish above a blue house"
SHA256 = "cadf1c10de8b6e00"


def test_the_weights_are_small_and_the_ones_that_were_measured() -> None:
    path = BUILT_IN["storybook"] / "model.safetensors"
    assert path.stat().st_size < 800_000
    assert hashlib.sha256(path.read_bytes()).hexdigest()[:16] == SHA256
    assert sum(p.numel() for p in load("storybook").parameters()) < 400_000


def test_relations_hold_and_phrases_are_those_of_the_rules() -> None:
    for seed in range(15):
        caption = grammar.captions(sample_page(seed, "val"))[0]
        planned, ruled = plan_by_placer(caption, seed=seed), plan_by_rules(caption)
        assert planned.planner == "placer"
        assert sorted(planned.layout.phrases) == sorted(ruled.layout.phrases)
        owners = owners_of(planned.symbols)
        assert broken(planned.symbols, owners, planned.layout.boxes) == ()
        assert planned.warnings == ruled.symbols.warnings


def test_seeds_give_variety_and_the_same_again() -> None:
    one, same, other = (plan_by_placer(CAPTION, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one.layout != other.layout
    still = Placing(temperature=0)
    assert plan_by_placer(CAPTION, still, 1) == plan_by_placer(CAPTION, still, 2)


def test_it_learned_how_large_things_are() -> None:
    """One thing alone fills more of a page than one of six, and fish are wider than trees."""

    def mean_area(caption: str) -> float:
        areas = [box.area for s in range(6) for box in plan_by_placer(caption, seed=s).layout.boxes]
        return sum(areas) / len(areas)

    assert mean_area("a red fish") > 1.5 * mean_area("six red fish")
    ratios = {}
    for kind in ("fish", "tree"):
        boxes = [plan_by_placer(f"a red {kind}", seed=s).layout[0].box for s in range(6)]
        ratios[kind] = sum(box.width / box.height for box in boxes) / len(boxes)
    assert ratios["fish"] > 1.3 * ratios["tree"]


def test_what_it_was_not_trained_on_is_left_to_the_rules() -> None:
    caption = "a red dragon next to a blue house"
    planned = plan_by_placer(caption, seed=3)
    assert planned.planner == "rules"
    assert planned.layout == plan_by_rules(caption, 3).layout
    assert "no red dragon" in told(planned)[-1] + told(planned)[0]
    many = Symbols((Thing("red fish", "fish", ("red",), 31),))
    assert "more than the 30" in unfit(load("storybook"), many)


def test_a_sentence_without_things_has_no_boxes() -> None:
    planned = plan_by_placer("in a meadow")
    assert len(planned.layout) == 0


def test_a_contradiction_is_a_warning() -> None:
    planned = plan_by_placer("a red fish left of a blue house, the house left of the fish")
    assert planned.warnings


def test_it_is_a_planner_like_the_others() -> None:
    plans = plan_scenes([CAPTION, "a cup"], "placer", n=2, seed=4, width=640, height=320)
    assert [plan.scene.canvas for plan in plans] == [(640, 320)] * 4
    assert plans[1].layout == plan_by_placer(CAPTION, seed=5).layout


def test_a_folder_may_be_given(tmp_path: Path) -> None:
    from situ.models.placer import Placer, PlacerConfig, save_placer

    torch.manual_seed(0)
    config = PlacerConfig(width=16, layers=1, heads=2, bins=8, buckets=16, nouns=("fish", "house"))
    save_placer(Placer(config), tmp_path)
    planned = plan_by_placer(CAPTION, Placing(str(tmp_path)))
    assert len(planned.layout) == 4  # random weights propose nonsense, and it is mended
    owners = owners_of(planned.symbols)
    assert broken(planned.symbols, owners, planned.layout.boxes) == ()


def test_mistakes_are_told_in_one_line() -> None:
    for placing, message in (
        ({"placer": "storybok"}, "did you mean 'storybook'"),
        ({"temperature": -1.0}, "temperature"),
        ({"top": 0.0}, "top"),
        ({"tries": 0}, "tries"),
    ):
        with pytest.raises(SituError, match=message) as caught:
            plan_by_placer(CAPTION, Placing(**placing))
        assert "\n" not in str(caught.value)
    with pytest.raises(SituError, match="nothing to plan"):
        plan_by_placer("  ")
