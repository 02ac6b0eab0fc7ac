"""DSAlign: the distance in closed form, which samples and boxes count, and where the gradient goes."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from goal_parts import clip_pair
from torch import Tensor

from situ.diffusion.schedule import Schedule
from situ.models.aligner import Aligner, AlignerConfig
from situ.scene import SituError
from situ.training.semantic import (
    DSAlign,
    LatentCritic,
    PixelCritic,
    SemanticSettings,
    cut_out,
    drawn,
    masked,
    mistaken,
    spherical,
)

SCHEDULE = Schedule.scaled_linear()


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def at_angle(degrees: float) -> Tensor:
    return torch.tensor([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])


@pytest.mark.parametrize("degrees", [0.0, 1e-3, 45.0, 90.0, 179.0, 180.0])
def test_distance_is_a_quarter_of_the_angle_squared(degrees: float) -> None:
    apart = spherical(3 * at_angle(20.0), 0.5 * at_angle(20.0 + degrees))
    assert apart.item() == pytest.approx(math.radians(degrees) ** 2 / 4, rel=1e-3, abs=1e-12)


def test_distance_is_equation_7() -> None:
    a, b = torch.randn(2, 50, 8, generator=rng()).double()
    a, b = a / a.norm(dim=-1, keepdim=True), b / b.norm(dim=-1, keepdim=True)
    assert torch.allclose(spherical(a, b), ((a - b).norm(dim=-1) / 2).arcsin() ** 2, atol=1e-12)


def test_gradient_of_the_distance_is_exact_and_finite_where_arcsin_has_none() -> None:
    a, b = torch.randn(2, 5, 6, generator=rng()).double()
    assert torch.autograd.gradcheck(lambda x: spherical(x, b), a.requires_grad_())
    for other in (at_angle(0), at_angle(180)):
        x = at_angle(0).requires_grad_()
        spherical(x, other).backward()
        assert x.grad is not None
        assert x.grad.isfinite().all()


def test_mask_keeps_the_pixels_that_a_box_touches() -> None:
    boxes = torch.tensor([[0.1, 0.1, 0.3, 0.6], [0.51, 0.51, 0.52, 0.52], [0.0, 0.0, 1.0, 1.0]])
    kept = masked(torch.ones(3, 3, 4, 4), boxes)[:, 0]
    assert kept[0].tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    assert kept[1].sum() == 1  # a box within one pixel keeps that pixel
    assert kept[1, 2, 2] == 1
    assert kept[2].sum() == 16


def test_a_cut_holds_the_same_pixels_and_needs_an_area() -> None:
    picture = torch.arange(16.0).reshape(1, 1, 4, 4).expand(1, 3, 4, 4)
    (part,) = cut_out(picture, torch.tensor([[0.1, 0.1, 0.3, 0.6]]))
    assert part[0, 0].tolist() == [[0, 1], [4, 5], [8, 9]]
    with pytest.raises(SituError, match="no area"):
        cut_out(picture, torch.tensor([[0.5, 0.5, 0.5, 0.9]]))


@dataclass
class Plain:
    """A critic that sees the mean of each channel, of everything or of a box's cells."""

    seen: list[int] = field(default_factory=list)
    encoder: Any = None

    def project(self, pooled: Tensor) -> Tensor:
        return pooled

    def __call__(
        self, z0: Tensor, t: Tensor, noise: Tensor, boxes_xyxy: Tensor, chosen: Tensor
    ) -> tuple[Tensor, Tensor]:
        self.seen.append(len(z0))
        rows = chosen.nonzero()[:, 0]
        return z0.mean((2, 3)), masked(z0[rows], boxes_xyxy[chosen]).mean((2, 3))


def batch(count: int = 4) -> dict[str, Tensor]:
    """Samples with 0, 1, 2, ... boxes of 3; vectors of 5 channels."""
    corners = torch.rand(count, 3, 2, 2, generator=rng(1)).sort(2).values.flatten(2)
    return {
        "t": torch.tensor([10, 300, 600, 990][:count]),
        "noise": torch.randn(count, 5, 4, 4, generator=rng(2)),
        "boxes_xyxy": corners,
        "chosen": (torch.arange(3)[None] < torch.arange(count)[:, None]).float(),
        "told": torch.ones(count),
        "phrase_vectors": torch.randn(count, 3, 5, generator=rng(3)),
        "caption_vectors": torch.randn(count, 5, generator=rng(4)),
    }


