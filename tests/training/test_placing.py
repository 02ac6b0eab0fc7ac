"""Training the placer: examples stay true, and what can be learned is learned."""

import random

import pytest
import torch

from situ.models.placer import INVERSES, Placer, PlacerConfig, encode
from situ.scene import Box, Layout, Object, SituError
from situ.scene.relations import RELATIONS
from situ.storybook import grammar
from situ.storybook.world import sample_page
from situ.training.loop import Loop, step_generator, train
from situ.training.placing import (
    Placed,
    PlacingData,
    PlacingObjective,
    PlacingSettings,
    example,
    place_of,
    read_caption,
)

WORDS = {"left": "left of", "right": "right of", "above": "above", "below": "below", "on": "on"}
TINY = PlacerConfig(width=32, layers=1, heads=2, bins=8, buckets=32)


def test_captions_of_pages_are_read_as_they_were_made() -> None:
    """The grammar knows how two boxes lie; the reader must find the same in its sentence."""
    found = 0
    for seed in range(60):
        page = sample_page(seed, "val", 2)
        layout = grammar.scene(page).layout
        told = read_caption(grammar.captions(page)[0], layout)
        for subject, predicate, landmark in told:
            word = grammar.relation(layout[subject].box, layout[landmark].box) or ""
            assert WORDS.get(word, "next to") == predicate.replace("near", "next to")
            found += 1
    assert found > 20


def test_a_caption_that_counts_otherwise_says_nothing() -> None:
    layout = Layout((Object("cat", Box(0, 0, 0.3, 0.3)), Object("mat", Box(0.5, 0.5, 1, 1))))
    assert read_caption("a cat above a mat", layout) == ((0, "above", 1),)
    assert read_caption("two cats above a mat", layout) == ()
    assert read_caption("a dog above a mat", layout) == ()


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_what_is_told_of_boxes_holds_after_mirror_and_shuffle(mirror: float) -> None:
    settings = PlacingSettings(captions=0, most_told=1, places=1, mirror=mirror)
    dice, told = random.Random(0), 0
    for seed in range(80):
        layout = grammar.scene(sample_page(seed, "val", 4)).layout
        query, boxes = example(Placed(layout), settings, dice)
        assert sorted(query.phrases) == sorted(layout.phrases)
        for s, name, o in query.relations:
            told += 1
            if name in RELATIONS:
                assert RELATIONS[name](boxes[s], boxes[o])
            else:
                assert name == "larger"
                assert boxes[s].area > 1.3 * boxes[o].area
        for place, box in zip(query.places, boxes, strict=True):
            assert place in ("", place_of(box))
        true = {
            (p, b.mirrored().xyxy if mirror else b.xyxy)
            for p, b in zip(layout.phrases, layout.boxes, strict=True)
        }
        assert {(p, b.xyxy) for p, b in zip(query.phrases, boxes, strict=True)} == true
    assert told > 100


def test_parts_of_a_picture() -> None:
    assert place_of(Box(0, 0, 0.2, 0.2)) == "top left"
    assert place_of(Box(0.4, 0.4, 0.6, 0.6)) == "middle"
    assert place_of(Box(0.4, 0.8, 0.6, 1)) == "bottom"


def test_the_loss_of_a_uniform_guess_is_the_logarithm_of_the_bins() -> None:
    placer = Placer(TINY)
    torch.nn.init.zeros_(placer.says.weight)
    torch.nn.init.zeros_(placer.says.bias)
    layouts = [Placed(grammar.scene(sample_page(s, "val")).layout) for s in range(20)]
    data = PlacingData(layouts, PlacingSettings(), TINY.bins, TINY.buckets)
    losses = PlacingObjective(placer, PlacingSettings())(data.batch(16, step_generator(0, 0)))
    assert losses["loss"].item() == pytest.approx(4 * torch.log(torch.tensor(8.0)).item(), rel=1e-5)


def test_batches_come_from_the_step_and_hold_like_numbers() -> None:
    layouts = [Placed(grammar.scene(sample_page(s, "val")).layout) for s in range(300)]
    data = PlacingData(layouts, PlacingSettings(), 8, 32)
    one, same = (data.batch(8, step_generator(1, 5)) for _ in range(2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    spreads = []
    for step in range(30):
        count = data.batch(8, step_generator(1, step))["there"].sum(1)
        spreads.append(int(count.max() - count.min()))
    assert sum(spreads) / len(spreads) < 1.5  # of 1 to 6 things


def test_it_learns_which_side_a_relation_means(tmp_path) -> None:
    """Two things, one left and one right, and only the relation tells which is which."""
    torch.manual_seed(0)
    left, right = Box(0.05, 0.3, 0.35, 0.7), Box(0.65, 0.3, 0.95, 0.7)
    layouts = []
    for boxes, told in (((left, right), "left of"), ((right, left), "right of")):
        objects = tuple(Object(name, box) for name, box in zip(("cat", "dog"), boxes, strict=True))
        layouts.append(Placed(Layout(objects), (((0, told, 1),),)))
    settings = PlacingSettings(mirror=0, places=0, blur=0)
    placer = Placer(TINY)
    objective = PlacingObjective(placer, settings)
    data = PlacingData(layouts, settings, TINY.bins, TINY.buckets)
    loop = Loop(steps=80, batch=32, lr=1e-2, warmup=5, log_every=10)
    losses = [record.losses["loss"] for record in train(objective, data, loop, tmp_path)]
    assert losses[-1] < 0.3 < losses[0]
    query, _ = example(layouts[0], settings, random.Random(0))
    boxes = placer.draw(encode([query], TINY.buckets), torch.Generator(), 0.0, 1.0)[0]
    cat, dog = (boxes[query.phrases.index(name), 2] for name in ("cat", "dog"))
    assert cat < 0.35 < 0.65 < dog


def test_mistakes_in_settings_are_told() -> None:
    for bad in ({"captions": 2.0}, {"mirror": -0.1}, {"blur": -1.0}):
        with pytest.raises(SituError, match=next(iter(bad))):
            PlacingSettings(**bad)
    with pytest.raises(SituError, match="no picture"):
        PlacingData([Placed(Layout())], PlacingSettings(), 8, 8)
    assert set(INVERSES) >= set(RELATIONS)
