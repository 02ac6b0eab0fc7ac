"""MAAlign: both terms by hand, which words and boxes count, and which maps are read."""

from typing import Any

import pytest
import torch
from goal_parts import CAPTIONS, ITEMS, random_backbone
from torch import Tensor

from situ.models.attention import Maps, Recorder, Site
from situ.scene import Box, Layout, Object, Scene, SituError
from situ.training.masked_attention import AttentionSettings, MAAlign, as_told, word_positions

BACKBONE = random_backbone()
SITES = [Site(name, "cross", "up", 4, 4, 2) for name in ("a", "b")]


def aligned(**settings: Any) -> MAAlign:
    return MAAlign(BACKBONE.unet, AttentionSettings(size=4, **settings))


def maps_of(*probs: Tensor) -> Maps:
    """Maps [B, h, w, L], one for each site, with the same two heads."""
    maps = Maps()
    for site, p in zip(SITES, probs, strict=False):
        maps.keep(site, p.flatten(1, 2)[:, None].expand(-1, 2, -1, -1))
    return maps


def given(boxes: list[list[float]], words: list[list[int]], length: int = 6) -> dict[str, Tensor]:
    """One sample with these boxes and the tokens of their phrases, and an empty slot."""
    said = torch.zeros(1, len(boxes) + 1, length)
    for n, positions in enumerate(words):
        said[0, n, positions] = 1
    return {
        "boxes_xyxy": torch.tensor([[*boxes, [0.0, 0.0, 0.0, 0.0]]]),
        "masks": torch.tensor([[1.0] * len(boxes) + [0.0]]),
        "words": said,
    }


def probabilities(seed: int = 0, length: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 4, 4, length, generator=generator).softmax(-1)


LEFT, RIGHT = [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]


def test_both_terms_by_hand() -> None:
    probs = torch.zeros(1, 4, 4, 6)
    probs[0, 1, 1, 2], probs[0, 2, 3, 2] = 0.7, 0.2  # in and out of the left box
    probs[0, 0, 0, 3], probs[0, 3, 3, 3] = 0.1, 0.5
    found = aligned()(maps_of(probs), given([LEFT], [[2, 3]]))
    assert found["inside"].item() == pytest.approx(1 - 0.35)  # the mean of both tokens' maps
    assert found["outside"].item() == pytest.approx(0.25)
    assert found["attention"].item() == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("settings", "inside", "outside"),
    [({"words": "last"}, 0.1, 0.5), ({"words": "max"}, 0.7, 0.5), ({}, 0.35, 0.25)],
)
def test_ways_to_make_one_map_of_a_phrase(
    settings: dict[str, Any], inside: float, outside: float
) -> None:
    probs = torch.zeros(1, 4, 4, 6)
    probs[0, 1, 1, 2], probs[0, 2, 3, 2] = 0.7, 0.2
    probs[0, 0, 0, 3], probs[0, 3, 3, 3] = 0.1, 0.5
    found = aligned(**settings)(maps_of(probs), given([LEFT], [[2, 3]]))
    assert 1 - found["inside"].item() == pytest.approx(inside)
    assert found["outside"].item() == pytest.approx(outside)


def test_without_the_start_token_the_others_sum_to_one() -> None:
    probs = torch.zeros(1, 4, 4, 6)
    probs[..., 0], probs[..., 2], probs[..., 3] = 0.8, 0.15, 0.05
    found = aligned(no_start=True)(maps_of(probs), given([LEFT], [[2]]))
    assert 1 - found["inside"].item() == pytest.approx(0.75)


def test_a_box_within_one_cell_has_that_cell_and_a_box_of_everything_has_no_outside() -> None:
    probs = probabilities()
    found = aligned()(maps_of(probs), given([[0.3, 0.55, 0.31, 0.56]], [[1]]))
    assert 1 - found["inside"].item() == pytest.approx(probs[0, 2, 1, 1].item())
    everything = aligned()(maps_of(probs), given([[0.0, 0.0, 1.0, 1.0]], [[1]]))
    assert everything["outside"] == 0


def test_objects_without_words_and_empty_layouts_are_left_out() -> None:
    probs, align = probabilities(), aligned()
    one = align(maps_of(probs), given([LEFT], [[1]]))
    two = align(maps_of(probs), given([LEFT, RIGHT], [[1], []]))
    assert two["attention"] == one["attention"]
    for nothing in (given([], []), given([LEFT], [[]])):
        assert align(maps_of(probs), nothing)["attention"] == 0
    both = {
        name: torch.cat([a, b])
        for (name, a), b in zip(
            given([LEFT], [[1]]).items(), given([RIGHT], [[]]).values(), strict=True
        )
    }
    half = align(maps_of(probs.expand(2, -1, -1, -1)), both)
    assert half["attention"].item() == pytest.approx(one["attention"].item() / 2)