def z0(count: int = 4) -> Tensor:
    return torch.randn(count, 5, 4, 4, generator=rng(5))


def by_hand(z: Tensor, given: dict[str, Tensor], i: int) -> tuple[float, float]:
    """D_local and D_global of a sample, written out."""
    boxes = [n for n in range(3) if given["chosen"][i, n]]
    apart = [
        spherical(
            masked(z[i : i + 1], given["boxes_xyxy"][i, n : n + 1]).mean((2, 3)),
            given["phrase_vectors"][i, n],
        ).item()
        for n in boxes
    ]
    whole = spherical(z[i].mean((1, 2)), given["caption_vectors"][i]).item()
    return sum(apart) / max(1, len(apart)), whole


def test_loss_is_the_mean_over_samples_of_the_mean_over_boxes_and_the_whole() -> None:
    given, z = batch(), z0()
    found = DSAlign(Plain(), SCHEDULE, SemanticSettings())(z, given)
    local, whole = (
        sum(part) / 4 for part in zip(*(by_hand(z, given, i) for i in range(4)), strict=True)
    )
    assert found["local"].item() == pytest.approx(local, rel=1e-5)
    assert found["global"].item() == pytest.approx(whole, rel=1e-5)
    assert found["semantic"].item() == pytest.approx(local + whole, rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "weights"),
    [
        ({"t_min": 200, "t_max": 600}, [0, 1, 1, 0]),
        ({"weight": "abar"}, [SCHEDULE.abar[t].item() for t in (10, 300, 600, 990)]),
    ],
    ids=["range", "abar"],
)
def test_samples_count_by_their_noise(settings: dict[str, Any], weights: list[float]) -> None:
    given, z = batch(), z0()
    critic = Plain()
    found = DSAlign(critic, SCHEDULE, SemanticSettings(**settings))(z, given)
    expected = sum(w * sum(by_hand(z, given, i)) for i, w in enumerate(weights)) / 4
    assert found["semantic"].item() == pytest.approx(expected, rel=1e-5)
    assert critic.seen == [sum(w > 0 for w in weights)]  # the others are not even looked at


def test_levels_are_weighed_and_a_dropped_caption_is_not_asked_for() -> None:
    given, z = batch(), z0()
    given["told"] = torch.tensor([1.0, 0.0, 1.0, 1.0])
    found = DSAlign(Plain(), SCHEDULE, SemanticSettings(local_weight=2.0))(z, given)
    parts = [by_hand(z, given, i) for i in range(4)]
    assert found["global"].item() == pytest.approx(
        sum(parts[i][1] for i in (0, 2, 3)) / 4, rel=1e-5
    )
    assert found["semantic"].item() == pytest.approx(
        (2 * found["local"] + found["global"]).item(), rel=1e-6
    )
    alone = DSAlign(Plain(), SCHEDULE, SemanticSettings(global_weight=0.0))(z, given)
    assert alone["global"] == 0
    assert alone["semantic"] == alone["local"] > 0


def test_without_boxes_and_captions_there_is_nothing_to_look_at() -> None:
    given, critic = batch(), Plain()
    given |= {"chosen": torch.zeros(4, 3), "told": torch.zeros(4)}
    found = DSAlign(critic, SCHEDULE, SemanticSettings())(z0().requires_grad_(), given)
    assert found["semantic"] == 0
    assert not found["semantic"].requires_grad
    assert critic.seen == []


def gradient(
    align: Callable[..., dict[str, Tensor]], z: Tensor, given: dict[str, Tensor]
) -> Tensor:
    z = z.clone().requires_grad_()
    align(z, given)["semantic"].backward()
    assert z.grad is not None
    return z.grad


