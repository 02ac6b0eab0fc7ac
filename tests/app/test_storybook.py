"""The model that ships, where its weights are in place."""

import pytest
import torch

import situ
from situ.app.find import BUILT_IN
from situ.app.pipeline import Pipeline

pytestmark = pytest.mark.skipif(
    not BUILT_IN["storybook"].is_dir(),
    reason="the weights of the storybook are not in this checkout",
)
CAPTION = "a red fish to the left of a striped blue house"
PHRASES = ["red fish", "striped blue house"]
BOXES = [[0.05, 0.4, 0.45, 0.8], [0.5, 0.3, 0.95, 0.9]]


@pytest.fixture(scope="module")
def storybook() -> Pipeline:
    return situ.load("storybook")


def test_it_draws_at_its_own_size(storybook: Pipeline) -> None:
    result = storybook(CAPTION, phrases=PHRASES, boxes=BOXES, seed=7, num_inference_steps=8)
    assert result.images[0].size == (storybook.backbone.size, storybook.backbone.size)
    assert storybook.source["name"] == "storybook"


def test_its_guidance_is_its_own(storybook: Pipeline) -> None:
    assert storybook.guidance != 7.5


def test_batches_are_exact(storybook: Pipeline) -> None:
    how = {"num_inference_steps": 6, "output_type": "pt"}
    pair = storybook([CAPTION] * 2, phrases=[PHRASES] * 2, boxes=[BOXES] * 2, seed=[7, 8], **how)
    alone = storybook(CAPTION, phrases=PHRASES, boxes=BOXES, seed=8, **how)
    assert torch.equal(pair.images[1], alone.images[0])


def test_boxes_move_what_is_drawn(storybook: Pipeline) -> None:
    how = {"seed": 7, "num_inference_steps": 8, "output_type": "pt"}
    there = storybook("a red fish", phrases=["red fish"], boxes=[[0.05, 0.1, 0.45, 0.5]], **how)
    here = storybook("a red fish", phrases=["red fish"], boxes=[[0.55, 0.5, 0.95, 0.9]], **how)
    assert (there.images - here.images).abs().mean() > 0.02


def test_goal_ships_as_a_difference_that_costs_nothing_to_draw_with(storybook: Pipeline) -> None:
    tuned = situ.load("storybook-goal")
    assert tuned.source["name"] == "storybook-goal"
    assert tuned.source["weights"] != storybook.source["weights"]
    one, other = (dict(p.backbone.unet.named_parameters()) for p in (storybook, tuned))
    changed = {name for name in one if not torch.equal(one[name], other[name])}
    assert changed
    assert all(".attn" in name or ".fuser." in name or "position_net" in name for name in changed)
    how = {"seed": 7, "num_inference_steps": 15, "output_type": "pt"}
    aligned = tuned(CAPTION, phrases=PHRASES, boxes=BOXES, method="hcma", **how)
    plain = tuned(CAPTION, phrases=PHRASES, boxes=BOXES, **how)
    assert (aligned.images - plain.images).abs().max() > 0