def test_objects_that_share_words_push_each_other_out_unless_their_boxes_are_joined() -> None:
    probs = torch.zeros(1, 4, 4, 6)
    probs[0, 1, 0, 2], probs[0, 1, 3, 2] = 0.6, 0.4  # two dogs, seen in both boxes
    probs[0, 0, 3, 4] = 0.3
    layout = given([[0, 0, 0.25, 1], [0.75, 0, 1, 1], [0, 0, 0.25, 1]], [[2], [2, 3], [4]])
    literal = aligned()(maps_of(probs), layout)
    assert literal["outside"].item() == pytest.approx((0.4 + 0.3 + 0.3) / 3)
    union = aligned(union=True)(maps_of(probs), layout)
    assert union["outside"].item() == pytest.approx((0.0 + 0.0 + 0.3) / 3)
    assert union["inside"] == literal["inside"]


def test_layers_are_averaged_before_or_after() -> None:
    a, b = probabilities(1), probabilities(2)
    layout = given([LEFT, RIGHT], [[1], [3, 4]])
    assert aligned()(maps_of(a, b), layout) == aligned()(maps_of((a + b) / 2), layout)
    each = aligned(layers="each")(maps_of(a, b), layout)["attention"]
    alone = [aligned()(maps_of(p), layout)["attention"] for p in (a, b)]
    assert each.item() == pytest.approx(sum(alone).item() / 2)  # type: ignore[union-attr]


@pytest.mark.parametrize("settings", [{}, {"union": True, "no_start": True}, {"words": "max"}])
def test_gradient_is_exact(settings: dict[str, Any]) -> None:
    layout, align = given([LEFT, RIGHT, LEFT], [[1, 2], [2], []]), aligned(**settings)

    def loss(logits: Tensor) -> Tensor:
        return align.terms(
            logits.softmax(-1), *(layout[n] for n in ("boxes_xyxy", "masks", "words"))
        )

    logits = torch.randn(1, 4, 4, 6, generator=torch.Generator().manual_seed(8)).double()
    assert torch.autograd.gradcheck(loss, logits.requires_grad_())


def in_the_network(checkpointing: bool) -> tuple[set[str], dict[str, Tensor]]:
    """Sites that were recorded and gradients of the loss, in a U-Net."""
    unet, align = BACKBONE.unet, aligned()
    unet.checkpointing = checkpointing
    unet.zero_grad()
    recorder = Recorder(align.wanted)
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(9))
    output = unet(z, 500, BACKBONE.encode(CAPTIONS[:1]).states, attend=recorder)
    layout = given([LEFT, RIGHT], [[2, 3], [8]], 77)
    (output.square().mean() + align(recorder.maps, layout)["attention"]).backward()
    slopes = {n: p.grad.clone() for n, p in unet.named_parameters() if p.grad is not None}
    unet.checkpointing = False
    return {site.name for site in recorder.maps}, slopes


def test_only_the_layers_read_are_recorded_also_under_checkpointing() -> None:
    names, slopes = in_the_network(False)
    again, recomputed = in_the_network(True)
    wanted = {s.name for s in BACKBONE.unet.sites(8, 8) if s.kind == "cross" and s.place == "up"}
    assert names == again == wanted
    assert all(torch.allclose(slopes[n], recomputed[n], atol=1e-6) for n in slopes)


def test_a_layer_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SituError, match="up with maps of size 16.*down 4, mid 4, up 4"):
        MAAlign(BACKBONE.unet, AttentionSettings())
    assert MAAlign(BACKBONE.unet, AttentionSettings("mid", 8), side=16)
    with pytest.raises(SituError, match="place"):
        AttentionSettings(place="decoder")


def told(scene: Scene) -> list[str]:
    """The words of each object's tokens."""
    ids = BACKBONE.text.tokens([scene.caption])[0]
    found = word_positions(BACKBONE.text, scene)
    return [BACKBONE.text.tokenizer.decode(ids[list(positions)]).strip() for positions in found]


def test_words_are_found_by_where_they_stand_in_the_caption() -> None:
    assert told(ITEMS[0].scene()) == ["red fish", "striped blue house"]
    assert told(ITEMS[1].scene()) == ["dotted green trees"] * 2  # one plural for both
    assert told(ITEMS[2].scene()) == [""]
    assert told(ITEMS[3].scene()) == []
    box = Box(0, 0, 1, 1)
    twice = Scene("a red fish and a red fish", Layout((Object("red fish", box),) * 2))
    first, second = word_positions(BACKBONE.text, twice)
    assert not {*first} & {*second}
    assert as_told(
        Scene("two butterflies", Layout((Object("butterfly", box),)))
    ).layout.phrases == ("butterflies",)