def test_slices_change_nothing_and_are_computed_again_on_the_way_back() -> None:
    given, whole, sliced = batch(), Plain(), Plain()
    one = gradient(DSAlign(whole, SCHEDULE, SemanticSettings()), z0(), given)
    two = gradient(DSAlign(sliced, SCHEDULE, SemanticSettings(slice=3)), z0(), given)
    assert torch.allclose(one, two, rtol=1e-5, atol=1e-9)
    assert whole.seen == [4]
    assert sorted(sliced.seen) == [1, 1, 3, 3]
    alone = Plain()  # one slice bounds nothing, so it is not computed again
    assert torch.equal(
        one, gradient(DSAlign(alone, SCHEDULE, SemanticSettings(slice=4)), z0(), given)
    )
    assert alone.seen == [4]


def pixel_critic(region: str = "mask", **changes: Any) -> tuple[PixelCritic, torch.nn.Module]:
    torch.manual_seed(3)
    decoder = torch.nn.ConvTranspose2d(5, 3, 4, 4).double().requires_grad_(False)
    clip = clip_pair()
    clip.image.double()
    return PixelCritic(replace(clip, **changes), lambda z: 0.3 * decoder(z), region), decoder


def wide_batch() -> dict[str, Tensor]:
    given = batch(2)
    given["phrase_vectors"] = torch.randn(2, 3, 16, generator=rng(3)).double()
    given["caption_vectors"] = torch.randn(2, 16, generator=rng(4)).double()
    return given


@pytest.mark.parametrize("region", ["mask", "crop"])
def test_gradient_through_decoder_and_clip_is_exact_and_leaves_them_alone(region: str) -> None:
    critic, decoder = pixel_critic(region)
    align, given = DSAlign(critic, SCHEDULE, SemanticSettings(region=region)), wide_batch()
    z = (0.5 * z0(2)).double()
    direction = torch.randn(z.shape, generator=rng(6)).double()
    slope = (gradient(align, z, given) * direction).sum()
    ahead, behind = (align(z + h * direction, given)["semantic"] for h in (1e-5, -1e-5))
    assert slope.item() == pytest.approx(((ahead - behind) / 2e-5).item(), rel=1e-5)
    frozen = [*decoder.parameters(), *critic.clip.image.parameters()]
    assert all(p.grad is None and not p.requires_grad for p in frozen)


@pytest.mark.parametrize("region", ["mask", "crop"])
def test_a_region_does_not_see_what_lies_outside(region: str) -> None:
    critic, _ = pixel_critic(region)
    box = torch.tensor([[[0.25, 0.5, 0.75, 1.0]]])
    z = z0(1).double().requires_grad_()
    _, regions = critic(z, torch.zeros(1), z, box, torch.ones(1, 1, dtype=torch.bool))
    (slope,) = torch.autograd.grad(regions.sum(), z)
    touched = slope[0].abs().sum(0) > 0
    assert touched[2:, 1:3].all()
    assert touched.sum() == 4


def test_clip_sees_pictures_as_it_was_trained() -> None:
    clip = clip_pair()
    pictures = torch.rand(2, 3, 16, 16, generator=rng(7))
    pixels = (pictures - 0.5) / 0.5
    assert torch.equal(clip.see(clip.fit(pictures)), clip.image(pixel_values=pixels).image_embeds)
    assert clip.fit(torch.rand(1, 3, 40, 24)).shape == (1, 3, 16, 16)
    tokens = clip.text.tokens(["a red fish"])
    expected = clip.text.model(input_ids=tokens).text_embeds
    assert torch.allclose(clip.project(clip.text.encode(["a red fish"]).pooled), expected)


def test_pictures_lie_between_0_and_1_and_are_never_decoded_in_half_precision() -> None:
    inside: list[bool] = []

    def decode(z: Tensor) -> Tensor:
        inside.append(torch.is_autocast_enabled("cpu"))
        return z

    seen = drawn(decode, torch.tensor([-3.0, -1.0, 0.0, 1.0, 9.0]))
    assert seen.tolist() == [0, 0, 0.5, 1, 1]
    for half in (torch.float16, torch.bfloat16):
        with torch.autocast("cpu", half):
            drawn(decode, torch.zeros(1))
    assert inside == [False, False, True]


