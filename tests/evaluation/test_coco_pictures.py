"""Real COCO pictures through the loader, the protocol, crops and networks with random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from situ.app.evaluate import Folder
from situ.data.coco import Item, read_coco
from situ.data.protocol import draw, scenes
from situ.evaluation.detections import Detection
from situ.evaluation.evidence import Evidence
from situ.evaluation.inception import WIDTH, Inception, InceptionFeatures
from situ.evaluation.metrics import METRICS
from situ.evaluation.world import Pictures, Rows

COCO = Path(__file__).parents[3] / "shared/data/coco/val2017_ccby"
SIDE = 128
pytestmark = pytest.mark.skipif(not COCO.is_dir(), reason="the COCO pictures are not at hand")


class RandomWorld:
    """Inception with random weights; a detector that sees every asked box."""

    name = "random"
    crop_side = 96

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.models = {"features": "random", "clip": "none", "detector": "asked"}
        self.network = InceptionFeatures(Inception().eval().requires_grad_(False), batch=8)

    def features(self, pictures: Pictures) -> Rows:
        return self.network(pictures)


@pytest.fixture(scope="module")
def items() -> tuple[Item, ...]:
    return read_coco(COCO, "instances.json", "captions.json", "images")


def test_all_pictures_are_loaded_with_captions_and_boxes(items: tuple[Item, ...]) -> None:
    assert len(items) == 47
    assert all(len(item.captions) == 5 for item in items)
    assert all(item.pixels(SIDE).shape == (SIDE, SIDE, 3) for item in items)
    drawn = draw(items, 30)
    assert all(len(scene.layout) for scene in scenes(drawn))


def test_features_of_pictures_and_regions_reach_the_distance(
    items: tuple[Item, ...], tmp_path: Path
) -> None:
    drawn = draw(items, 6)
    folder = Folder(tuple(item.path for item, _ in drawn), SIDE)
    world: object = RandomWorld()
    e = Evidence(folder, scenes(drawn, SIDE), world, tmp_path)  # type: ignore[arg-type]
    assert e.features.shape == (6, WIDTH)
    assert e.region_features.shape == (len(e.regions), WIDTH)
    assert np.isfinite(e.features).all()
    score = METRICS["fid"].measure(e, e)
    assert score.statistic(np.arange(6)) == pytest.approx(0, abs=1e-3)
    assert score.draws == 0  # 2048 features are too wide to draw from
    assert any("2048" in text for text in score.warnings)


def test_true_boxes_are_right_in_every_box_metric(items: tuple[Item, ...]) -> None:
    drawn = draw(items, 30)
    folder = Folder(tuple(item.path for item, _ in drawn), SIDE)
    e = Evidence(folder, scenes(drawn, SIDE), RandomWorld())  # type: ignore[arg-type]
    found = [[Detection(o.phrase, 0.9, o.box) for o in scene.layout] for scene in e.scenes]
    object.__setattr__(e, "detections", found)
    values = {n: METRICS[n].measure(e, None).estimate().value for n in ("ap50", "kind", "count")}
    assert values == pytest.approx(dict.fromkeys(values, 1.0))
