"""CLIP's losses by hand, and what its batches hold."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from situ.data.coco import Crop, Item
from situ.scene import Box, Layout, Object
from situ.training.alignment_data import Table
from situ.training.contrastive import ImageObjective, NamedData, PairData, blurred

SIDE = 16


class Eyes(nn.Module):
    """Sees the mean colour."""

    def forward(self, pixel_values: Tensor) -> SimpleNamespace:
        return SimpleNamespace(image_embeds=pixel_values.mean((2, 3)))


class Texts(nn.Module):
    """A transformer that must stay, and its projection."""

    def __init__(self) -> None:
        super().__init__()
        self.transformer, self.text_projection = nn.Linear(3, 3), nn.Linear(3, 3, bias=False)
        nn.init.eye_(self.text_projection.weight)


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.text, self.image = Texts(), Eyes()
        self.log_scale = nn.Parameter(torch.tensor(2.0).log())


def squares(*colours: tuple[float, float, float]) -> Tensor:
    return torch.tensor(colours, dtype=torch.float32)[:, :, None, None].expand(-1, -1, SIDE, SIDE)


def batch() -> dict[str, Tensor]:
    return {
        "crop_pixels": squares((1, 0, 0), (0, 2, 0)),
        "crop_text": torch.tensor([0, 2]),
        "scene_pixels": squares((1, 0, 0), (3, 0, 0), (0, 0, 1)),
        "scene_vectors": torch.tensor([[1.0, 0, 0], [1.0, 0, 0], [0, 0, 5.0]]),
        "scene_text": torch.tensor([7, 7, 4]),
    }


def test_a_crop_chooses_among_all_phrases_and_a_picture_among_the_captions() -> None:
    objective = ImageObjective(Pair(), torch.eye(3), scenes=0.5)
    said = {name: float(value.detach()) for name, value in objective(batch()).items()}
    # cosines of crops are 1 with one phrase and 0 with two, times 2; crop 1 shows phrase 1 and is called 2
    whole = np.log(np.exp(2) + 2)
    assert said["crop"] == pytest.approx(((whole - 2) + whole) / 2, rel=1e-6)
    # rows 0 and 1 are one caption: half the target each
    scene = (2 * (np.log(2 * np.exp(2) + 1) - 2) + (np.log(np.exp(2) + 2) - 2)) / 3
    assert said["scene"] == pytest.approx(scene, rel=1e-6)
    assert said["loss"] == pytest.approx(said["crop"] + 0.5 * said["scene"], rel=1e-6)
    assert (said["crop_top1"], said["scene_top1"]) == (0.5, 1)


def test_the_text_transformer_stays_and_its_projection_learns() -> None:
    pair = Pair()
    ImageObjective(pair, torch.eye(3))(batch())["loss"].backward()
    assert pair.text.transformer.weight.grad is None
    grad = pair.text.text_projection.weight.grad
    assert grad is not None
    assert grad.abs().sum() > 0


def item(number: int) -> Item:
    things = (
        Object("red ball", Box(0, 0, 0.5, 0.5)),
        Object("blue cup", Box(0.5, 0.5, 1, 1)),
    )
    crop = Crop(32, 32)
    path, captions = Path(f"{number}.png"), (f"page {number}",)
    return Item(number, path, crop, captions, Layout(things), ({}, {}))


def pictures() -> np.ndarray:
    """Red in the first box, blue in the second, black elsewhere."""
    found = np.zeros((2, 32, 32, 3), np.uint8)
    found[:, :16, :16, 0] = 255
    found[:, 16:, 16:, 2] = 255
    return found


def table(*texts: str) -> Table:
    return Table({text: n for n, text in enumerate(texts)}, torch.eye(len(texts)).half())


def test_rows_name_what_they_show() -> None:
    captions, phrases = table("page 1", "page 0"), table("red ball", "blue cup")
    data = NamedData([item(0), item(1)], pictures(), captions, phrases, SIDE)
    drawn = data.batch(8, torch.Generator().manual_seed(0))
    assert drawn["crop_pixels"].shape == (40, 3, SIDE, SIDE)
    middle = drawn["crop_pixels"][:, :, SIDE // 2, SIDE // 2]
    shown = torch.where(middle[:, 0] > middle[:, 2], 0, 1)
    assert torch.equal(shown, drawn["crop_text"])
    assert torch.equal(drawn["scene_vectors"], torch.eye(2)[drawn["scene_text"]])
    assert len(set(drawn["scene_text"].tolist())) == 2


def test_the_views_of_a_pair_do_not_depend_on_how_its_texts_are_read() -> None:
    tables = table("page 0", "page 1"), table("red ball", "blue cup")
    named = NamedData([item(0), item(1)], pictures(), *tables, SIDE, 2.0)
    pairs = PairData([item(0), item(1)], pictures(), None, SIDE, 2.0)
    (a, b, one), (c, d, other) = (
        data.views(6, torch.Generator().manual_seed(3)) for data in (named, pairs)
    )
    assert (a, b) == (c, d)
    assert torch.equal(one["crop_pixels"], other["crop_pixels"])


def test_blurring_takes_detail_from_about_half_and_keeps_what_is_even() -> None:
    rng = torch.Generator().manual_seed(0)
    board = (torch.arange(SIDE)[:, None] + torch.arange(SIDE)) % 2 * 2.0 - 1
    boards = board.expand(400, 3, SIDE, SIDE)
    kept = [torch.equal(a, b) for a, b in zip(blurred(boards, rng), boards, strict=True)]
    assert 150 < sum(kept) < 250
    even = squares(*[(0.5, -0.25, 0.125)] * 20)
    torch.testing.assert_close(blurred(even, rng), even)