def test_the_latent_critic_reads_the_noised_latent_and_its_boxes() -> None:
    torch.manual_seed(4)
    aligner = Aligner(AlignerConfig(channels=5, patch=2, width=8, blocks=1, heads=2, text_width=6))
    aligner.eval().requires_grad_(False)
    given, z = batch(), z0()
    critic = LatentCritic(aligner, None, SCHEDULE, at=200)  # type: ignore[arg-type]
    seen = given["t"], given["noise"], given["boxes_xyxy"], given["chosen"].bool()
    whole, regions = critic(z, *seen)
    abar = SCHEDULE.abar[200].float()
    noisy = abar.sqrt() * z + (1 - abar).sqrt() * given["noise"]
    features = aligner(noisy, abar.expand(4), torch.full((4,), 200))
    assert torch.allclose(whole, aligner.captions(features), atol=1e-5)
    expected = aligner.phrases(features, given["boxes_xyxy"])
    assert torch.allclose(regions[-1], expected[3, 2], atol=1e-5)
    assert len(regions) == 6
    given["phrase_vectors"] = torch.randn(4, 3, 6)
    given["caption_vectors"] = torch.randn(4, 6)
    slope = gradient(DSAlign(critic, SCHEDULE, SemanticSettings(critic="latent")), z, given)
    assert (slope.flatten(1).abs().sum(1) > 0).all()


def test_the_latent_critic_may_read_at_the_timestep_of_each_sample() -> None:
    torch.manual_seed(4)
    aligner = Aligner(AlignerConfig(channels=5, patch=2, width=8, blocks=1, heads=2, text_width=6))
    aligner.eval().requires_grad_(False)
    given, z = batch(), z0()
    seen = given["t"], given["noise"], given["boxes_xyxy"], given["chosen"].bool()
    own, _ = LatentCritic(aligner, None, SCHEDULE, at=-1)(z, *seen)  # type: ignore[arg-type]
    for row, t in enumerate(given["t"].tolist()):
        whole, _ = LatentCritic(aligner, None, SCHEDULE, at=t)(z, *seen)  # type: ignore[arg-type]
        assert torch.allclose(own[row], whole[row], atol=1e-6)


def test_a_box_is_told_from_near_phrases_by_a_softmax() -> None:
    """Cosines 1, 0 and -1, and a slot of zeros that stands for none."""
    seen, phrases = at_angle(0)[None], torch.stack([at_angle(a) for a in (0.0, 90.0, 180.0)])
    none = torch.zeros(1, 2)
    apart = mistaken(2 * seen, torch.cat([3 * phrases, none])[None], 0.5)
    wanted = -math.log(math.exp(2) / (math.exp(2) + 1 + math.exp(-2)))
    assert apart.item() == pytest.approx(wanted, rel=1e-6)
    assert mistaken(seen, torch.cat([phrases[:1], none])[None], 0.5).item() == pytest.approx(0)


def test_near_phrases_add_their_weight_and_leave_the_rest_alone() -> None:
    given, z = batch(), z0()
    given["near_vectors"] = torch.randn(4, 3, 2, 5, generator=rng(6))
    plain = DSAlign(Plain(), SCHEDULE, SemanticSettings())(z, given)
    more = DSAlign(Plain(), SCHEDULE, SemanticSettings(near=2, near_weight=0.3))(z, given)
    assert torch.equal(more["local"], plain["local"])
    torch.testing.assert_close(more["semantic"], plain["semantic"] + 0.3 * more["near"])
    assert gradient(DSAlign(Plain(), SCHEDULE, SemanticSettings(near=2)), z, given).isfinite().all()


@pytest.mark.parametrize("field_name", ["critic", "region", "weight", "boxes", "t_max", "slice"])
def test_bad_settings_name_the_field(field_name: str) -> None:
    bad = {
        "critic": "lpips",
        "region": "msk",
        "weight": "snr",
        "boxes": -1,
        "t_max": -1,
        "slice": -2,
    }
    with pytest.raises(SituError, match=field_name):
        SemanticSettings(**{field_name: bad[field_name]})
