"""The judge's losses against closed forms, and one page learnt by heart."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from situ.data.coco import read_coco
from situ.data.packed import pack_pictures
from situ.ops.masks import cell_centres
from situ.storybook.book import write_book
from situ.storybook.judge import Judge
from situ.training.detection import (
    DetectionData,
    DetectionObjective,
    focal_loss,
    kind_targets,
    middles,
    nearest,
    unit_box,
    weathered,
)
from situ.training.loop import Loop, train


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DetectionData:
    folder = tmp_path_factory.mktemp("book")
    write_book(folder, 6, workers=1)
    items = read_coco(folder)
    return DetectionData(pack_pictures(items, folder / "pictures.npy", 128), items)


def test_a_hill_is_one_in_the_middle_and_falls_with_the_size_of_the_thing() -> None:
    hills = middles(torch.tensor([[[0.0, 0.0, 1.0, 0.5]]]), 32, 32)[0, 0]
    assert hills[8, 16] == 1 == hills.max()
    assert hills[8, 19] == pytest.approx(math.exp(-0.5 * (3 / 3.2) ** 2))
    assert hills[9, 16] == pytest.approx(math.exp(-0.5 * (1 / 1.6) ** 2))


def test_targets_keep_kinds_apart_and_leave_out_empty_slots() -> None:
    boxes = torch.tensor([[[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1], [0, 0, 1, 1]]])
    kinds = torch.tensor([[3, 7, -1]])
    hills = middles(boxes, 32, 32) * (kinds[..., None, None] >= 0)
    target = kind_targets(hills, kinds)[0]
    assert target[3, 8, 8] == target[7, 24, 24] == 1
    assert target[3, 24, 24] < 1e-6
    assert target.sum((1, 2)).nonzero().flatten().tolist() == [3, 7]


def test_cells_near_a_middle_know_their_thing() -> None:
    boxes = torch.tensor([[[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1.0]]])
    labels = torch.tensor([[[3, 1, 2], [7, 4, 0]]])
    weight, box, label = nearest(middles(boxes, 32, 32), boxes, labels)
    assert weight.sum() == pytest.approx(1)
    assert weight[0, 0, 0] == 0
    assert box[0, :, 24, 25].tolist() == [0.5, 0.5, 1, 1]
    assert label[0, :, 8, 7].tolist() == [3, 1, 2]


def test_focal_loss_in_closed_form() -> None:
    logits = torch.tensor([0.0, 0.0, 0.0]).reshape(1, 1, 1, 3)
    target = torch.tensor([1.0, 0.5, 0.0]).reshape(1, 1, 1, 3)
    expected = math.log(2) * 0.25 * (1 + 0.5**4 + 1)
    assert focal_loss(logits, target) == pytest.approx(expected)


def test_unit_box_is_minus_log_iou() -> None:
    centres = cell_centres(4, 4).permute(2, 0, 1)[None]
    true = torch.tensor([0.0, 0.0, 1.0, 1.0])[None, :, None, None].expand(1, 4, 4, 4)
    sides = torch.cat([centres, 1 - centres], 1)
    assert unit_box(sides, true).abs().max() < 1e-6
    assert unit_box(0.5 * sides, true).numpy() == pytest.approx(np.log(4), abs=1e-5)


def test_weather_keeps_shape_and_colours_and_follows_the_generator() -> None:
    pixels = torch.full((8, 3, 128, 128), 0.5)
    first, again = (weathered(pixels, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == pixels.shape
    assert (first.mean((2, 3)) - 0.5).abs().max() < 0.05
    assert first.std((1, 2, 3)).max() < 0.2


def test_a_batch_holds_boxes_and_looks_of_its_pages(data: DetectionData) -> None:
    batch = data.batch(4, torch.Generator().manual_seed(0))
    assert batch["pixels"].shape == (4, 3, 128, 128)
    used = batch["labels"][..., 0] >= 0
    assert used.any(1).all()
    box = batch["boxes_xyxy"][used]
    assert (box[:, 2:] > box[:, :2]).all()


def test_the_losses_fall_on_pages_seen_often(data: DetectionData, tmp_path: Path) -> None:
    torch.manual_seed(0)
    objective = DetectionObjective(Judge((16, 24, 32)))
    records = list(train(objective, data, Loop(40, 4, 5e-3, warmup=3), tmp_path))
    first, last = records[0].losses, records[-1].losses
    assert last["loss"] < 0.7 * first["loss"]
    assert last["kinds"] < first["kinds"]
    assert last["boxes"] < first["boxes"]
