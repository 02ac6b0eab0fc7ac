"""The diffusion objective: its weights, its supervision of attention, and which cell belongs to whom."""

import math

import pytest
import torch

from situ.diffusion.schedule import Schedule
from situ.models.attention import Maps, Site
from situ.training.denoising import DenoisingObjective, DenoisingSettings
from situ.training.supervision import cell_owner, owner_loss, places

BOXES = torch.tensor([[[0.0, 0.0, 0.5, 1.0], [0.25, 0.5, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]])
MASKS = torch.tensor([[1.0, 1.0, 0.0]])
SITE = Site("x", "gated", "up", 4, 4, 2)


def test_owner_of_a_cell_is_the_box_around_its_centre_and_the_lower_one_where_two_are() -> None:
    boxes = BOXES.clone()
    boxes[0, 0, 3] = 0.9  # the second box now reaches lower, so it is nearer
    owner = cell_owner(boxes, MASKS, 4, 4).view(4, 4)
    assert owner.tolist() == [[0, 0, -1, -1], [0, 0, -1, -1], [0, 1, 1, 1], [0, 1, 1, 1]]


def perfect_maps(boxes: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    owner = cell_owner(boxes, masks, 4, 4)[0]
    probs = torch.zeros(1, 2, 16, 16 + 3)
    for cell, slot in enumerate(owner.tolist()):
        probs[0, :, cell, 16 + (2 if slot < 0 else slot)] = 1.0
    return probs


def test_attention_that_chooses_the_owner_costs_nothing_and_uniform_attention_costs_log() -> None:
    maps = Maps()
    maps.keep(SITE, perfect_maps(BOXES, MASKS))
    assert owner_loss(maps, BOXES, MASKS).item() == pytest.approx(0.0, abs=1e-5)
    uniform = Maps()
    uniform.keep(SITE, torch.full((1, 2, 16, 19), 1 / 19))
    assert owner_loss(uniform, BOXES, MASKS).item() == pytest.approx(math.log(3), rel=1e-4)


def test_a_sample_without_objects_is_left_out() -> None:
    maps = Maps()
    maps.keep(SITE, torch.full((1, 2, 16, 19), 1 / 19))
    assert owner_loss(maps, BOXES, torch.zeros(1, 3)).item() == 0


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_min_snr_weights_are_the_same_weight_on_the_clean_latent(prediction: str) -> None:
    """An error e in z0 is snr e^2 for eps and (snr + 1) e^2 for v: both must become min(snr, 5) e^2."""
    schedule = Schedule.scaled_linear(prediction=prediction)  # type: ignore[arg-type]
    objective = DenoisingObjective.__new__(DenoisingObjective)
    torch.nn.Module.__init__(objective)
    objective.schedule, objective.settings = schedule, DenoisingSettings(snr_gamma=5.0)
    t = torch.tensor([1, 300, 999])
    snr = schedule.snr(t)
    factor = snr if prediction == "epsilon" else snr + 1
    assert torch.allclose(objective.weight(t) * factor, snr.clamp(max=5.0))


def test_noise_power_weighs_by_sigma() -> None:
    schedule = Schedule.scaled_linear(prediction="v_prediction")
    objective = DenoisingObjective.__new__(DenoisingObjective)
    torch.nn.Module.__init__(objective)
    objective.schedule, objective.settings = schedule, DenoisingSettings(noise_power=1.0)
    t = torch.tensor([1, 300, 999])
    assert torch.allclose(objective.weight(t).double(), (1 - schedule.abar[t]).sqrt(), atol=1e-6)


def test_places_are_cosines_of_where_a_cell_lies_in_its_box() -> None:
    boxes = torch.tensor([[[0.0, 0.0, 1.0, 0.5]]])
    waves, owned = places(boxes, torch.ones(1, 1), SITE)
    assert owned.view(4, 4).sum(1).tolist() == [4, 4, 0, 0]
    u, v = 0.375, 0.75  # the second cell of the second row: x = 0.375 of 1, y = 0.375 of 0.5
    expected = [math.cos(math.pi * k * w) for w in (u, v) for k in (1, 2, 3, 4)]
    assert waves[0, 5].tolist() == pytest.approx(expected, abs=1e-6)
